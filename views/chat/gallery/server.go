package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"lobstead/models"
	"lobstead/static"
	"lobstead/views/chat"
)

// policy is the product's.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// server serves the pages, and one conversation that a test writes while the page looks on.
type server struct {
	http.ServeMux
	mu      sync.Mutex
	log     *log
	patches []string // by cursor: patches[n] leads to cursor n+1
	news    chan struct{}
	drop    bool // hang up after every fifth patch
	streams int
	afters  []string
	posted  []string
	files   []string
}

func newServer() *server {
	s := &server{log: &log{}, news: make(chan struct{})}
	s.HandleFunc("GET /static/", asset)
	s.HandleFunc("GET /live", s.live)
	s.HandleFunc("GET /chat/s1", s.show)
	s.HandleFunc("GET /chat/s1/events", s.earlier)
	s.HandleFunc("POST /chat/s1/messages", s.message)
	s.HandleFunc("POST /turns/{id}/stop", func(w http.ResponseWriter, r *http.Request) {
		s.note("stop " + r.PathValue("id"))
		w.WriteHeader(http.StatusNoContent)
	})
	s.HandleFunc("GET /chat/s1/attachments/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(picture())
	})
	s.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page(r.URL.Query().Get("theme")).Render(r.Context(), w)
	})
	return s
}

func asset(w http.ResponseWriter, r *http.Request) {
	a, ok := static.Open(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.Type)
	if a.Immutable {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(a.Body)
}

func (s *server) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posted = append(s.posted, what)
}

func (s *server) show(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	p := show(r.URL.Query().Get("theme"), append([]models.Event(nil), s.log.events...))
	p.Frame.LiveURL = "/live?after=" + strconv.Itoa(len(s.patches))
	s.mu.Unlock()
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = chat.Show(p).Render(r.Context(), w)
}

func (s *server) earlier(w http.ResponseWriter, r *http.Request) {
	before, _ := strconv.Atoi(r.URL.Query().Get("before"))
	s.mu.Lock()
	list := s.log.events[max(0, before-1-200) : before-1]
	s.mu.Unlock()
	_ = chat.Earlier("s1", list).Render(r.Context(), w)
}

// push gives a patch to every page that looks on.
func (s *server) push(html string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patches = append(s.patches, html)
	close(s.news)
	s.news = make(chan struct{})
}

func (s *server) live(w http.ResponseWriter, r *http.Request) {
	at, _ := strconv.Atoi(r.URL.Query().Get("after"))
	s.mu.Lock()
	s.streams++
	s.afters = append(s.afters, r.URL.Query().Get("after"))
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	for {
		s.mu.Lock()
		news, drop := s.news, s.drop
		patches := s.patches[min(at, len(s.patches)):]
		s.mu.Unlock()
		for _, html := range patches {
			at++
			fmt.Fprintf(w, "id: %d\nevent: patch\ndata: %s\n\n", at, strings.ReplaceAll(html, "\n", "\ndata: "))
			w.(http.Flusher).Flush()
			if drop && at%5 == 0 {
				return
			}
		}
		if len(patches) > 0 {
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-news:
		}
	}
}

// message takes what the composer sends; "refuse" is refused.
func (s *server) message(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(32 << 20); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text := strings.ReplaceAll(r.FormValue("message"), "\r\n", "\n") // forms carry lines so
	if text == "refuse" {
		w.Header().Set("HX-Trigger", `{"toast":{"kind":"bad","text":"The instance is stopped."}}`)
		w.WriteHeader(http.StatusConflict)
		return
	}
	s.note(text)
	s.mu.Lock()
	for _, f := range r.MultipartForm.File["files"] {
		s.files = append(s.files, f.Filename)
	}
	from := len(s.log.events)
	s.log.say(text)
	html := chat.Patches(s.log.events[from:], nil)
	s.mu.Unlock()
	s.push(html)
	w.WriteHeader(http.StatusNoContent)
}
