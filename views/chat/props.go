// Package chat shows conversations: the list of sessions, the log of one, the composer and the rail. An event looks the
// same live, after a reload and in a search result because there is one template for it. It knows no handler.
package chat

import (
	"time"

	"lobstead/models"
	"lobstead/views/layout"
)

// ShowProps is the whole page /chat or /chat/:id.
type ShowProps struct {
	Frame     layout.FrameProps // LiveURL is set for a session
	Sessions  SessionListProps
	Session   *models.Session  // nil: a new chat, made by its first message
	Instance  *models.Instance // nil: no instance exists yet
	Instances []models.Instance
	Events    []models.Event // the window shown, in order
	Earlier   int64          // seq before which there is more; 0 = none
	Open      []models.Turn  // running first, then the queue
	Live      string         // rendered parts of the running turn (HTML made by Live), "" when none
	Rail      RailProps
	Composer  ComposerProps
	Offline   bool // the built-in model answers here: say so

	MayApprove bool // the viewer decides on calls that wait
}

// SessionListProps is the left column.
type SessionListProps struct {
	Sessions []models.Session
	Current  string
	Names    map[string]string            // instance id → name
	Busy     map[string]models.WaitReason // sessions with an open turn: what it waits for, "" = it is being answered
	Search   string
	Category string
	Archived bool
}

// RailProps is the right column: the instance, what this session touched, what it cost.
type RailProps struct {
	SessionID string
	Instance  *models.Instance
	Isolation string // "namespaces + landlock + seccomp"
	MemoryMB  float64
	Model     string // what answers
	Files     []FileTouched
	Memories  []models.Memory
	CostNanos int64
	Tokens    int
}

// FileTouched is a file that this session's tools read or changed, newest first.
type FileTouched struct {
	Path           string
	Added, Removed int
	Read           bool // only read
}

// ComposerProps is the form below the conversation. Action is where it posts: "/chat" or "/chat/:id/messages".
type ComposerProps struct {
	Action      string
	SessionID   string
	InstanceID  string
	Placeholder string
	Text        string // what was typed and refused
	Error       string
	Running     *models.Turn // nil: idle, no Stop button
	Paused      *PausedProps // the running turn waits for a budget; nil: it does not
	Waits       bool         // the instance is paused: what is sent waits
	Queue       []Queued
	Meter       Meter
	Model       string
	Stopped     bool // the instance does not take messages; Error says why
}

// Queued is a message that waits for the running turn.
type Queued struct {
	TurnID string
	Text   string
}

// PausedProps is the card of a turn that waits for a budget. Posts: /settings/budgets/:id (amount, back),
// /turns/:id/continue (model), /turns/:id/stop.
type PausedProps struct {
	TurnID   string
	Back     string // where the forms lead
	Text     string
	Until    *time.Time // when it goes on by itself
	BudgetID string     // "" when the budget is gone, or this person may not change it
	Amount   string     // that the form proposes
	Unit     string     // what Amount is in
	Models   []string   // smaller models of the same service, the smallest first
}

// Meter is what the running or last turn has used.
type Meter struct {
	ContextTokens, ContextWindow int
	Tokens                       int
	CostNanos                    int64
}
