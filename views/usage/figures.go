package usage

import (
	"math"
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/overview"
	"lobstead/views/ui"
)

// label names a step: an hour, or a day, by the organization's clock.
func (p IndexProps) label(step int) string {
	at := p.Span.Starts[step].In(p.Span.Zone)
	if p.Span.Hourly {
		return at.Format("2 Jan 15:04")
	}
	return at.Format("2 Jan")
}

func (p IndexProps) labels() []string {
	out := make([]string, len(p.Span.Starts))
	for n := range out {
		out[n] = p.label(n)
	}
	return out
}

// end is where a step ends.
func (p IndexProps) end(step int) time.Time {
	if step+1 < len(p.Span.Starts) {
		return p.Span.Starts[step+1]
	}
	return p.Span.Until
}

func (p IndexProps) values(of func(s *models.UsageSum) float64) []float64 {
	out := make([]float64, len(p.Steps))
	for n := range p.Steps {
		out[n] = of(&p.Steps[n])
	}
	return out
}

func (p IndexProps) each() string {
	if p.Span.Hourly {
		return "hour"
	}
	return "day"
}

// stacked is how many groups of a plot have a colour of their own; what remains is one more.
const stacked = 5

func (p IndexProps) costPlot() ui.Plot {
	plot := ui.Plot{Label: "Cost by " + p.each() + ", in dollars, " + p.spanText(), Steps: p.labels()}
	plot.Figure = func(v float64) string { return overview.Dollars(int64(v)) }
	rest := p.values(func(s *models.UsageSum) float64 { return float64(s.CostNanos) })
	for n, g := range p.Groups {
		if n == stacked || g.Nanos == nil {
			break
		}
		plot.Series = append(plot.Series, ui.PlotSeries{Name: g.Name, Values: g.Nanos})
		for step := range rest {
			rest[step] -= g.Nanos[step]
		}
	}
	if len(plot.Series) < len(p.Groups)+p.Hidden {
		name := "Other"
		if len(plot.Series) == 0 {
			name = "All"
		}
		plot.Series = append(plot.Series, ui.PlotSeries{Name: name, Values: rest})
	}
	return plot
}

func (p IndexProps) callsPlot() ui.Plot {
	return ui.Plot{Label: "Calls by " + p.each() + ", " + p.spanText(), Steps: p.labels(), Figure: count, Series: []ui.PlotSeries{
		{Name: "Answered or left", Kind: ui.Off, Values: p.values(func(s *models.UsageSum) float64 { return float64(s.Calls - s.Errors) })},
		{Name: "Failed", Kind: ui.Bad, Values: p.values(func(s *models.UsageSum) float64 { return float64(s.Errors) })}}}
}

func (p IndexProps) tokensPlot() ui.Plot {
	return ui.Plot{Label: "Tokens by " + p.each() + ", " + p.spanText(), Steps: p.labels(), Figure: count, Series: []ui.PlotSeries{
		{Name: "Read", Values: p.values(func(s *models.UsageSum) float64 { return float64(s.InputTokens) })},
		{Name: "Written", Values: p.values(func(s *models.UsageSum) float64 { return float64(s.OutputTokens) })}}}
}

func (p IndexProps) latencyPlot() ui.Plot {
	at := func(share float64) []float64 {
		return p.values(func(s *models.UsageSum) float64 {
			d, ok := s.Took.Percentile(share)
			if !ok {
				return math.NaN()
			}
			return float64(d)
		})
	}
	return ui.Plot{Label: "How long calls took by " + p.each() + ", " + p.spanText(), Lines: true, Steps: p.labels(), Figure: func(v float64) string { return ui.Took(time.Duration(v)) },
		Series: []ui.PlotSeries{{Name: "p50", Values: at(.5)}, {Name: "p95", Values: at(.95)}}}
}

func (p IndexProps) spanText() string {
	for _, s := range Spans {
		if s.Value == p.Query.Span {
			return "the last " + s.Text
		}
	}
	return ""
}

