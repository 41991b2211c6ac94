package app

import (
	"context"

	"lobstead/engine/agent"
	"lobstead/models"
	"lobstead/views/approvals"
)

// inbox reads what waits and what was decided, with what a person must know of each.
func (a *App) inbox(ctx context.Context, sc *models.Scope) (*approvals.IndexProps, error) {
	pending, err := sc.PendingApprovals(ctx)
	if err != nil {
		return nil, err
	}
	decided, err := sc.DecidedApprovals(ctx, decidedShown)
	if err != nil {
		return nil, err
	}
	parked, err := sc.ParkedTurns(ctx)
	if err != nil {
		return nil, err
	}
	turns := []string{}
	for _, some := range [][]models.Approval{pending, decided} {
		for n := range some {
			turns = append(turns, some[n].TurnID)
		}
	}
	for n := range parked {
		turns = append(turns, parked[n].ID)
	}
	at, err := sc.TurnPlaces(ctx, turns)
	if err != nil {
		return nil, err
	}
	p := &approvals.IndexProps{MayApprove: sc.Actor.May(models.CanApprove), BaseURL: a.PublicURL}
	p.Calls, p.Decided = inboxCalls(pending, at), inboxCalls(decided, at)
	for n := range parked {
		place, ok := at[parked[n].ID]
		if !ok {
			continue
		}
		i := inboxItem(place)
		if i.Paused, err = a.paused(ctx, sc, i.Instance, i.Turn); err != nil {
			return nil, err
		}
		i.Paused.Back = approvalsPath
		p.Budgets = append(p.Budgets, i)
	}
	return p, nil
}

// inboxCalls leaves out what was removed meanwhile.
func inboxCalls(rows []models.Approval, at map[string]models.TurnPlace) []approvals.Item {
	out := []approvals.Item{}
	for n := range rows {
		if place, ok := at[rows[n].TurnID]; ok {
			i := inboxItem(place)
			i.Approval = &rows[n]
			out = append(out, i)
		}
	}
	return out
}

func inboxItem(p models.TurnPlace) approvals.Item {
	return approvals.Item{Turn: &p.Turn, Session: p.Session.ID, Title: p.Session.Title, Instance: &p.Instance, Text: clip(p.Said.Text, textOfTurn), Who: p.Said.By}
}

// Approvals streams the inbox.
func (h *Live) Approvals(*Ctx) (Reply, error) {
	on := func(p *models.Principal) []string { return []string{agent.InboxTopic(p.Membership.OrganizationID)} }
	return streamReply{&fragments{app: h.App, on: on, make: func(ctx context.Context, sc *models.Scope, _ *models.Principal) ([]fragment, error) {
		p, err := h.inbox(ctx, sc)
		if err != nil {
			return nil, err
		}
		outside, err := around(ctx, sc)
		return append(outside, fragment{id: "waiting", html: approvals.Waiting(*p)}, fragment{id: "decided", html: approvals.History(*p)}), err
	}}}, nil
}
