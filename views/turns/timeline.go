package turns

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/ui"
)

// moment is one line of the timeline.
type moment struct {
	icon   ui.Icon
	title  string
	note   string
	at     time.Time
	took   time.Duration
	failed bool
	step   *models.TurnStep
	number int // of the step
	tries  []try
	call   *models.ToolCall
	result *models.ToolResult // nil: it runs, or its end was not written
	id     string
}

// try is one attempt of the door, as it was stored.
type try struct {
	Provider  string `json:"provider"`
	Model     string `json:"model"`
	Outcome   string `json:"outcome"`
	Kind      string `json:"kind"`
	Error     string `json:"error"`
	FirstMS   int64  `json:"first_ms"`
	TotalMS   int64  `json:"total_ms"`
	WaitedMS  int64  `json:"waited_ms"`
	CostNanos int64  `json:"cost_nanos"`
}

func (t try) words() string {
	out := t.Provider + "/" + t.Model + ": " + t.Outcome
	if t.WaitedMS > 0 {
		out += " after waiting " + took(time.Duration(t.WaitedMS)*time.Millisecond)
	}
	if t.Kind != "" {
		out += " (" + strings.ReplaceAll(t.Kind, "_", " ") + ")"
	}
	out += ", " + took(time.Duration(t.TotalMS)*time.Millisecond)
	if t.FirstMS > 0 {
		out += ", first piece after " + took(time.Duration(t.FirstMS)*time.Millisecond)
	}
	return plain(out)
}

// timeline puts all that happened in a turn in order.
func (p ShowProps) timeline() []moment {
	var out []moment
	if t := p.Turn; t.StartedAt != nil && t.StartedAt.Sub(t.CreatedAt) >= 50*time.Millisecond {
		out = append(out, moment{icon: ui.IconClock, title: "Waited for its turn", at: t.CreatedAt, took: t.StartedAt.Sub(t.CreatedAt)})
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		m := moment{icon: ui.IconCpu, title: "Asked " + cmp.Or(s.Model, "a model"), at: s.BeganAt, took: s.Took(), failed: s.Failure != "", step: s, number: i + 1, id: "step-" + strconv.Itoa(i+1)}
		_ = json.Unmarshal([]byte(s.Attempts), &m.tries) // our own writing; no tries when it is not readable
		switch s.Cached {
		case models.CacheExact:
			m.icon, m.title, m.note = ui.IconDatabase, "Answered from the cache", "The same was asked before: no model was asked, and nothing paid."
		case models.CacheSemantic:
			m.icon, m.title, m.note = ui.IconDatabase, "Answered from the cache", "A message that means about the same was answered before: no model was asked for an answer."
		}
		if s.Failure != "" {
			m.note = "Ended by: " + strings.ReplaceAll(s.Failure, "_", " ")
		}
		out = append(out, m)
	}
	out = append(out, events(p.Log)...)
	slices.SortStableFunc(out, func(a, b moment) int { return a.at.Compare(b.at) })
	return out
}

// events are the moments that the log tells of.
func events(log []models.Event) []moment {
	var out []moment
	at := map[string]int{}
	for _, e := range log {
		switch e.Kind {
		case models.KindCall:
			if c, err := models.Decode[models.ToolCall](e); err == nil {
				at[c.CallID] = len(out)
				out = append(out, moment{icon: ui.IconWrench, title: "Ran " + c.Tool, at: e.CreatedAt, call: &c, id: "ev-" + strconv.FormatInt(e.Seq, 10)})
			}
		case models.KindResult:
			r, err := models.Decode[models.ToolResult](e)
			if n, ok := at[r.CallID]; ok && err == nil {
				out[n].result, out[n].took, out[n].failed = &r, time.Duration(r.Millis)*time.Millisecond, r.Error
				out[n].at = e.CreatedAt.Add(-out[n].took) // calls of one step run one after the other
			}
		case models.KindPaused:
			if d, err := models.Decode[models.Paused](e); err == nil {
				out = append(out, moment{icon: ui.IconPause, title: "Paused", note: d.Text, at: e.CreatedAt})
			}
		case models.KindCompacted:
			if d, err := models.Decode[models.Compacted](e); err == nil {
				out = append(out, moment{icon: ui.IconScrollText, title: "Summarised earlier messages", at: e.CreatedAt,
					note: ui.Thousands(d.Before) + " tokens became " + ui.Thousands(d.After)})
			}
		case models.KindNotice:
			if d, err := models.Decode[models.Notice](e); err == nil {
				out = append(out, moment{icon: ui.IconInfo, title: "Notice", note: d.Text, at: e.CreatedAt})
			}
		case models.KindEnded:
			if d, err := models.Decode[models.TurnEnded](e); err == nil {
				out = append(out, moment{icon: ui.IconSquare, title: cmp.Or(states[d.State].Text, "Ended"), note: d.Reason, at: e.CreatedAt, failed: d.State == models.TurnFailed})
			}
		}
	}
	return out
}

// whole is how long the turn took, from its message to its end or to what is known last.
func (p ShowProps) whole(list []moment) time.Duration {
	end := p.Turn.CreatedAt
	for _, m := range list {
		if last := m.at.Add(m.took); last.After(end) {
			end = last
		}
	}
	return end.Sub(p.Turn.CreatedAt)
}

func (p ShowProps) span(m moment, whole time.Duration) span {
	from := m.at.Sub(p.Turn.CreatedAt)
	return span{from, from + m.took, whole}
}

// cost adds up the entries of the ledger.
func (p ShowProps) cost() int64 {
	sum := int64(0)
	for _, e := range p.Ledger {
		sum += e.CostNanos
	}
	return sum
}

// candidate is a model that could have answered, as it was stored.
type candidate struct {
	Provider  string  `json:"provider"`
	Model     string  `json:"model"`
	Tier      string  `json:"tier"`
	Score     float64 `json:"score"`
	Usable    bool    `json:"usable"`
	Note      string  `json:"note"`
	CostNanos int64   `json:"cost_nanos"`
	Priced    bool    `json:"priced"`
}

// feature is one part of a request's complexity, as it was stored.
type feature struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Points int    `json:"points"`
}

func candidates(d *models.Decision) []candidate { return read[candidate](d.Candidates) }

func features(d *models.Decision) []feature { return read[feature](d.Features) }

// read gives a list of our own writing; none when it is not readable.
func read[T any](text string) []T {
	var out []T
	_ = json.Unmarshal([]byte(text), &out)
	return out
}

// asked tells how many calls to models the cost is of.
func (p ShowProps) asked() string {
	n := len(p.Ledger)
	for i := range p.Ledger {
		if p.Ledger[i].Cached() {
			n--
		}
	}
	return ui.Plural(n, "call", "calls") + " to models"
}
