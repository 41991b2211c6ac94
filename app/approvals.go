package app

import (
	"strconv"
	"strings"

	"lobstead/api/runtime"
	"lobstead/api/wire"
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
