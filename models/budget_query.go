package models

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

// Budgets lists the organization's with what is used of them now: its own first, then by whom they are of.
func (sc *Scope) Budgets(ctx context.Context) ([]BudgetState, error) {
	return sc.states(ctx, sc.read(ctx))
}

// BudgetsOf lists those that a charge falls under; its ids alone count.
func (sc *Scope) BudgetsOf(ctx context.Context, c Charge) ([]BudgetState, error) {
	where, args := under(&c)
	return sc.states(ctx, sc.read(ctx).Where(where, args...))
}

// Budget reads one.
func (sc *Scope) Budget(ctx context.Context, budgetID string) (*BudgetState, error) {
	rows, err := sc.states(ctx, sc.read(ctx).Where("id = ?", budgetID))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		_, err := first[Budget](sc.read(ctx).Where("id = ?", budgetID))
		return nil, err
	}
	return &rows[0], nil
}

func (sc *Scope) states(ctx context.Context, db *gorm.DB) ([]BudgetState, error) {
	list, err := all[Budget](db)
	if err != nil || len(list) == 0 {
		return []BudgetState{}, err
	}
	read := sc.read(ctx)
	zone, name, err := sc.zone(read)
	if err != nil {
		return nil, err
	}
	targets, err := sc.budgetTargets(read, list...)
	if err != nil {
		return nil, err
	}
	now := sc.store.now()
	ids, starts := []string{}, []time.Time{}
	for i := range list {
		ids, starts = append(ids, list[i].ID), append(starts, list[i].Period.around(now, zone).start)
	}
	balances, err := all[BudgetBalance](read.Where("budget_id IN ? AND period_start IN ?", ids, starts))
	if err != nil {
		return nil, err
	}
	out := []BudgetState{}
	for i := range list {
		b := &list[i]
		w := b.Period.around(now, zone)
		s := BudgetState{Budget: *b, Start: w.start, Resets: w.end, Zone: name}
		if b.Scope != BudgetOfOrganization {
			target, there := targets[b.Scope][b.TargetID]
			s.Target, s.Gone = target, !there
		}
		if row := b.balance(balances, w); row != nil {
			s.Spent, s.Reserved = row.Spent, row.Reserved
		} else if s.Spent, err = b.spentIn(read, w); err != nil { // nobody has spent since the period began, or since the zone changed
			return nil, err
		}
		out = append(out, s)
	}
	rank := func(s BudgetState) int { return slices.Index(BudgetScopes, s.Scope) }
	slices.SortStableFunc(out, func(a, b BudgetState) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return a.CreatedAt.Compare(b.CreatedAt)
	})
	return out, nil
}

// TimeZone is the organization's.
func (sc *Scope) TimeZone(ctx context.Context) (*time.Location, error) {
	zone, _, err := sc.zone(sc.read(ctx))
	return zone, err
}

// LedgerReport is what the check of one organization's ledger found.
type LedgerReport struct {
	Organization string
	Balances     int      // compared
	Problems     []string // empty: every balance is the sum of its entries
}

// CheckLedger recomputes every balance from the entries and every hold from the calls under way.
func (sy *System) CheckLedger(ctx context.Context) ([]LedgerReport, error) {
	orgs := []string{}
	if err := sy.read(ctx).Model(&Organization{}).Order("id").Pluck("id", &orgs).Error; err != nil {
		return nil, translate(err)
	}
	out := []LedgerReport{}
	for _, org := range orgs {
		r, err := sy.store.In(org).checkLedger(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, *r)
	}
	return out, nil
}

func (sc *Scope) checkLedger(ctx context.Context) (*LedgerReport, error) {
	r := &LedgerReport{Organization: sc.Org}
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		zone, err := sc.ownLedger(tx)
		if err != nil {
			return err
		}
		if err := sc.checkCalls(tx, r); err != nil {
			return err
		}
		if err := sc.checkUsage(tx, r); err != nil {
			return err
		}
		held := map[string]int64{}
		open, err := all[Reservation](tx)
		if err != nil {
			return err
		}
		for _, o := range open {
			for _, h := range o.Holds {
				held[h.Balance] += h.Amount
			}
		}
		list, err := all[Budget](tx)
		if err != nil {
			return err
		}
		for i := range list {
			if err := list[i].compare(tx, zone, held, r); err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

// compare holds the balances of a budget against the entries.
func (b *Budget) compare(tx *gorm.DB, zone *time.Location, held map[string]int64, r *LedgerReport) error {
	balances, err := all[BudgetBalance](tx.Where("budget_id = ?", b.ID).Order("period_start"))
	if err != nil {
		return err
	}
	for _, row := range balances {
		w := b.Period.around(row.PeriodStart, zone)
		if !w.start.Equal(row.PeriodStart) {
			r.Problems = append(r.Problems, fmt.Sprintf("budget %s has a balance of %s, where no period begins", b.ID, row.PeriodStart))
			continue
		}
		spent, err := b.spentIn(tx, w)
		if err != nil {
			return err
		}
		r.Balances++
		if spent != row.Spent {
			r.Problems = append(r.Problems, fmt.Sprintf("budget %s of %s: the balance says %d spent, the entries %d", b.ID, row.PeriodStart, row.Spent, spent))
		}
		if held[row.ID] != row.Reserved {
			r.Problems = append(r.Problems, fmt.Sprintf("budget %s of %s: the balance says %d held, the calls under way %d", b.ID, row.PeriodStart, row.Reserved, held[row.ID]))
		}
	}
	return nil
}

// checkCalls looks for calls that neither were settled nor are under way.
func (sc *Scope) checkCalls(tx *gorm.DB, r *LedgerReport) error {
	var lost int64
	err := tx.WithContext(rawContext(tx.Statement.Context)).Raw(`SELECT count(*) FROM ledger_entries e WHERE e.organization_id = ? AND e.kind = 'reserve'
		AND NOT EXISTS (SELECT 1 FROM ledger_entries s WHERE s.organization_id = e.organization_id AND s.call_id = e.call_id AND s.kind = 'settle')
		AND NOT EXISTS (SELECT 1 FROM reservations o WHERE o.organization_id = e.organization_id AND o.call_id = e.call_id)`, sc.Org).Scan(&lost).Error
	if lost > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d calls were reserved and neither settled nor are under way", lost))
	}
	return err
}

// MonthUse is what an organization has used in its current month.
type MonthUse struct {
	Spend
	Messages   int64
	Start, End time.Time
}

// UseOfMonth sums the current month, as the organization's zone has it.
func (sc *Scope) UseOfMonth(ctx context.Context) (MonthUse, error) {
	zone, err := sc.TimeZone(ctx)
	if err != nil {
		return MonthUse{}, err
	}
	w := BudgetMonthly.around(sc.store.now(), zone)
	m := MonthUse{Start: w.start, End: w.end}
	if err := sc.read(ctx).Model(&LedgerEntry{}).Select(spendColumns).Where(settledOnly+" AND reserved_at >= ?", w.start).Scan(&m.Spend).Error; err != nil {
		return m, translate(err)
	}
	return m, translate(sc.read(ctx).Model(&MessageEntry{}).Where("created_at >= ?", w.start).Count(&m.Messages).Error)
}
