package app

import (
	"context"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/chat"
	"lobstead/views/settings"
)

// paused is the card of a turn that waits for a budget.
func (a *App) paused(ctx context.Context, sc *models.Scope, i *models.Instance, t *models.Turn) (*chat.PausedProps, error) {
	p := &chat.PausedProps{TurnID: t.ID, Back: "/chat/" + t.SessionID, Until: t.WaitUntil}
	log, err := sc.TurnEvents(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	budget := ""
	for _, e := range log {
		if d, err := models.Decode[models.Paused](e); err == nil && e.Kind == models.KindPaused {
			p.Text, budget = d.Text, d.BudgetID
		}
	}
	p.Models = a.cheaper(ctx, sc, i)
	if !sc.Actor.May(models.CanManageBudgets) {
		return p, nil
	}
	s, err := sc.Budget(ctx, budget)
	if fault.Is(err, fault.NotFound) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.BudgetID, p.Unit, p.Amount = s.ID, string(s.Unit), settings.PlainAmount(s.Unit, proposed(s))
	return p, nil
}

// proposed doubles a budget, or goes as far above what was spent.
func proposed(s *models.BudgetState) int64 {
	n := 2 * max(s.Amount, s.Spent)
	if s.Unit == models.BudgetMoney {
		return min(models.MaxBudget, max(n/(models.Dollar/100)*(models.Dollar/100), models.Dollar))
	}
	return min(models.MaxBudget, max(n, 1))
}

// cheaper names the smaller models that the instance's service offers; none when nothing can be planned, which is no reason
// to keep the card from who has to decide.
func (a *App) cheaper(ctx context.Context, sc *models.Scope, i *models.Instance) []string {
	now, err := a.Door.Resolve(ctx, sc, i)
	if err != nil {
		return nil
	}
	p, err := a.Door.Plan(ctx, sc, door.Ask{Instance: i, Model: door.Auto, Request: llm.Request{}})
	if err != nil {
		return nil
	}
	out := []string{}
	for _, c := range p.Cheaper(now) {
		out = append(out, c.Model)
	}
	return out
}
