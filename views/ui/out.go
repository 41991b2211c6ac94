package ui

import (
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/a-h/templ"
)

// out writes markup and keeps the first error, so that a Render reads like the markup. It is pooled together with its
// scratch space, for the figures: a row allocates nothing.
type out struct {
	w       io.Writer
	err     error
	scratch []byte
}

var outs = sync.Pool{New: func() any { return &out{scratch: make([]byte, 0, 256)} }}

func begin(w io.Writer) *out {
	o := outs.Get().(*out)
	o.w, o.err = w, nil
	return o
}

func (o *out) end() error {
	err := o.err
	o.w = nil
	outs.Put(o)
	return err
}

// raw writes markup of ours; never a value from outside.
func (o *out) raw(s string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, s)
	}
}

// text writes a value, escaped for content and quoted attributes alike.
func (o *out) text(s string) { o.raw(templ.EscapeString(s)) }

// bytes writes what was appended to the scratch space, and keeps the space.
func (o *out) bytes(b []byte) {
	o.scratch = b[:0]
	if o.err == nil {
		_, o.err = o.w.Write(b)
	}
}

func (o *out) float(f float64, decimals int) {
	o.bytes(strconv.AppendFloat(o.scratch, f, 'f', decimals, 64))
}

func (o *out) moment(t time.Time, layout string) { o.bytes(t.AppendFormat(o.scratch, layout)) }
