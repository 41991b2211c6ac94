package app

import (
	"context"
	"strconv"
	"strings"

	"lobstead/api/runtime"
	"lobstead/api/wire"
	"lobstead/engine/agent"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/approvals"
)

// Approvals are the tool calls that wait for a person: the inbox, the buttons in a conversation, the runtime API.
type Approvals struct{ *App }

const (
	approvalsPath    = "/approvals"
	decidedShown     = 50
	textOfTurn       = 300
	decidedByLongest = 256
)

// Index is the inbox.
func (h *Approvals) Index(c *Ctx) (Reply, error) {
	if err := h.Turns.ExpireApprovals(c, c.Scope); err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		pending, err := c.Scope.PendingApprovals(c)
		if err != nil {
			return nil, err
		}
		total, err := c.Scope.ApprovalCount(c)
		return data(runtime.NewApprovals(pending, total)), err
	}
	p, err := h.inbox(c, c.Scope)
	if err != nil {
		return nil, err
	}
	p.Frame = c.frame("Approvals", approvalsPath, "/live/approvals?after=0")
	return page(approvals.Index(*p)), nil
}

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

// Approve lets a call run: once, or again too.
func (h *Approvals) Approve(c *Ctx) (Reply, error) {
	a, f, err := h.read(c)
	if err != nil {
		return nil, err
	}
	d := models.Resolution{Approve: true}
	lasts, days, _ := strings.Cut(f.Text("lasts"), ":")
	d.Lasts = models.GrantScope(lasts)
	if n := f.OptionalInt("days", 1, models.MaxGrantDays); n != nil {
		d.Days = *n
	}
	if days != "" {
		d.Days, _ = strconv.Atoi(days)
	}
	return h.resolve(c, a, f, d, "Approved: the agent goes on")
}

// Deny tells the agent that a person said no.
func (h *Approvals) Deny(c *Ctx) (Reply, error) {
	a, f, err := h.read(c)
	if err != nil {
		return nil, err
	}
	return h.resolve(c, a, f, models.Resolution{Note: strings.TrimSpace(f.Text("note"))}, "Denied: the agent is told")
}

// read finds the approval and reads a body. decided_by is the contract's, and checked; who decides is whoever the
// credential says.
func (h *Approvals) read(c *Ctx) (*models.Approval, *wire.Fields, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, nil, err
	}
	a, err := c.Scope.Approval(c, id)
	if err != nil {
		return nil, nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, nil, err
	}
	models.CheckText(&f.Issues, "decided_by", f.Text("decided_by"), decidedByLongest)
	return a, f, f.Err()
}

func (h *Approvals) resolve(c *Ctx, a *models.Approval, f *wire.Fields, d models.Resolution, words string) (Reply, error) {
	if err := f.Err(); err != nil {
		return nil, err
	}
	a, err := h.Turns.Resolve(c, c.Scope, a.ID, d)
	if err != nil {
		return nil, err
	}
	if c.isHTMX() { // the page's stream shows it
		return (&answer{noContent: true}).say("ok", words), nil
	}
	shown := runtime.NewApproval(a)
	reply := redirect(localOr(f.Text("back"), "/chat/"+a.SessionID)).say("ok", words)
	if d.Approve {
		return reply.json(runtime.Approved{Approval: shown, Queued: true}), nil
	}
	return reply.json(shown), nil
}

// Policy tells what was decided of each call of a turn; a turn that is not there has none.
func (h *Approvals) Policy(c *Ctx) (Reply, error) {
	turn := c.Param("turn_id")
	rows, err := c.Scope.TurnPolicy(c, turn)
	return data(runtime.NewPolicyAudit(turn, rows)), err
}

// Tools tells what each call of a turn was and what came of it; a turn that is not there has none.
func (h *Approvals) Tools(c *Ctx) (Reply, error) {
	turn := c.Param("turn_id")
	log, err := c.Scope.TurnEvents(c, turn)
	if err != nil {
		return nil, err
	}
	out, err := runtime.NewToolAudit(turn, log)
	return data(out), err
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
