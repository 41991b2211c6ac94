package models

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// BudgetBalance is what is used of a budget in one period.
type BudgetBalance struct {
	ID             string
	OrganizationID string
	BudgetID       string
	PeriodStart    time.Time
	Reserved       int64
	Spent          int64
	CreatedAt      time.Time
}

// Hold is what a reservation keeps of one balance.
type Hold struct {
	Balance string     `json:"b"`
	Unit    BudgetUnit `json:"u"`
	Amount  int64      `json:"n"`
}

// Holds are stored as JSON, since they are only ever read whole.
type Holds []Hold

// Value writes them.
func (h Holds) Value() (driver.Value, error) {
	b, err := json.Marshal(h)
	return string(b), err
}

// Scan reads them.
func (h *Holds) Scan(v any) error {
	switch t := v.(type) {
	case string:
		return json.Unmarshal([]byte(t), h)
	case []byte:
		return json.Unmarshal(t, h)
	}
	return fmt.Errorf("models: holds are stored as %T", v)
}

// bearingBudget is a budget that a charge falls under, with its balance of a period.
type bearingBudget struct {
	Budget
	Balance BudgetBalance
	window  window
	zone    *time.Location
}

// errUnopened means that a period has begun whose balance nobody opened yet.
var errUnopened = errors.New("models: a balance is not open")

// budgeted is a transaction that meets budgets: when a period has begun, its balances are opened first, and it runs
// again. How is one of tx and together.
func (sc *Scope) budgeted(ctx context.Context, how func(context.Context, func(tx *gorm.DB) error) error, f func(tx *gorm.DB) error) error {
	for range 10 {
		err := how(ctx, f)
		if !errors.Is(err, errUnopened) {
			return err
		}
		if err := sc.openBalances(ctx); err != nil {
			return err
		}
	}
	return fault.New(fault.Unavailable, "database.busy", "The budgets are being changed").Hinting("Try again in a moment.")
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
	found := map[string]bool{}
	err = within(tx).each(func(scan func(...any) error) error {
		b := bearingBudget{zone: zone}
		var balance sql.NullString
		var start sql.NullTime
		var reserved, spent sql.NullInt64
		if err := scan(&said, &b.ID, &b.Scope, &b.TargetID, &b.Unit, &b.Period, &b.Amount, &b.WarnPercent, &b.SetBy, &b.CreatedAt, &b.UpdatedAt,
			&balance, &start, &reserved, &spent); err != nil {
			return err
		}
		found[b.ID] = found[b.ID]
		b.OrganizationID, b.window = sc.Org, windows[b.Period]
		if !balance.Valid || !start.Time.Equal(b.window.start) {
			return nil // none is open, or that of the day on which a month begins
		}
		found[b.ID] = true
		b.Balance = BudgetBalance{ID: balance.String, OrganizationID: sc.Org, BudgetID: b.ID, PeriodStart: start.Time, Reserved: reserved.Int64, Spent: spent.Int64}
		out = append(out, b)
		return nil
	}, `SELECT o.time_zone, b.id, b.scope, b.target_id, b.unit, b.period, b.amount, b.warn_percent, b.set_by, b.created_at, b.updated_at,
		p.id, p.period_start, p.reserved, p.spent
		FROM budgets b JOIN organizations o ON o.id = b.organization_id
		LEFT JOIN budget_balances p ON p.organization_id = b.organization_id AND p.budget_id = b.id AND p.period_start IN `+values(len(starts))+`
		WHERE b.organization_id = ? AND b.unit IN `+values(len(units))+" AND "+where, append(args, of...)...)
	for _, open := range found {
		if err == nil && !open {
			err = errUnopened
		}
	}
	slices.SortFunc(out, func(a, b bearingBudget) int { return strings.Compare(a.Balance.ID, b.Balance.ID) })
	return out, said, err
}

