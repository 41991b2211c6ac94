package models

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// tally adds settled calls to the sums, inside the transaction that settles them. It comes last there and in one order, so
// that two transactions never wait for each other's rows.
func (sc *Scope) tally(tx *gorm.DB, entries ...*LedgerEntry) error {
	days, run := "", within(tx)
	if err := run.one("SELECT usage_zone FROM organizations WHERE id = ?", []any{sc.Org}, &days); err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b *LedgerEntry) int {
		return strings.Compare(a.Provider+"\x00"+a.Model+"\x00"+a.Purpose, b.Provider+"\x00"+b.Model+"\x00"+b.Purpose)
	})
	for _, e := range entries {
		s := e.sum()
		if _, err := run.exec(insertQuarter, append([]any{sc.Org, quarterOf(e.ReservedAt), e.Provider, e.Model, e.InstanceID, e.MemberID, e.KeyID, e.Purpose, e.SessionID}, s.values()...)...); err != nil {
			return err
		}
	}
	if days == "" {
		return nil
	}
	zone := location(days)
	for _, e := range entries {
		s, day := e.sum(), BudgetDaily.around(e.ReservedAt, zone).start.Unix()
		if _, err := run.exec(insertDay, append([]any{sc.Org, day, e.Provider, e.Model, e.InstanceID, e.MemberID, e.KeyID, e.Purpose}, s.values()...)...); err != nil {
			return err
		}
	}
	return nil
}

// values are those of usageSums, in its order.
func (s *UsageSum) values() []any {
	out := []any{s.Calls, s.Errors, s.Unpriced, s.InputTokens, s.OutputTokens, s.CostNanos, s.Compared, s.ComparedNanos, s.BaselineNanos, s.Cached, s.CachedNanos}
	for _, n := range s.Took.bands() {
		out = append(out, *n)
	}
	return out
}

// MakeUsageDays makes the sums by day of every organization whose days they are not: after an update, and after a new
// time zone.
func (sy *System) MakeUsageDays(ctx context.Context) error {
	orgs := []string{}
	if err := sy.read(ctx).Model(&Organization{}).Where("usage_zone <> time_zone").Order("id").Pluck("id", &orgs).Error; err != nil {
		return translate(err)
	}
	for _, org := range orgs {
		if err := sy.store.In(org).makeUsageDays(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (sc *Scope) makeUsageDays(ctx context.Context) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		zone, err := sc.ownLedger(tx) // no call is settled meanwhile
		if err != nil {
			return err
		}
		if err := tx.Where("1 = 1").Delete(&UsageDay{}).Error; err != nil {
			return err
		}
		var ends struct{ First, Last *int64 }
		if err := tx.Model(&UsageQuarter{}).Select("min(quarter) AS first, max(quarter) AS last").Scan(&ends).Error; err != nil {
			return err
		}
		for ends.First != nil {
			day := BudgetDaily.around(time.Unix(*ends.First, 0), zone)
			if err := sc.makeUsageDay(tx, day); err != nil {
				return err
			}
			if *ends.First = day.end.Unix(); *ends.First > *ends.Last {
				break
			}
		}
		_, err = changed(tx.Model(&Organization{}).Where("id = ?", sc.Org), map[string]any{"usage_zone": gorm.Expr("time_zone")})
		return err
	})
}

func (sc *Scope) makeUsageDay(tx *gorm.DB, day window) error {
	key := strings.Join(usageKey[:len(usageKey)-1], ", ")
	return tx.WithContext(rawContext(tx.Statement.Context)).Exec("INSERT INTO usage_days (organization_id, day, "+key+", "+strings.Join(usageSums, ", ")+
		") SELECT organization_id, CAST(? AS BIGINT), "+key+", "+usageColumns+" FROM usage_quarters WHERE organization_id = ? AND quarter >= ? AND quarter < ? GROUP BY organization_id, "+key,
		day.start.Unix(), sc.Org, day.start.Unix(), day.end.Unix()).Error
}

// checkUsage holds the sums against the entries, all of each together: what a lost or doubled tally would show in.
func (sc *Scope) checkUsage(tx *gorm.DB, r *LedgerReport) error {
	var entries, quarters, days UsageSum
	if err := tx.Model(&LedgerEntry{}).Select(`count(*) AS calls, CAST(coalesce(sum(input_tokens), 0) AS BIGINT) AS input_tokens,
		CAST(coalesce(sum(output_tokens), 0) AS BIGINT) AS output_tokens, CAST(coalesce(sum(cost_nanos), 0) AS BIGINT) AS cost_nanos`).
		Where(settledOnly).Scan(&entries).Error; err != nil {
		return err
	}
	if err := tx.Model(&UsageQuarter{}).Select(usageColumns).Scan(&quarters).Error; err != nil {
		return err
	}
	if err := tx.Model(&UsageDay{}).Select(usageColumns).Scan(&days).Error; err != nil {
		return err
	}
	o, err := first[Organization](tx.Select("usage_zone").Where("id = ?", sc.Org))
	if err != nil {
		return err
	}
	if q := (UsageSum{Calls: quarters.Calls, InputTokens: quarters.InputTokens, OutputTokens: quarters.OutputTokens, CostNanos: quarters.CostNanos}); q != entries {
		r.Problems = append(r.Problems, fmt.Sprintf("the sums say %d calls and %d nano-dollars, the entries %d and %d", q.Calls, q.CostNanos, entries.Calls, entries.CostNanos))
	}
	if o.UsageZone != "" && days != quarters {
		r.Problems = append(r.Problems, fmt.Sprintf("the sums by day say %d calls and %d nano-dollars, those by quarter %d and %d", days.Calls, days.CostNanos, quarters.Calls, quarters.CostNanos))
	}
	return nil
}