// took says a percentile; a dash when no call was answered.
func took(s *models.UsageSum, share float64) string {
	d, ok := s.Took.Percentile(share)
	if !ok {
		return "—"
	}
	return ui.Took(d)
}

// count rounds what is long: "12.3k", "4.5M".
func count(v float64) string {
	size, word := 1.0, ""
	switch {
	case v >= 1e9:
		size, word = 1e9, "B"
	case v >= 1e6:
		size, word = 1e6, "M"
	case v >= 1e4:
		size, word = 1e3, "k"
	case v == math.Trunc(v):
		return ui.Thousands(int64(v))
	}
	return strings.TrimSuffix(strconv.FormatFloat(v/size, 'f', 1, 64), ".0") + word
}

func (p IndexProps) tiles() []ui.TileProps {
	w := &p.Whole
	errors := "none failed"
	if w.Errors > 0 {
		errors = ui.Thousands(w.Errors) + " failed"
	}
	cost := ui.TileProps{Key: "Cost", Value: overview.Dollars(w.CostNanos), Href: p.Query.EntriesHref(p.Span.From, p.Span.Until, ""), Note: p.spanText()}
	if w.Calls > 0 {
		cost.Note = overview.Dollars(w.CostNanos/w.Calls) + " a call"
	}
	return []ui.TileProps{cost,
		{Key: "Calls", Value: ui.Thousands(w.Calls), Href: p.Query.EntriesHref(p.Span.From, p.Span.Until, ""), Note: errors},
		{Key: "Tokens", Value: count(float64(w.Tokens())), Href: p.Query.EntriesHref(p.Span.From, p.Span.Until, ""), Note: count(float64(w.InputTokens)) + " read, " + count(float64(w.OutputTokens)) + " written"},
		{Key: "Half of the calls took", Value: took(w, .5), Note: "95 of 100: " + took(w, .95)}}
}

// cached says what answers out of a cache came to.
func (p IndexProps) cached() string {
	text := "came from a cache"
	if p.Whole.Cached > 1 {
		text = "came from caches"
	}
	if p.Whole.CachedNanos == 0 {
		return text + ": nobody was asked."
	}
	return text + ": nobody was asked, and " + overview.Dollars(p.Whole.CachedNanos) + " not spent."
}

// saved says what the router made of the difference.
func (p IndexProps) saved() string {
	n := p.Whole.SavedNanos()
	if n < 0 {
		return "The router cost " + overview.Dollars(-n) + " more than"
	}
	return "The router saved " + overview.Dollars(n) + " against"
}

func (s Service) kind() ui.Kind {
	switch {
	case s.State == "closed" && len(s.Models) > 0, s.State == "half_open":
		return ui.Warn
	case s.State == "closed":
		return ui.OK
	}
	return ui.Bad
}

func (s Service) words() string {
	switch {
	case s.Forced:
		return "Held open"
	case s.State == "open":
		return "Resting"
	case s.State == "half_open":
		return "On trial"
	case len(s.Models) > 0:
		return "Some models rest"
	}
	return "Working"
}

func (s Service) why() string {
	switch {
	case s.Forced:
		return "an operator took it out of service"
	case s.NoCredit:
		return "its account has no credit left"
	case s.State == "open":
		return "it failed several times; it is tried again by itself"
	case s.State == "half_open":
		return "the next call shows whether it works again"
	case len(s.Models) > 0:
		names := []string{}
		for m := range s.Models {
			names = append(names, m)
		}
		return strings.Join(names, ", ")
	}
	return ""
}

// outcome says how a call ended.
func outcome(e *models.LedgerEntry) (ui.Kind, string) {
	switch e.Failure {
	case "":
		if e.Cached() {
			return ui.OK, "From the cache"
		}
		return ui.OK, "Answered"
	case models.CancelledCall:
		return ui.Off, "Left"
	case models.LostCall:
		return ui.Bad, "Lost"
	}
	return ui.Bad, strings.ReplaceAll(e.Failure, "_", " ")
}
