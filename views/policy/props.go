// Package policy is the page of what an instance's tools may do: /instances/:id/policy.
package policy

import (
	"encoding/json"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// IndexProps is the whole page.
type IndexProps struct {
	Frame     layout.FrameProps
	Instance  *models.Instance
	Rules     []models.PolicyRule // in the order in which they are asked
	Grants    []models.ApprovalGrant
	MayManage bool // the rules
	MayRevoke bool // grants
	New       models.NewPolicyRule
	Errors    map[string]string // of New
	Try       Trial
}

// Trial is a call in the simulator. Before and After say what became of it before and after untrusted content was read.
type Trial struct {
	Tool    string  `json:"tool"`
	Input   string  `json:"input"`
	Subject string  `json:"matched_text"` // what patterns are held against
	Before  Outcome `json:"before"`
	After   Outcome `json:"after_untrusted_content"`
	Done    bool    `json:"-"`
}

// Outcome is a verdict and where it comes from.
type Outcome struct {
	Verdict models.Verdict `json:"verdict"`
	RuleID  string         `json:"rule_id"` // "" = a rule of the program
	Rule    string         `json:"rule"`
	Reason  string         `json:"reason"`
}

// List is the page as JSON.
type List struct {
	Rules  []Rule  `json:"rules"`
	Grants []Grant `json:"grants"`
}

// Rule is one of List.
type Rule struct {
	ID      string         `json:"id"`
	Every   bool           `json:"every"` // instance
	Tool    string         `json:"tool"`
	Pattern string         `json:"pattern"`
	Verdict models.Verdict `json:"verdict"`
	Reason  string         `json:"reason"`
	SetBy   string         `json:"set_by"`
}

// Grant is one of List.
type Grant struct {
	ID        string          `json:"id"`
	Tool      string          `json:"tool"`
	Input     json.RawMessage `json:"input"`
	SessionID *string         `json:"session_id"` // null = in every conversation
	ExpiresAt *string         `json:"expires_at"` // null = with the conversation
	GrantedBy string          `json:"granted_by"`
}

// NewList presents the page to programs.
func NewList(p *IndexProps) List {
	out := List{Rules: []Rule{}, Grants: []Grant{}}
	for _, r := range p.Rules {
		out.Rules = append(out.Rules, Rule{ID: r.ID, Every: r.InstanceID == nil, Tool: r.Tool, Pattern: r.Pattern, Verdict: r.Verdict, Reason: r.Reason, SetBy: r.SetBy})
	}
	for _, g := range p.Grants {
		row := Grant{ID: g.ID, Tool: g.Tool, Input: json.RawMessage(g.Input), SessionID: g.SessionID, GrantedBy: g.GrantedName}
		if g.ExpiresAt != nil {
			at := g.ExpiresAt.UTC().Format("2006-01-02T15:04:05Z")
			row.ExpiresAt = &at
		}
		out.Grants = append(out.Grants, row)
	}
	return out
}

// Path is the page of an instance.
func Path(instance string) string { return "/instances/" + instance + "/policy" }

func (p IndexProps) path(more string) string { return Path(p.Instance.ID) + more }

var verdictKind = map[models.Verdict]ui.Kind{models.Allow: ui.OK, models.Ask: ui.Warn, models.Deny: ui.Bad}

var verdictText = map[models.Verdict]string{models.Allow: "Allow", models.Ask: "Ask", models.Deny: "Deny"}

func verdicts() []ui.Option {
	out := []ui.Option{}
	for _, v := range models.Verdicts {
		out = append(out, ui.Option{Value: v, Text: verdictText[models.Verdict(v)]})
	}
	return out
}

// met tells whether a rule decided the simulator's call.
func (t Trial) met(r *models.PolicyRule) bool {
	return t.Done && (t.Before.RuleID == r.ID || t.After.RuleID == r.ID)
}

// ends tells whether a rule is the first of its place, and whether it is the last.
func (p IndexProps) ends(n int) (first, last bool) {
	same := func(m int) bool {
		return m >= 0 && m < len(p.Rules) && (p.Rules[m].InstanceID == nil) == (p.Rules[n].InstanceID == nil)
	}
	return !same(n - 1), !same(n + 1)
}
