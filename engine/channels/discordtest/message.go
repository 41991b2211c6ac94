package discordtest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"lobstead/engine/channels/service"
)

type incoming struct {
	Content    string `json:"content"`
	Nonce      string `json:"nonce"`
	Enforce    bool   `json:"enforce_nonce"`
	Components []row  `json:"components"`
	Reference  *struct {
		Message string `json:"message_id"`
		Must    *bool  `json:"fail_if_not_exists"`
	} `json:"message_reference"`
	Mentions *struct {
		Parse []string `json:"parse"`
	} `json:"allowed_mentions"`
}

func (s *Server) toChannel(w http.ResponseWriter, r *http.Request, channel, what string) {
	if s.refused(w, channel) {
		return
	}
	if what == "typing" {
		s.typed = append(s.typed, channel)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	in, file, ok := read(r)
	if !ok || !valid(in, file != nil) {
		problem(w, http.StatusBadRequest, 50035, "Invalid Form Body")
		return
	}
	if before := s.nonces[in.Nonce]; in.Enforce && in.Nonce != "" && before != nil {
		answer(w, 200, s.message(before))
		return
	}
	p := &post{id: s.next(), channel: channel, author: Bot, text: in.Content, nonce: in.Nonce, rows: in.Components, file: file, at: time.Now().UTC()}
	if in.Reference != nil {
		if s.find(in.Reference.Message) != nil {
			p.answers = in.Reference.Message
		} else if in.Reference.Must == nil || *in.Reference.Must {
			problem(w, http.StatusBadRequest, 50035, "Invalid Form Body: unknown message")
			return
		}
	}
	if in.Mentions == nil && strings.Contains(in.Content, "@everyone") {
		s.t.Errorf("a message would notify everyone: %s", in.Content)
	}
	s.messages = append(s.messages, p)
	if in.Nonce != "" {
		s.nonces[in.Nonce] = p
	}
	answer(w, 200, s.message(p))
	s.dispatch("MESSAGE_CREATE", s.message(p))
}

// read takes a message as JSON, or as a form with a file.
func read(r *http.Request) (in incoming, file *service.Upload, ok bool) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		return in, nil, json.NewDecoder(r.Body).Decode(&in) == nil
	}
	if r.ParseMultipartForm(32<<20) != nil || json.Unmarshal([]byte(r.FormValue("payload_json")), &in) != nil {
		return in, nil, false
	}
	part, head, err := r.FormFile("files[0]")
	if err != nil {
		return in, nil, false
	}
	data, err := io.ReadAll(part)
	return in, &service.Upload{Name: head.Filename, MediaType: head.Header.Get("Content-Type"), Data: data}, err == nil
}

// valid checks Discord's limits.
func valid(in incoming, file bool) bool {
	if in.Content == "" && !file || utf8.RuneCountInString(in.Content) > 2000 || len(in.Nonce) > 25 || len(in.Components) > 5 {
		return false
	}
	seen := map[string]bool{}
	for _, r := range in.Components {
		if r.Type != 1 || len(r.Components) == 0 || len(r.Components) > 5 {
			return false
		}
		for _, b := range r.Components {
			if n := utf8.RuneCountInString(b.Label); b.Type != 2 || b.Style < 1 || b.Style > 4 || n == 0 || n > 80 || b.ID == "" || len(b.ID) > 100 || seen[b.ID] {
				return false
			}
			seen[b.ID] = true
		}
	}
	return true
}

// edit changes what it is told to change; the rest stays.
func (s *Server) edit(w http.ResponseWriter, r *http.Request, id string) {
	var in struct {
		Content    *string `json:"content"`
		Components *[]row  `json:"components"`
	}
	p := s.find(id)
	switch {
	case p == nil:
		problem(w, http.StatusNotFound, 10008, "Unknown Message")
		return
	case p.author != Bot:
		problem(w, http.StatusForbidden, 50005, "Cannot edit a message authored by another user")
		return
	case json.NewDecoder(r.Body).Decode(&in) != nil || in.Content != nil && (*in.Content == "" || utf8.RuneCountInString(*in.Content) > 2000):
		problem(w, http.StatusBadRequest, 50035, "Invalid Form Body")
		return
	}
	if in.Content != nil {
		p.text = *in.Content
	}
	if in.Components != nil {
		p.rows = *in.Components
	}
	now := time.Now().UTC()
	p.edited, p.edits = &now, p.edits+1
	answer(w, 200, s.message(p))
	s.dispatch("MESSAGE_UPDATE", s.message(p))
}

// message spells a message as REST and the gateway do.
func (s *Server) message(p *post) map[string]any {
	mentions := []any{}
	for _, u := range p.mentions {
		mentions = append(mentions, s.author(u))
	}
	m := map[string]any{"id": p.id, "type": 0, "channel_id": p.channel, "author": s.author(p.author), "content": p.text, "timestamp": p.at.Format(time.RFC3339Nano),
		"edited_timestamp": nil, "tts": false, "mention_everyone": false, "mentions": mentions, "mention_roles": []any{}, "attachments": []any{}, "embeds": []any{}, "pinned": false}
	if p.edited != nil {
		m["edited_timestamp"] = p.edited.Format(time.RFC3339Nano)
	}
	if !direct(p.channel) {
		m["guild_id"] = Guild
	}
	if p.nonce != "" {
		m["nonce"] = p.nonce
	}
	if p.file != nil {
		at := s.web.URL + "/cdn/" + p.id + "/" + p.file.Name
		m["attachments"] = []any{map[string]any{"id": p.id, "filename": p.file.Name, "content_type": p.file.MediaType, "size": len(p.file.Data), "url": at, "proxy_url": at}}
	}
	if p.answers != "" {
		m["type"], m["message_reference"] = 19, map[string]any{"type": 0, "message_id": p.answers, "channel_id": p.channel}
		if parent := s.find(p.answers); parent != nil {
			m["referenced_message"] = s.message(parent)
		}
	}
	return m
}
