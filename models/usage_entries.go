package models

import (
	"context"
	"strings"
	"time"

	"lobstead/kit/fault"
)

// UsageOnly narrows a list of entries to what one of the sums counts.
type UsageOnly string

// The narrowings; "" is none.
const (
	OnlyErrors   UsageOnly = "errors"
	OnlyUnpriced UsageOnly = "unpriced"
	OnlyCompared UsageOnly = "compared"
	OnlyCached   UsageOnly = "cached"
)

// Of is what of a sum such entries make up, in calls.
func (o UsageOnly) Of(s *UsageSum) int64 {
	switch o {
	case OnlyErrors:
		return s.Errors
	case OnlyUnpriced:
		return s.Unpriced
	case OnlyCompared:
		return s.Compared
	case OnlyCached:
		return s.Cached
	}
	return s.Calls
}

var onlyWhere = map[UsageOnly]string{OnlyErrors: "failure NOT IN ('', '" + CancelledCall + "')", OnlyUnpriced: "unpriced",
	OnlyCompared: "baseline_nanos IS NOT NULL AND purpose <> '" + CachedCall + "'", OnlyCached: "purpose = '" + CachedCall + "'"}

// UsageEntries lists the entries behind a sum: the settled calls that fit, the newest first, at most limit. after is the
// cursor of the last entry seen; "" begins at the newest.
func (sc *Scope) UsageEntries(ctx context.Context, f UsageFilter, only UsageOnly, after string, limit int) ([]LedgerEntry, error) {
	q := f.narrow(sc.read(ctx)).Where(settledOnly+" AND reserved_at >= ? AND reserved_at < ?", f.From, f.Until)
	if where, ok := onlyWhere[only]; ok {
		q = q.Where(where)
	} else if only != "" {
		return nil, fault.New(fault.Invalid, "usage.only", "Entries cannot be narrowed to %s", only)
	}
	if after != "" {
		at, entry, ok := readCursor(after)
		if !ok {
			return nil, fault.New(fault.Invalid, "usage.after", "This is no place in the list")
		}
		q = q.Where("reserved_at <= ? AND (reserved_at < ? OR id < ?)", at, at, entry)
	}
	return all[LedgerEntry](q.Order("reserved_at DESC, id DESC").Limit(limit))
}

// Cursor names an entry's place in UsageEntries.
func (e *LedgerEntry) Cursor() string {
	return e.ReservedAt.UTC().Format(time.RFC3339Nano) + "," + e.ID
}

func readCursor(s string) (time.Time, string, bool) {
	at, entry, ok := strings.Cut(s, ",")
	t, err := time.Parse(time.RFC3339Nano, at)
	return t.UTC(), entry, ok && err == nil
}

// SettledEntries lists settled calls for programs that page by offset: the last settled first.
func (sc *Scope) SettledEntries(ctx context.Context, since time.Time, limit, offset int) ([]LedgerEntry, error) {
	q := sc.read(ctx).Where(settledOnly)
	if !since.IsZero() {
		q = q.Where("created_at >= ?", since)
	}
	return all[LedgerEntry](q.Order("created_at DESC, id DESC").Limit(limit).Offset(offset))
}
