package settings

import (
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// BudgetsProps is /settings/budgets. Posts: /settings/budgets (of, unit, period, amount, warn_percent),
// /settings/budgets/:id (amount, warn_percent), /settings/budgets/:id/delete, /settings/budgets/zone (time_zone).
type BudgetsProps struct {
	Frame     layout.FrameProps
	Budgets   []models.BudgetState
	Parked    []models.Turn // that wait for a budget
	Targets   []BudgetTarget
	Zone      string
	New       BudgetForm // as typed
	Errors    map[string]string
	MayManage bool
	BaseURL   string
}

// BudgetTarget is whom a budget can be of: "instance:<id>" and its name.
type BudgetTarget struct{ Value, Text string }

// BudgetForm is a budget as it is typed.
type BudgetForm struct{ Of, Unit, Period, Amount, Warn string }

// BudgetItem is a budget as programs read it. Amounts are nano-dollars, tokens or messages.
type BudgetItem struct {
	ID          string  `json:"id"`
	Scope       string  `json:"scope"`
	TargetID    string  `json:"target_id"`
	Target      string  `json:"target"`
	Unit        string  `json:"unit"`
	Period      string  `json:"period"`
	Amount      int64   `json:"amount"`
	Spent       int64   `json:"spent"`
	Reserved    int64   `json:"reserved"`
	WarnPercent int     `json:"warn_percent"`
	Reached     bool    `json:"reached"`
	SetBy       string  `json:"set_by"`
	PeriodStart string  `json:"period_start"`
	ResetsAt    *string `json:"resets_at"`
}

// BudgetList is the list as programs read it.
type BudgetList struct {
	Budgets      []BudgetItem `json:"budgets"`
	TimeZone     string       `json:"time_zone"`
	WaitingTurns int          `json:"waiting_turns"`
}

// NewBudgetItem presents one.
func NewBudgetItem(s *models.BudgetState) BudgetItem {
	out := BudgetItem{ID: s.ID, Scope: string(s.Scope), TargetID: s.TargetID, Target: s.Target, Unit: string(s.Unit), Period: string(s.Period), Amount: s.Amount,
		Spent: s.Spent, Reserved: s.Reserved, WarnPercent: s.WarnPercent, Reached: s.Reached(), SetBy: s.SetBy, PeriodStart: s.Start.UTC().Format(time.RFC3339)}
	if !s.Resets.IsZero() {
		at := s.Resets.UTC().Format(time.RFC3339)
		out.ResetsAt = &at
	}
	return out
}

// NewBudgetList presents the page's.
func NewBudgetList(p *BudgetsProps) BudgetList {
	out := BudgetList{Budgets: []BudgetItem{}, TimeZone: p.Zone, WaitingTurns: len(p.Parked)}
	for n := range p.Budgets {
		out.Budgets = append(out.Budgets, NewBudgetItem(&p.Budgets[n]))
	}
	return out
}

// BudgetName is "Instance box, per month".
func BudgetName(s *models.BudgetState) string {
	who := map[models.BudgetScope]string{models.BudgetOfOrganization: "The organization", models.BudgetOfMember: "Member", models.BudgetOfKey: "API key",
		models.BudgetOfInstance: "Instance", models.BudgetOfSession: "Conversation", models.BudgetOfSchedule: "Automation"}[s.Scope]
	switch {
	case s.Gone:
		who += " that is gone"
	case s.Target != "":
		who += " " + s.Target
	}
	return who + ", " + map[models.BudgetPeriod]string{models.BudgetDaily: "per day", models.BudgetMonthly: "per month", models.BudgetTotal: "in total"}[s.Period]
}

// BudgetFigure is "$1.20 of $5.00".
func BudgetFigure(s *models.BudgetState) string {
	spent, all := s.Unit.FormatAmount(s.Spent), s.Unit.FormatAmount(s.Amount)
	if s.Unit != models.BudgetMoney {
		spent, _, _ = strings.Cut(spent, " ")
	}
	return spent + " of " + all
}

// BudgetBar judges by the budget's own warning.
func BudgetBar(s *models.BudgetState) ui.Bar {
	b := ui.Bar{Used: float64(s.Spent), Limit: float64(max(1, s.Amount)), Wide: true, Kind: ui.OK}
	switch {
	case s.Reached():
		b.Kind, b.Used = ui.Bad, b.Limit
	case s.Warns():
		b.Kind = ui.Warn
	}
	return b
}

// plainAmount is the amount as the form takes it.
func plainAmount(s *models.BudgetState) string { return PlainAmount(s.Unit, s.Amount) }

// PlainAmount is an amount as forms take it: dollars, or a whole number.
func PlainAmount(u models.BudgetUnit, n int64) string {
	if u != models.BudgetMoney {
		return strconv.FormatInt(n, 10)
	}
	if n%(models.Dollar/100) == 0 {
		return strconv.FormatFloat(models.Dollars(n), 'f', 2, 64)
	}
	return strconv.FormatFloat(models.Dollars(n), 'f', -1, 64)
}

func amountLabel(u models.BudgetUnit) string {
	return map[models.BudgetUnit]string{models.BudgetMoney: "US dollars", models.BudgetTokens: "Tokens", models.BudgetOutput: "Written tokens", models.BudgetMessages: "Messages to agents"}[u]
}

func (p BudgetsProps) options() []ui.Option {
	out := []ui.Option{{Value: "organization:", Text: "The whole organization"}}
	for _, t := range p.Targets {
		out = append(out, ui.Option{Value: t.Value, Text: t.Text})
	}
	return out
}

func waitingWords(n int) string {
	if n == 1 {
		return "One conversation waits for a budget."
	}
	return strconv.Itoa(n) + " conversations wait for a budget."
}

func itoa(n int) string { return strconv.Itoa(n) }

// orError is the first error of some fields.
func orError(errs map[string]string, names ...string) string {
	for _, n := range names {
		if errs[n] != "" {
			return errs[n]
		}
	}
	return ""
}
