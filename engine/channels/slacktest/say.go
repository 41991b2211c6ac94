package slacktest

import (
	"fmt"
	"strconv"
	"strings"

	"lobstead/engine/channels/service"
)

// User gives the id of a person, Direct that of the conversation that the person has with the bot.
func User(name string) string   { return "U" + strings.ToUpper(name) }
func Direct(name string) string { return "D" + strings.ToUpper(name) }
func nameOf(id string) string   { return strings.ToLower(strings.TrimPrefix(id, "U")) }

// Words is something that a person writes. Text is in Slack's spelling: a mention of the bot is <@U0BOT>.
type Words struct {
	Channel string // "" = the direct conversation
	Thread  string
	User    string // the name
	Text    string
	File    *service.Upload
	Bot     bool // another app says it
}

// Say lets a person write to the bot; the answer is the message's id.
func (s *Server) Say(user, text string) string { return s.Write(Words{User: user, Text: text}) }

// Write lets a person write. Where the bot is mentioned, Slack tells of it twice: as a mention and as a message.
func (s *Server) Write(w Words) string {
	kind := "channel"
	if w.Channel == "" {
		w.Channel, kind = Direct(w.User), "im"
	}
	s.mu.Lock()
	p := &post{channel: w.Channel, thread: w.Thread, ts: s.stamp(), user: User(w.User), text: w.Text, data: w.File}
	if w.File != nil {
		s.count++
		id := "F0" + strconv.Itoa(s.count)
		p.files = []map[string]any{{"id": id, "name": w.File.Name, "title": w.File.Name, "mimetype": w.File.MediaType, "size": len(w.File.Data), "mode": "hosted",
			"is_external": false, "user": p.user, "url_private": s.URL + "/files/" + id, "url_private_download": s.URL + "/files/" + id}}
	}
	s.messages = append(s.messages, p)
	parent := s.find(w.Channel, w.Thread)
	s.mu.Unlock()

	e := s.event(p, kind)
	if parent != nil {
		e["parent_user_id"] = parent.user
	}
	if w.Bot {
		e["bot_id"], e["app_id"], e["subtype"] = "B0OTHER", "A0OTHER", "bot_message"
		delete(e, "user")
	}
	if kind == "channel" && strings.Contains(w.Text, "<@"+Bot+">") && !w.Bot {
		m := s.event(p, "")
		m["type"] = "app_mention"
		delete(m, "channel_type")
		s.happen(m)
	}
	s.happen(e)
	return p.ts
}

func (s *Server) event(p *post, kind string) map[string]any {
	e := map[string]any{"client_msg_id": fmt.Sprintf("11111111-2222-4333-8444-%012s", strings.ReplaceAll(p.ts, ".", "")[6:]), "type": "message", "text": p.text, "user": p.user,
		"ts": p.ts, "team": Team, "channel": p.channel, "event_ts": p.ts, "channel_type": kind}
	if p.thread != "" {
		e["thread_ts"] = p.thread
	}
	if p.files != nil {
		e["files"], e["upload"], e["subtype"] = p.files, false, "file_share"
	}
	return e
}

// Edit changes what a person wrote.
func (s *Server) Edit(ts, text string) {
	s.mu.Lock()
	p := s.find("", ts)
	old := map[string]any{"type": "message", "user": p.user, "text": p.text, "ts": p.ts, "team": Team}
	p.text, p.edits = text, p.edits+1
	at := s.stamp()
	changed := map[string]any{"type": "message", "user": p.user, "text": text, "ts": p.ts, "team": Team, "edited": map[string]any{"user": p.user, "ts": at}}
	if p.thread != "" {
		old["thread_ts"], changed["thread_ts"] = p.thread, p.thread
	}
	kind := map[bool]string{true: "im", false: "channel"}[strings.HasPrefix(p.channel, "D")]
	s.mu.Unlock()
	s.happen(map[string]any{"type": "message", "subtype": "message_changed", "message": changed, "previous_message": old, "channel": p.channel, "hidden": true,
		"ts": at, "event_ts": at, "channel_type": kind})
}

// Press lets a person press the button with a token under one of the bot's messages.
func (s *Server) Press(user, ts, token string) {
	s.mu.Lock()
	found := false
	if p := s.find("", ts); p != nil {
		for _, b := range p.blocks {
			for _, e := range b.Elements {
				found = found || e.Value == token
			}
		}
	}
	s.mu.Unlock()
	if !found {
		s.t.Errorf("no such button under %s: %s", ts, token)
		return
	}
	s.Forge(user, ts, token)
}

// Forge tells of a press of a button that a message does not have, or not any more.
func (s *Server) Forge(user, ts, token string) {
	s.mu.Lock()
	p, at := s.find("", ts), s.stamp()
	action := map[string]any{"action_id": "choice_0", "block_id": "choices", "type": "button", "value": token, "action_ts": at, "text": map[string]any{"type": "plain_text", "text": "Approve"}}
	s.count++
	trigger := fmt.Sprintf("%d.%d.abcdef", s.count, s.now.Unix())
	s.mu.Unlock()
	name := map[bool]string{true: "directmessage", false: "general"}[strings.HasPrefix(p.channel, "D")]
	s.tell("interactive", map[string]any{"type": "block_actions", "user": map[string]any{"id": User(user), "username": user, "name": user, "team_id": Team},
		"api_app_id": App, "token": "verification-token", "trigger_id": trigger, "team": map[string]any{"id": Team, "domain": "lobstead"}, "enterprise": nil,
		"container": map[string]any{"type": "message", "message_ts": p.ts, "channel_id": p.channel, "is_ephemeral": false},
		"channel":   map[string]any{"id": p.channel, "name": name}, "message": map[string]any{"type": "message", "user": Bot, "bot_id": BotID, "ts": p.ts, "thread_ts": p.thread, "text": p.text},
		"response_url": s.URL + "/actions/unused", "actions": []map[string]any{action}, "state": map[string]any{"values": map[string]any{}}})
}

// Command lets a person give a slash command.
func (s *Server) Command(user, channel, command, text string) {
	name := "general"
	if channel == "" {
		channel, name = Direct(user), "directmessage"
	}
	s.mu.Lock()
	s.count++
	trigger := fmt.Sprintf("%d.%d.abcdef", s.count, s.now.Unix())
	s.mu.Unlock()
	s.tell("slash_commands", map[string]any{"token": "verification-token", "team_id": Team, "team_domain": "lobstead", "channel_id": channel, "channel_name": name,
		"user_id": User(user), "user_name": user, "command": command, "text": text, "api_app_id": App, "is_enterprise_install": "false",
		"response_url": s.URL + "/commands/unused", "trigger_id": trigger})
}
