package slacktest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"lobstead/engine/channels/service"
)

// method serves the Web API.
func (s *Server) method(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	called := strings.TrimPrefix(r.URL.Path, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, called)
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		token = r.Form.Get("token")
	}
	want := s.BotToken
	if called == "apps.connections.open" {
		want = s.AppToken
	}
	switch {
	case token == "":
		answer(w, fail("not_authed"))
	case s.revoked:
		answer(w, fail("token_revoked"))
	case token != want && (token == s.BotToken || token == s.AppToken):
		answer(w, fail("not_allowed_token_type"))
	case token != want:
		answer(w, fail("invalid_auth"))
	default:
		w.Header().Set("X-OAuth-Scopes", s.scopes)
		answer(w, s.do(called, r))
	}
}

func fail(code string) map[string]any { return map[string]any{"ok": false, "error": code} }

func (s *Server) do(called string, r *http.Request) map[string]any {
	f := r.Form
	switch called {
	case "auth.test":
		return map[string]any{"ok": true, "url": "https://lobstead.slack.com/", "team": "Lobstead", "user": "lobstead", "team_id": Team, "user_id": Bot,
			"bot_id": BotID, "is_enterprise_install": false}
	case "apps.connections.open":
		return map[string]any{"ok": true, "url": s.ticket()}
	case "users.info":
		id := f.Get("user")
		return map[string]any{"ok": true, "user": map[string]any{"id": id, "team_id": Team, "name": nameOf(id),
			"profile": map[string]any{"display_name": nameOf(id), "real_name": "Real " + nameOf(id)}}}
	case "chat.postMessage":
		return s.post(r)
	case "chat.update":
		return s.update(r)
	case "files.getUploadURLExternal":
		return s.uploadURL(r)
	case "files.completeUploadExternal":
		return s.complete(r)
	case "files.info":
		if p, file := s.file(f.Get("file")); p != nil {
			return map[string]any{"ok": true, "file": file}
		}
		return fail("file_not_found")
	case "assistant.threads.setStatus":
		if !strings.HasPrefix(f.Get("channel_id"), "D") {
			return fail("channel_not_found")
		}
		s.statuses = append(s.statuses, f.Get("channel_id")+" "+f.Get("thread_ts")+" "+f.Get("status"))
		return map[string]any{"ok": true}
	}
	return fail("unknown_method")
}

// refusal is why the bot may not write somewhere; "" for no reason.
func (s *Server) refusal(scope, channel string) map[string]any {
	member, known := s.channels[channel]
	switch {
	case !strings.Contains(","+s.scopes+",", ","+scope+","):
		f := fail("missing_scope")
		f["needed"], f["provided"] = scope, s.scopes
		return f
	case !known && !strings.HasPrefix(channel, "D"):
		return fail("channel_not_found")
	case known && !member:
		return fail("not_in_channel")
	}
	return nil
}

func (s *Server) post(r *http.Request) map[string]any {
	f := r.Form
	if no := s.refusal("chat:write", f.Get("channel")); no != nil {
		return no
	}
	key := f.Get("client_msg_id")
	if ts := s.keys[key]; key != "" && ts != "" {
		return posted(s.find("", ts))
	}
	p := &post{channel: f.Get("channel"), thread: f.Get("thread_ts"), user: Bot, key: key}
	if no := p.fill(f.Get("text"), f.Get("blocks")); no != "" {
		return fail(no)
	}
	if p.thread != "" && s.find(p.channel, p.thread) == nil {
		return fail("thread_not_found")
	}
	p.ts = s.stamp()
	s.messages = append(s.messages, p)
	if key != "" {
		s.keys[key] = p.ts
	}
	return posted(p)
}

func posted(p *post) map[string]any {
	return map[string]any{"ok": true, "channel": p.channel, "ts": p.ts,
		"message": map[string]any{"type": "message", "user": Bot, "bot_id": BotID, "app_id": App, "team": Team, "text": p.text, "ts": p.ts, "thread_ts": p.thread}}
}

