package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// Lease is a worker's hold on a turn. Every write of the worker carries it: a worker that lost its lease
// (it hung, it was taken over) cannot write any more.
type Lease struct {
	TurnID    string
	SessionID string
	Owner     string
	Attempt   int
}

// TurnLease is how long a hold lasts without a heartbeat.
const TurnLease = 5 * time.Second

// ErrLeaseLost means that another worker has the turn, or that it was ended.
var ErrLeaseLost = fault.New(fault.Conflict, "turn.lease_lost", "Another worker took this turn over")

// ErrTurnJoined means that a turn's message is answered together with a later one's: that one is to be claimed.
var ErrTurnJoined = fault.New(fault.Conflict, "turn.joined", "This message is answered together with the next one")

// TurnRef names a turn over all organizations.
type TurnRef struct{ OrganizationID, ID string }

// ClaimableTurns finds turns that a worker may take: the oldest queued one of each session in which none is
// held, and held ones whose lease ran out.
func (sy *System) ClaimableTurns(ctx context.Context, limit int) ([]TurnRef, error) {
	out := []TurnRef{}
	err := sy.read(ctx).Raw(`SELECT t.organization_id, t.id FROM turns t
		WHERE (t.state IN ('running', 'waiting_approval', 'interrupting') AND t.lease_until < ?)
		OR (t.state = 'queued' AND NOT EXISTS (SELECT 1 FROM instances WHERE id = t.instance_id AND `+rests+`)
			AND NOT EXISTS (SELECT 1 FROM turns o WHERE o.session_id = t.session_id AND
			(o.state IN ('running', 'waiting_approval', 'interrupting') OR (o.state = 'queued' AND o.input_seq < t.input_seq))))
		ORDER BY t.created_at, t.id LIMIT ?`, sy.store.now(), limit).Scan(&out).Error
	return out, translate(err)
}

// ClaimTurn takes a turn for a worker: Conflict when it is not to be had, ErrTurnJoined when another one answers it. The turn comes back as it is now;
// one that was interrupting stays so, to be ended by its new holder.
func (sc *Scope) ClaimTurn(ctx context.Context, turnID, owner string) (*Turn, Lease, error) {
	var t *Turn
	var joined bool
	now := sc.store.now()
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		row, err := first[Turn](locked(tx).Where("id = ?", turnID))
		if err != nil {
			return err
		}
		move := TurnClaim
		if row.State.Held() {
			move = TurnTakeOver
			if row.LeaseUntil != nil && row.LeaseUntil.After(now) {
				return ErrLeaseLost
			}
		}
		next, ok := TurnMoves[row.State][move]
		if !ok || row.Parked() {
			return ErrLeaseLost
		}
		if err := sc.settleTurn(tx, turnID); err != nil { // of an earlier holder that is gone
			return err
		}
		if move == TurnClaim { // hints may come in any order, a session's messages are answered in theirs
			var older int64
			err := tx.Model(&Turn{}).Where("session_id = ? AND state = ? AND input_seq < ?", row.SessionID, TurnQueued, row.InputSeq).Count(&older).Error
			if err != nil {
				return err
			}
			if older > 0 {
				return ErrLeaseLost
			}
			if err := mayBegin(tx, row); err != nil {
				return err
			}
			if joined, err = sc.join(tx, row); joined || err != nil {
				return err
			}
		}
		set := map[string]any{"state": next, "attempt": row.Attempt + 1, "lease_owner": owner, "lease_until": now.Add(TurnLease)}
		if row.StartedAt == nil {
			set["started_at"] = now
		}
		if _, err := changed(tx.Model(&Turn{}).Where("id = ?", turnID), set); err != nil {
			return err
		}
		t, err = first[Turn](tx.Where("id = ?", turnID))
		return err
	})
	if err != nil {
		if fault.Is(err, fault.Conflict) { // another turn of the session is held: the unique index says so
			err = ErrLeaseLost
		}
		return nil, Lease{}, err
	}
	if joined {
		return nil, Lease{}, ErrTurnJoined
	}
	return t, Lease{TurnID: t.ID, SessionID: t.SessionID, Owner: owner, Attempt: t.Attempt}, nil
}

