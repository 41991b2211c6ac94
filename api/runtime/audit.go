package runtime

import "lobstead/models"

// PolicyAudit answers GET /api/audit/policy/:turn_id.
type PolicyAudit struct {
	TurnID    string           `json:"turn_id"`
	Decisions []PolicyDecision `json:"decisions"`
}

// PolicyDecision is what was decided of one call.
type PolicyDecision struct {
	ID        string `json:"id"`
	Tool      string `json:"tool_name"`
	Decision  string `json:"decision"` // allow or deny
	Rule      string `json:"rule_name"`
	Reason    string `json:"reason"`
	CreatedAt string `json:"created_at"`
}

// NewPolicyAudit presents a turn's decisions. That a person was asked is no decision: theirs follows.
func NewPolicyAudit(turn string, rows []models.PolicyDecision) PolicyAudit {
	out := PolicyAudit{TurnID: turn, Decisions: []PolicyDecision{}}
	for _, d := range rows {
		if d.Verdict != models.Ask {
			out.Decisions = append(out.Decisions, PolicyDecision{ID: d.ID, Tool: d.Tool, Decision: string(d.Verdict), Rule: d.RuleName, Reason: d.Reason, CreatedAt: Time(d.CreatedAt)})
		}
	}
	return out
}

// ToolAudit answers GET /api/audit/tools/:turn_id.
type ToolAudit struct {
	TurnID string        `json:"turn_id"`
	Calls  []AuditedCall `json:"tool_calls"`
}

// AuditedCall is a call of a turn with what came of it. Output and duration are null until there are some.
type AuditedCall struct {
	ID        string  `json:"id"`
	Tool      string  `json:"tool_name"`
	SkillID   *string `json:"skill_id"` // tools are the program's own: no skill brought them
	SkillName *string `json:"skill_name"`
	SkillHash *string `json:"skill_hash"`
	Input     string  `json:"input"`
	Output    *string `json:"output"`
	Status    string  `json:"status"` // success, error, interrupted, pending
	Millis    *int64  `json:"duration_ms"`
	CreatedAt string  `json:"created_at"`
}

// NewToolAudit presents the calls of a turn's log.
func NewToolAudit(turn string, log []models.Event) (ToolAudit, error) {
	calls, err := models.LoggedCalls(log)
	out := ToolAudit{TurnID: turn, Calls: []AuditedCall{}}
	for _, c := range calls {
		row := AuditedCall{ID: c.CallID, Tool: c.Tool, Input: string(c.Input), Status: "pending", CreatedAt: Time(c.At)}
		if r := c.Result; r != nil {
			row.Output, row.Millis, row.Status = &r.Output, &r.Millis, r.Status()
		}
		out.Calls = append(out.Calls, row)
	}
	return out, err
}