func (s *Server) update(r *http.Request) map[string]any {
	f := r.Form
	p := s.find(f.Get("channel"), f.Get("ts"))
	if p == nil {
		return fail("message_not_found")
	}
	if p.user != Bot {
		return fail("cant_update_message")
	}
	if no := p.fill(f.Get("text"), f.Get("blocks")); no != "" {
		return fail(no)
	}
	p.edits++
	return map[string]any{"ok": true, "channel": p.channel, "ts": p.ts, "text": p.text}
}

// fill checks Slack's limits; an update without blocks keeps the old ones.
func (p *post) fill(text, blocks string) string {
	var read []block
	if blocks != "" && json.Unmarshal([]byte(blocks), &read) != nil {
		return "invalid_blocks_format"
	}
	if text == "" && len(read) == 0 {
		return "no_text"
	}
	if utf8.RuneCountInString(text) > 40000 {
		return "msg_too_long"
	}
	for _, b := range read {
		if n := utf8.RuneCountInString(b.Text.Text); b.Type == "section" && (n == 0 || n > 3000) || len(b.Elements) > 25 {
			return "invalid_blocks"
		}
		seen := map[string]bool{}
		for _, e := range b.Elements {
			if n := utf8.RuneCountInString(e.Text.Text); n == 0 || n > 75 || len(e.Value) > 2000 || e.Text.Type != "plain_text" || seen[e.ActionID] {
				return "invalid_blocks"
			}
			seen[e.ActionID] = true
		}
	}
	p.text = text
	if blocks != "" {
		p.blocks = read
	}
	return ""
}

func (s *Server) uploadURL(r *http.Request) map[string]any {
	n, err := strconv.Atoi(r.Form.Get("length"))
	if no := s.refusal("files:write", General); no != nil && no["error"] == "missing_scope" {
		return no
	}
	if err != nil || n <= 0 || r.Form.Get("filename") == "" {
		return fail("invalid_arguments")
	}
	s.count++
	id := "F" + strconv.Itoa(s.count)
	s.uploads[id] = &service.Upload{Name: r.Form.Get("filename"), Data: make([]byte, 0, n)}
	return map[string]any{"ok": true, "upload_url": s.URL + "/upload/" + id, "file_id": id}
}

// take keeps the bytes of an upload.
func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	up := s.uploads[strings.TrimPrefix(r.URL.Path, "/upload/")]
	if up == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	part, head, err := r.FormFile("file")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	up.Data, _ = io.ReadAll(part)
	up.MediaType, _, _ = mime.ParseMediaType(head.Header.Get("Content-Type"))
	_, _ = io.WriteString(w, "OK - "+strconv.Itoa(len(up.Data)))
}

func (s *Server) complete(r *http.Request) map[string]any {
	var files []struct{ ID, Title string }
	if json.Unmarshal([]byte(r.Form.Get("files")), &files) != nil || len(files) != 1 || s.uploads[files[0].ID] == nil {
		return fail("invalid_arguments")
	}
	channel := r.Form.Get("channel_id")
	if no := s.refusal("files:write", channel); no != nil {
		return no
	}
	up := s.uploads[files[0].ID]
	delete(s.uploads, files[0].ID)
	s.messages = append(s.messages, &post{channel: channel, thread: r.Form.Get("thread_ts"), ts: s.stamp(), user: Bot, data: up})
	return map[string]any{"ok": true, "files": []map[string]any{{"id": files[0].ID, "title": files[0].Title}}}
}

func (s *Server) file(id string) (*post, map[string]any) {
	for _, p := range s.messages {
		for _, f := range p.files {
			if f["id"] == id {
				return p, f
			}
		}
	}
	return nil, nil
}

// give serves a person's file to who has the token, and leads others to the page where people sign in, as Slack does.
func (s *Server) give(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := strings.TrimPrefix(r.URL.Path, "/files/")
	if id == "signin" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<html>Sign in</html>")
		return
	}
	p, _ := s.file(id)
	allowed := r.Header.Get("Authorization") == "Bearer "+s.BotToken && !s.revoked && strings.Contains(s.scopes, "files:read")
	switch {
	case p == nil:
		w.WriteHeader(http.StatusNotFound)
	case !allowed:
		http.Redirect(w, r, "/files/signin?redir="+r.URL.Path, http.StatusFound)
	default:
		w.Header().Set("Content-Type", p.data.MediaType)
		_, _ = w.Write(p.data.Data)
	}
}