// hold renews a lease inside a transaction: the fence before every write.
func (sc *Scope) hold(tx *gorm.DB, l Lease, set map[string]any) error {
	set["lease_until"] = sc.store.now().Add(TurnLease)
	hit, err := changed(tx.Model(&Turn{}).Where("id = ? AND lease_owner = ? AND attempt = ? AND state IN ?",
		l.TurnID, l.Owner, l.Attempt, TurnTakeOver.sources()), set)
	if err == nil && !hit {
		err = ErrLeaseLost
	}
	return err
}

// Heartbeat renews a lease and tells whether somebody asked the turn to stop.
func (sc *Scope) Heartbeat(ctx context.Context, l Lease) (stop bool, err error) {
	var state TurnState
	err = sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.hold(tx, l, map[string]any{}); err != nil {
			return err
		}
		return tx.Model(&Turn{}).Select("state").Where("id = ?", l.TurnID).Scan(&state).Error
	})
	return state == TurnInterrupting, err
}

// TurnProgress is what a worker knows of a running turn; zero fields are left.
type TurnProgress struct {
	Provider, Model string
	Steps           int
	InputTokens     int // added
	OutputTokens    int // added
	ContextTokens   int
	CostNanos       int64 // added
	FirstToken      bool
	TokensSaved     int // by the cache that gave the answer; 0 = a model did

	Calls  []TurnStep        // to models, that ended since the last progress; their ids are set when they are written
	Texts  map[string]string // by hash: what those name and may not be kept yet
	Policy []PolicyDecision  // of the calls of a step
}

func (p TurnProgress) columns(now time.Time) map[string]any {
	set := map[string]any{}
	if p.Model != "" {
		set["provider"], set["model"] = p.Provider, p.Model
	}
	if p.Steps > 0 {
		set["steps"] = p.Steps
	}
	if p.ContextTokens > 0 {
		set["context_tokens"] = p.ContextTokens
	}
	if p.InputTokens+p.OutputTokens > 0 || p.CostNanos > 0 {
		set["input_tokens"] = gorm.Expr("input_tokens + ?", p.InputTokens)
		set["output_tokens"] = gorm.Expr("output_tokens + ?", p.OutputTokens)
		set["cost_nanos"] = gorm.Expr("cost_nanos + ?", p.CostNanos)
	}
	if p.TokensSaved > 0 {
		set["tokens_saved"] = p.TokensSaved
	}
	if p.FirstToken {
		set["first_token_at"] = gorm.Expr("coalesce(first_token_at, ?)", now)
	}
	return set
}

// BeginAnswer notes when a held turn's answer began and who is giving it. It may come late, after the answer was
// written: then it changes nothing.
func (sc *Scope) BeginAnswer(ctx context.Context, l Lease, provider, model string) error {
	const unlessBegun = "CASE WHEN first_token_at IS NULL THEN ? ELSE "
	return sc.tx(ctx, func(tx *gorm.DB) error {
		return sc.hold(tx, l, map[string]any{"first_token_at": gorm.Expr("coalesce(first_token_at, ?)", sc.store.now()),
			"provider": gorm.Expr(unlessBegun+"provider END", provider), "model": gorm.Expr(unlessBegun+"model END", model)})
	})
}

// countTools adds to a turn's columns what events tell of its tools.
func countTools(set map[string]any, data []EventData) map[string]any {
	calls, failures := 0, 0
	for _, d := range data {
		if r, ok := d.(ToolResult); ok {
			calls++
			if r.Error {
				failures++
			}
		}
	}
	if calls > 0 {
		set["tool_calls"], set["tool_failures"] = gorm.Expr("tool_calls + ?", calls), gorm.Expr("tool_failures + ?", failures)
	}
	return set
}

