package app

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/usage"
)

// Usage are the pages of what model calls cost and how they went.
type Usage struct{ *App }

// shownGroups is how many rows the table of groups has; the export has them all.
const shownGroups = 50

// usageQuery reads the address; what of it is not known takes its default.
func usageQuery(c *Ctx) usage.Query {
	q := usage.Query{Span: c.Query("span"), By: models.UsageBy(c.Query("by")), Only: map[models.UsageBy]string{}}
	if usageDays[q.Span] == 0 && q.Span != "24h" {
		q.Span = "30d"
	}
	if !slices.Contains(models.UsageWays, q.By) {
		q.By = models.ByModel
	}
	for _, way := range models.UsageWays {
		switch v := c.Query(string(way)); v {
		case "":
		case usage.None:
			q.Only[way] = ""
		default:
			q.Only[way] = v
		}
	}
	return q
}

// usageSpan is the stretch of time that a word stands for, by the organization's clock.
func usageSpan(c *Ctx, word string) (models.UsageSpan, error) {
	zone, err := c.Scope.TimeZone(c)
	if err != nil {
		return models.UsageSpan{}, err
	}
	if word == "24h" {
		return models.HoursUntil(time.Now(), zone, 24), nil
	}
	return models.DaysUntil(time.Now(), zone, usageDays[word]), nil
}

// Index shows the sums.
func (h *Usage) Index(c *Ctx) (Reply, error) {
	q := usageQuery(c)
	p, err := h.report(c, q)
	if err != nil {
		return nil, err
	}
	p.Frame = c.frame("Usage", usage.Path, "")
	if p.Fresh, err = c.Scope.NeverUsed(c); err != nil {
		return nil, err
	}
	open, err := c.Scope.Reservations(c)
	if err != nil {
		return nil, err
	}
	p.UnderWay = len(open)
	if p.Services, err = h.services(c); err != nil {
		return nil, err
	}
	p.Chips, err = h.chips(c, q)
	return page(usage.Index(*p)), err
}

// report sums what the address asks for.
func (h *Usage) report(c *Ctx, q usage.Query) (*usage.IndexProps, error) {
	span, err := usageSpan(c, q.Span)
	if err != nil {
		return nil, err
	}
	p := &usage.IndexProps{Query: q, Span: span, Steps: make([]models.UsageSum, len(span.Starts))}
	f := models.UsageFilter{From: span.From, Until: span.Until, Only: q.Only}
	by := q.By
	if by == models.BySession { // as many colours as conversations would say nothing, and take long to sum
		by = ""
	}
	cells, err := c.Scope.Usage(c, f, by, span.Steps())
	if err != nil {
		return nil, err
	}
	for n := range cells {
		p.Steps[cells[n].Step].Add(&cells[n].UsageSum)
		p.Whole.Add(&cells[n].UsageSum)
	}
	if by == "" {
		if cells, err = c.Scope.Usage(c, f, q.By, nil); err != nil {
			return nil, err
		}
	}
	p.Groups = usageGroups(cells, len(span.Starts), by != "")
	p.Hidden = max(0, len(p.Groups)-shownGroups)
	p.Groups = p.Groups[:len(p.Groups)-p.Hidden]
	return p, h.named(c, q.By, p.Groups)
}

