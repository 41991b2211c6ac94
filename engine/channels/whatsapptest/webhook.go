package whatsapptest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"lobstead/engine/channels/service"
)

// webhook is how messages reach the business: signed, and again until they are taken.
type webhook struct {
	to      string
	queue   [][]byte
	last    []byte
	hold    int      // deliveries to wait for, which then go in the wrong order
	held    [][]byte // those that wait
	sending bool
	over    bool
}

// Hook sets the callback URL, as the app's dashboard does: it asks for the challenge first.
func (s *Server) Hook(to, verify string) error {
	q := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {verify}}
	res, err := http.Get(to + "?" + q.Encode())
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 || string(body) != "1158201444" {
		return fmt.Errorf("the callback URL or verify token couldn't be validated: %s %q", res.Status, body)
	}
	s.mu.Lock()
	s.to = to
	s.mu.Unlock()
	return nil
}

// Sign gives the header X-Hub-Signature-256 of a body.
func (s *Server) Sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(s.Secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Say lets somebody write and gives the message's id.
func (s *Server) Say(name, words string) string {
	return s.Write(name, map[string]any{"type": "text", "text": map[string]any{"body": words}})
}

// Attach lets somebody send a file.
func (s *Server) Attach(name, words string, f service.Upload) string {
	s.mu.Lock()
	id := s.keep(f)
	s.mu.Unlock()
	kind := "document"
	if k, _, _ := strings.Cut(f.MediaType, "/"); k == "image" || k == "audio" || k == "video" {
		kind = k
	}
	what := map[string]any{"id": id, "mime_type": f.MediaType, "sha256": "29ed500fa64eb55fc19dc4124acb300e5dcca0f822a301ae99944db"}
	if words != "" {
		what["caption"] = words
	}
	if kind == "document" {
		what["filename"] = f.Name
	}
	return s.Write(name, map[string]any{"type": kind, kind: what})
}

// Press lets somebody choose the n-th button of a message.
func (s *Server) Press(name, id string, n int) string {
	for _, m := range s.Sent() {
		if m.ID == id && n < len(m.Buttons) {
			return s.Forge(name, id, m.Buttons[n].Token)
		}
	}
	s.t.Errorf("message %s has no button %d", id, n)
	return ""
}

// Forge lets somebody choose what a message does not offer, or offered before.
func (s *Server) Forge(name, id, token string) string {
	return s.Write(name, map[string]any{"type": "interactive", "context": map[string]any{"from": "15550783881", "id": id},
		"interactive": map[string]any{"type": "button_reply", "button_reply": map[string]any{"id": token, "title": "Approve"}}})
}

// Write lets somebody send a message of any form.
func (s *Server) Write(name string, m map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.somebody(name)
	p.late = false
	id := s.next()
	m["id"], m["timestamp"] = id, fmt.Sprint(time.Now().Unix())
	who := map[string]any{"profile": map[string]any{"name": p.name}}
	if p.hidden {
		m["from_user_id"], who["user_id"] = p.id(), p.id()
		who["profile"].(map[string]any)["username"] = name
	} else {
		m["from"], who["wa_id"] = p.phone, p.phone
	}
	s.deliver(map[string]any{"contacts": []any{who}, "messages": []any{m}})
	return id
}

// Status tells what became of a message that the business sent: "sent", "delivered", "read", "failed" (because too much time went by).
func (s *Server) Status(name, id, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := map[string]any{"id": id, "status": status, "timestamp": fmt.Sprint(time.Now().Unix()), "recipient_id": s.somebody(name).phone}
	if status == "failed" {
		one["errors"] = []any{map[string]any{"code": 131047, "title": "Re-engagement message", "message": "Re-engagement message",
			"error_data": map[string]any{"details": "Message failed to send because more than 24 hours have passed since the customer last replied to this number."}}}
	}
	s.deliver(map[string]any{"statuses": []any{one}})
}

// deliver queues a value. s.mu is held.
func (s *Server) deliver(value map[string]any) {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = map[string]any{"display_phone_number": "15550783881", "phone_number_id": s.Number}
	body, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"id": "102290129340398",
		"changes": []any{map[string]any{"value": value, "field": "messages"}}}}})
	if err != nil {
		s.t.Error(err)
	}
	s.last = body
	if s.held = append(s.held, body); len(s.held) < s.hold {
		return
	}
	slices.Reverse(s.held)
	s.queue, s.held, s.hold = append(s.queue, s.held...), nil, 0
	s.start()
}

// start sends what is queued. s.mu is held.
func (s *Server) start() {
	if s.to != "" && !s.sending {
		s.sending = true
		go s.push()
	}
}

// Repeat delivers the last message once more.
func (s *Server) Repeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, s.last)
	s.start()
}

// Disorder delivers the next two messages in the wrong order.
func (s *Server) Disorder() { s.mu.Lock(); s.hold = 2; s.mu.Unlock() }

// Pending tells how many deliveries were not taken yet.
func (s *Server) Pending() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.queue) + len(s.held) }

func (s *Server) push() {
	client := &http.Client{Timeout: 10 * time.Second}
	for {
		s.mu.Lock()
		if s.over || len(s.queue) == 0 {
			s.sending = false
			s.mu.Unlock()
			return
		}
		body, to, pause := s.queue[0], s.to, s.Patience
		s.mu.Unlock()
		req, _ := http.NewRequest(http.MethodPost, to, bytes.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Hub-Signature-256", s.Sign(body))
		res, err := client.Do(req)
		ok := false
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			ok = res.StatusCode == 200
		}
		s.mu.Lock()
		if ok {
			s.queue = s.queue[1:]
		}
		s.mu.Unlock()
		if !ok {
			time.Sleep(max(pause, 20*time.Millisecond))
		}
	}
}
