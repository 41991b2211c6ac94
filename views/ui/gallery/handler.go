package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/a-h/templ"

	"lobstead/static"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// policy is the product's, word for word, with the manifest allowed.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// pages are the addresses that the tests walk.
var pages = map[string]func(theme string) templ.Component{
	"/":                  func(t string) templ.Component { return overview(frame(t, "Overview", "/")) },
	"/instances":         func(t string) templ.Component { return instance(frame(t, "support-triage", "/instances")) },
	"/chat":              func(t string) templ.Component { return chat(chatFrame(t)) },
	"/components":        func(t string) templ.Component { return components(frame(t, "Components", "/components")) },
	"/states":            func(t string) templ.Component { return states(frame(t, "States", "/states")) },
	"/instances/confirm": func(t string) templ.Component { return confirm(frame(t, "Delete", "/instances")) },
	"/setup": func(t string) templ.Component {
		return setup(layout.BareProps{Title: "Set up", Theme: t, Version: "0.1.0"})
	},
	"/error": func(t string) templ.Component {
		return layout.ErrorPage(layout.ErrorProps{Status: 404, Title: "This page does not exist", Theme: t,
			Detail: "The address may be mistyped, or the thing was deleted.",
			Advice: "Check the address, or start again from the overview.", RequestID: "0198f3c2-7f3e-7a10"})
	},
}

// Handler serves the gallery, the assets and a scripted event stream.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/", asset)
	mux.HandleFunc("GET /live", live)
	mux.HandleFunc("POST /theme", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: r.FormValue("theme"), Path: "/"})
		http.Redirect(w, r, r.Referer(), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /chat/messages", send)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		theme := r.URL.Query().Get("theme")
		if c, err := r.Cookie("theme"); theme == "" && err == nil {
			theme = c.Value
		}
		w.Header().Set("Content-Security-Policy", policy)
		templ.Handler(page(theme)).ServeHTTP(w, r)
	})
	return mux
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

// connections counts streams, so that a test sees the reconnect.
var connections atomic.Int64

// live sends one patch per connection and hangs up after the first, as a restarting server does.
func live(w http.ResponseWriter, r *http.Request) {
	n := connections.Add(1)
	w.Header().Set("Content-Type", "text/event-stream")
	after := r.URL.Query().Get("after")
	fmt.Fprintf(w, "id: %d\nevent: patch\ndata: <p id=\"live-%d\" data-live-op=\"append:live-target\" class=\"sub\">connection %d, after %s</p>\n\n", 100+n, n, n, after)
	fmt.Fprintf(w, "id: %d\nevent: patch\ndata: <p id=\"live-1\" class=\"sub\" data-live-op=\"append:live-target\">still one</p>\n\n", 200+n)
	w.(http.Flusher).Flush()
	if n == 1 {
		return
	}
	select {
	case <-r.Context().Done():
	case <-time.After(time.Minute):
	}
}

// send answers a message with the patch that shows it; "fail" is refused.
func send(w http.ResponseWriter, r *http.Request) {
	text := r.FormValue("text")
	if text == "fail" {
		w.Header().Set("HX-Trigger", `{"toast":{"kind":"bad","text":"The instance is stopped."}}`)
		w.WriteHeader(http.StatusConflict)
		return
	}
	_ = sent(time.Now().Format("150405.000000"), text).Render(r.Context(), w)
}

func frame(theme, title, active string) layout.FrameProps {
	nav := append(layout.DefaultNav(),
		layout.NavItem{Text: "Components", Href: "/components", Icon: ui.IconSparkles, Count: 2},
		layout.NavItem{Text: "States", Href: "/states", Icon: ui.IconInbox})
	return layout.FrameProps{Title: title, Active: active, OrgName: "Acme Robotics", UserName: "Ada Lovelace",
		UserEmail: "ada@example.com", Theme: theme, Nav: nav, Version: "0.1.0"}
}

func chatFrame(theme string) layout.FrameProps {
	p := frame(theme, "Why did the nightly sync fail?", "/chat")
	p.LiveURL = "/live?session=1&after=42"
	return p
}
