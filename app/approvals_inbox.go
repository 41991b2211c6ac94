package app

import (
	"context"

	"lobstead/engine/agent"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/approvals"
)

// inbox reads what waits and what was decided, with what a person must know of each.
func (a *App) inbox(ctx context.Context, sc *models.Scope) (*approvals.IndexProps, error) {
	p := &approvals.IndexProps{MayApprove: sc.Actor.May(models.CanApprove), BaseURL: a.PublicURL}
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
	for n := range pending {
		err = a.into(ctx, sc, &p.Calls, approvals.Item{Approval: &pending[n]}, pending[n].TurnID)
		if err != nil {
			return nil, err
		}
	}
	for n := range parked {
		if err = a.into(ctx, sc, &p.Budgets, approvals.Item{}, parked[n].ID); err != nil {
			return nil, err
		}
	}
	for n := range decided {
		if err = a.into(ctx, sc, &p.Decided, approvals.Item{Approval: &decided[n]}, decided[n].TurnID); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// into adds an entry with what belongs to its turn; one that was removed meanwhile is left out.
func (a *App) into(ctx context.Context, sc *models.Scope, list *[]approvals.Item, i approvals.Item, turnID string) error {
	err := a.fillItem(ctx, sc, &i, turnID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err == nil {
		*list = append(*list, i)
	}
	return err
}

func (a *App) fillItem(ctx context.Context, sc *models.Scope, i *approvals.Item, turnID string) error {
	var err error
	if i.Turn, err = sc.Turn(ctx, turnID); err != nil {
		return err
	}
	s, err := sc.Session(ctx, i.Turn.SessionID)
	if err != nil {
		return err
	}
	i.Session, i.Title = s.ID, s.Title
	if i.Instance, err = sc.Instance(ctx, i.Turn.InstanceID); err != nil {
		return err
	}
	if i.Approval != nil && i.Approval.Status != models.ApprovalPending {
		return nil
	}
	said, err := sc.TurnMessage(ctx, turnID)
	if err != nil {
		return err
	}
	i.Text, i.Who = clip(said.Text, textOfTurn), said.By
	if i.Approval == nil {
		if i.Paused, err = a.paused(ctx, sc, i.Instance, i.Turn); err == nil {
			i.Paused.Back = approvalsPath
		}
	}
	return err
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
