package ui

import (
	"context"
	"io"
)

// Bar is how full something is. It is an SVG, since a style attribute has no place under the content policy. From 80 %
// it is amber and from 95 % red unless Kind says otherwise.
type Bar struct {
	Used, Limit float64
	Label       string // for assistive technology when no figure stands beside it
	Wide        bool   // as wide as its place
	Kind        Kind   // "" judges by the share
}

// Share is Used of Limit, between 0 and 1; 0 when there is no limit.
func (b Bar) Share() float64 {
	if b.Limit <= 0 || b.Used <= 0 {
		return 0
	}
	return min(1, b.Used/b.Limit)
}

// Render writes the bar.
func (b Bar) Render(_ context.Context, w io.Writer) error {
	share, kind := b.Share(), b.Kind
	if kind == "" {
		switch {
		case share >= .95:
			kind = Bad
		case share >= .8:
			kind = Warn
		}
	}
	o := begin(w)
	o.raw(`<svg class="bar`)
	switch kind {
	case Warn:
		o.raw(` warn`)
	case Bad:
		o.raw(` bad`)
	}
	if b.Wide {
		o.raw(` wide`)
	}
	if b.Label != "" {
		o.raw(`" role="img" aria-label="`)
		o.text(b.Label)
		o.raw(`">`)
	} else {
		o.raw(`" aria-hidden="true">`)
	}
	o.raw(`<rect height="100%" rx="2.5" width="`)
	o.float(share*100, 1)
	o.raw(`%"/></svg>`)
	return o.end()
}