// balance finds that of a period; nil when nobody opened it yet.
func (b *Budget) balance(rows []BudgetBalance, w window) *BudgetBalance {
	n := slices.IndexFunc(rows, func(r BudgetBalance) bool { return r.BudgetID == b.ID && r.PeriodStart.Equal(w.start) })
	if n < 0 {
		return nil
	}
	return &rows[n]
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
	rows, err := sc.bearing(tx, c, now, BudgetMoney, BudgetTokens)
	out := Holds{}
	for i := range rows {
		b := &rows[i]
		if b.Unit == BudgetMoney && c.Unpriced {
			return nil, fault.Wrap(&Refusal{b.Budget}, fault.Payment, "budget.unpriced", "Nobody knows what %s costs, so it cannot run under a budget in money", c.Model).
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
type Refusal struct{ Budget Budget }

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
		return fault.Wrap(&Refusal{b.Budget}, fault.TooMany, "budget.held", "%s has %s left, and calls under way hold it", b.whose(), b.Unit.FormatAmount(b.Amount-balance.Spent)).
			Hinting("Try again when they are done.").Retrying(tx.NowFunc().Add(heldWait))
	}
	return b.reached(balance.Spent)
}

func (b *bearingBudget) reached(spent int64) error {
	f := fault.Wrap(&Refusal{b.Budget}, fault.Payment, "budget.reached", "%s of %s is used up: %s", b.whose(), b.Unit.FormatAmount(b.Amount), b.Unit.FormatAmount(spent))
	if b.window.end.IsZero() {
		return f.Hinting("It never starts again: raise it, or remove it.")
	}
	return f.Hinting("It starts again on " + b.window.end.In(b.zone).Format("2 January 2006 15:04 MST") + ".").Retrying(b.window.end)
}

// openBalances gives every budget of the organization the balance of the period that runs, where a new one has begun.
func (sc *Scope) openBalances(ctx context.Context) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		zone, err := sc.ownLedger(tx)
		if err != nil {
			return err
		}
		list, err := all[Budget](tx.Order("id"))
		if err != nil {
			return err
		}
		for i := range list {
			if err := sc.openBalance(tx, &list[i], zone, sc.store.now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// openBalance opens the balance of a budget's period, unless it is: with what was spent in it so far, and with a hold
// for each call under way. The caller owns the ledger.
func (sc *Scope) openBalance(tx *gorm.DB, b *Budget, zone *time.Location, now time.Time) error {
	w := b.Period.around(now, zone)
	var n int64
	if err := tx.Model(&BudgetBalance{}).Where("budget_id = ? AND period_start = ?", b.ID, w.start).Count(&n).Error; err != nil || n > 0 {
		return err
	}
	row := &BudgetBalance{ID: id.New(), OrganizationID: sc.Org, BudgetID: b.ID, PeriodStart: w.start, CreatedAt: now}
	var err error
	if row.Spent, err = b.spentIn(tx, w); err != nil {
		return err
	}
	if row.Reserved, err = sc.adopt(tx, b, row.ID, w); err != nil {
		return err
	}
	return tx.Create(row).Error
}

// spentIn sums the entries that a budget counts: the truth that balances are held against.
func (b *Budget) spentIn(tx *gorm.DB, w window) (int64, error) {
	sum, db, at := "coalesce(sum(cost_nanos), 0)", tx.Model(&LedgerEntry{}).Where(settledOnly), "reserved_at"
	switch b.Unit {
	case BudgetTokens:
		sum = "coalesce(sum(input_tokens + output_tokens), 0)"
	case BudgetMessages:
		sum, db, at = "count(*)", tx.Model(&MessageEntry{}), "created_at"
	}
	if b.Scope != BudgetOfOrganization {
		db = db.Where(string(b.Scope)+"_id = ?", b.TargetID)
	}
	if !w.end.IsZero() {
		db = db.Where(at+" >= ? AND "+at+" < ?", w.start, w.end)
	}
	var n int64
	err := db.Select(sum).Scan(&n).Error
	return n, err
}

// adopt makes the calls under way hold what they reserved of a balance that is being opened.
func (sc *Scope) adopt(tx *gorm.DB, b *Budget, balance string, w window) (int64, error) {
	if b.Unit == BudgetMessages {
		return 0, nil
	}
	db := tx.Order("call_id")
	if !w.end.IsZero() {
		db = db.Where("created_at >= ? AND created_at < ?", w.start, w.end)
	}
	open, err := all[Reservation](db)
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	for _, r := range open {
		e, err := first[LedgerEntry](tx.Where("call_id = ? AND kind = ?", r.CallID, Reserved))
		if err != nil {
			return 0, err
		}
		if !b.counts(e) {
			continue
		}
		c := e.charge()
		n := c.units(b.Unit)
		sum += n
		if _, err := changed(tx.Model(&Reservation{}).Where("call_id = ?", r.CallID), map[string]any{"holds": append(r.Holds, Hold{balance, b.Unit, n})}); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// counts tells whether an entry falls under a budget.
func (b *Budget) counts(e *LedgerEntry) bool {
	switch b.Scope {
	case BudgetOfOrganization:
		return true
	case BudgetOfMember:
		return e.MemberID == b.TargetID
	case BudgetOfKey:
		return e.KeyID == b.TargetID
	case BudgetOfInstance:
		return e.InstanceID == b.TargetID
	case BudgetOfSession:
		return e.SessionID == b.TargetID
	case BudgetOfSchedule:
		return e.ScheduleID == b.TargetID
	}
	return false
}

func (e *LedgerEntry) charge() Charge {
	return Charge{CallID: e.CallID, Purpose: e.Purpose, InstanceID: e.InstanceID, SessionID: e.SessionID, TurnID: e.TurnID, MemberID: e.MemberID,
		KeyID: e.KeyID, ScheduleID: e.ScheduleID, Provider: e.Provider, Model: e.Model, InputTokens: e.InputTokens, OutputTokens: e.OutputTokens, CostNanos: e.CostNanos, Unpriced: e.Unpriced}
}

// MessageEntry is one message that was accepted: what budgets in messages count.
type MessageEntry struct {
	ID             string
	OrganizationID string
	TurnID         string
	InstanceID     string
	SessionID      string
	MemberID       string
	KeyID          string
	ScheduleID     string
	CreatedAt      time.Time
}

// countMessage takes one of every budget in messages that a message falls under, or refuses it.
func (sc *Scope) countMessage(tx *gorm.DB, t *Turn) error {
	if err := sc.shareLedger(tx); err != nil {
		return err
	}
	now := sc.store.now()
	m := &MessageEntry{ID: id.New(), OrganizationID: sc.Org, TurnID: t.ID, InstanceID: t.InstanceID, SessionID: t.SessionID,
		MemberID: t.CreatedBy, KeyID: t.KeyID, ScheduleID: t.AutomationID, CreatedAt: now}
	if err := tx.Create(m).Error; err != nil {
		return err
	}
	rows, err := sc.bearing(tx, &Charge{InstanceID: m.InstanceID, SessionID: m.SessionID, MemberID: m.MemberID, KeyID: m.KeyID, ScheduleID: m.ScheduleID}, now, BudgetMessages)
	if err != nil {
		return err
	}
	for i := range rows {
		b := &rows[i]
		ok, err := changed(tx.Model(&BudgetBalance{}).Where("id = ? AND spent + 1 <= ?", b.Balance.ID, b.Amount),
			map[string]any{"spent": gorm.Expr("spent + 1")})
		if err != nil {
			return err
		}
		if !ok {
			return b.refusal(tx)
		}
	}
	return nil
}
