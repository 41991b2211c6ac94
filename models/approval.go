package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Approval is a tool call that waits for a person, or waited. It is bound to its fingerprint: the instance, the tool and
// the arguments. Its turn is parked meanwhile.
type Approval struct {
	ID             string
	OrganizationID string
	InstanceID     string
	SessionID      string
	TurnID         string
	CallID         string
	Tool           string
	Input          string // JSON
	Fingerprint    string
	RuleName       string
	Reason         string // why it is asked
	Status         ApprovalStatus
	DecidedBy      string // user
	DecidedName    string
	Note           string // what the person said
	Lasts          GrantScope
	Days           int
	DecidedAt      *time.Time
	BegunAt        *time.Time // when the call was run
	ExpiresAt      time.Time
	CreatedAt      time.Time
}

// ApprovalStatus is how far an approval is.
type ApprovalStatus string

// The statuses. Whatever is not pending stays as it is.
const (
	ApprovalPending   ApprovalStatus = "pending"
	ApprovalApproved  ApprovalStatus = "approved"
	ApprovalDenied    ApprovalStatus = "denied"
	ApprovalTimedOut  ApprovalStatus = "timed_out" // nobody decided in time: as denied
	ApprovalWithdrawn ApprovalStatus = "withdrawn" // its turn was stopped
)

// ApprovalLife is how long a call waits for a person.
const ApprovalLife = 24 * time.Hour

// GrantScope is how far an approval reaches: always exactly this call.
type GrantScope string

// The scopes.
const (
	GrantOnce    GrantScope = "once"
	GrantSession GrantScope = "session" // again in this conversation
	GrantDays    GrantScope = "days"    // again in every conversation with the instance, for some days
)

// GrantScopes lists them.
var GrantScopes = []string{string(GrantOnce), string(GrantSession), string(GrantDays)}

// MaxGrantDays is the longest grant.
const MaxGrantDays = 90

// Resolution is what a person decides of an approval.
type Resolution struct {
	Approve bool
	Note    string     // of a denial: the model reads it
	Lasts   GrantScope // of an approval; "" = once
	Days    int        // with GrantDays
}

func (d *Resolution) check() error {
	var is fault.Issues
	CheckText(&is, "note", d.Note, 1000)
	if d.Lasts == "" {
		d.Lasts = GrantOnce
	}
	switch d.Lasts {
	case GrantOnce, GrantSession:
		d.Days = 0
	case GrantDays:
		if d.Days < 1 || d.Days > MaxGrantDays {
			is.Custom("days", fmt.Sprintf("From 1 to %d days", MaxGrantDays))
		}
	default:
		is.NotOneOf("lasts", string(d.Lasts), GrantScopes...)
	}
	return is.Err()
}

// AskApproval parks a held turn at one of its calls until a person decides, or nobody does in time. Of a, the call, its
// fingerprint and the reason are the caller's. The calls of the step that have no result stay open in the log.
// letter tells who is to decide, unless they do so at once; nil = nobody is written to, and they are only notified.
func (sc *Scope) AskApproval(ctx context.Context, l Lease, a *Approval, letter *Mail, data ...EventData) error {
	now := sc.store.now()
	a.ID, a.OrganizationID, a.SessionID, a.TurnID, a.Status = id.New(), sc.Org, l.SessionID, l.TurnID, ApprovalPending
	a.CreatedAt, a.ExpiresAt = now, now.Add(ApprovalLife)
	a.Tool, a.RuleName, a.Reason = clip(cleanText(a.Tool), 200), sc.store.line(a.RuleName, 1200), sc.store.line(a.Reason, 1000)
	data = append(data, Paused{For: WaitApproval, Code: "approval.required", Text: a.Reason, ApprovalID: a.ID, CallID: a.CallID, Until: &a.ExpiresAt})
	return sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.park(tx, l, WaitApproval, &a.ExpiresAt, data); err != nil {
			return err
		}
		if err := tx.Create(a).Error; err != nil {
			return err
		}
		if err := sc.askByChannel(tx, a); err != nil {
			return err
		}
		return sc.tellOfApproval(tx, letter, a)
	})
}

