// Package discordtest is Discord for tests: a guild with channels, threads and people, and one application with a bot, over the REST
// API with its rate-limit buckets, the gateway with sessions that can be resumed, and signed interactions (Hook). It is written
// from Discord's documents, and its own test drives it with github.com/bwmarrin/discordgo.
package discordtest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
)

// Ids. People and their direct conversations have ids made of their names: User, Direct.
const (
	App     = "1000000000000000001"
	Bot     = "1000000000000000002"
	BotRole = "1000000000000000003"
	Guild   = "2000000000000000001"
	General = "2000000000000000002"
	Thread  = "2000000000000000003" // in General
)

// Flags of an application.
const (
	ContentOff = 0
	ContentOn  = 1 << 19
)

// Server is one Discord.
type Server struct {
	servicetest.Trouble
	URL       string // what Account.BaseURL is
	Token     string
	PublicKey string
	Beat      time.Duration // the heartbeat that the gateway asks for; set it before anybody connects

	t        testing.TB
	web      *httptest.Server
	private  ed25519.PrivateKey
	mu       sync.Mutex
	count    int64
	flags    int
	endpoint string
	revoked  bool
	left     bool
	blocked  map[string]bool
	names    map[string]string // of people, by id
	messages []*post
	nonces   map[string]*post
	typed    []string
	acks     map[string]int // answers to interactions by id: their type
	commands []string
	asked    []string
	bucket
	gateway
}

// bucket is the limit of each route.
type bucket struct {
	limit  int
	window time.Duration
	used   map[string]int
	until  map[string]time.Time
}

type post struct {
	id, channel, author, text, nonce, answers string
	at                                        time.Time
	edited                                    *time.Time
	edits                                     int
	rows                                      []row
	file                                      *service.Upload
	mentions                                  []string
}

type row struct {
	Type       int `json:"type"`
	Components []struct {
		Type  int    `json:"type"`
		Style int    `json:"style"`
		Label string `json:"label"`
		ID    string `json:"custom_id"`
	} `json:"components"`
}

// New starts a Discord with one guild, in which the bot is, and where it may read all messages.
func New(t testing.TB) *Server {
	pub, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, Token: "MTAwMDAwMDAwMDAwMDAwMDAwMg.G3x4mp.secret-bot-token", PublicKey: hex.EncodeToString(pub), private: private, Beat: 41250 * time.Millisecond,
		flags: ContentOn, blocked: map[string]bool{}, names: map[string]string{}, nonces: map[string]*post{}, acks: map[string]int{},
		bucket: bucket{limit: 1000, window: time.Second, used: map[string]int{}, until: map[string]time.Time{}}}
	s.sessions = map[string]*session{}
	s.Limited = limited
	mux := http.NewServeMux()
	mux.HandleFunc("/gateway", s.connect)
	mux.HandleFunc("/gateway/", s.connect)
	mux.Handle("/cdn/", s.Wrap(http.HandlerFunc(s.give)))
	mux.Handle("/api/", s.Wrap(http.HandlerFunc(s.api)))
	s.web = httptest.NewServer(mux)
	s.URL = s.web.URL + "/api/v10"
	t.Cleanup(func() { s.Cut(); s.web.Close() })
	return s
}

// Account is the application as somebody connected it; interactions tells whether with its public key.
func (s *Server) Account(interactions bool) service.Account {
	v := map[string]string{"bot_token": s.Token}
	if interactions {
		v["public_key"] = s.PublicKey
	}
	return servicetest.Account(s.URL, v)
}

// Revoke resets the token; Restore undoes that.
func (s *Server) Revoke()  { s.set(func() { s.revoked = true }) }
func (s *Server) Restore() { s.set(func() { s.revoked = false }) }

// Flags sets what the application may read: ContentOn or ContentOff.
func (s *Server) Flags(f int) { s.set(func() { s.flags = f }) }

// Bucket sets the limit of each route, in requests of a window.
func (s *Server) Bucket(limit int, window time.Duration) {
	s.set(func() {
		s.limit, s.window = limit, window
		clear(s.used)
		clear(s.until)
	})
}

// Block lets a person refuse messages of the bot.
func (s *Server) Block(name string) { s.set(func() { s.blocked[Direct(name)] = true }) }

func (s *Server) set(f func()) { s.mu.Lock(); defer s.mu.Unlock(); f() }

// User gives the id of a person, Direct that of the conversation that the person has with the bot.
func User(name string) string   { return id("3", name) }
func Direct(name string) string { return id("4", name) }

// id makes a number out of a name that looks like Discord's.
func id(prefix, name string) string {
	n := uint64(0)
	sum := sha256.Sum256([]byte(name))
	for _, b := range sum[:6] {
		n = n<<8 | uint64(b)
	}
	return prefix + fmt.Sprintf("%018d", n)
}

// direct tells conversations from channels.
func direct(channel string) bool { return strings.HasPrefix(channel, "4") && len(channel) == 19 }

// next makes an id. They grow with time. The lock is held.
func (s *Server) next() string { s.count++; return strconv.FormatInt(5e18+s.count, 10) }

// Sent lists what the bot sent, in order.
func (s *Server) Sent() []servicetest.Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []servicetest.Sent
	for _, p := range s.messages {
		if p.author != Bot {
			continue
		}
		m := servicetest.Sent{ID: p.id, Peer: p.channel, Thread: p.answers, Text: p.text, File: p.file, Edits: p.edits, Key: p.nonce}
		for _, r := range p.rows {
			for _, b := range r.Components {
				m.Buttons = append(m.Buttons, service.Button{Label: b.Label, Token: b.ID, Bad: b.Style == 4})
			}
		}
		out = append(out, m)
	}
	return out
}

// Typed lists the channels where the bot was seen to write; Asked the requests; Commands the commands that were registered.
func (s *Server) Typed() []string    { return s.list(&s.typed) }
func (s *Server) Asked() []string    { return s.list(&s.asked) }
func (s *Server) Commands() []string { return s.list(&s.commands) }

func (s *Server) list(of *[]string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), *of...)
}

// Answered gives the type of the answer to an interaction, 0 for none.
func (s *Server) Answered(interaction string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acks[interaction]
}

func (s *Server) find(id string) *post {
	for _, p := range s.messages {
		if p.id == id {
			return p
		}
	}
	return nil
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if v != nil {
		_ = json.NewEncoder(w).Encode(v)
	}
}

func problem(w http.ResponseWriter, status, code int, text string) {
	answer(w, status, map[string]any{"code": code, "message": text})
}

func limited(w http.ResponseWriter, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)+1))
	w.Header().Set("X-RateLimit-Scope", "user")
	answer(w, http.StatusTooManyRequests, map[string]any{"message": "You are being rate limited.", "retry_after": after.Seconds(), "global": false})
}
