package llm

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"time"
)

//go:embed catalog.json
var catalogJSON []byte

// Entry is what the catalogue knows of a model. Its source and date: CatalogSource.
type Entry struct {
	Provider string  `json:"provider"` // openai, anthropic, google, …: who made or serves it
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Context  int     `json:"context"` // tokens; 0 = unknown
	Tools    bool    `json:"tools"`
	Images   bool    `json:"images"`
	Prices   []Price `json:"price"` // empty = unknown, and unknown is not free
	Match    []rule  `json:"match"`
}

// Price is a row of a price list, in micro-dollars for one million tokens (1.25 $ = 1250000).
type Price struct {
	Input      int64  `json:"in"`
	Output     int64  `json:"out"`
	CacheRead  *int64 `json:"read"`  // nil = as Input
	CacheWrite *int64 `json:"write"` // nil = as Input
	From       string `json:"from"`  // date from which the row holds, "" = always
	Over       int    `json:"over"`  // input tokens above which the row holds for the whole call
}

// rule is one way to recognise a model id, in lower case; exactly one field is set.
type rule struct {
	Equals     string `json:"equals"`
	StartsWith string `json:"starts_with"`
	EndsWith   string `json:"ends_with"`
	Contains   string `json:"contains"`
	Regex      string `json:"regex"`
	And        []rule `json:"and"`
	compiled   *regexp.Regexp
}

func (r *rule) compile() {
	if r.Regex != "" {
		r.compiled = regexp.MustCompile(r.Regex)
	}
	for i := range r.And {
		r.And[i].compile()
	}
}

func (r *rule) matches(id string) bool {
	switch {
	case r.Equals != "":
		return id == r.Equals
	case r.StartsWith != "":
		return strings.HasPrefix(id, r.StartsWith)
	case r.EndsWith != "":
		return strings.HasSuffix(id, r.EndsWith)
	case r.Contains != "":
		return strings.Contains(id, r.Contains)
	case r.compiled != nil:
		return r.compiled.MatchString(id)
	}
	for i := range r.And {
		if !r.And[i].matches(id) {
			return false
		}
	}
	return len(r.And) > 0
}

type catalogue struct {
	Source string  `json:"source"`
	Made   string  `json:"made"`
	Models []Entry `json:"models"`
}

// loaded panics on a broken file: it is compiled in, and a test reads it.
var loaded = sync.OnceValue(func() catalogue {
	var c catalogue
	if err := json.Unmarshal(catalogJSON, &c); err != nil {
		panic("llm: catalog.json: " + err.Error())
	}
	for i := range c.Models {
		for j := range c.Models[i].Match {
			c.Models[i].Match[j].compile()
		}
	}
	return c
})

// CatalogSource says where the catalogue comes from and when it was made, for pages that show prices.
func CatalogSource() (source, made string) { return loaded().Source, loaded().Made }

// Our provider names → the catalogue's.
var vendors = map[string]string{"gemini": "google", "xai": "x-ai", "moonshot": "moonshotai", "mistralai": "mistral"}

// Lookup finds a model by the id that a provider knows it by. OpenRouter's "vendor/model:variant" and
// dated ids are understood; provider "" searches all. Local models (ollama) are not in the catalogue.
func Lookup(provider, model string) (Entry, bool) {
	provider, id := strings.ToLower(provider), strings.ToLower(strings.TrimPrefix(model, "models/"))
	if v, ok := vendors[provider]; ok {
		provider = v
	}
	switch provider {
	case "ollama", "offline":
		return Entry{}, false
	case "openrouter":
		vendor, rest, ok := strings.Cut(id, "/")
		if !ok {
			return Entry{}, false
		}
		bare, variant, _ := strings.Cut(rest, ":")
		e, ok := Lookup(vendor, bare)
		if variant == "free" {
			e.Prices = []Price{{}}
		}
		return e, ok
	}
	known := false
	models := loaded().Models
	for _, exact := range []bool{true, false} {
		for i := range models {
			e := &models[i]
			if provider != "" && e.Provider != provider {
				continue
			}
			known = true
			if e.has(id, exact) {
				return *e, true
			}
		}
	}
	if !known { // a compatible server under a name of its own may serve anyone's models
		return Lookup("", model)
	}
	return Entry{}, false
}

func (e *Entry) has(id string, exact bool) bool {
	if exact {
		return e.ID == id
	}
	for i := range e.Match {
		if e.Match[i].matches(id) {
			return true
		}
	}
	return false
}

// Known gives a list entry for a model, filled from the catalogue where it can.
func Known(provider, id string) Model {
	m := Model{ID: id, Name: id}
	if e, ok := Lookup(provider, id); ok {
		m.ContextWindow, m.Tools, m.Images = e.Context, e.Tools, e.Images
		if e.Name != "" {
			m.Name = e.Name
		}
	}
	return m
}

// Priced reports whether Cost can say a price: a model without one cannot run under a budget.
func (e Entry) Priced() bool { return len(e.Prices) > 0 }

// Cost gives the price of a usage in nano-dollars (a billionth of a dollar), rounded up, with the price list of
// the day and the row for the prompt's length.
func (e Entry) Cost(u Usage, day time.Time) int64 {
	p, ok := e.row(u.Input, day.UTC().Format(time.DateOnly))
	if !ok {
		return 0
	}
	read, write := p.Input, p.Input
	if p.CacheRead != nil {
		read = *p.CacheRead
	}
	if p.CacheWrite != nil {
		write = *p.CacheWrite
	}
	plain := max(u.Input-u.CacheRead-u.CacheWrite, 0)
	// micro-dollars per million tokens = pico-dollars per token
	pico := int64(plain)*p.Input + int64(u.CacheRead)*read + int64(u.CacheWrite)*write + int64(u.Output)*p.Output
	return (pico + 999) / 1000
}

// row takes the newest list in force, and in it the row with the highest threshold below the input.
func (e Entry) row(input int, day string) (best Price, ok bool) {
	for _, p := range e.Prices {
		if p.From > day || p.Over > 0 && input <= p.Over {
			continue
		}
		if !ok || p.From > best.From || p.From == best.From && p.Over > best.Over {
			best, ok = p, true
		}
	}
	return best, ok
}