// Approval reads one.
func (sc *Scope) Approval(ctx context.Context, approvalID string) (*Approval, error) {
	return first[Approval](sc.read(ctx).Where("id = ?", approvalID))
}

// PendingApprovals lists what waits for a person, oldest first.
func (sc *Scope) PendingApprovals(ctx context.Context) ([]Approval, error) {
	return all[Approval](sc.read(ctx).Where("status = 'pending'").Order("created_at, id"))
}

// DueApprovals lists what waited too long.
func (sc *Scope) DueApprovals(ctx context.Context) ([]Approval, error) {
	return all[Approval](sc.read(ctx).Where("status = 'pending' AND expires_at <= ?", sc.store.now()).Order("expires_at, id"))
}

// DecidedApprovals lists the newest n that wait no more, newest first.
func (sc *Scope) DecidedApprovals(ctx context.Context, n int) ([]Approval, error) {
	return all[Approval](sc.read(ctx).Where("status <> 'pending'").Order("decided_at DESC, id DESC").Limit(n))
}

// ApprovalCount counts all, decided ones too.
func (sc *Scope) ApprovalCount(ctx context.Context) (int, error) {
	var n int64
	err := sc.read(ctx).Model(&Approval{}).Count(&n).Error
	return int(n), translate(err)
}

// CallApproval finds the approval of a call; NotFound when none was asked for.
func (sc *Scope) CallApproval(ctx context.Context, turnID, callID string) (*Approval, error) {
	return first[Approval](sc.read(ctx).Where("turn_id = ? AND call_id = ?", turnID, callID))
}

// Resolve is a person's decision. Of two persons at once one decides, the other gets a Conflict approval.decided, as does
// whoever comes after the time was over. Only people decide, in person or by a key of theirs: never an agent.
func (sc *Scope) Resolve(ctx context.Context, approvalID string, d Resolution) (*Approval, error) {
	if sc.Actor.UserID == "" || !sc.Actor.May(CanApprove) {
		return nil, fault.New(fault.Forbidden, "forbidden", "Insufficient permissions")
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	var out *Approval
	late := false
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		a, t, err := sc.lockApproval(tx, approvalID)
		if err != nil {
			return err
		}
		if a.Status != ApprovalPending {
			return decidedAlready(a)
		}
		if late = !sc.store.now().Before(a.ExpiresAt); late {
			out, err = sc.closeApproval(tx, t, a, ApprovalTimedOut, Resolution{})
			return err
		}
		if !d.Approve {
			out, err = sc.closeApproval(tx, t, a, ApprovalDenied, d)
		} else if out, err = sc.closeApproval(tx, t, a, ApprovalApproved, d); err == nil {
			err = sc.grant(tx, a, d)
		}
		if err != nil {
			return err
		}
		return sc.audit(tx, act{name: "approval." + string(out.Status), kind: "approval", id: a.ID, of: a.Tool,
			after: map[string]any{"turn": a.TurnID, "call": a.CallID, "input": clip(a.Input, 2000), "fingerprint": a.Fingerprint, "note": d.Note, "lasts": out.Lasts, "days": d.Days}})
	})
	if err == nil && late {
		err = decidedAlready(out)
	}
	return out, err
}

// lockApproval locks in the order of every writer, turn before approval; the caller holds the organization.
func (sc *Scope) lockApproval(tx *gorm.DB, approvalID string) (*Approval, *Turn, error) {
	a, err := first[Approval](tx.Where("id = ?", approvalID))
	if err != nil {
		return nil, nil, err
	}
	t, err := first[Turn](locked(tx).Where("id = ?", a.TurnID))
	if err != nil {
		return nil, nil, err
	}
	a, err = first[Approval](tx.Where("id = ?", approvalID)) // as it is now that nobody else can change it
	return a, t, err
}

func decidedAlready(a *Approval) error {
	words := map[ApprovalStatus]string{ApprovalApproved: "approved by " + a.DecidedName, ApprovalDenied: "denied by " + a.DecidedName,
		ApprovalTimedOut: "denied, since nobody decided in time", ApprovalWithdrawn: "withdrawn, since its turn was stopped"}
	return fault.New(fault.Conflict, "approval.decided", "This call was %s already", words[a.Status])
}
