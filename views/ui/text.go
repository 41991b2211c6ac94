package ui

import (
	"context"
	"io"
)

// Text is a value in a table row: @ui.Text(s) escapes like { s } but allocates nothing ({ s } allocates twice).
type Text string

// Render writes the escaped text.
func (t Text) Render(_ context.Context, w io.Writer) error {
	o := begin(w)
	o.text(string(t))
	return o.end()
}

// RowLink is the name in a table row; its link covers the whole row.
type RowLink struct{ Href, Text string }

// Render writes the link.
func (l RowLink) Render(_ context.Context, w io.Writer) error {
	o := begin(w)
	o.raw(`<a class="name row-link" href="`)
	o.text(safeHref(l.Href))
	o.raw(`">`)
	o.text(l.Text)
	o.raw(`</a>`)
	return o.end()
}
