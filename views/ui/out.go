package ui

import (
	"io"
	"strconv"

	"github.com/a-h/templ"
)

// out writes markup and keeps the first error, so that a Render reads like the markup.
type out struct {
	w   io.Writer
	err error
}

// raw writes markup of ours; never a value from outside.
func (o *out) raw(s string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, s)
	}
}

// text writes a value, escaped for content and quoted attributes alike.
func (o *out) text(s string) { o.raw(templ.EscapeString(s)) }

func (o *out) float(f float64, decimals int) {
	var b [24]byte
	o.raw(string(strconv.AppendFloat(b[:0], f, 'f', decimals, 64)))
}
