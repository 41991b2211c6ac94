package ui

import (
	"context"
	"io"
	"time"
)

// Badge is a state: a word, a shape and a colour, with since when and why beneath. Only Kind and Text are needed.
type Badge struct {
	Kind   Kind
	Text   string
	Since  time.Time // shown as an age that counts: "4 min"
	Reason string    // one short sentence
	Href   string    // where the reason is explained; shown as "what to do"
	ID     string    // for live replacement
}

// Render writes the badge, and a second line when there is something to say on it.
func (b Badge) Render(_ context.Context, w io.Writer) error {
	o := begin(w)
	o.raw(`<span class="badge `)
	o.raw(b.Kind.class())
	if b.ID != "" {
		o.raw(`" id="`)
		o.text(b.ID)
	}
	o.raw(`"><i class="shape" aria-hidden="true"></i>`)
	o.text(b.Text)
	o.raw(`</span>`)
	if b.Reason == "" && b.Since.IsZero() {
		return o.end()
	}
	o.raw(`<div class="why">`)
	o.text(b.Reason)
	if !b.Since.IsZero() {
		if b.Reason != "" {
			o.raw(`, `)
		}
		o.age(b.Since, time.Now())
	}
	if b.Href != "" {
		o.raw(` · <a class="link" href="`)
		o.text(safeHref(b.Href))
		o.raw(`">what to do</a>`)
	}
	o.raw(`</div>`)
	return o.end()
}

// class guards the one place where a kind becomes markup.
func (k Kind) class() string {
	switch k {
	case OK, Warn, Bad, Info, Busy:
		return string(k)
	}
	return string(Off)
}
