package ui

import (
	"context"
	"io"
	"math"
	"strconv"
)

// Plot is a small picture of figures over time: stacked bars, or lines when Lines is set. It is drawn from zero; what is below
// zero, or missing (NaN), is not drawn. A table beside it has the figures themselves.
type Plot struct {
	Label  string // what it shows, in words, for who cannot see it
	Steps  []string
	Series []PlotSeries
	Lines  bool
	Figure func(v float64) string // how a value reads at the axis and on hover
}

// PlotSeries is one colour: the first five each have their own, further ones are grey.
type PlotSeries struct {
	Name   string
	Values []float64 // one for each step
	Kind   Kind      // Bad and Off have their own colours; "" goes by the place in the list
}

// plotHeight is of the drawing's own coordinates; a step is ten wide.
const (
	plotHeight = 100.0
	plotStep   = 10
)

// Render writes the legend, the axis and the drawing. The drawing stretches to its place; words stay outside of it, so that
// they keep their size.
func (p Plot) Render(_ context.Context, w io.Writer) error {
	top := p.top()
	o := begin(w)
	width := strconv.Itoa(plotStep * max(1, len(p.Steps)))
	o.raw(`<figure class="plot">`)
	p.legend(o)
	o.raw(`<div class="plot-area"><div class="plot-y" aria-hidden="true"><span>`)
	for n := 2; n >= 0; n-- {
		if top > 0 { // without a value there is no scale
			o.text(p.Figure(top * float64(n) / 2))
		}
		if n > 0 {
			o.raw(`</span><span>`)
		}
	}
	o.raw(`</span></div><svg class="plot-svg" viewBox="0 0 `)
	o.raw(width)
	o.raw(` 100" preserveAspectRatio="none" role="img" aria-label="`)
	o.text(p.Label)
	o.raw(`"><path class="plot-grid" d="M0 0H`)
	o.raw(width)
	o.raw(`M0 50H`)
	o.raw(width)
	o.raw(`M0 100H`)
	o.raw(width)
	o.raw(`"/>`)
	if p.Lines {
		p.lines(o, top)
	} else {
		p.bars(o, top)
	}
	o.raw(`</svg><div class="plot-x" aria-hidden="true">`)
	for _, n := range axisSteps(len(p.Steps)) {
		o.raw(`<span>`)
		o.text(p.Steps[n])
		o.raw(`</span>`)
	}
	o.raw(`</div></div></figure>`)
	return o.end()
}

func (p Plot) legend(o *out) {
	o.raw(`<figcaption class="plot-legend">`)
	for n := range p.Series {
		s := &p.Series[n]
		o.raw(`<span class="`)
		o.raw(s.class(n))
		o.raw(`"><i aria-hidden="true"></i>`)
		o.text(s.Name)
		o.raw(`</span>`)
	}
	o.raw(`</figcaption>`)
}

// bars stacks the series of each step, the first at the bottom.
func (p Plot) bars(o *out, top float64) {
	for step, name := range p.Steps {
		o.raw(`<g><title>`)
		o.text(p.title(step, name))
		o.raw(`</title>`)
		base := plotHeight
		for n := range p.Series {
			s := &p.Series[n]
			h := s.at(step) * scale(top)
			if h <= 0 {
				continue
			}
			h = max(h, .5) // a little is not nothing
			base -= h
			o.raw(`<rect class="`)
			o.raw(s.class(n))
			o.raw(`" width="8" x="`)
			o.float(plotStep*float64(step)+1, 0)
			o.raw(`" y="`)
			o.float(base, 2)
			o.raw(`" height="`)
			o.float(h, 2)
			o.raw(`"/>`)
		}
		o.raw(`<rect class="plot-hit" width="10" height="100" x="`)
		o.float(plotStep*float64(step), 0)
		o.raw(`"/></g>`)
	}
}

// lines joins what follows without a gap; a value alone is a short dash.
func (p Plot) lines(o *out, top float64) {
	for n := range p.Series {
		s := &p.Series[n]
		o.raw(`<path class="plot-line `)
		o.raw(s.class(n))
		o.raw(`" d="`)
		for step := range p.Steps {
			if math.IsNaN(s.Values[step]) {
				continue
			}
			x, y := plotStep*(float64(step)+.5), plotHeight-s.at(step)*scale(top)
			if step > 0 && !math.IsNaN(s.Values[step-1]) {
				o.raw(`L`)
			} else {
				o.raw(`M`)
			}
			o.float(x, 1)
			o.raw(` `)
			o.float(y, 2)
			if alone := (step == 0 || math.IsNaN(s.Values[step-1])) && (step+1 == len(p.Steps) || math.IsNaN(s.Values[step+1])); alone {
				o.raw(`m-3 0h6`)
			}
		}
		o.raw(`"/>`)
	}
	for step, name := range p.Steps {
		o.raw(`<g><title>`)
		o.text(p.title(step, name))
		o.raw(`</title><rect class="plot-hit" width="10" height="100" x="`)
		o.float(plotStep*float64(step), 0)
		o.raw(`"/></g>`)
	}
}

// title says a step's figures: "4 May: model a $1.20, model b $0.10".
func (p Plot) title(step int, name string) string {
	text, sep := name, ": "
	for _, s := range p.Series {
		if v := s.Values[step]; !math.IsNaN(v) && v != 0 {
			text += sep + s.Name + " " + p.Figure(v)
			sep = ", "
		}
	}
	if sep == ": " {
		text += ": nothing"
	}
	return text
}

func (s *PlotSeries) at(step int) float64 {
	if v := s.Values[step]; v > 0 {
		return v
	}
	return 0
}

// top is the greatest value that is drawn, rounded up to a number that reads well; 0 when there is none.
func (p Plot) top() float64 {
	most := 0.0
	for step := range p.Steps {
		sum := 0.0
		for n := range p.Series {
			if v := p.Series[n].at(step); p.Lines {
				sum = max(sum, v)
			} else {
				sum += v
			}
		}
		most = max(most, sum)
	}
	if most == 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	for _, k := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 6, 8} {
		if most <= k*unit {
			return k * unit
		}
	}
	return 10 * unit
}

// scale is the drawing's height of one; nothing is drawn when there is no value.
func scale(top float64) float64 {
	if top == 0 {
		return 0
	}
	return plotHeight / top
}

// axisSteps are the steps that are named below the drawing: the first, the middle and the last.
func axisSteps(n int) []int {
	switch {
	case n < 1:
		return nil
	case n < 3:
		return []int{0, n - 1}[:n]
	}
	return []int{0, n / 2, n - 1}
}

// plotColours is how many series have a colour of their own.
const plotColours = 5

// class is the colour of the nth series.
func (s *PlotSeries) class(n int) string {
	switch s.Kind {
	case Bad, Off:
		return "plot-" + string(s.Kind)
	}
	return "plot-c" + strconv.Itoa(min(n, plotColours))
}
