package app

import (
	"strings"

	"lobstead/models"
	"lobstead/views/chat"
)

// Messages are what people say: each starts a turn.
type Messages struct{ *App }

// message is the composer's form.
type message struct {
	input    models.Input
	instance string
}

func (h *Messages) read(c *Ctx) (message, error) {
	var m message
	f, err := c.Fields()
	if err != nil {
		return m, err
	}
	if s, ok := f.OptionalString("message"); ok && s != nil {
		m.input.Text = *s
	}
	if s, _ := f.OptionalString("instance"); s != nil {
		m.instance = *s
	}
	if err := f.Err(); err != nil {
		return m, err
	}
	m.input.Source = "page"
	if strings.HasPrefix(strings.ToLower(c.f.Get("Content-Type")), "multipart/") {
		form, err := c.form()
		if err != nil {
			return m, err
		}
		m.input.Attachments, err = c.Uploads(form, "files")
		return m, err
	}
	return m, nil
}

// CreateFirst opens a conversation by its first message.
func (h *Messages) CreateFirst(c *Ctx) (Reply, error) {
	m, err := h.read(c)
	if err != nil {
		return nil, err
	}
	i, err := h.chosen(c, c.Scope, m.instance)
	if err != nil {
		return nil, err
	}
	lead, err := h.command(c, m, "")
	if lead != nil {
		return lead, nil
	}
	var s *models.Session
	if err == nil {
		s, _, err = h.Turns.Open(c, c.Scope, models.NewSession{InstanceID: i.ID}, m.input)
	}
	if text, ok := asInvalid(err); ok && !c.wantsJSON() {
		p, err := (&Chat{h.App}).newChat(c, i.ID)
		if err != nil {
			return nil, err
		}
		p.Composer.Text, p.Composer.Error = m.input.Text, text
		return page(chat.Show(*p)).with(422), nil
	}
	if err != nil {
		return nil, err
	}
	return redirect("/chat/" + s.ID).json(map[string]string{"session_id": s.ID}), nil
}

// Create sends a message into a conversation; while a turn runs it waits in the queue.
func (h *Messages) Create(c *Ctx) (Reply, error) {
	session, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	m, err := h.read(c)
	if err != nil {
		return nil, err
	}
	lead, err := h.command(c, m, session)
	if lead != nil {
		return lead, nil
	}
	var turn *models.Turn
	if err == nil {
		turn, _, err = h.Turns.Start(c, c.Scope, session, m.input)
	}
	if text, ok := asInvalid(err); ok && !c.wantsJSON() && !c.isHTMX() {
		p, err := (&Chat{h.App}).props(c, session)
		if err != nil {
			return nil, err
		}
		p.Composer.Text, p.Composer.Error = m.input.Text, text
		return page(chat.Show(*p)).with(422), nil
	}
	if err != nil {
		return nil, err
	}
	r := redirect("/chat/" + session).json(map[string]string{"turn_id": turn.ID, "state": string(turn.State)})
	if c.isHTMX() {
		return &answer{noContent: true}, nil // the stream brings it
	}
	return r, nil
}