// AppendTurn writes events of a held turn, with what is known of it and of its calls, in one transaction.
func (sc *Scope) AppendTurn(ctx context.Context, l Lease, p TurnProgress, data ...EventData) ([]Event, error) {
	var rows []Event
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.hold(tx, l, countTools(p.columns(sc.store.now()), data)); err != nil {
			return err
		}
		if err := sc.keepSteps(tx, l, p); err != nil {
			return err
		}
		if err := sc.notePolicy(tx, l.TurnID, p.Policy); err != nil || len(data) == 0 {
			return err
		}
		var err error
		rows, err = sc.appendEvents(tx, l.SessionID, &l.TurnID, l.Attempt, data...)
		return err
	})
	return rows, err
}

// maxSummary bounds what stands for the compacted part of a log, in bytes.
const maxSummary = 1 << 20

// Compact records a summary and makes the model see it from the next step on; the log stays whole.
func (sc *Scope) Compact(ctx context.Context, l Lease, c Compacted) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.hold(tx, l, map[string]any{}); err != nil {
			return err
		}
		if _, err := sc.appendEvents(tx, l.SessionID, &l.TurnID, l.Attempt, c); err != nil {
			return err
		}
		_, err := changed(tx.Model(&Session{}).Where("id = ?", l.SessionID), map[string]any{"compacted_seq": c.Through, "summary": sc.store.line(c.Summary, maxSummary)})
		return err
	})
}

// EndTurn closes a held turn with its last events; the sums in ended are filled from the row.
func (sc *Scope) EndTurn(ctx context.Context, l Lease, move TurnMove, ended TurnEnded, before ...EventData) (*Turn, error) {
	var out *Turn
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.hold(tx, l, countTools(map[string]any{}, before)); err != nil {
			return err
		}
		t, err := first[Turn](tx.Where("id = ?", l.TurnID))
		if err != nil {
			return err
		}
		next, ok := TurnMoves[t.State][move]
		if !ok {
			return ErrLeaseLost
		}
		if !next.Ended() {
			return fault.New(fault.Internal, "turn.move", "Cannot end a turn by %q", move)
		}
		if len(before) > 0 {
			if _, err := sc.appendEvents(tx, l.SessionID, &l.TurnID, l.Attempt, before...); err != nil {
				return err
			}
		}
		if ended.Reason == "" {
			ended.Reason = t.Reason
		}
		ended.State = next
		if err := sc.end(tx, l, t, ended); err != nil {
			return err
		}
		out, err = first[Turn](tx.Where("id = ?", l.TurnID))
		return err
	})
	return out, err
}

func (sc *Scope) end(tx *gorm.DB, l Lease, t *Turn, e TurnEnded) error {
	now := sc.store.now()
	e.Provider, e.Model, e.InputTokens, e.OutputTokens, e.CostNanos, e.TokensSaved = t.Provider, t.Model, t.InputTokens, t.OutputTokens, t.CostNanos, t.TokensSaved
	if t.StartedAt != nil {
		e.Millis = now.Sub(*t.StartedAt).Milliseconds()
	}
	e.Reason = sc.store.line(e.Reason, 2000)
	if err := sc.settleTurn(tx, t.ID); err != nil {
		return err
	}
	if err := sc.endRun(tx, t, e); err != nil {
		return err
	}
	if _, err := sc.appendEvents(tx, l.SessionID, &l.TurnID, l.Attempt, e); err != nil {
		return err
	}
	if err := sc.answerMessage(tx, t, e); err != nil {
		return err
	}
	if err := sc.turnEnded(tx, t, e); err != nil {
		return err
	}
	_, err := changed(tx.Model(&Turn{}).Where("id = ?", l.TurnID),
		map[string]any{"state": e.State, "reason": e.Reason, "ended_at": now, "lease_owner": "", "lease_until": nil, "waits_for": "", "wait_until": nil})
	return err
}

// ReleaseTurn gives a held turn back for another worker at once: what a draining process does.
func (sc *Scope) ReleaseTurn(ctx context.Context, l Lease) error {
	_, err := changed(sc.write(ctx).Model(&Turn{}).Where("id = ? AND lease_owner = ? AND attempt = ?", l.TurnID, l.Owner, l.Attempt),
		map[string]any{"lease_owner": "", "lease_until": time.Unix(0, 0).UTC()})
	return err
}
