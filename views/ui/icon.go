package ui

import (
	"context"
	"io"
)

// Icon is one Lucide glyph, 16 px by CSS, drawn in the text's colour and hidden from assistive technology: give the
// control a label. The zero Icon draws nothing. Its markup cannot be made outside this package.
type Icon struct{ inner string }

// Render writes the inline SVG.
func (i Icon) Render(_ context.Context, w io.Writer) error { return i.draw(w, `<svg class="i" `) }

// Small is the glyph at 13 px.
func (i Icon) Small() SizedIcon { return SizedIcon{i, `<svg class="i i-s" `} }

// Spin is the glyph turning, for work in progress.
func (i Icon) Spin() SizedIcon { return SizedIcon{i, `<svg class="i spin" `} }

// Fill is the glyph filled with its own colour (stop, play).
func (i Icon) Fill() SizedIcon { return SizedIcon{i, `<svg class="i i-s i-fill" `} }

// Chevron is the glyph that turns when the <details> around it opens.
func (i Icon) Chevron() SizedIcon { return SizedIcon{i, `<svg class="i chev" `} }

// SizedIcon is an Icon in another dress.
type SizedIcon struct {
	icon Icon
	open string
}

// Render writes the inline SVG.
func (s SizedIcon) Render(_ context.Context, w io.Writer) error { return s.icon.draw(w, s.open) }

// None tells whether there is nothing to draw.
func (i Icon) None() bool { return i.inner == "" }

func (i Icon) draw(w io.Writer, open string) error {
	if i.inner == "" {
		return nil
	}
	o := begin(w)
	o.raw(open)
	o.raw(`viewBox="0 0 24 24" aria-hidden="true">`)
	o.raw(i.inner)
	o.raw(`</svg>`)
	return o.end()
}
