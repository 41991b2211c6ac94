package models

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Verdict is what becomes of a tool call.
type Verdict string

// The verdicts: it runs, it waits for a person, or it does not run and the model is told so.
const (
	Allow Verdict = "allow"
	Ask   Verdict = "ask"
	Deny  Verdict = "deny"
)

// Verdicts lists them.
var Verdicts = []string{string(Allow), string(Ask), string(Deny)}

// PolicyRule says what becomes of the tool calls that it matches; engine/policy says which those are. An instance's rules
// come before those of every instance, and the first that matches holds.
type PolicyRule struct {
	ID             string
	OrganizationID string
	InstanceID     *string // nil = every instance
	Position       int
	Tool           string // pattern of the tool's name
	Pattern        string // of what the tool is given; "*" = anything
	Verdict        Verdict
	Reason         string
	SetBy          string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Name is how decisions and pages call the rule: "ask bash git push*".
func (r *PolicyRule) Name() string {
	return strings.TrimSuffix(string(r.Verdict)+" "+r.Tool+" "+r.Pattern, " *")
}

// MaxPolicyRules is how many rules an instance, or every instance, can have.
const MaxPolicyRules = 100

// NewPolicyRule is what may be said of a rule; an empty Pattern is "*".
type NewPolicyRule struct {
	InstanceID string // "" = every instance
	Tool       string
	Pattern    string
	Verdict    Verdict
	Reason     string
}

func (n *NewPolicyRule) check() error {
	var is fault.Issues
	n.Tool = validName(&is, "tool", n.Tool, 100)
	if n.Pattern == "" {
		n.Pattern = "*"
	}
	CheckText(&is, "pattern", n.Pattern, 1000)
	if !slices.Contains(Verdicts, string(n.Verdict)) {
		is.NotOneOf("verdict", string(n.Verdict), Verdicts...)
	}
	CheckText(&is, "reason", n.Reason, 300)
	return is.Err()
}

// place narrows to the rules of an instance, or to those of every instance.
func place(db *gorm.DB, instance *string) *gorm.DB {
	if instance == nil {
		return db.Where("instance_id IS NULL")
	}
	return db.Where("instance_id = ?", *instance)
}

// PolicyRules lists what holds for an instance, in the order in which rules are asked: its own, then those of all.
func (sc *Scope) PolicyRules(ctx context.Context, instanceID string) ([]PolicyRule, error) {
	return all[PolicyRule](sc.read(ctx).Where("instance_id = ? OR instance_id IS NULL", instanceID).
		Order("CASE WHEN instance_id IS NULL THEN 1 ELSE 0 END, position, id"))
}

// PolicyRule reads one.
func (sc *Scope) PolicyRule(ctx context.Context, ruleID string) (*PolicyRule, error) {
	return first[PolicyRule](sc.read(ctx).Where("id = ?", ruleID))
}

// CreatePolicyRule adds a rule after the others of its place.
func (sc *Scope) CreatePolicyRule(ctx context.Context, n NewPolicyRule) (*PolicyRule, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	now := sc.store.now()
	r := &PolicyRule{ID: id.New(), OrganizationID: sc.Org, Tool: n.Tool, Pattern: n.Pattern, Verdict: n.Verdict, Reason: n.Reason,
		SetBy: sc.Actor.label(), CreatedAt: now, UpdatedAt: now}
	if n.InstanceID != "" {
		r.InstanceID = &n.InstanceID
	}
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		if r.InstanceID != nil {
			if _, err := first[Instance](tx.Where("id = ?", n.InstanceID)); err != nil {
				return err
			}
		}
		rows, err := all[PolicyRule](place(tx, r.InstanceID).Order("position, id"))
		if err != nil {
			return err
		}
		if len(rows) >= MaxPolicyRules {
			return fault.New(fault.Conflict, "policy.full", "There can be %d rules here at most", MaxPolicyRules)
		}
		if len(rows) > 0 {
			r.Position = rows[len(rows)-1].Position + 1
		}
		if err := tx.Create(r).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "policy.created", kind: "policy rule", id: r.ID, of: r.Name(), after: r.figures()})
	})
	return r, err
}

func (r *PolicyRule) figures() map[string]any {
	out := map[string]any{"tool": r.Tool, "pattern": r.Pattern, "verdict": r.Verdict, "reason": r.Reason, "position": r.Position}
	if r.InstanceID != nil {
		out["instance"] = *r.InstanceID
	}
	return out
}

// UpdatePolicyRule changes what a rule says; where it holds stays.
func (sc *Scope) UpdatePolicyRule(ctx context.Context, ruleID string, n NewPolicyRule) error {
	if err := n.check(); err != nil {
		return err
	}
	return sc.changeRule(ctx, ruleID, "policy.changed", func(tx *gorm.DB, r *PolicyRule) (bool, error) {
		r.Tool, r.Pattern, r.Verdict, r.Reason = n.Tool, n.Pattern, n.Verdict, n.Reason
		return changed(tx.Model(&PolicyRule{}).Where("id = ?", r.ID), map[string]any{"tool": r.Tool, "pattern": r.Pattern, "verdict": r.Verdict, "reason": r.Reason,
			"set_by": sc.Actor.label(), "updated_at": sc.store.now()})
	})
}

// MovePolicyRule lets a rule change places with the one before it or after it; the first and the last stay.
func (sc *Scope) MovePolicyRule(ctx context.Context, ruleID string, up bool) error {
	return sc.changeRule(ctx, ruleID, "policy.moved", func(tx *gorm.DB, r *PolicyRule) (bool, error) {
		rows, err := all[PolicyRule](place(tx, r.InstanceID).Order("position, id"))
		if err != nil {
			return false, err
		}
		at := slices.IndexFunc(rows, func(o PolicyRule) bool { return o.ID == r.ID })
		to := at + 1
		if up {
			to = at - 1
		}
		if to < 0 || to >= len(rows) {
			return false, nil
		}
		other := rows[to]
		if _, err := changed(tx.Model(&PolicyRule{}).Where("id = ?", other.ID), map[string]any{"position": r.Position}); err != nil {
			return false, err
		}
		r.Position = other.Position
		return changed(tx.Model(&PolicyRule{}).Where("id = ?", r.ID), map[string]any{"position": r.Position})
	})
}

// DeletePolicyRule removes one.
func (sc *Scope) DeletePolicyRule(ctx context.Context, ruleID string) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		r, err := first[PolicyRule](locked(tx).Where("id = ?", ruleID))
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", r.ID).Delete(&PolicyRule{}).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "policy.deleted", kind: "policy rule", id: r.ID, of: r.Name(), before: r.figures()})
	})
}

// changeRule changes a rule under the organization's lock and writes down what it was; f tells whether it changed anything.
func (sc *Scope) changeRule(ctx context.Context, ruleID, name string, f func(tx *gorm.DB, r *PolicyRule) (bool, error)) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		r, err := first[PolicyRule](tx.Where("id = ?", ruleID))
		if err != nil {
			return err
		}
		before := r.figures()
		if hit, err := f(tx, r); err != nil || !hit {
			return err
		}
		return sc.audit(tx, act{name: name, kind: "policy rule", id: r.ID, of: r.Name(), before: before, after: r.figures()})
	})
}
