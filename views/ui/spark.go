package ui

import (
	"context"
	"io"
	"slices"
	"strconv"
)

// Spark is a small line of values in order of time, drawn from zero (or the least, if Floor) to the greatest. Label
// says in words what it shows.
type Spark struct {
	Values []float64
	Label  string
	Accent bool
	Floor  bool // start at the least value instead of zero
}

// Render writes an SVG that stretches to its place; fewer than two values draw a flat line.
func (s Spark) Render(_ context.Context, w io.Writer) error {
	o := begin(w)
	o.raw(`<svg class="spark`)
	if s.Accent {
		o.raw(` accent`)
	}
	o.raw(`" viewBox="0 0 100 32" preserveAspectRatio="none" role="img" aria-label="`)
	o.text(s.Label)
	o.raw(`">`)
	o.raw(`<polygon points="0,32 `)
	o.bytes(s.points(o.scratch))
	o.raw(`100,32"/><polyline points="`)
	o.bytes(s.points(o.scratch))
	o.raw(`"/></svg>`)
	return o.end()
}

func (s Spark) points(b []byte) []byte {
	if len(s.Values) < 2 {
		return append(b, "0,30 100,30 "...)
	}
	low, high := 0.0, slices.Max(s.Values)
	if s.Floor {
		low = slices.Min(s.Values)
	}
	span := high - low
	if span <= 0 {
		span = 1
	}
	for i, v := range s.Values {
		x := 100 * float64(i) / float64(len(s.Values)-1)
		y := 30 - 28*(v-low)/span
		b = strconv.AppendFloat(b, x, 'f', 1, 64)
		b = append(b, ',')
		b = strconv.AppendFloat(b, y, 'f', 1, 64)
		b = append(b, ' ')
	}
	return b
}
