// Package whatsapptest is the WhatsApp Cloud API for tests: one business number and the people who write to it, behind the Graph API
// and a signed webhook, written from Meta's documents and the payloads in them.
package whatsapptest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
)

// Server is the Graph API of one number.
type Server struct {
	servicetest.Trouble
	URL       string // what Account.BaseURL is
	Number    string // its id
	Phone     string // as people read it
	Token     string
	Secret    string        // of the app
	Verified  string        // "VERIFIED"
	Patience  time.Duration // between two deliveries of what was not taken; 0 = 20 ms
	Elsewhere string        // when set, downloads are said to be there

	t       testing.TB
	mu      sync.Mutex
	count   int
	people  map[string]*person
	sent    []servicetest.Sent
	media   map[string]*service.Upload
	read    []string // messages for which typing was shown
	revoked bool
	webhook
}

type person struct {
	phone  string
	name   string
	hidden bool // has a user name, and shows no number
	late   bool // has not written for a day
	gone   bool
}

// New starts a number.
func New(t testing.TB) *Server {
	s := &Server{t: t, Number: "106540352242922", Phone: "+1 555-078-3881", Token: "EAAJB-secret-access-token", Secret: "a1b2c3d4e5f6-app-secret", Verified: "VERIFIED",
		people: map[string]*person{}, media: map[string]*service.Upload{}}
	s.Limited = func(w http.ResponseWriter, after time.Duration) {
		w.Header().Set("Retry-After", fmt.Sprint(int((after+time.Second-1)/time.Second)))
		refuse(w, 429, 130429, 0, "(#130429) Rate limit hit", "Cloud API message throughput has been reached.")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v24.0/{id}", s.show)
	mux.HandleFunc("POST /v24.0/{number}/messages", s.message)
	mux.HandleFunc("POST /v24.0/{number}/media", s.upload)
	mux.HandleFunc("GET /whatsapp_business/attachments/", s.download)
	web := httptest.NewServer(s.Wrap(mux))
	s.URL = web.URL
	t.Cleanup(func() {
		s.mu.Lock()
		s.over = true
		s.mu.Unlock()
		web.CloseClientConnections()
		web.Close()
	})
	return s
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// refuse answers with an error of the Graph API.
func refuse(w http.ResponseWriter, status, code, sub int, message, details string) {
	e := map[string]any{"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Az8or2yhqkZfEZ"}
	if sub != 0 {
		e["error_subcode"] = sub
	}
	if details != "" {
		e["error_data"] = map[string]any{"messaging_product": "whatsapp", "details": details}
	}
	reply(w, status, map[string]any{"error": e})
}

// allowed checks the token.
func (s *Server) allowed(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+s.Token || s.revoked {
		refuse(w, 401, 190, 463, "Error validating access token: Session has expired", "")
		return false
	}
	return true
}

// Revoke ends the access token; Restore undoes that.
func (s *Server) Revoke()  { s.mu.Lock(); s.revoked = true; s.mu.Unlock() }
func (s *Server) Restore() { s.mu.Lock(); s.revoked = false; s.mu.Unlock() }

// Read gives the messages for which typing was shown.
func (s *Server) Read() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.read...)
}

// Sent gives what the business sent, in its order.
func (s *Server) Sent() []servicetest.Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]servicetest.Sent(nil), s.sent...)
}

// show answers questions about the number and about attachments.
func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	if !s.allowed(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.PathValue("id")
	if proof := r.URL.Query().Get("appsecret_proof"); proof != "" {
		mac := hmac.New(sha256.New, []byte(s.Secret))
		mac.Write([]byte(s.Token))
		if proof != hex.EncodeToString(mac.Sum(nil)) {
			refuse(w, 400, 100, 0, "Invalid appsecret_proof provided in the API argument", "")
			return
		}
	}
	if f := s.media[id]; f != nil {
		sum := sha256.Sum256(f.Data)
		at := s.URL
		if s.Elsewhere != "" {
			at = s.Elsewhere
		}
		reply(w, 200, map[string]any{"messaging_product": "whatsapp", "url": at + "/whatsapp_business/attachments/?mid=" + id + "&ext=1664537344&hash=ARtBt0I", "mime_type": f.MediaType,
			"sha256": hex.EncodeToString(sum[:]), "file_size": len(f.Data), "id": id})
		return
	}
	if id != s.Number {
		refuse(w, 400, 100, 33, "Unsupported get request. Object with ID '"+id+"' does not exist, cannot be loaded due to missing permissions, or does not support this operation", "")
		return
	}
	hook := map[string]any{}
	if s.to != "" {
		hook["application"] = s.to
	}
	reply(w, 200, map[string]any{"id": id, "verified_name": "Lobstead", "display_phone_number": s.Phone, "quality_rating": "GREEN", "code_verification_status": s.Verified, "webhook_configuration": hook})
}

func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	if !s.allowed(w, r) {
		return
	}
	s.mu.Lock()
	f := s.media[r.URL.Query().Get("mid")]
	s.mu.Unlock()
	if f == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", f.MediaType)
	_, _ = w.Write(f.Data)
}

// next makes an id of a message. s.mu is held.
func (s *Server) next() string {
	s.count++
	return fmt.Sprintf("wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI3N0EyQUJCMjFCNjZCQUMz%04d", s.count) // as long as they are
}

func (s *Server) somebody(name string) *person {
	p := s.people[name]
	if p == nil {
		p = &person{phone: fmt.Sprintf("1555%07d", 1000001+len(s.people)), name: strings.ToUpper(name[:1]) + name[1:]}
		s.people[name] = p
	}
	return p
}

// Peer gives somebody's conversation.
func (s *Server) Peer(name string) service.Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.somebody(name)
	return service.Peer{ID: p.id(), Direct: true, Name: p.name}
}

// Hide gives somebody a user name: from now on their number is not told, only their id.
func (s *Server) Hide(name string) { s.mu.Lock(); s.somebody(name).hidden = true; s.mu.Unlock() }

// Late lets a day pass since somebody wrote, Gone takes somebody off WhatsApp.
func (s *Server) Late(name string) { s.mu.Lock(); s.somebody(name).late = true; s.mu.Unlock() }

// Gone takes somebody off WhatsApp.
func (s *Server) Gone(name string) { s.mu.Lock(); s.somebody(name).gone = true; s.mu.Unlock() }

func (p *person) id() string {
	if p.hidden {
		return "US." + p.phone + "302741918"
	}
	return p.phone
}
