package agent

import (
	"strings"

	"lobstead/api/wire"
	"lobstead/models"
)

// TokenBudget is what the caller may still use of an instance: the tightest budgets that they fall under.
type TokenBudget struct {
	PlanTier          string  `json:"plan_tier"`
	MessagesUsed      int64   `json:"messages_used"`
	MessagesLimit     *int64  `json:"messages_limit"` // null: unlimited
	MessagesRemaining *int64  `json:"messages_remaining"`
	PercentUsed       float64 `json:"percent_used"` // of the budget that is nearest to its end; 0 without one
	TokensUsed        int64   `json:"tokens_used"`
	TokensLimit       *int64  `json:"tokens_limit"` // null: unlimited
	CostUSD           float64 `json:"cost_usd"`
	PeriodStart       string  `json:"period_start"`
	ResetsAt          *string `json:"resets_at"` // null: never
}

// TokenBudgetAnswer is the answer of GET.
type TokenBudgetAnswer struct {
	Budget TokenBudget `json:"budget"`
}

// Recommendation is which model a message would be answered by, and what that would take.
type Recommendation struct {
	Model            string   `json:"model"`
	Label            string   `json:"label"`
	Tier             string   `json:"tier"`
	Complexity       int      `json:"complexity"` // 0–100
	Reason           string   `json:"reason"`
	EstimatedTokens  int      `json:"estimated_tokens"`
	EstimatedCostUSD *float64 `json:"estimated_cost_usd"` // null: nobody knows the price
}

// RecommendationAnswer is the answer of POST.
type RecommendationAnswer struct {
	Recommendation Recommendation `json:"recommendation"`
	Model          string         `json:"model"`
	Tier           string         `json:"tier"`
	Complexity     int            `json:"complexity"`
	Budget         TokenBudget    `json:"budget"`
}

// ReadBudgetMessage reads the message that a recommendation is for.
func ReadBudgetMessage(f *wire.Fields) (string, error) {
	message, ok := f.String("message")
	if ok && strings.TrimSpace(message) == "" {
		f.Issues.Required("message", "string")
	}
	return message, f.Err()
}

// NewTokenBudget presents the budgets of a caller. used is what the organization's month has seen, for what no budget
// counts; month is its border.
func NewTokenBudget(plan models.Tier, states []models.BudgetState, used models.MonthUse) TokenBudget {
	out := TokenBudget{PlanTier: PlanTier(plan), MessagesUsed: used.Messages, TokensUsed: used.InputTokens + used.OutputTokens,
		CostUSD: models.Dollars(used.CostNanos), PeriodStart: wire.Time(used.Start)}
	resets := wire.Time(used.End)
	out.ResetsAt = &resets
	for _, s := range states {
		share := 100.0
		if s.Amount > 0 {
			share = min(100, float64(s.Spent)*100/float64(s.Amount))
		}
		out.PercentUsed = max(out.PercentUsed, share)
	}
	if s := models.Tightest(states, models.BudgetTokens); s != nil {
		out.TokensUsed, out.TokensLimit = s.Spent, &s.Amount
		out.period(s)
	}
	if s := models.Tightest(states, models.BudgetMessages); s != nil {
		left := s.Left()
		out.MessagesUsed, out.MessagesLimit, out.MessagesRemaining = s.Spent, &s.Amount, &left
		out.period(s)
	}
	return out
}

func (b *TokenBudget) period(s *models.BudgetState) {
	b.PeriodStart, b.ResetsAt = wire.Time(s.Start), nil
	if !s.Resets.IsZero() {
		at := wire.Time(s.Resets)
		b.ResetsAt = &at
	}
}

// PlanTier spells our plans in the family's words.
func PlanTier(t models.Tier) string {
	switch t {
	case models.Pro:
		return "pro"
	case models.Business:
		return "performance"
	}
	return "starter"
}
