package models

import (
	"context"
	"time"

	"lobstead/kit/id"
)

// Opinion is what a model said when somebody asked it about a turn, about a session, about how the organization works (it
// names neither then), or to answer a turn's question once more. Kept for DecisionLife.
type Opinion struct {
	ID             string
	OrganizationID string
	Kind           OpinionKind
	TurnID         *string
	SessionID      *string
	Provider       string
	Model          string
	Text           string // Markdown
	InputTokens    int
	OutputTokens   int
	CostNanos      int64
	Millis         int64
	CallID         string // of the ledger
	AskedBy        string // a name
	CreatedAt      time.Time
}

// OpinionKind says what a model was asked for.
type OpinionKind string

// The kinds.
const (
	Analysis OpinionKind = "analysis"
	Answer   OpinionKind = "answer"
)

// maxOpinion bounds an opinion, in bytes.
const maxOpinion = 64 << 10

// Hear writes an opinion down; its id, time and who asked are set here.
func (sc *Scope) Hear(ctx context.Context, o *Opinion) error {
	o.ID, o.OrganizationID, o.CreatedAt, o.AskedBy = id.New(), sc.Org, sc.store.now(), clip(sc.Actor.Name, 200)
	o.Text = sc.store.line(o.Text, maxOpinion)
	o.Provider, o.Model = clip(cleanText(o.Provider), 300), clip(cleanText(o.Model), 300)
	return translate(sc.write(ctx).Create(o).Error)
}

// shownOpinions is how many of a kind a page shows.
const shownOpinions = 20

// TurnOpinions lists what was said of a turn, the newest first.
func (sc *Scope) TurnOpinions(ctx context.Context, turnID string, kind OpinionKind) ([]Opinion, error) {
	return all[Opinion](sc.read(ctx).Where("turn_id = ? AND kind = ?", turnID, kind).Order("id DESC").Limit(shownOpinions))
}

// SessionOpinions lists what was said of a session as a whole, the newest first.
func (sc *Scope) SessionOpinions(ctx context.Context, sessionID string) ([]Opinion, error) {
	return all[Opinion](sc.read(ctx).Where("session_id = ? AND turn_id IS NULL", sessionID).Order("id DESC").Limit(shownOpinions))
}

// HabitOpinions lists what was said of how the organization works, the newest first.
func (sc *Scope) HabitOpinions(ctx context.Context) ([]Opinion, error) {
	return all[Opinion](sc.read(ctx).Where("session_id IS NULL AND turn_id IS NULL").Order("id DESC").Limit(shownOpinions))
}
