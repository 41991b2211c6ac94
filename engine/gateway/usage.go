package gateway

import (
	"cmp"
	"context"
	"slices"
	"time"

	"lobstead/models"
)

// usageRows is how many calls one report reads; of more it says so.
const usageRows = 50_000

// Tally sums calls.
type Tally struct {
	Key                string
	Requests, Errors   int
	ByClass            map[string]int
	Input, Output      int
	CostNanos          int64
	Unpriced, Streamed int
	took               []int64 // of those that were answered
}

// Usage is what was called in a span of time.
type Usage struct {
	Whole     Tally
	Groups    []Tally
	Truncated bool
}

// GroupBy says what a report is cut into.
type GroupBy string

// The ways.
const (
	ByDay   GroupBy = "day"
	ByModel GroupBy = "model"
	ByKey   GroupBy = "key"
	ByAgent GroupBy = "agent"
)

func (b GroupBy) key(c models.GatewayCall) string {
	switch b {
	case ByModel:
		return c.Model
	case ByKey:
		return c.KeyID
	case ByAgent:
		return c.InstanceID
	}
	return c.CreatedAt.UTC().Format(time.DateOnly)
}

// Usage reports calls of an organization since a moment: days in their order, the rest by requests.
func (g *Gateway) Usage(ctx context.Context, sc *models.Scope, f models.GatewayCallFilter, by GroupBy) (Usage, error) {
	f.Limit = usageRows + 1
	rows, err := sc.GatewayCalls(ctx, f)
	if err != nil {
		return Usage{}, err
	}
	out := Usage{Truncated: len(rows) > usageRows, Groups: []Tally{}}
	at := map[string]int{}
	for _, c := range rows[:min(len(rows), usageRows)] {
		out.Whole.add(c)
		key := by.key(c)
		n, ok := at[key]
		if !ok {
			n = len(out.Groups)
			at[key], out.Groups = n, append(out.Groups, Tally{Key: key})
		}
		out.Groups[n].add(c)
	}
	slices.SortFunc(out.Groups, func(a, b Tally) int {
		if by == ByDay {
			return cmp.Compare(a.Key, b.Key)
		}
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Key, b.Key))
	})
	return out, nil
}

func (t *Tally) add(c models.GatewayCall) {
	t.Requests++
	t.Input, t.Output, t.CostNanos = t.Input+c.InputTokens, t.Output+c.OutputTokens, t.CostNanos+c.CostNanos
	if !c.Priced {
		t.Unpriced++
	}
	if c.Streamed {
		t.Streamed++
	}
	if c.Error == "" {
		t.took = append(t.took, c.TotalMS)
		return
	}
	t.Errors++
	if t.ByClass == nil {
		t.ByClass = map[string]int{}
	}
	t.ByClass[c.Error]++
}

// Latency gives a percentile in milliseconds of the calls that were answered; nil when none was.
func (t *Tally) Latency(percent int) *int64 {
	if len(t.took) == 0 {
		return nil
	}
	slices.Sort(t.took)
	v := t.took[min(len(t.took)-1, (len(t.took)*percent+99)/100-1)]
	return &v
}
