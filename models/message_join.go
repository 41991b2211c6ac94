package models

import (
	"context"

	"gorm.io/gorm"
)

// mayBegin refuses to begin a turn of an instance that is paused.
func mayBegin(tx *gorm.DB, t *Turn) error {
	i, err := first[Instance](tx.Select("id", "paused_at", "desired").Where("id = ?", t.InstanceID))
	if err == nil && i.Rests() {
		err = ErrLeaseLost
	}
	return err
}

// join ends the turns whose messages are answered together with a later one's: those that wait one behind the other, by the same way and
// from the same person and key. The last of them answers for all. false: the turn is to be run itself.
func (sc *Scope) join(tx *gorm.DB, t *Turn) (bool, error) {
	if t.Channel == "" {
		return false, nil
	}
	queue, err := all[Turn](tx.Where("session_id = ? AND state = ? AND input_seq >= ?", t.SessionID, TurnQueued, t.InputSeq).Order("input_seq"))
	if err != nil {
		return false, err
	}
	last := 0
	for last+1 < len(queue) && queue[last+1].together(t) {
		last++
	}
	if last == 0 {
		return false, nil
	}
	into, now, ids := queue[last].ID, sc.store.now(), []string{}
	for n := range queue[:last] {
		q := &queue[n]
		ids = append(ids, q.ID)
		q.JoinedTo, q.StartedAt = into, &now
		if _, err := changed(tx.Model(&Turn{}).Where("id = ?", q.ID), map[string]any{"joined_to": into, "attempt": q.Attempt + 1, "started_at": now}); err != nil {
			return false, err
		}
		lease := Lease{TurnID: q.ID, SessionID: q.SessionID, Attempt: q.Attempt + 1}
		if err := sc.end(tx, lease, q, TurnEnded{State: TurnMoves[q.State][TurnJoin], Code: "joined"}); err != nil {
			return false, err
		}
	}
	_, err = changed(tx.Model(&Turn{}).Where("joined_to IN ?", ids), map[string]any{"joined_to": into})
	return true, err
}

// together tells whether two messages that wait one behind the other are one matter.
func (t *Turn) together(o *Turn) bool {
	return t.Channel == o.Channel && t.CreatedBy == o.CreatedBy && t.KeyID == o.KeyID && t.Source == o.Source
}

// JoinedTurns names the turns that a turn answers together with its own message, oldest first.
func (sc *Scope) JoinedTurns(ctx context.Context, turnID string) ([]string, error) {
	out := []string{}
	err := sc.read(ctx).Model(&Turn{}).Where("joined_to = ?", turnID).Order("input_seq").Pluck("id", &out).Error
	return out, translate(err)
}
