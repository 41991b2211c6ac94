// Package telegramtest is Telegram for tests: one bot with people, groups, topics and files, behind a Bot API that is written from its
// documents, with polling, webhooks and their repetitions. Its updates are made of the types of github.com/go-telegram/bot, which
// also drives it in its own test.
package telegramtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-telegram/bot/models"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
)

// Server is Telegram as one bot sees it. Trouble holds for everything but asking for news, which has its own.
type Server struct {
	servicetest.Trouble
	Polls servicetest.Trouble
	URL   string // what Account.BaseURL is
	Token string
	Bot   models.User
	Retry time.Duration // between two deliveries to a webhook; 0 = 20 ms

	t       testing.TB
	mu      sync.Mutex
	people  map[string]*models.User
	chats   map[int64]*room
	files   map[string]*service.Upload // by file_id
	written []*post                    // by the bot, in its order
	presses map[string]bool            // callback queries, true = answered
	actions []string                   // "typing 1001"
	revoked bool
	asked   []string // methods, in order
	news
}

// room is one conversation.
type room struct {
	models.Chat
	closed   string // why the bot may not write, "" for it may
	moved    int64  // where the group went
	topics   map[int]bool
	messages []*post
	next     int
}

type post struct {
	models.Message
	buttons []service.Button
	sent    string // the text as the bot gave it
	file    *service.Upload
	edits   int
	ours    bool
}

// New starts Telegram.
func New(t testing.TB) *Server {
	s := &Server{t: t, Token: "7654321:AAE-secret_bot_token_of_telegramtest", people: map[string]*models.User{}, chats: map[int64]*room{},
		files: map[string]*service.Upload{}, presses: map[string]bool{},
		Bot: models.User{ID: 7654321, IsBot: true, FirstName: "Lobstead", Username: "lobstead_bot", CanJoinGroups: true}}
	s.news.next, s.news.changed = 880001, make(chan struct{})
	s.Limited = s.limit
	s.Polls.Limited = s.limit
	mux := http.NewServeMux()
	api, poll := s.Wrap(http.HandlerFunc(s.api)), s.Polls.Wrap(http.HandlerFunc(s.api))
	mux.HandleFunc("/file/bot/{token}/{path...}", s.download)
	mux.HandleFunc("/bot/{token}/{method}", func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.PathValue("method"), "getUpdates") {
			poll.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
	web := httptest.NewServer(spread(mux))
	s.URL = web.URL
	t.Cleanup(func() {
		s.mu.Lock()
		s.over = true
		s.stir()
		s.mu.Unlock()
		web.CloseClientConnections()
		web.Close()
	})
	return s
}

// spread makes a path segment of its own of the token, which Telegram writes into the one of "bot".
func spread(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, p := range []string{"/bot", "/file/bot"} {
			if rest, ok := strings.CutPrefix(r.URL.Path, p); ok && !strings.HasPrefix(rest, "/") {
				r.URL.Path = p + "/" + rest
				break
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) limit(w http.ResponseWriter, after time.Duration) {
	n := int((after + time.Second - 1) / time.Second)
	reply(w, http.StatusTooManyRequests, map[string]any{"ok": false, "error_code": 429,
		"description": fmt.Sprintf("Too Many Requests: retry after %d", n), "parameters": map[string]any{"retry_after": n}})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// wrong is a refusal in the Bot API's words.
type wrong struct {
	code  int
	why   string
	moved int64
}

func bad(why string, args ...any) *wrong {
	return &wrong{code: 400, why: "Bad Request: " + fmt.Sprintf(why, args...)}
}

// api answers one method.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	revoked := s.revoked
	s.mu.Unlock()
	method := strings.ToLower(r.PathValue("method"))
	var result any
	var err *wrong
	switch do := methods[method]; {
	case r.PathValue("token") != s.Token || do == nil:
		err = &wrong{code: 404, why: "Not Found"}
	case revoked:
		err = &wrong{code: 401, why: "Unauthorized"}
	default:
		in, e := params(r)
		if e != nil {
			err = bad("%s", e)
			break
		}
		s.mu.Lock()
		s.asked = append(s.asked, r.PathValue("method"))
		result, err = do(s, r, in)
		if err == nil && result != hangup { // while nothing changes
			body, _ := json.Marshal(result)
			result = json.RawMessage(body)
		}
		s.mu.Unlock()
	}
	if result == hangup {
		servicetest.Hangup(w)
		return
	}
	if err != nil {
		body := map[string]any{"ok": false, "error_code": err.code, "description": err.why}
		if err.moved != 0 {
			body["parameters"] = map[string]any{"migrate_to_chat_id": err.moved}
		}
		reply(w, err.code, body)
		return
	}
	reply(w, http.StatusOK, map[string]any{"ok": true, "result": result})
}

// input is what a method was given: each value as JSON or as text, as forms give it.
type input struct {
	values map[string]string
	files  map[string]*service.Upload
}

func params(r *http.Request) (input, error) {
	in := input{map[string]string{}, map[string]*service.Upload{}}
	for k := range r.URL.Query() {
		in.values[k] = r.URL.Query().Get(k)
	}
	kind := r.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(kind, "application/json"):
		var all map[string]json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
			return in, fmt.Errorf("can't parse JSON object: %w", err)
		}
		for k, v := range all {
			var text string
			if json.Unmarshal(v, &text) != nil {
				text = string(v)
			}
			in.values[k] = text
		}
	case strings.HasPrefix(kind, "multipart/form-data"):
		return in, multipart(r, in)
	default:
		_ = r.ParseForm()
		for k := range r.PostForm {
			in.values[k] = r.PostForm.Get(k)
		}
	}
	return in, nil
}

func (in input) number(k string) int64 {
	n, _ := strconv.ParseInt(in.values[k], 10, 64)
	return n
}
