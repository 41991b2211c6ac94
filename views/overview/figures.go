package overview

import (
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/ui"
)

func (p ShowProps) failures() []models.Turn {
	if p.Overview == nil {
		return nil
	}
	return p.Overview.Failures
}

// quiet: before the first message there is nothing to say about failures.
func (p ShowProps) quiet() bool {
	return len(p.failures()) == 0 && (p.Overview == nil || p.Overview.Messages == 0)
}

func (p ShowProps) done() int {
	n := 0
	for _, t := range p.Checklist {
		if t.Done {
			n++
		}
	}
	return n
}

// name is an instance's, or "" for one that is gone.
func (p ShowProps) name(id string) string { return p.Names[id] }

func (p ShowProps) overview() *models.Overview {
	if p.Overview == nil {
		return &models.Overview{}
	}
	return p.Overview
}

func (p ShowProps) running() ui.TileProps {
	o, all := p.overview(), 0
	for _, n := range o.ByState {
		all += n
	}
	note := "no turn in progress"
	if o.OpenTurns > 0 {
		note = ui.Plural(o.OpenTurns, "turn", "turns") + " in progress"
	}
	if n := o.ByState[models.Errored]; n > 0 {
		note += " · " + strconv.Itoa(n) + " in error"
	}
	return ui.TileProps{Key: "Running", Value: ui.Thousands(o.ByState[models.Running]), Of: "of " + ui.Thousands(all), Note: note, Href: "/instances"}
}

func (p ShowProps) turns() ui.TileProps {
	o := p.overview()
	t := ui.TileProps{Key: "Turns, 24 h", Value: ui.Thousands(o.Turns24h)}
	if o.Turns24h == 0 {
		t.Note = "none yet"
		return t
	}
	values, words := make([]float64, 0, len(o.TurnsByHour)), make([]string, 0, len(o.TurnsByHour))
	for _, n := range o.TurnsByHour {
		values, words = append(values, float64(n)), append(words, strconv.Itoa(n))
	}
	t.Spark = &ui.Spark{Values: values, Label: "Turns an hour, oldest first: " + strings.Join(words, ", ")}
	return t
}

func (p ShowProps) spent() ui.TileProps {
	s := p.overview().Spent
	note := "since midnight UTC"
	if s.Calls > 0 {
		note = ui.Plural(int(s.Calls), "call", "calls") + " · " + compact(s.InputTokens+s.OutputTokens) + " tokens"
	}
	return ui.TileProps{Key: "Spent today", Value: Dollars(s.CostNanos), Note: note}
}

// firstTokens is how many points the line has at most.
const firstTokens = 60

func (p ShowProps) firstToken() ui.TileProps {
	t := ui.TileProps{Key: "First token, p50"}
	if p.FirstP50 <= 0 {
		t.Value, t.Note = "—", "no turn in 24 h"
		return t
	}
	t.Value = ui.Took(p.FirstP50)
	all := p.overview().FirstTokens
	all = all[max(0, len(all)-firstTokens):]
	if len(all) < 2 {
		t.Note = "of " + ui.Plural(len(all), "turn", "turns")
		return t
	}
	values := make([]float64, 0, len(all))
	for _, d := range all {
		values = append(values, float64(d)/float64(time.Millisecond))
	}
	t.Spark = &ui.Spark{Values: values, Accent: true, Label: "Message to first token of the last " + ui.Plural(len(all), "turn", "turns") + ", oldest first"}
	return t
}

func reason(t *models.Turn) string {
	if t.Reason == "" {
		return "Failed without a reason"
	}
	return t.Reason
}

// where says whose turn it was: "data-sync · claude-sonnet-5".
func where(t *models.Turn, instance string) string {
	if instance == "" {
		instance = "a deleted instance"
	}
	if t.Model != "" {
		instance += " · " + t.Model
	}
	return instance
}

// Dollars says an amount in billionths of a dollar: cents for what is large enough, more digits for what is not.
func Dollars(nanos int64) string {
	d, sign := float64(nanos)/1e9, ""
	if d < 0 {
		d, sign = -d, "-"
	}
	switch {
	case d == 0:
		return "$0.00"
	case d >= 1:
		cents := int64(d*100 + .5)
		fraction := strconv.FormatInt(cents%100+100, 10)[1:]
		return sign + "$" + ui.Thousands(cents/100) + "." + fraction
	case d >= .001:
		return sign + "$" + strconv.FormatFloat(d, 'f', 4, 64)
	case d >= .0000005:
		return sign + "$" + strconv.FormatFloat(d, 'f', 6, 64)
	}
	return sign + "<$0.000001"
}

// compact rounds what is too long for a note: "4.5M".
func compact(n int64) string {
	switch {
	case n >= 1e9:
		return strconv.FormatFloat(float64(n)/1e9, 'f', 1, 64) + "B"
	case n >= 1e6:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + "M"
	}
	return ui.Thousands(n)
}
