// Package approvals is the inbox of what waits for a person: tool calls, and turns that a budget stopped.
package approvals

import (
	"encoding/json"

	"lobstead/models"
	"lobstead/views/chat"
	"lobstead/views/layout"
)

// IndexProps is the page /approvals.
type IndexProps struct {
	Frame      layout.FrameProps
	Calls      []Item // that wait, the oldest first
	Budgets    []Item // turns that wait for a budget, the oldest first
	Decided    []Item // the newest first
	MayApprove bool
	BaseURL    string
}

// Item is one entry; what is not known is empty.
type Item struct {
	Approval *models.Approval // nil for a turn that waits for a budget
	Paused   *chat.PausedProps
	Turn     *models.Turn
	Session  string
	Title    string // of the conversation
	Instance *models.Instance
	Who      string // asked for it
	Text     string // what they wrote
}

func (p IndexProps) waiting() int { return len(p.Calls) + len(p.Budgets) }

func (i *Item) id() string {
	if i.Approval != nil {
		return "approval-" + i.Approval.ID
	}
	return "turn-" + i.Turn.ID
}

func (i *Item) input() json.RawMessage { return json.RawMessage(i.Approval.Input) }

// outcome is how a decided one is told: as the conversation tells it.
func (i *Item) outcome() string {
	a := i.Approval
	return chat.DecidedWords(models.Decided{Status: a.Status, By: a.DecidedName, Note: a.Note, Lasts: a.Lasts, Days: a.Days})
}
