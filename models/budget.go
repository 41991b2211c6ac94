package models

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Budget is a limit of what may be spent by somebody in a period. The ledger holds to it before each call.
type Budget struct {
	ID             string
	OrganizationID string
	Scope          BudgetScope
	TargetID       string // whose: a user, key, instance, session or schedule; "" for the organization
	Unit           BudgetUnit
	Period         BudgetPeriod
	Amount         int64 // nano-dollars, tokens or messages
	WarnPercent    int   // of Amount; 0 = no warning
	SetBy          string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// BudgetScope is whose spending a budget limits.
type BudgetScope string

// The scopes.
const (
	BudgetOfOrganization BudgetScope = "organization"
	BudgetOfMember       BudgetScope = "member"
	BudgetOfKey          BudgetScope = "key"
	BudgetOfInstance     BudgetScope = "instance"
	BudgetOfSession      BudgetScope = "session"
	BudgetOfSchedule     BudgetScope = "schedule"
)

// BudgetUnit is what a budget counts.
type BudgetUnit string

// The units.
const (
	BudgetMoney    BudgetUnit = "money"         // nano-dollars
	BudgetTokens   BudgetUnit = "tokens"        // read and written
	BudgetOutput   BudgetUnit = "output_tokens" // written alone
	BudgetMessages BudgetUnit = "messages"      // to agents, whoever sends them; a call of a bare model through the gateway is none
)

// BudgetPeriod is how long a budget lasts until it starts again.
type BudgetPeriod string

// The periods. Days and months begin in the organization's time zone.
const (
	BudgetDaily   BudgetPeriod = "day"
	BudgetMonthly BudgetPeriod = "month"
	BudgetTotal   BudgetPeriod = "total"
)

// What a budget can be of, in, and for.
var (
	BudgetScopes  = []BudgetScope{BudgetOfOrganization, BudgetOfMember, BudgetOfKey, BudgetOfInstance, BudgetOfSession, BudgetOfSchedule}
	BudgetUnits   = []BudgetUnit{BudgetMoney, BudgetTokens, BudgetOutput, BudgetMessages}
	BudgetPeriods = []BudgetPeriod{BudgetDaily, BudgetMonthly, BudgetTotal}
)

// MaxBudget bounds an amount: a million dollars, or as many units; sums stay far from overflowing.
const MaxBudget = 1_000_000 * Dollar

// Dollar is one in the ledger's unit.
const Dollar int64 = 1_000_000_000

// Dollars is what is shown of nano-dollars; nothing is computed with it.
func Dollars(nanos int64) float64 { return float64(nanos) / float64(Dollar) }

// DefaultWarn is from how many percent on a budget is shown as nearly used up.
const DefaultWarn = 80

// BudgetState is a budget with what is used of it in the current period.
type BudgetState struct {
	Budget
	Start    time.Time // of the period
	Resets   time.Time // zero: never
	Zone     string
	Spent    int64
	Reserved int64  // by calls under way
	Target   string // name of whom it is, "" for the organization
	Gone     bool   // whom it was of is deleted
}

// Left is what may still be spent, never negative.
func (s BudgetState) Left() int64 { return max(0, s.Amount-s.Spent-s.Reserved) }

// Reached tells whether nothing more may be spent.
func (s BudgetState) Reached() bool { return s.Spent >= s.Amount }

// Warns tells whether the budget is nearly used up.
func (s BudgetState) Warns() bool {
	return s.WarnPercent > 0 && !s.Reached() && float64(s.Spent)*100 >= float64(s.Amount)*float64(s.WarnPercent)
}

// NewBudget is what may be said of a new one.
type NewBudget struct {
	Scope       BudgetScope
	TargetID    string
	Unit        BudgetUnit
	Period      BudgetPeriod
	Amount      int64
	WarnPercent int
}

// CreateBudget sets a limit. What was spent in its period already counts, and so does what is under way. A second one
// for the same is Conflict budget.exists.
func (sc *Scope) CreateBudget(ctx context.Context, n NewBudget) (*Budget, error) {
	if n.Scope == BudgetOfOrganization {
		n.TargetID = ""
	}
	if err := n.check(); err != nil {
		return nil, err
	}
	now := sc.store.now()
	b := &Budget{ID: id.New(), OrganizationID: sc.Org, Scope: n.Scope, TargetID: n.TargetID, Unit: n.Unit, Period: n.Period,
		Amount: n.Amount, WarnPercent: n.WarnPercent, SetBy: sc.Actor.label(), CreatedAt: now, UpdatedAt: now}
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		zone, err := sc.ownLedger(tx)
		if err != nil {
			return err
		}
		target, err := sc.budgetTarget(tx, b)
		if err != nil {
			return err
		}
		if err := tx.Create(b).Error; err != nil {
			return err
		}
		if err := sc.openBalance(tx, b, zone, now); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "budget.created", kind: "budget", id: b.ID, of: b.of(target), after: b.figures()})
	})
	if isDuplicate(err) {
		return nil, fault.Wrap(err, fault.Conflict, "budget.exists", "There is such a budget already: change that one")
	}
	return b, err
}

