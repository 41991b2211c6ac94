package app

import (
	"lobstead/api/wire"
	"lobstead/engine/agent"
	"lobstead/engine/policy"
	"lobstead/kit/fault"
	"lobstead/models"
	views "lobstead/views/policy"
)

// Policy is what an instance may do: its rules, what people granted, and the simulator.
type Policy struct{ *App }

// Index lists rules and grants.
func (h *Policy) Index(c *Ctx) (Reply, error) {
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	return page(views.Index(*p)).json(views.NewList(p)), nil
}

func (h *Policy) props(c *Ctx) (*views.IndexProps, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	p := &views.IndexProps{MayManage: c.May(models.CanManagePolicy) == nil, MayRevoke: c.May(models.CanApprove) == nil,
		New: models.NewPolicyRule{InstanceID: id, Tool: "bash", Verdict: models.Ask}, Try: views.Trial{Tool: "bash", Input: `{"command": "git push origin main"}`}}
	if p.Instance, err = c.Scope.Instance(c, id); err != nil {
		return nil, err
	}
	p.Frame = c.frame("Policy of "+p.Instance.Name, "/instances", "")
	if p.Rules, err = c.Scope.PolicyRules(c, id); err != nil {
		return nil, err
	}
	p.Grants, err = c.Scope.Grants(c, id)
	return p, err
}

// readRule reads a rule of a form; every is where it holds.
func readRule(f *wire.Fields, instance string) models.NewPolicyRule {
	n := models.NewPolicyRule{InstanceID: instance, Tool: f.Text("tool"), Pattern: f.Text("pattern"), Verdict: models.Verdict(f.Text("verdict")), Reason: f.Text("reason")}
	if every := f.OptionalBool("every"); every != nil && *every {
		n.InstanceID = ""
	}
	return n
}

// Create adds a rule.
func (h *Policy) Create(c *Ctx) (Reply, error) {
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	p.New = readRule(f, p.Instance.ID)
	if err = f.Err(); err == nil {
		_, err = c.Scope.CreatePolicyRule(c, p.New)
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		p.Errors = errs
		return page(views.Index(*p)).with(422), nil
	}
	return h.changed(c, p.Instance.ID, err, "The rule holds from the next call on")
}

// changed shows the rules again after a change.
func (h *Policy) changed(c *Ctx, instance string, err error, words string) (Reply, error) {
	if err != nil {
		return nil, err
	}
	return redirect(views.Path(instance)).json(wire.Done{Success: true}).say("ok", words), nil
}

// rule is the one that the path names: it must hold for the instance.
func (h *Policy) rule(c *Ctx) (*models.Instance, *models.PolicyRule, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, nil, err
	}
	i, err := c.Scope.Instance(c, instance)
	if err != nil {
		return nil, nil, err
	}
	id, err := c.ID("rule")
	if err != nil {
		return nil, nil, err
	}
	r, err := c.Scope.PolicyRule(c, id)
	if err == nil && r.InstanceID != nil && *r.InstanceID != i.ID {
		err = fault.NotFoundf("rule")
	}
	return i, r, err
}

// Update changes what a rule says.
func (h *Policy) Update(c *Ctx) (Reply, error) {
	i, r, err := h.rule(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	n := readRule(f, i.ID)
	if err = f.Err(); err == nil {
		err = c.Scope.UpdatePolicyRule(c, r.ID, n)
	}
	return h.changed(c, i.ID, err, "The rule is changed")
}

// Move changes the order.
func (h *Policy) Move(c *Ctx) (Reply, error) {
	i, r, err := h.rule(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	to, _ := f.Enum("to", "up", "down")
	if err = f.Err(); err == nil {
		err = c.Scope.MovePolicyRule(c, r.ID, to == "up")
	}
	return h.changed(c, i.ID, err, "The order is changed")
}

// Destroy removes a rule.
func (h *Policy) Destroy(c *Ctx) (Reply, error) {
	i, r, err := h.rule(c)
	if err != nil {
		return nil, err
	}
	return h.changed(c, i.ID, c.Scope.DeletePolicyRule(c, r.ID), "The rule is removed")
}

// Revoke takes a grant back.
func (h *Policy) Revoke(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	id, err := c.ID("grant")
	if err != nil {
		return nil, err
	}
	g, err := c.Scope.Grant(c, id)
	if err == nil && g.InstanceID != instance {
		err = fault.NotFoundf("grant")
	}
	if err == nil {
		err = c.Scope.RevokeGrant(c, g.ID)
	}
	return h.changed(c, instance, err, "Revoked: the call asks again")
}

// Try tells which rule a call would meet, before and after untrusted content was read. Nothing runs.
func (h *Policy) Try(c *Ctx) (Reply, error) {
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	p.Try = views.Trial{Tool: f.Text("tool"), Input: f.Text("input"), Done: true}
	models.CheckText(&f.Issues, "tool", p.Try.Tool, 100)
	models.CheckText(&f.Issues, "input", p.Try.Input, 64<<10)
	if err := f.Err(); err != nil {
		return nil, err
	}
	call := policy.Call{InstanceID: p.Instance.ID, Tool: p.Try.Tool, Input: []byte(p.Try.Input), Outward: agent.Builtin(nil).Outward(p.Try.Tool, []byte(p.Try.Input))}
	p.Try.Subject = policy.Subject(call)
	p.Try.Before, p.Try.After = outcome(policy.Judge(p.Rules, call, "")), outcome(policy.Judge(p.Rules, call, "words of people outside"))
	return page(views.Index(*p)).json(p.Try), nil
}

func outcome(v policy.Verdict) views.Outcome {
	return views.Outcome{Verdict: v.Do, RuleID: v.RuleID, Rule: v.Rule, Reason: v.Reason}
}
