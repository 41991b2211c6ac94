package models

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm/clause"

	"lobstead/kit/fault"
)

// InstanceNames lists id and name of every instance: what a list of conversations shows.
func (sc *Scope) InstanceNames(ctx context.Context) ([]Instance, error) {
	return all[Instance](sc.read(ctx).Select("id", "name", "state", "desired"))
}

// BusySessions gives the sessions in which a turn is open, with what it waits for: "" = it is being answered.
func (sc *Scope) BusySessions(ctx context.Context) (map[string]WaitReason, error) {
	rows := []struct {
		SessionID, InstanceID string
		WaitsFor              WaitReason
		Begun                 int
	}{}
	err := sc.read(ctx).Model(&Turn{}).Select("session_id, instance_id, max(waits_for) AS waits_for, sum(CASE state WHEN 'queued' THEN 0 ELSE 1 END) AS begun").Where(isOpen).
		Group("session_id, instance_id").Scan(&rows).Error
	out, resting := map[string]WaitReason{}, []string{}
	if err == nil && len(rows) > 0 {
		err = sc.read(ctx).Model(&Instance{}).Where(rests).Pluck("id", &resting).Error
	}
	for _, r := range rows {
		out[r.SessionID] = r.WaitsFor
		if r.Begun == 0 && slices.Contains(resting, r.InstanceID) {
			out[r.SessionID] = WaitResume
		}
	}
	return out, translate(err)
}

// SessionNamed finds a session by id, or by the alias that a client chose: the newest of that name.
func (sc *Scope) SessionNamed(ctx context.Context, name string) (*Session, error) {
	return first[Session](sc.read(ctx).Where("id = ? OR alias = ?", name, name).Order(gormCase("id", name, "created_at DESC, id DESC")))
}

// SessionFor is SessionNamed that prefers the sessions of one instance.
func (sc *Scope) SessionFor(ctx context.Context, instanceID, name string) (*Session, error) {
	return first[Session](sc.read(ctx).Where("id = ? OR alias = ?", name, name).Order(gormCase("instance_id", instanceID, "created_at DESC, id DESC")))
}

// SearchSessions finds conversations of every status by title and, with said, by what was said in them. Those whose
// title fits come first, then the newest.
func (sc *Scope) SearchSessions(ctx context.Context, text string, said bool, limit int) ([]Session, error) {
	like := likeAny(text)
	title, args := like.in("title"), like.args(1)
	q := sc.read(ctx).Limit(limit).Order(clause.OrderBy{Expression: clause.Expr{SQL: "CASE WHEN " + title + " THEN 0 ELSE 1 END, updated_at DESC, id DESC", Vars: args}})
	if !said {
		return all[Session](q.Where(title, args...))
	}
	events := sc.read(ctx).Model(&Event{}).Select("1").Where("session_id = sessions.id").
		Where(like.in("data ->> 'text'", "data ->> 'output'", "data ->> 'input'"), like.args(3)...)
	return all[Session](q.Where(title+" OR EXISTS (?)", append(like.args(1), events)...))
}

// SessionSpend sums what the calls of a session cost.
func (sc *Scope) SessionSpend(ctx context.Context, sessionID string) (Spend, error) {
	var s Spend
	err := sc.read(ctx).Model(&LedgerEntry{}).Select(spendColumns).Where(settledOnly+" AND session_id <> '' AND session_id = ?", sessionID).Scan(&s).Error
	return s, translate(err)
}

// TurnText is what a turn was asked.
func (sc *Scope) TurnText(ctx context.Context, turnID string) (string, error) {
	m, err := sc.TurnMessage(ctx, turnID)
	return m.Text, err
}

// TurnMessage is the message that a turn answers.
func (sc *Scope) TurnMessage(ctx context.Context, turnID string) (UserMessage, error) {
	e, err := first[Event](sc.read(ctx).Where("turn_id = ? AND kind = ?", turnID, KindUser).Order("seq"))
	if err != nil {
		return UserMessage{}, err
	}
	return Decode[UserMessage](*e)
}

// LastTurn is the newest turn of a session that began; nil when none did.
func (sc *Scope) LastTurn(ctx context.Context, sessionID string) (*Turn, error) {
	t, err := first[Turn](sc.read(ctx).Where("session_id = ? AND started_at IS NOT NULL", sessionID).Order("input_seq DESC"))
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return t, err
}

// MessagesThisMonth counts the organization's messages since the first of the month, UTC.
func (sc *Scope) MessagesThisMonth(ctx context.Context) (int, error) {
	now := sc.store.now()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	var n int64
	err := sc.read(ctx).Model(&Turn{}).Where("created_at >= ?", month).Count(&n).Error
	return int(n), translate(err)
}

// Path is the file that a call is about, "" when it is about none.
func (c ToolCall) Path() string {
	var in struct {
		Path string `json:"path"`
	}
	switch c.Tool {
	case "read_file", "write_file", "edit_file":
		_ = json.Unmarshal(c.Input, &in)
	}
	return in.Path
}

// Layer is one measure of isolation, as the driver reported it.
type Layer struct {
	Name    string `json:"name"`
	Applied bool   `json:"applied"`
	Detail  string `json:"detail,omitempty"`
}

// Layers reads what isolates the running sandbox.
func (i *Instance) Layers() []Layer {
	out := []Layer{}
	_ = json.Unmarshal([]byte(i.Isolation), &out) // written by us; an empty list says nothing is known
	return out
}

// SessionsBegun gives when each session since a time began.
func (sc *Scope) SessionsBegun(ctx context.Context, since time.Time) ([]time.Time, error) {
	out := []time.Time{}
	err := sc.read(ctx).Model(&Session{}).Where("created_at >= ?", since).Pluck("created_at", &out).Error
	return out, translate(err)
}
