package app

import (
	"strconv"
	"time"

	"lobstead/api/runtime"
	"lobstead/engine/insight"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

// RuntimeStats are the sums of the usage pages in the runtime API's spelling.
type RuntimeStats struct{ *App }

// number reads a number of the address between two bounds; outside of them it is the nearer one.
func (c *Ctx) number(name string, usual, least, most int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fault.New(fault.Invalid, name, "%s must be a number", name)
	}
	return min(max(n, least), most), nil
}

// Costs lists settled calls, the last settled first.
func (h *RuntimeStats) Costs(c *Ctx) (Reply, error) {
	limit, err := c.number("limit", 200, 1, 500)
	if err != nil {
		return nil, err
	}
	offset, err := c.number("offset", 0, 0, 1<<30)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.SettledEntries(c, time.Time{}, limit, offset)
	if err != nil {
		return nil, err
	}
	out := runtime.Costs{Costs: []runtime.Cost{}}
	for n := range rows {
		tier := ""
		if _, t, priced := h.Door.Priced(c, c.Scope, rows[n].Provider, rows[n].Model); priced {
			tier = string(t)
		}
		out.Costs = append(out.Costs, runtime.NewCost(&rows[n], tier))
	}
	return data(out), nil
}

// Cache tells how often answers were given again, over all instances.
func (h *RuntimeStats) Cache(c *Ctx) (Reply, error) {
	s, err := c.Scope.CacheStats(c)
	return data(runtime.Cache{Hits: s.Hits, Misses: s.Misses, Entries: s.Entries, HitRate: s.HitRate()}), err
}

// maxTransactions bounds an answer that has no pages.
const maxTransactions = 5000

// Transactions lists what was spent in the last hours, the newest first.
func (h *RuntimeStats) Transactions(c *Ctx) (Reply, error) {
	hours, err := c.number("hours", 24, 1, 24*90)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.SettledEntries(c, time.Now().Add(-time.Duration(hours)*time.Hour), maxTransactions, 0)
	if err != nil {
		return nil, err
	}
	out := runtime.Transactions{Transactions: []runtime.Transaction{}}
	for n := range rows {
		out.Transactions = append(out.Transactions, runtime.NewTransaction(&rows[n]))
	}
	return data(out), nil
}

// Timeseries sums the last hours, the one that runs included.
func (h *RuntimeStats) Timeseries(c *Ctx) (Reply, error) {
	hours, err := c.number("hours", 24, 1, 168)
	if err != nil {
		return nil, err
	}
	span := models.HoursUntil(time.Now(), time.UTC, hours)
	cells, err := c.Scope.Usage(c, models.UsageFilter{From: span.From, Until: span.Until}, "", span.Steps())
	if err != nil {
		return nil, err
	}
	sessions, err := c.Scope.SessionsBegun(c, span.From)
	if err != nil {
		return nil, err
	}
	return data(runtime.NewTimeseries(&span, cells, sessions)), nil
}

// efficiencyDays are the periods in days; "1h" and "24h" go by hours, "all" is a year.
var efficiencyDays = map[string]int{"7d": 7, "30d": 30, "all": 366}

var efficiencyHours = map[string]int{"1h": 1, "24h": 24}

// Efficiency compares models over a period.
func (h *RuntimeStats) Efficiency(c *Ctx) (Reply, error) {
	period := c.Query("period")
	if efficiencyDays[period]+efficiencyHours[period] == 0 {
		period = "7d"
	}
	zone, err := c.Scope.TimeZone(c)
	if err != nil {
		return nil, err
	}
	span := models.HoursUntil(time.Now(), zone, max(1, efficiencyHours[period]))
	if days := efficiencyDays[period]; days > 0 {
		span = models.DaysUntil(time.Now(), zone, days)
	}
	f := models.UsageFilter{From: span.From, Until: span.Until, Only: map[models.UsageBy]string{}}
	if m := c.Query("model"); m != "" {
		f.Only[models.ByModel] = m
	}
	cells, err := c.Scope.Usage(c, f, models.ByModel, span.Steps())
	if err != nil {
		return nil, err
	}
	facts, err := h.facts(c, &span)
	return data(runtime.NewEfficiency(period, &span, cells, facts)), err
}

// facts are what the ledger does not know of a span: prompts, prices and grades.
func (h *RuntimeStats) facts(c *Ctx, span *models.UsageSpan) (f runtime.EfficiencyFacts, err error) {
	entry := func(model string) llm.Entry {
		e, _, _ := h.Door.Priced(c, c.Scope, "", model)
		return e
	}
	f.Window = func(model string) int { return entry(model).Context }
	f.Price = func(model string, tokens int64) int64 {
		return entry(model).Cost(llm.Usage{Input: int(tokens)}, time.Now())
	}
	f.Level = insight.Level
	if f.Sighted, err = c.Scope.Sighted(c, span.From, span.Until); err != nil {
		return f, err
	}
	f.Graded, err = c.Scope.GradedTurns(c, span.From, span.Until)
	return f, err
}