// usageGroups sums cells by group, the dearest first.
func usageGroups(cells []models.UsageCell, steps int, plotted bool) []usage.Group {
	at, out := map[string]int{}, []usage.Group{}
	for n := range cells {
		cell := &cells[n]
		i, ok := at[cell.Key]
		if !ok {
			i = len(out)
			at[cell.Key], out = i, append(out, usage.Group{Key: cell.Key})
			if plotted {
				out[i].Nanos = make([]float64, steps)
			}
		}
		out[i].Sum.Add(&cell.UsageSum)
		if plotted {
			out[i].Nanos[cell.Step] += float64(cell.CostNanos)
		}
	}
	slices.SortFunc(out, func(a, b usage.Group) int {
		return cmp.Or(cmp.Compare(b.Sum.CostNanos, a.Sum.CostNanos), cmp.Compare(b.Sum.Calls, a.Sum.Calls), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// names are what keys are called; conversations only for who may read them.
func (h *Usage) names(c *Ctx, by models.UsageBy, keys []string) (map[string]string, error) {
	if by == models.BySession && !c.Principal.May(models.CanUseInstances) {
		return map[string]string{}, nil
	}
	return c.Scope.UsageNames(c, by, keys)
}

func (h *Usage) named(c *Ctx, by models.UsageBy, groups []usage.Group) error {
	keys := []string{}
	for _, g := range groups {
		keys = append(keys, g.Key)
	}
	names, err := h.names(c, by, keys)
	for n := range groups {
		groups[n].Name = usage.GroupName(by, groups[n].Key, names[groups[n].Key])
	}
	return err
}

// chips name what narrows a page.
func (h *Usage) chips(c *Ctx, q usage.Query) ([]usage.Chip, error) {
	out := []usage.Chip{}
	for _, way := range models.UsageWays {
		key, ok := q.Only[way]
		if !ok {
			continue
		}
		names, err := h.names(c, way, []string{key})
		if err != nil {
			return nil, err
		}
		out = append(out, usage.Chip{Text: usage.WayText(way) + ": " + usage.GroupName(way, key, names[key]), Href: q.Without(way)})
	}
	return out, nil
}

// services are the model services with their breakers, by name.
func (h *Usage) services(c *Ctx) ([]usage.Service, error) {
	all, err := h.Door.Breakers(c, c.Scope)
	out := []usage.Service{}
	for name, b := range all {
		s := usage.Service{Name: name, State: string(b.State), Forced: b.Forced, NoCredit: b.Credit, Models: map[string]string{}}
		for m, state := range b.Models {
			s.Models[m] = string(state)
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b usage.Service) int { return cmp.Compare(a.Name, b.Name) })
	return out, err
}

// entriesPage is how many entries a page shows.
const entriesPage = 50

// Entries lists the settled calls behind a number.
func (h *Usage) Entries(c *Ctx) (Reply, error) {
	q := usageQuery(c)
	f, err := usageFilter(c, q)
	if err != nil {
		return nil, err
	}
	only := models.UsageOnly(c.Query("only"))
	rows, err := c.Scope.UsageEntries(c, f, only, c.Query("after"), entriesPage+1)
	if err != nil {
		return nil, err
	}
	rows, next := paged(rows, entriesPage, func(e models.LedgerEntry) string { return e.Cursor() })
	p := usage.EntriesProps{Frame: c.frame("Ledger entries", usage.Path, ""), Query: q, Only: only, Entries: rows, MayOpen: c.Principal.May(models.CanUseInstances)}
	p.Link(f, c.Query("after"), next)
	cells, err := c.Scope.Usage(c, f, "", nil)
	if err != nil {
		return nil, err
	}
	for n := range cells {
		p.Sum.Add(&cells[n].UsageSum)
	}
	if err := h.entryNames(c, &p); err != nil {
		return nil, err
	}
	zone, err := c.Scope.TimeZone(c)
	if err != nil {
		return nil, err
	}
	p.From, p.To = f.From.In(zone).Format("2 Jan 2006 15:04"), f.Until.In(zone).Format("2 Jan 2006 15:04 MST")
	p.Chips, err = h.chips(c, q)
	return page(usage.Entries(p)), err
}

// entryNames names whom the shown entries are of.
func (h *Usage) entryNames(c *Ctx, p *usage.EntriesProps) error {
	keys := map[models.UsageBy][]string{}
	for n := range p.Entries {
		e := &p.Entries[n]
		for way, key := range map[models.UsageBy]string{models.ByInstance: e.InstanceID, models.ByMember: e.MemberID, models.ByKey: e.KeyID, models.BySession: e.SessionID} {
			if key != "" && !slices.Contains(keys[way], key) {
				keys[way] = append(keys[way], key)
			}
		}
	}
	p.Names = map[models.UsageBy]map[string]string{}
	for way, list := range keys {
		names, err := h.names(c, way, list)
		if err != nil {
			return err
		}
		p.Names[way] = names
	}
	return nil
}

// usageFilter reads from and until, Unix seconds at the beginning of a quarter of an hour; without them it is the span.
func usageFilter(c *Ctx, q usage.Query) (models.UsageFilter, error) {
	span, err := usageSpan(c, q.Span)
	f := models.UsageFilter{From: span.From, Until: span.Until, Only: q.Only}
	if err != nil || c.Query("from") == "" && c.Query("until") == "" {
		return f, err
	}
	for name, to := range map[string]*time.Time{"from": &f.From, "until": &f.Until} {
		n, err := strconv.ParseInt(c.Query(name), 10, 64)
		if err != nil || n < 0 || n > 1<<33 || n%900 != 0 {
			return f, fault.New(fault.Invalid, "usage."+name, "Usage is summed by quarters of an hour; %s is no beginning of one", name)
		}
		*to = time.Unix(n, 0).UTC()
	}
	return f, nil
}
