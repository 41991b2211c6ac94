package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// CachedAnswer is an answer that an instance may give again. Rows are never changed; a newer answer takes the older one's
// place.
type CachedAnswer struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Digest         string // of all that decided the answer
	Frame          string // the same without the last message
	Place          []byte // of the last message, as the door writes it; nil = not asked for
	EmbeddingModel string // that placed it
	Answer         string // JSON of the door
	CreatedAt      time.Time
	ExpiresAt      time.Time
}

// CachedCall is the purpose of entries of the ledger for answers that came from the cache: they cost nothing, and their
// baseline is what the call had cost.
const CachedCall = "cached"

// Cached tells whether the answer came from the cache: nobody was asked, and nothing paid.
func (e *LedgerEntry) Cached() bool { return e.Purpose == CachedCall }

// MaxCachedAnswer bounds an answer that is kept, in bytes.
const MaxCachedAnswer = 256 << 10

// CachedAnswer reads the answer to exactly this; NotFound when there is none.
func (sc *Scope) CachedAnswer(ctx context.Context, instanceID, digest string) (*CachedAnswer, error) {
	return first[CachedAnswer](sc.read(ctx).Where("instance_id = ? AND digest = ? AND expires_at > ?", instanceID, digest, sc.store.now()))
}

// maxCompared bounds how many answers one call is compared with.
const maxCompared = 500

// Comparable lists where the last messages of the newest answers within a frame lie, as one embedding model placed them: ids
// and places alone.
func (sc *Scope) Comparable(ctx context.Context, instanceID, frame, model string) ([]CachedAnswer, error) {
	return all[CachedAnswer](sc.read(ctx).Select("id", "place").Where("instance_id = ? AND frame = ? AND embedding_model = ? AND expires_at > ? AND place IS NOT NULL",
		instanceID, frame, model, sc.store.now()).Order("created_at DESC").Limit(maxCompared))
}

// CachedAnswerAt reads one by its id.
func (sc *Scope) CachedAnswerAt(ctx context.Context, answerID string) (*CachedAnswer, error) {
	return first[CachedAnswer](sc.read(ctx).Where("id = ?", answerID))
}

// KeepAnswer keeps one for so many hours; its id and times are set here. One that is too long, or that a known secret is
// in, is not kept, and that is no error.
func (sc *Scope) KeepAnswer(ctx context.Context, a CachedAnswer, hours int) error {
	if len(a.Answer) > MaxCachedAnswer || sc.store.line(a.Answer, MaxCachedAnswer) != a.Answer {
		return nil
	}
	a.ID, a.OrganizationID, a.CreatedAt = id.New(), sc.Org, sc.store.now()
	a.ExpiresAt = a.CreatedAt.Add(time.Duration(hours) * time.Hour)
	err := sc.together(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("instance_id = ? AND digest = ?", a.InstanceID, a.Digest).Delete(&CachedAnswer{}).Error; err != nil {
			return err
		}
		return tx.Create(&a).Error
	})
	if fault.Is(err, fault.Conflict) { // another call has just kept its own
		return nil
	}
	return err
}
