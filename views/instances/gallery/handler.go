package main

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"lobstead/static"
	"lobstead/views/layout"
)

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Handler serves every page at its name, and a list of them at "/".
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/", func(w http.ResponseWriter, r *http.Request) {
		a, ok := static.Open(r.URL.Path)
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", a.Type)
		_, _ = w.Write(a.Body)
	})
	mux.HandleFunc("POST /theme", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: r.FormValue("theme"), Path: "/"})
		http.Redirect(w, r, r.Referer(), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /instances", filter)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			contents(w)
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

func contents(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	for _, p := range paths() {
		fmt.Fprintf(w, `<p><a href="%s">%s</a></p>`, p, p)
	}
}

func paths() []string {
	var all []string
	for p := range pages {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

func frame(theme, title, active string) layout.FrameProps {
	return layout.FrameProps{Title: title, Active: active, OrgName: "Acme Robotics", UserName: "Ada Lovelace",
		UserEmail: "ada@example.com", Theme: theme, Version: "0.1.0"}
}

func bare(theme, title string) layout.BareProps {
	return layout.BareProps{Title: title, Theme: theme, Version: "0.1.0"}
}
