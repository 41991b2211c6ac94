package models

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// bearingBudget is a budget that a charge falls under, with its balance of a period.
type bearingBudget struct {
	Budget
	Balance BudgetBalance
	window  window
	zone    *time.Location
	charge  Charge
}

// bearing gives the budgets of some units that a charge falls under, with the balances of now, in the order in which
// everybody takes them.
func (sc *Scope) bearing(tx *gorm.DB, c *Charge, now time.Time, units ...BudgetUnit) ([]bearingBudget, error) {
	name, _ := sc.store.zones.Load(sc.Org)
	for {
		zone := location(asText(name))
		out, said, err := sc.bearingIn(tx, c, now, zone, units)
		if said == "" || said == asText(name) || err != nil && !errors.Is(err, errUnopened) {
			return out, err
		}
		name = said
		sc.store.zones.Store(sc.Org, said)
	}
}

func asText(v any) string { s, _ := v.(string); return s }

// bearingIn is bearing for an organization whose days are thought to begin in a zone; said is its own, "" without budgets.
func (sc *Scope) bearingIn(tx *gorm.DB, c *Charge, now time.Time, zone *time.Location, units []BudgetUnit) (out []bearingBudget, said string, err error) {
	windows, starts := map[BudgetPeriod]window{}, []any{}
	for _, p := range BudgetPeriods {
		windows[p] = p.around(now, zone)
		starts = append(starts, windows[p].start)
	}
	where, of := under(c)
	args := append(starts, sc.Org)
	for _, u := range units {
		args = append(args, string(u))
	}
	met := map[string]bool{}
	err = within(tx).each(func(scan func(...any) error) error {
		b := bearingBudget{zone: zone, charge: *c}
		var balance sql.NullString
		var start sql.NullTime
		var reserved, spent sql.NullInt64
		if err := scan(&said, &b.ID, &b.Scope, &b.TargetID, &b.Unit, &b.Period, &b.Amount, &b.WarnPercent, &b.SetBy, &b.CreatedAt, &b.UpdatedAt,
			&balance, &start, &reserved, &spent); err != nil {
			return err
		}
		met[b.ID] = true
		b.OrganizationID, b.window = sc.Org, windows[b.Period]
		if !balance.Valid || !start.Time.Equal(b.window.start) {
			return nil // none is open, or that of the day on which a month begins
		}
		b.Balance = BudgetBalance{ID: balance.String, OrganizationID: sc.Org, BudgetID: b.ID, PeriodStart: start.Time, Reserved: reserved.Int64, Spent: spent.Int64}
		out = append(out, b)
		return nil
	}, `SELECT o.time_zone, b.id, b.scope, b.target_id, b.unit, b.period, b.amount, b.warn_percent, b.set_by, b.created_at, b.updated_at,
		p.id, p.period_start, p.reserved, p.spent
		FROM budgets b JOIN organizations o ON o.id = b.organization_id
		LEFT JOIN budget_balances p ON p.organization_id = b.organization_id AND p.budget_id = b.id AND p.period_start IN `+values(len(starts))+`
		WHERE b.organization_id = ? AND b.unit IN `+values(len(units))+" AND "+where, append(args, of...)...)
	if err == nil && len(out) < len(met) {
		err = errUnopened
	}
	slices.SortFunc(out, func(a, b bearingBudget) int { return strings.Compare(a.Balance.ID, b.Balance.ID) })
	return out, said, err
}

// under is the condition for budgets that a charge falls under.
func under(c *Charge) (where string, args []any) {
	parts := []string{"scope = 'organization'"}
	for _, p := range []struct {
		scope BudgetScope
		id    string
	}{{BudgetOfMember, c.MemberID}, {BudgetOfKey, c.KeyID}, {BudgetOfInstance, c.InstanceID}, {BudgetOfSession, c.SessionID}, {BudgetOfSchedule, c.ScheduleID}} {
		if p.id != "" {
			parts, args = append(parts, "(scope = '"+string(p.scope)+"' AND target_id = ?)"), append(args, p.id)
		}
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}

// take holds a call's worst case of every budget it falls under, or says which one refuses.
func (sc *Scope) take(tx *gorm.DB, c *Charge, now time.Time) (Holds, error) {
	rows, err := sc.bearing(tx, c, now, callUnits...)
	out := Holds{}
	for i := range rows {
		b := &rows[i]
		if b.Unit == BudgetMoney && c.Unpriced {
			return nil, fault.Wrap(&Refusal{Budget: b.Budget}, fault.Payment, "budget.unpriced", "Nobody knows what %s costs, so it cannot run under a budget in money", c.Model).
				Hinting("Choose a model with a price, or an administrator gives this one a price.")
		}
		n := c.units(b.Unit)
		if n > 0 {
			// One statement decides: whoever comes second waits for the row and sees what the first one took.
			ok, err := within(tx).exec(`UPDATE budget_balances SET reserved = reserved + ? WHERE organization_id = ? AND id = ?
				AND (spent + reserved + ? <= ? OR (reserved = 0 AND spent < ?))`, n, sc.Org, b.Balance.ID, n, b.Amount, b.Amount)
			if err != nil {
				return nil, err
			}
			if ok == 0 {
				return nil, b.refusal(tx)
			}
		}
		out = append(out, Hold{b.Balance.ID, b.Unit, n})
	}
	return out, err
}

// Refusal is the cause of the faults budget.reached, budget.held and budget.unpriced: which budget it was.
type Refusal struct {
	Budget  Budget
	balance *BudgetBalance
	charge  Charge // what was refused
	until   *time.Time
}

func (r *Refusal) Error() string { return "refused by budget " + r.Budget.ID }

// heldWait is when a call that others keep out may ask again.
const heldWait = time.Second

// refusal says which budget refuses, its figure, and when it starts again.
func (b *bearingBudget) refusal(tx *gorm.DB) error {
	balance, err := first[BudgetBalance](tx.Where("id = ?", b.Balance.ID))
	if err != nil {
		return err
	}
	if balance.Spent < b.Amount {
		return fault.Wrap(&Refusal{Budget: b.Budget}, fault.TooMany, "budget.held", "%s has %s left, and calls under way hold it", b.whose(), b.Unit.FormatAmount(b.Amount-balance.Spent)).
			Hinting("Try again when they are done.").Retrying(tx.NowFunc().Add(heldWait))
	}
	return b.reached(balance)
}

func (b *bearingBudget) reached(balance *BudgetBalance) error {
	r := &Refusal{Budget: b.Budget, balance: balance, charge: b.charge}
	f := fault.Wrap(r, fault.Payment, "budget.reached", "%s of %s is used up: %s", b.whose(), b.Unit.FormatAmount(b.Amount), b.Unit.FormatAmount(balance.Spent))
	if b.window.end.IsZero() {
		return f.Hinting("It never starts again: raise it, or remove it.")
	}
	r.until = &b.window.end
	return f.Hinting("It starts again on " + b.window.end.In(b.zone).Format("2 January 2006 15:04 MST") + ".").Retrying(b.window.end)
}
