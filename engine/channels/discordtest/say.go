package discordtest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"lobstead/engine/channels/service"
)

// Words is something that a person writes. Text is in Discord's spelling: a mention of the bot is "<@" + Bot + ">".
type Words struct {
	Channel string // "" = the direct conversation
	User    string // the name
	Text    string
	Answers string // the message that it is a reply to
	File    *service.Upload
	Bot     bool // another bot says it
}

var mention = regexp.MustCompile(`<@!?(\d+)>`)

// Say lets a person write to the bot; the answer is the message's id.
func (s *Server) Say(user, text string) string { return s.Write(Words{User: user, Text: text}) }

// Write lets a person write.
func (s *Server) Write(w Words) string {
	if w.Channel == "" {
		w.Channel = Direct(w.User)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &post{id: s.next(), channel: w.Channel, author: s.meet(w.User), text: w.Text, answers: w.Answers, file: w.File, at: time.Now().UTC()}
	for _, m := range mention.FindAllStringSubmatch(w.Text, -1) {
		p.mentions = append(p.mentions, m[1])
	}
	s.messages = append(s.messages, p)
	m := s.veiled(p)
	if w.Bot {
		m["author"] = map[string]any{"id": p.author, "username": w.User, "discriminator": "0", "bot": true}
	}
	s.dispatch("MESSAGE_CREATE", m)
	return p.id
}

// veiled takes out what the bot may not read: words in channels that do not mention it, unless its application may.
func (s *Server) veiled(p *post) map[string]any {
	m := s.message(p)
	may := direct(p.channel) || s.flags != ContentOff
	for _, u := range p.mentions {
		may = may || u == Bot
	}
	if !may {
		m["content"], m["attachments"] = "", []any{}
	}
	return m
}

// Edit changes what a person wrote.
func (s *Server) Edit(id, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.find(id)
	now := time.Now().UTC()
	p.text, p.edited = text, &now
	s.dispatch("MESSAGE_UPDATE", s.veiled(p))
}

// Preview tells that a message has an embed now, which is an update and no edit.
func (s *Server) Preview(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.message(s.find(id))
	m["embeds"] = []any{map[string]any{"type": "link", "url": "https://example.com"}}
	s.dispatch("MESSAGE_UPDATE", m)
}

// Kick takes the bot out of the guild.
func (s *Server) Kick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
	s.dispatch("GUILD_DELETE", map[string]any{"id": Guild})
}

// Press lets a person press a button under one of the bot's messages; the answer is the interaction's id.
func (s *Server) Press(user, message, token string) string {
	s.mu.Lock()
	p := s.find(message)
	found := false
	if p != nil {
		for _, r := range p.rows {
			for _, b := range r.Components {
				found = found || b.ID == token
			}
		}
	}
	s.mu.Unlock()
	if !found {
		s.t.Errorf("no such button under %s: %s", message, token)
		return ""
	}
	return s.Forge(user, message, token)
}

// Forge tells of a press of a button that a message does not have, or not any more.
func (s *Server) Forge(user, message, token string) string {
	s.mu.Lock()
	p := s.find(message)
	i := s.interaction(user, p.channel, 3)
	i["message"], i["data"] = s.message(p), map[string]any{"component_type": 2, "custom_id": token}
	s.mu.Unlock()
	return s.interact(i)
}

// Command lets a person give a slash command with one value.
func (s *Server) Command(user, channel, command, value string) string {
	if channel == "" {
		channel = Direct(user)
	}
	s.mu.Lock()
	i := s.interaction(user, channel, 2)
	i["data"] = map[string]any{"id": s.next(), "name": command, "type": 1, "options": []any{map[string]any{"name": "code", "type": 3, "value": value}}}
	s.mu.Unlock()
	return s.interact(i)
}

func (s *Server) interaction(user, channel string, kind int) map[string]any {
	i := map[string]any{"id": s.next(), "application_id": App, "type": kind, "token": "interaction-token-" + strconv.FormatInt(s.count, 10), "version": 1,
		"channel_id": channel, "locale": "en-GB", "app_permissions": "274878008320", "entitlements": []any{}}
	who := s.author(s.meet(user))
	if direct(channel) {
		i["user"], i["channel"], i["context"] = who, map[string]any{"id": channel, "type": 1}, 1
		return i
	}
	i["guild_id"], i["member"], i["context"] = Guild, map[string]any{"user": who, "roles": []any{}}, 0
	i["channel"] = map[string]any{"id": channel, "type": 0, "name": "general", "guild_id": Guild}
	if channel == Thread {
		i["channel"] = thread()
	}
	return i
}

func (s *Server) interact(i map[string]any) string {
	s.mu.Lock()
	id, hook := i["id"].(string), s.hook
	s.acks[id] = 0
	if hook == "" {
		s.dispatch("INTERACTION_CREATE", i)
	}
	s.mu.Unlock()
	if hook != "" {
		s.post(hook, id, i)
	}
	return id
}

// Request makes what Discord would send over HTTP, and its headers.
func (s *Server) Request(payload any, at time.Time) ([]byte, map[string]string) {
	body, _ := json.Marshal(payload)
	stamp := strconv.FormatInt(at.Unix(), 10)
	sig := ed25519.Sign(s.private, append([]byte(stamp), body...))
	return body, map[string]string{"Content-Type": "application/json", "X-Signature-Timestamp": stamp, "X-Signature-Ed25519": hex.EncodeToString(sig)}
}

// post sends an interaction once: Discord does not send them again.
func (s *Server) post(hook, id string, i map[string]any) {
	body, header := s.Request(i, time.Now())
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, hook, bytes.NewReader(body))
	if err != nil {
		return
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return
	}
	defer func() { _ = res.Body.Close() }()
	var in struct{ Type int }
	if res.StatusCode/100 == 2 && json.NewDecoder(res.Body).Decode(&in) == nil {
		s.set(func() { s.acks[id] = in.Type })
	}
}

// meet remembers a person's name.
func (s *Server) meet(name string) string {
	s.names[User(name)] = name
	return User(name)
}

func (s *Server) author(id string) map[string]any {
	if id == Bot {
		return person(Bot, "lobstead", true)
	}
	name := s.names[id]
	if name == "" {
		name = "somebody"
	}
	return person(id, name, false)
}
