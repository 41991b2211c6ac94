package runtime

import (
	"time"

	"lobstead/models"
)

// Approval is a tool call that waits for a person, or waited.
type Approval struct {
	ID        string  `json:"id"`
	Tool      string  `json:"tool_name"`
	Input     string  `json:"tool_input"` // JSON
	SessionID string  `json:"session_id"`
	Authority string  `json:"requested_authority"` // why it is asked
	Status    string  `json:"status"`              // Pending, Approved, Denied, TimedOut
	DecidedBy *string `json:"decided_by"`
	DecidedAt *string `json:"decided_at"`
	TimeoutAt string  `json:"timeout_at"`
	CreatedAt string  `json:"created_at"`
}

// Approvals answers GET /api/approvals. Total counts all, not only those that wait.
type Approvals struct {
	Pending []Approval `json:"pending"`
	Total   int        `json:"total"`
}

// Approved answers POST /api/approvals/:id/approve.
type Approved struct {
	Approval Approval `json:"approval"`
	Queued   bool     `json:"replay_queued"`
}

// NewApprovals presents those that wait.
func NewApprovals(pending []models.Approval, total int) Approvals {
	out := Approvals{Pending: []Approval{}, Total: total}
	for n := range pending {
		out.Pending = append(out.Pending, NewApproval(&pending[n]))
	}
	return out
}

var approvalStatus = map[models.ApprovalStatus]string{models.ApprovalPending: "Pending", models.ApprovalApproved: "Approved", models.ApprovalDenied: "Denied",
	models.ApprovalTimedOut: "TimedOut", models.ApprovalWithdrawn: "Denied"}

// NewApproval presents one. Its times have a zone, unlike most of the family's.
func NewApproval(a *models.Approval) Approval {
	out := Approval{ID: a.ID, Tool: a.Tool, Input: a.Input, SessionID: a.SessionID, Authority: a.RuleName, Status: approvalStatus[a.Status],
		TimeoutAt: zoned(a.ExpiresAt), CreatedAt: zoned(a.CreatedAt)}
	if a.DecidedName != "" {
		out.DecidedBy = &a.DecidedName
	}
	if a.DecidedAt != nil {
		at := zoned(*a.DecidedAt)
		out.DecidedAt = &at
	}
	return out
}

func zoned(t time.Time) string { return t.UTC().Format(time.RFC3339) }
