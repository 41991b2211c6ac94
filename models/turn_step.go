package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/id"
)

// TurnStep is one call to a model as a turn made it: what was shown, by size and by where to read it again, and what came of
// it. Rows are never changed; they are kept for DecisionLife. Token figures of the prompt are estimates, those of the answer
// are the provider's.
type TurnStep struct {
	ID             string
	OrganizationID string
	TurnID         string
	Step           int
	Attempt        int // of the turn
	Provider       string
	Model          string
	CallID         string // of the ledger, of the try that answered or the last one
	Room           int    // tokens that the prompt could have had
	SystemTokens   int    // without the memories
	MemoryTokens   int
	HistoryTokens  int
	ToolsTokens    int
	Messages       int
	SystemHash     string // of a ContextText, as are the next two; "" = there was none
	ToolsHash      string
	SummaryHash    string
	Seqs           string // events that the messages were made of, as Ranges writes them
	Shortened      int    // tool outputs: 0 whole, 1 older ones cut, 2 all cut
	Pictures       bool
	Digest         string // of the messages: what is read again is the same, or it is not

	InputTokens     int // of all tries together, as are the next four
	OutputTokens    int
	CacheReadTokens int
	ReasoningTokens int
	CostNanos       int64
	Attempts        string       // JSON of the door's tries
	Failure         string       // the kind of error that ended it, "" = answered
	Cached          CacheOutcome // nobody was asked
	BeganAt         time.Time
	CreatedAt       time.Time // when it ended
}

// PromptTokens is the size of the whole prompt, as it was estimated.
func (s *TurnStep) PromptTokens() int {
	return s.SystemTokens + s.MemoryTokens + s.HistoryTokens + s.ToolsTokens
}

// Took is how long the call lasted, waiting and further tries included.
func (s *TurnStep) Took() time.Duration { return s.CreatedAt.Sub(s.BeganAt) }

// ContextText is a text of prompts, kept once for all that were given it in a month.
type ContextText struct {
	ID             string
	OrganizationID string
	Hash           string
	Text           string
	CreatedAt      time.Time
}

// textLife is how long a text is kept: as long as the last step of its month may name it.
const textLife = DecisionLife + 31*24*time.Hour

// ContextHash names a text of a month. Texts of different months are different rows, so that their age alone says when
// nothing can name them any more.
func ContextHash(at time.Time, text string) string {
	sum := sha256.Sum256([]byte(text))
	return at.UTC().Format("2006-01-") + hex.EncodeToString(sum[:16])
}

// keepSteps writes down what a worker's calls were shown, inside its next transaction.
func (sc *Scope) keepSteps(tx *gorm.DB, l Lease, p TurnProgress) error {
	now := sc.store.now()
	for hash, text := range p.Texts {
		err := tx.WithContext(rawContext(tx.Statement.Context)).Exec(`INSERT INTO context_texts (id, organization_id, hash, text, created_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (organization_id, hash) DO NOTHING`, id.New(), sc.Org, hash, sc.store.line(text, maxContextText), now).Error
		if err != nil {
			return err
		}
	}
	for i := range p.Calls {
		s := &p.Calls[i]
		s.ID, s.OrganizationID, s.TurnID, s.Attempt = id.New(), sc.Org, l.TurnID, l.Attempt
		if s.Attempts == "" {
			s.Attempts = "[]"
		}
		s.Provider, s.Model = clip(cleanText(s.Provider), 300), clip(cleanText(s.Model), 300)
		if err := tx.Create(s).Error; err != nil {
			return err
		}
	}
	return nil
}

// maxContextText bounds a text of a prompt, in bytes; what we write is far below.
const maxContextText = 1 << 20

// TurnSteps lists a turn's calls to a model, in their order.
func (sc *Scope) TurnSteps(ctx context.Context, turnID string) ([]TurnStep, error) {
	return all[TurnStep](sc.read(ctx).Where("turn_id = ?", turnID).Order("id"))
}

// TurnStep reads one.
func (sc *Scope) TurnStep(ctx context.Context, stepID string) (*TurnStep, error) {
	return first[TurnStep](sc.read(ctx).Where("id = ?", stepID))
}

// ContextText reads a text by its hash; "" for the empty hash. NotFound when it is forgotten.
func (sc *Scope) ContextText(ctx context.Context, hash string) (string, error) {
	if hash == "" {
		return "", nil
	}
	t, err := first[ContextText](sc.read(ctx).Where("hash = ?", hash))
	if err != nil {
		return "", err
	}
	return t.Text, nil
}

// EventsAt reads the events of a session that Ranges names, in order.
func (sc *Scope) EventsAt(ctx context.Context, sessionID, ranges string) ([]Event, error) {
	spans, err := readRanges(ranges)
	if err != nil || len(spans) == 0 {
		return []Event{}, err
	}
	rows, err := all[Event](sc.read(ctx).Where("session_id = ? AND seq BETWEEN ? AND ?", sessionID, spans[0].from, spans[len(spans)-1].to).Order("seq"))
	out, at := rows[:0], 0
	for _, e := range rows {
		for at < len(spans) && e.Seq > spans[at].to {
			at++
		}
		if at < len(spans) && e.Seq >= spans[at].from {
			out = append(out, e)
		}
	}
	return out, err
}

// TrimInspected forgets what the inspector kept: steps and opinions after DecisionLife, texts when no step can name them.
// Grades stay as long as their turns.
func (sy *System) TrimInspected(ctx context.Context) error {
	now := sy.store.now()
	if err := sy.write(ctx).Where("created_at < ?", now.Add(-DecisionLife)).Delete(&TurnStep{}).Error; err != nil {
		return translate(err)
	}
	if err := sy.write(ctx).Where("created_at < ?", now.Add(-DecisionLife)).Delete(&Opinion{}).Error; err != nil {
		return translate(err)
	}
	return translate(sy.write(ctx).Where("created_at < ?", now.Add(-textLife)).Delete(&ContextText{}).Error)
}
