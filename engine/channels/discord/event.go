package discord

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"lobstead/engine/channels/service"
)

type message struct {
	ID         string      `json:"id"`
	Type       int         `json:"type"`
	Channel    string      `json:"channel_id"`
	Guild      string      `json:"guild_id"`
	Author     user        `json:"author"`
	Webhook    string      `json:"webhook_id"`
	Content    string      `json:"content"`
	At         time.Time   `json:"timestamp"`
	Edited     *time.Time  `json:"edited_timestamp"`
	Mentions   []user      `json:"mentions"`
	Roles      []string    `json:"mention_roles"`
	Files      []file      `json:"attachments"`
	Referenced *message    `json:"referenced_message"`
	Reference  *referenced `json:"message_reference"`
	Snapshots  []struct {
		Message struct {
			Content string `json:"content"`
			Files   []file `json:"attachments"`
		} `json:"message"`
	} `json:"message_snapshots"`
}

type referenced struct {
	Type    int    `json:"type"` // 1 = forwarded
	Message string `json:"message_id"`
}

// Types of messages that people write: plain, and a reply. The rest are the service's own notes, and answers to commands.
const (
	plainMessage = 0
	replyMessage = 19
)

// said makes the event of a message; the bot's own are passed over, other programs' are marked.
func (w *world) said(m message) (service.Event, bool) {
	if m.ID == "" || m.Channel == "" || m.Author.ID == "" || m.Author.ID == w.bot || m.Type != plainMessage && m.Type != replyMessage {
		return service.Event{}, false
	}
	for _, s := range m.Snapshots { // forwarded words are what the person sends
		m.Content, m.Files = strings.TrimSpace(m.Content+"\n"+s.Message.Content), append(m.Files, s.Message.Files...)
	}
	text, named := w.plain(m)
	if text == "" && len(m.Files) == 0 && !named {
		return service.Event{}, false // Discord keeps from us what it is about
	}
	p := w.peer(m.Guild, m.Channel)
	answers := m.Referenced != nil && m.Referenced.Author.ID == w.bot
	p.Called = p.Direct || named || answers
	e := service.Event{ID: m.ID, Kind: service.Said, Peer: p, Message: m.ID, Text: text, At: m.At.UTC(),
		Sender: service.Sender{ID: m.Author.ID, Name: m.Author.shown(), Bot: m.Author.Bot || m.Webhook != ""}}
	if m.Reference != nil && m.Reference.Type == 0 {
		e.ReplyTo = m.Reference.Message
	}
	for _, f := range m.Files {
		e.Files = append(e.Files, f.event())
	}
	return e, true
}

// changed makes the event of an edit. Discord calls a message updated for its previews too; only people's edits have a time.
func (w *world) changed(m message) (service.Event, bool) {
	if m.Edited == nil {
		return service.Event{}, false
	}
	e, ok := w.said(m)
	e.Kind, e.ID, e.Files = service.Edited, "edit:"+m.ID+":"+strconv.FormatInt(m.Edited.UnixMicro(), 36), nil
	return e, ok
}

var angled = regexp.MustCompile(`<(@[!&]?|#|a?:[A-Za-z0-9_~]+:|t:)(-?\d+)(?::[A-Za-z])?>`)

// plain gives a message's words with Discord's references spelled as they are shown, and tells whether they name the bot, which is
// taken out. Markdown stays as the person wrote it.
func (w *world) plain(m message) (string, bool) {
	named := slices.ContainsFunc(m.Mentions, func(u user) bool { return u.ID == w.bot }) && strings.Contains(m.Content, "<@")
	role := w.role(m.Guild)
	names := map[string]string{}
	for _, u := range m.Mentions {
		names[u.ID] = u.Username
	}
	const us = "\x00"
	out := angled.ReplaceAllStringFunc(strings.ReplaceAll(m.Content, us, ""), func(whole string) string {
		part := angled.FindStringSubmatch(whole)
		kind, id := part[1], part[2]
		switch {
		case (kind == "@" || kind == "@!") && id == w.bot, kind == "@&" && role != "" && id == role:
			named = true
			return us
		case kind == "@" || kind == "@!":
			if names[id] != "" {
				return "@" + names[id]
			}
			return "@" + id
		case kind == "@&":
			return "@role"
		case kind == "#":
			if n := w.name(id); n != "" {
				return n
			}
			return "#" + id
		case kind == "t:":
			if sec, err := strconv.ParseInt(id, 10, 64); err == nil {
				return time.Unix(sec, 0).UTC().Format("2006-01-02 15:04 UTC")
			}
			return whole
		}
		return strings.TrimPrefix(kind, "a")
	})
	return without(out, us), named
}

// without takes the bot's name out, with the comma or colon of an address and one of two spaces.
func without(s, us string) string {
	s = strings.TrimSpace(s)
	for strings.HasPrefix(s, us) {
		s = strings.TrimLeft(strings.TrimPrefix(s, us), " ,:")
	}
	s = strings.ReplaceAll(s, " "+us+" ", " ")
	return strings.TrimSpace(strings.ReplaceAll(s, us, ""))
}

// interaction is a press or a slash command, in a request or over the gateway.
type interaction struct {
	ID      string  `json:"id"`
	App     string  `json:"application_id"`
	Type    int     `json:"type"`
	Token   string  `json:"token"`
	Guild   string  `json:"guild_id"`
	Channel channel `json:"channel"`
	In      string  `json:"channel_id"`
	Context int     `json:"context"` // 2 = a conversation that the bot is not in
	User    user    `json:"user"`
	Member  struct {
		User user `json:"user"`
	} `json:"member"`
	Message struct {
		ID string `json:"id"`
	} `json:"message"`
	Data struct {
		Name    string `json:"name"`
		ID      string `json:"custom_id"`
		Options []struct {
			Value any `json:"value"`
		} `json:"options"`
	} `json:"data"`
}

// event reads an interaction; w may be nil, where nothing is known of the channels.
func (i interaction) event(w *world, at time.Time) (service.Event, bool) {
	who := i.User
	if who.ID == "" {
		who = i.Member.User
	}
	if i.In == "" {
		i.In = i.Channel.ID
	}
	if i.ID == "" || i.In == "" || who.ID == "" || i.Context == 2 {
		return service.Event{}, false
	}
	p := i.Channel.peer(i.Guild, i.In)
	if w != nil && p.Thread == "" && w.knows(i.In) {
		p = w.peer(i.Guild, i.In)
	}
	p.Called = true
	e := service.Event{ID: i.ID, Peer: p, Sender: service.Sender{ID: who.ID, Name: who.shown(), Bot: who.Bot}, At: at.UTC()}
	switch {
	case i.Type == isComponent && i.Data.ID != "":
		e.Kind, e.Token, e.Message = service.Pressed, i.Data.ID, i.Message.ID
	case i.Type == isCommand && i.Data.Name != "":
		e.Kind, e.Text = service.Said, "/"+i.Data.Name
		for _, o := range i.Data.Options {
			if v, ok := o.Value.(string); ok {
				e.Text += " " + v
			}
		}
	default:
		return service.Event{}, false
	}
	return e, true
}
