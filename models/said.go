package models

import (
	"context"
	"slices"
	"time"
)

// Said is one message of a conversation.
type Said struct {
	ID      string // of the event
	Session *Session
	Role    string // user, assistant
	Text    string
	At      time.Time
}

// RecentlySaid reads the newest n messages of all conversations with an instance, in the order of time. The newest n lie
// in at most n conversations: those where something was said last.
func (sc *Scope) RecentlySaid(ctx context.Context, instanceID string, n int) ([]Said, error) {
	sessions, err := all[Session](sc.read(ctx).Where("instance_id = ? AND last_message_at IS NOT NULL", instanceID).Order("last_message_at DESC, id DESC").Limit(n))
	if err != nil {
		return nil, err
	}
	byID, ids := map[string]*Session{}, make([]string, len(sessions))
	for i := range sessions {
		byID[sessions[i].ID], ids[i] = &sessions[i], sessions[i].ID
	}
	log, err := all[Event](sc.read(ctx).Where("session_id IN ? AND kind IN ?", ids, []EventKind{KindUser, KindAssistant}).Order("created_at DESC, id DESC").Limit(n))
	if err != nil {
		return nil, err
	}
	slices.Reverse(log)
	out := make([]Said, 0, len(log))
	for _, e := range log {
		s := Said{ID: e.ID, Session: byID[e.SessionID], At: e.CreatedAt}
		if e.Kind == KindUser {
			m, err := Decode[UserMessage](e)
			if err != nil {
				return nil, err
			}
			s.Role, s.Text = "user", m.Text
		} else {
			m, err := Decode[AssistantMessage](e)
			if err != nil {
				return nil, err
			}
			s.Role, s.Text = "assistant", m.Text
		}
		out = append(out, s)
	}
	return out, nil
}

// LastModel is who answered an instance last, as "provider/model"; "" = nobody did yet.
func (sc *Scope) LastModel(ctx context.Context, instanceID string) (string, error) {
	rows, err := all[Turn](sc.read(ctx).Select("provider", "model").Where("instance_id = ? AND model <> ''", instanceID).Order("created_at DESC, id DESC").Limit(1))
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0].Provider + "/" + rows[0].Model, nil
}

// ModelBefore is the model that answered a session before a turn; "" = none did.
func (sc *Scope) ModelBefore(ctx context.Context, t *Turn) (string, error) {
	rows, err := all[Turn](sc.read(ctx).Select("model").Where("session_id = ? AND input_seq < ? AND model <> ''", t.SessionID, t.InputSeq).Order("input_seq DESC").Limit(1))
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0].Model, nil
}

// ParkedOf counts the turns of an instance that wait for a person.
func (sc *Scope) ParkedOf(ctx context.Context, instanceID string) (int, error) {
	var n int64
	err := sc.read(ctx).Model(&Turn{}).Where("instance_id = ? AND waits_for <> ''", instanceID).Count(&n).Error
	return int(n), translate(err)
}
