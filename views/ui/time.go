package ui

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// Time is a moment. The server writes it relative (or as a UTC clock or date); time.js keeps it fresh, in the viewer's
// zone, with the absolute moment on hover. A zero moment is a dash.
type Time struct {
	At   time.Time
	Form TimeForm
	Now  time.Time // for tests; the present when zero
}

// TimeForm is how a Time reads.
type TimeForm string

// Relative is "4 min ago", Clock "14:02:07", Date "3 Nov 2026".
const (
	Relative TimeForm = "relative"
	Clock    TimeForm = "clock"
	Date     TimeForm = "date"
)

// Render writes a <time> element.
func (t Time) Render(_ context.Context, w io.Writer) error {
	o := begin(w)
	if t.At.IsZero() {
		o.raw(`<span class="faint">—</span>`)
		return o.end()
	}
	form, now := t.Form, t.Now
	if form != Clock && form != Date {
		form = Relative
	}
	if now.IsZero() {
		now = time.Now()
	}
	at := t.At.UTC()
	o.raw(`<time class="num" datetime="`)
	o.moment(at, time.RFC3339)
	o.raw(`" data-time="`)
	o.raw(string(form))
	o.raw(`" title="`)
	o.moment(at, "2 Jan 2006 15:04:05 UTC")
	o.raw(`">`)
	switch form {
	case Clock:
		o.moment(at, "15:04:05")
	case Date:
		o.moment(at, "2 Jan 2006")
	default:
		o.bytes(appendRelative(o.scratch, at, now))
	}
	o.raw(`</time>`)
	return o.end()
}

// age writes how long a state has lasted, counted up by time.js.
func (o *out) age(since, now time.Time) {
	o.raw(`<span class="num" data-since="`)
	o.moment(since.UTC(), time.RFC3339)
	o.raw(`">`)
	o.bytes(appendSpan(o.scratch, max(0, now.Sub(since))))
	o.raw(`</span>`)
}

func appendRelative(b []byte, at, now time.Time) []byte {
	d := now.Sub(at)
	switch {
	case d.Abs() < 5*time.Second:
		return append(b, "just now"...)
	case d.Abs() >= 30*24*time.Hour:
		return at.AppendFormat(b, "2 Jan 2006")
	case d < 0:
		return appendSpan(append(b, "in "...), -d)
	}
	return append(appendSpan(b, d), " ago"...)
}

// appendSpan says a duration in its largest unit: "8 s", "4 min", "3 h", "12 d". time.js uses the same words.
func appendSpan(b []byte, d time.Duration) []byte {
	n, unit := d/time.Second, " s"
	switch {
	case d >= 24*time.Hour:
		n, unit = d/(24*time.Hour), " d"
	case d >= time.Hour:
		n, unit = d/time.Hour, " h"
	case d >= time.Minute:
		n, unit = d/time.Minute, " min"
	}
	return append(strconv.AppendInt(b, int64(n), 10), unit...)
}

// Took says how long something lasted, short enough for a column: "4 ms", "1.2 s", "3 min 5 s".
func Took(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	return strconv.Itoa(int(d.Minutes())) + " min " + strconv.Itoa(int(d.Seconds())%60) + " s"
}

// safeHref is templ's own rule for addresses: nothing but http, https, mailto, tel, ftp and relative ones.
func safeHref(s string) string { return string(templ.URL(s)) }
