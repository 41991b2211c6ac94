package models

import (
	"math"
	"strings"
	"time"
)

// UsageQuarter is the sum of the settled calls that began in one quarter of an hour and are alike in who made them and
// what answered. It is written in the transaction that settles a call, so it equals the sum of the entries at any time
// (docs/adr/0022-usage-by-quarters.md). A quarter, because every zone in use is whole quarters away from UTC.
type UsageQuarter struct {
	OrganizationID string `gorm:"primaryKey"`
	Quarter        int64  `gorm:"primaryKey"` // Unix seconds of its beginning
	Provider       string `gorm:"primaryKey"`
	Model          string `gorm:"primaryKey"`
	InstanceID     string `gorm:"primaryKey"`
	SessionID      string `gorm:"primaryKey"`
	MemberID       string `gorm:"primaryKey"`
	KeyID          string `gorm:"primaryKey"`
	Purpose        string `gorm:"primaryKey"`
	UsageSum
}

// UsageDay is the same for a day of the organization's zone, over all conversations.
type UsageDay struct {
	OrganizationID string `gorm:"primaryKey"`
	Day            int64  `gorm:"primaryKey"` // Unix seconds of its beginning
	Provider       string `gorm:"primaryKey"`
	Model          string `gorm:"primaryKey"`
	InstanceID     string `gorm:"primaryKey"`
	MemberID       string `gorm:"primaryKey"`
	KeyID          string `gorm:"primaryKey"`
	Purpose        string `gorm:"primaryKey"`
	UsageSum
}

// UsageSum is what calls came to.
type UsageSum struct {
	Calls         int64
	Errors        int64 // of Calls: those that failed; one whose caller left did not fail
	Unpriced      int64 // of Calls: those of models whose price nobody knows
	InputTokens   int64
	OutputTokens  int64
	CostNanos     int64
	Compared      int64 // of Calls: those that a router chose the model of
	ComparedNanos int64 // what Compared cost
	BaselineNanos int64 // what Compared had cost without a router
	Cached        int64 // of Calls: those that were answered from a cache
	CachedNanos   int64 // what Cached had cost
	Took          Took  `gorm:"embedded"`
}

// Tokens are those read and written.
func (s *UsageSum) Tokens() int64 { return s.InputTokens + s.OutputTokens }

// SavedNanos is what the router saved; negative when it was dearer.
func (s *UsageSum) SavedNanos() int64 { return s.BaselineNanos - s.ComparedNanos }

// Add sums two.
func (s *UsageSum) Add(o *UsageSum) {
	s.Calls += o.Calls
	s.Errors += o.Errors
	s.Unpriced += o.Unpriced
	s.InputTokens += o.InputTokens
	s.OutputTokens += o.OutputTokens
	s.CostNanos += o.CostNanos
	s.Compared += o.Compared
	s.ComparedNanos += o.ComparedNanos
	s.BaselineNanos += o.BaselineNanos
	s.Cached += o.Cached
	s.CachedNanos += o.CachedNanos
	to, from := s.Took.bands(), o.Took.bands()
	for n := range to {
		*to[n] += *from[n]
	}
}

// Took counts answered calls by how long they took: up to 125 ms, then each band is twice as long as the one before it,
// the last one is longer than 128 s. A call that reserved nothing counts in none.
type Took struct {
	Took0, Took1, Took2, Took3, Took4, Took5, Took6, Took7, Took8, Took9, Took10, Took11 int64
}

const firstBand = 125 // milliseconds

func (t *Took) bands() []*int64 {
	return []*int64{&t.Took0, &t.Took1, &t.Took2, &t.Took3, &t.Took4, &t.Took5, &t.Took6, &t.Took7, &t.Took8, &t.Took9, &t.Took10, &t.Took11}
}

// note counts one call.
func (t *Took) note(d time.Duration) {
	ms := d.Milliseconds()
	if d <= 0 {
		return
	}
	bands := t.bands()
	n := 0
	for top := int64(firstBand); ms > top && n < len(bands)-1; top *= 2 {
		n++
	}
	*bands[n]++
}

// Percentile estimates how long the fastest share of the calls took at most, 0 < share < 1; ok is false when none was
// answered. Inside a band the calls are taken to lie evenly on a scale of ratios, so the error is a part of its factor two.
func (t *Took) Percentile(share float64) (d time.Duration, ok bool) {
	all := int64(0)
	for _, n := range t.bands() {
		all += *n
	}
	if all == 0 {
		return 0, false
	}
	left, top := share*float64(all), float64(firstBand)
	for _, n := range t.bands() {
		if in := float64(*n); in > 0 && left <= in {
			return time.Duration(top * math.Pow(2, left/in-1) * float64(time.Millisecond)), true
		} else {
			left -= in
		}
		top *= 2
	}
	return time.Duration(top/2) * time.Millisecond, true
}

const quarter = 15 * 60 // seconds

// quarterOf is the one that a moment lies in.
func quarterOf(t time.Time) int64 {
	s := t.Unix()
	return s - ((s%quarter)+quarter)%quarter
}

// usageKey are the columns that tell rows of the sums apart besides the organization and the time; usage_days has no
// session_id.
var (
	usageKey  = []string{"provider", "model", "instance_id", "member_id", "key_id", "purpose", "session_id"}
	usageSums = []string{"calls", "errors", "unpriced", "input_tokens", "output_tokens", "cost_nanos", "compared", "compared_nanos", "baseline_nanos", "cached", "cached_nanos",
		"took0", "took1", "took2", "took3", "took4", "took5", "took6", "took7", "took8", "took9", "took10", "took11"}
	usageColumns  = each(usageSums, "CAST(coalesce(sum(%s), 0) AS BIGINT) AS %s") // Postgres sums BIGINT as NUMERIC
	insertQuarter = usageInsert("usage_quarters", "quarter", usageKey)
	insertDay     = usageInsert("usage_days", "day", usageKey[:len(usageKey)-1])
)

// usageInsert adds to the row with this key, or makes it.
func usageInsert(table, at string, key []string) string {
	columns := append([]string{"organization_id", at}, key...)
	return "INSERT INTO " + table + " (" + strings.Join(append(columns, usageSums...), ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)+len(usageSums)-1) +
		") ON CONFLICT (" + strings.Join(columns, ", ") + ") DO UPDATE SET " + each(usageSums, "%s = "+table+".%s + excluded.%s")
}

// each writes a pattern for every column, with commas between.
func each(columns []string, pattern string) string {
	out := []string{}
	for _, c := range columns {
		out = append(out, strings.ReplaceAll(pattern, "%s", c))
	}
	return strings.Join(out, ", ")
}

// sum is what one settled call comes to.
func (e *LedgerEntry) sum() UsageSum {
	s := UsageSum{Calls: 1, InputTokens: int64(e.InputTokens), OutputTokens: int64(e.OutputTokens), CostNanos: e.CostNanos}
	if e.Failed() {
		s.Errors = 1
	}
	if e.Unpriced {
		s.Unpriced = 1
	}
	switch {
	case e.Cached() && e.BaselineNanos != nil:
		s.Cached, s.CachedNanos = 1, *e.BaselineNanos
	case e.Cached():
		s.Cached = 1
	case e.BaselineNanos != nil:
		s.Compared, s.ComparedNanos, s.BaselineNanos = 1, e.CostNanos, *e.BaselineNanos
	}
	if e.Failure == "" {
		s.Took.note(e.Took())
	}
	return s
}