func (n *NewBudget) check() error {
	var is fault.Issues
	if !slices.Contains(BudgetScopes, n.Scope) {
		is.NotOneOf("scope", string(n.Scope), words(BudgetScopes)...)
	}
	if !slices.Contains(BudgetUnits, n.Unit) {
		is.NotOneOf("unit", string(n.Unit), words(BudgetUnits)...)
	}
	if !slices.Contains(BudgetPeriods, n.Period) {
		is.NotOneOf("period", string(n.Period), words(BudgetPeriods)...)
	}
	if n.Scope != BudgetOfOrganization && n.TargetID == "" {
		is.Required("target", "string")
	}
	CheckText(&is, "target", n.TargetID, 64)
	checkFigures(&is, n.Amount, n.WarnPercent)
	return is.Err()
}

func checkFigures(is *fault.Issues, amount int64, warn int) {
	switch {
	case amount < 0:
		is.NumberTooSmall("amount", 0)
	case amount > MaxBudget:
		is.Custom("amount", "This is more than a budget can hold")
	}
	switch {
	case warn < 0:
		is.NumberTooSmall("warn_percent", 0)
	case warn > 100:
		is.NumberTooBig("warn_percent", 100)
	}
}

func words[S ~string](list []S) []string {
	out := []string{}
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

// UpdateBudget changes the figures; whose it is and what it counts stay, since its balance is of those. Turns that wait
// for a budget are tried again.
func (sc *Scope) UpdateBudget(ctx context.Context, budgetID string, amount int64, warnPercent int) (*Budget, error) {
	var is fault.Issues
	checkFigures(&is, amount, warnPercent)
	if err := is.Err(); err != nil {
		return nil, err
	}
	var out *Budget
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		b, err := first[Budget](locked(tx).Where("id = ?", budgetID))
		if err != nil {
			return err
		}
		target, err := sc.budgetName(tx, b)
		if err != nil {
			return err
		}
		before := b.figures()
		b.Amount, b.WarnPercent, b.SetBy, b.UpdatedAt = amount, warnPercent, sc.Actor.label(), sc.store.now()
		if _, err := changed(tx.Model(&Budget{}).Where("id = ?", b.ID), map[string]any{"amount": b.Amount, "warn_percent": b.WarnPercent,
			"set_by": b.SetBy, "updated_at": b.UpdatedAt}); err != nil {
			return err
		}
		if _, err := changed(tx.Model(&BudgetBalance{}).Where("budget_id = ?", b.ID), map[string]any{"reached_at": nil}); err != nil {
			return err
		}
		if err := sc.retryParked(tx, b.ID); err != nil {
			return err
		}
		out = b
		return sc.audit(tx, act{name: "budget.changed", kind: "budget", id: b.ID, of: b.of(target), before: before, after: b.figures()})
	})
	return out, err
}

// DeleteBudget removes a limit; what it counted stays in the ledger.
func (sc *Scope) DeleteBudget(ctx context.Context, budgetID string) (*Budget, error) {
	var out *Budget
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		if _, err := sc.ownLedger(tx); err != nil { // no call is between its balance and its hold
			return err
		}
		b, err := first[Budget](tx.Where("id = ?", budgetID))
		if err != nil {
			return err
		}
		target, err := sc.budgetName(tx, b)
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", b.ID).Delete(&Budget{}).Error; err != nil {
			return err
		}
		if err := sc.retryParked(tx, b.ID); err != nil {
			return err
		}
		out = b
		return sc.audit(tx, act{name: "budget.deleted", kind: "budget", id: b.ID, of: b.of(target), before: b.figures()})
	})
	return out, err
}

func (b *Budget) figures() map[string]any {
	return map[string]any{"amount": b.Amount, "unit": b.Unit, "period": b.Period, "warn_percent": b.WarnPercent}
}

// of names a budget in the audit log.
func (b *Budget) of(target string) string {
	if b.Scope == BudgetOfOrganization {
		return b.title()
	}
	return b.title() + " of " + string(b.Scope) + " " + target
}

// title is "monthly budget in money".
func (b *Budget) title() string {
	return map[BudgetPeriod]string{BudgetDaily: "daily budget", BudgetMonthly: "monthly budget", BudgetTotal: "total budget"}[b.Period] + " in " + strings.ReplaceAll(string(b.Unit), "_", " ")
}

// FormatAmount writes an amount for people: "$5.00", "$0.0123", "12,000 tokens".
func (u BudgetUnit) FormatAmount(n int64) string {
	if u != BudgetMoney {
		word := strings.ReplaceAll(strings.TrimSuffix(string(u), "s"), "_", " ")
		if n != 1 {
			word += "s"
		}
		return grouped(n) + " " + word
	}
	if n%Dollar != 0 && n < Dollar {
		return fmt.Sprintf("$%.4f", Dollars(n))
	}
	return fmt.Sprintf("$%s.%02d", grouped((n+5_000_000)/Dollar), (n+5_000_000)%Dollar/10_000_000)
}

func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// whose is how a refusal names the budget: "The daily budget of this instance".
func (b *Budget) whose() string {
	period := map[BudgetPeriod]string{BudgetDaily: "daily ", BudgetMonthly: "monthly "}[b.Period]
	if b.Scope == BudgetOfOrganization {
		return "The organization's " + period + "budget"
	}
	return "The " + period + "budget of this " + string(b.Scope)
}
