package app

import (
	"slices"
	"strings"

	"lobstead/api/cloud"
	"lobstead/models"
	"lobstead/views/search"
	"lobstead/views/ui"
)

// Search finds what a caller may see and offers what they may do: links and forms of routes that exist anyway.
type Search struct{ *App }

const (
	shownHits   = 20
	searchRunes = 200
	searchSaid  = 3 // shorter words stand in every message
	recentChats = 5
)

// Index answers the palette, the page and programs.
func (h *Search) Index(c *Ctx) (Reply, error) {
	q := strings.TrimSpace(clip(c.Query("q"), searchRunes))
	hits, err := h.hits(c, q)
	if err != nil {
		return nil, err
	}
	p := search.ShowProps{Query: q, Hits: hits}
	if c.wantsJSON() {
		return data(found(q, hits)), nil
	}
	if c.isHTMX() {
		return (&answer{}).partial(search.Options(p)), nil
	}
	p.Frame = c.frame("Search", "", "")
	return page(search.Show(p)), nil
}

func found(q string, hits []search.Hit) cloud.Found {
	out := cloud.Found{Query: q, Results: []cloud.Hit{}}
	for _, h := range hits {
		one := cloud.Hit{Kind: strings.ToLower(h.Kind), Title: h.Text, Note: h.Note, Href: h.Href}
		if h.Action != "" {
			one.Action = &cloud.HitAction{Method: post, Path: h.Action, Field: h.Name, Value: h.Value}
		}
		out.Results = append(out.Results, one)
	}
	return out
}

// hits are the best of everything that fits, at most shownHits.
func (h *Search) hits(c *Ctx, q string) ([]search.Hit, error) {
	f := &finder{c: c, app: h.App, q: strings.ToLower(q)}
	f.words = strings.Fields(f.q)
	for _, source := range []func() error{f.starts, f.instances, f.chats, f.automations, f.pages, f.acts, f.organizations, f.people, f.keys} {
		if err := source(); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(f.hits, func(a, b ranked) int { return a.rank - b.rank })
	out := []search.Hit{}
	for _, r := range f.hits[:min(len(f.hits), shownHits)] {
		out = append(out, r.Hit)
	}
	return out, nil
}

// finder collects what fits one caller's words.
type finder struct {
	c     *Ctx
	app   *App
	q     string // lower case
	words []string
	hits  []ranked
	names map[string]string // of instances, by id
}

type ranked struct {
	search.Hit
	rank int
}

// How well a text fits, best first.
const (
	exactly  = iota
	begins   // the text begins so
	wordHas  // one of its words begins so
	contains // all words are somewhere in it
	about    // they are in what else is known of it
	said     // somebody wrote it in a conversation
	unfit
)

func (f *finder) rank(text, more string) int {
	text = strings.ToLower(text)
	switch {
	case text == f.q:
		return exactly
	case strings.HasPrefix(text, f.q):
		return begins
	case strings.Contains(spaced.Replace(" "+text), spaced.Replace(" "+f.q)):
		return wordHas
	case f.all(text):
		return contains
	case f.all(text + " " + strings.ToLower(more)):
		return about
	}
	return unfit
}

// spaced takes what parts the words of a name for what parts the words of a sentence.
var spaced = strings.NewReplacer("-", " ", "_", " ", ".", " ", "/", " ", "@", " ")

func (f *finder) all(text string) bool {
	return !slices.ContainsFunc(f.words, func(w string) bool { return !strings.Contains(text, w) })
}

// offer adds a hit that fits and whose route the caller may call: what is found can be opened and done.
func (f *finder) offer(method, route string, h search.Hit, more string) {
	if !f.app.admits(method, route, f.c.Principal) {
		return
	}
	if r := f.rank(h.Text, more+" "+h.Kind); r < unfit {
		f.hits = append(f.hits, ranked{h, r})
	}
}

// starts are what most people come for.
func (f *finder) starts() error {
	f.offer(get, "/chat", search.Hit{Icon: ui.IconSquarePen, Text: "New chat", Kind: "Action", Href: "/chat?new=1"}, "message ask conversation")
	f.offer(get, "/instances/new", search.Hit{Icon: ui.IconPlus, Text: "Deploy instance", Kind: "Action", Href: "/instances/new"}, "new create add agent")
	f.offer(get, "/automations/new", search.Hit{Icon: ui.IconCalendarClock, Text: "New automation", Kind: "Action", Href: "/automations/new"}, "schedule remind reminder trigger webhook cron every")
	return nil
}

// admits tells whether a caller may call a route of the table; one that is not there admits nobody.
func (a *App) admits(method, path string, p *models.Principal) bool {
	for i := range a.routes {
		if r := &a.routes[i]; r.Method == method && r.Path == path {
			return r.Access.admits(p)
		}
	}
	return false
}
