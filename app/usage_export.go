package app

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/usage"
)

var usageColumns = []string{"begins", "group", "name", "calls", "failed", "unpriced", "input_tokens", "output_tokens", "cost_usd", "p50_ms", "p95_ms", "routed", "routed_cost_usd", "without_router_usd", "cached", "cached_saved_usd"}

// Export gives the numbers of the page as CSV, a line for each step and group.
func (h *Usage) Export(c *Ctx) (Reply, error) {
	q := usageQuery(c)
	span, err := usageSpan(c, q.Span)
	if err != nil {
		return nil, err
	}
	f := models.UsageFilter{From: span.From, Until: span.Until, Only: q.Only}
	cells, err := c.Scope.Usage(c, f, q.By, span.Steps())
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	list := []string{}
	for n := range cells {
		if k := cells[n].Key; !keys[k] {
			keys[k], list = true, append(list, k)
		}
	}
	names, err := h.names(c, q.By, list)
	if err != nil {
		return nil, err
	}
	name := "usage-" + c.Principal.Organization.Slug + "-" + q.Span + "-by-" + string(q.By) + ".csv"
	return pipe(c, name, "text/csv; charset=utf-8", func(_ context.Context, w io.Writer) error { return writeUsage(w, q.By, span, cells, names) }), nil
}

func writeUsage(w io.Writer, by models.UsageBy, span models.UsageSpan, cells []models.UsageCell, names map[string]string) error {
	out := csv.NewWriter(w)
	if err := out.Write(usageColumns); err != nil {
		return err
	}
	for n := range cells {
		s := &cells[n].UsageSum
		if err := out.Write([]string{span.Starts[cells[n].Step].In(span.Zone).Format(time.RFC3339), inert(cells[n].Key), inert(usage.GroupName(by, cells[n].Key, names[cells[n].Key])),
			figure(s.Calls), figure(s.Errors), figure(s.Unpriced), figure(s.InputTokens), figure(s.OutputTokens), dollars(s.CostNanos), millis(s, .5), millis(s, .95),
			figure(s.Compared), dollars(s.ComparedNanos), dollars(s.BaselineNanos), figure(s.Cached), dollars(s.CachedNanos)}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// inert keeps a text from being a formula in a spreadsheet.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}

func figure(n int64) string { return strconv.FormatInt(n, 10) }

// dollars writes billionths of a dollar exactly.
func dollars(nanos int64) string {
	sign := ""
	if nanos < 0 {
		sign, nanos = "-", -nanos
	}
	fraction := strconv.FormatInt(models.Dollar+nanos%models.Dollar, 10)[1:]
	return sign + strconv.FormatInt(nanos/models.Dollar, 10) + "." + fraction
}

func millis(s *models.UsageSum, share float64) string {
	if d, ok := s.Took.Percentile(share); ok {
		return figure(d.Milliseconds())
	}
	return ""
}
