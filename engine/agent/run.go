package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/skills"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Why a turn's context ended; anything else is the turn's own failure.
var (
	errStop  = errors.New("somebody asked the turn to stop")
	errDrain = errors.New("this process is shutting down")
	errLost  = errors.New("the lease is gone")
)

// writeLimit bounds the last writes of a turn whose context is over.
const writeLimit = 10 * time.Second

// run is one worker's hold on one turn.
type run struct {
	*Runner
	sc        *models.Scope
	turn      *models.Turn
	lease     models.Lease
	session   *models.Session
	inst      *models.Instance
	profile   *models.AgentProfile
	rules     models.AgentRules // of the profile
	alike     []string          // turns whose messages this one answers too
	base      door.Route        // what answers without a choice: contexts are made for its window
	route     door.Route        // what is asked first
	plan      *door.Plan        // nil = nothing was asked yet
	book      logbook
	skills    skills.Allowed
	offered   *Registry // the tools that are not switched off; nil = not read yet
	memos     []models.Memory
	stamp     *string // of the memories that were read; nil = none yet
	parts     *partWriter
	hands     *hands
	guard     loopGuard
	history   []llm.Message         // of the earlier turns; nil = not assembled yet
	images    map[string]*llm.Image // by attachment
	shortened shortening
	system    string
	seen      sight // what the next call to the model is shown
	steps     int
	tail      []models.EventData // what the end of the turn writes
	killed    int
	poke      chan struct{} // look at the row now
	first     chan struct{} // the first piece of an answer was shown
	begun     bool          // that was said
	noted     bool          // how the workspace was before the turn
	reminded  time.Time     // of messages that wait; zero = never
	cancel    context.CancelCauseFunc
	unbegun   bool // the open calls of the log wait for their turn: none has begun
}

// take claims a turn and sees it to its end, to a release, or to the loss of its lease.
func (r *Runner) take(ref models.TurnRef) {
	ctx, cancel := context.WithCancelCause(r.hard)
	defer cancel(nil)
	x := &run{Runner: r, sc: r.Store.In(ref.OrganizationID), poke: make(chan struct{}, 1), first: make(chan struct{}, 1), cancel: cancel}
	// Listening begins before the claim, so that no Stop falls between the two.
	silence := r.Bus.Listen(TurnTopic(ref.ID), func(events.Event) { nudge(x.poke) })
	defer silence()
	if !r.mayClaim(ctx, x.sc, ref) {
		return
	}
	turn, lease, err := x.sc.ClaimTurn(ctx, ref.ID, r.owner)
	if errors.Is(err, models.ErrTurnJoined) {
		r.joined(ctx, x.sc, ref)
		return
	}
	if err != nil {
		if !errors.Is(err, models.ErrLeaseLost) && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "agent: a turn cannot be claimed", "turn", ref.ID, "error", err)
		}
		return
	}
	x.turn, x.lease = turn, lease
	x.parts = newPartWriter(r.Bus, turn.ID, turn.Attempt, r.Scrub)
	x.hands = &hands{run: x}
	defer x.hands.close()
	defer x.parts.close()
	defer x.beat(cancel)()
	defer x.recovered(ctx)
	r.Crash(CrashClaimed)
	hintSession(ctx, r.Bus, turn.SessionID, 0)
	defer x.noteAfter() // before the slot is free, after all that people wait for
	x.finish(ctx, x.work(ctx))
}

// mayClaim looks before a claim, because a claim that fails is a write: most hints of a burst are for messages
// that wait behind others of their session, and every process hears every hint.
func (r *Runner) mayClaim(ctx context.Context, sc *models.Scope, ref models.TurnRef) bool {
	turn, err := sc.Turn(ctx, ref.ID)
	if err != nil || turn.State.Ended() {
		return false
	}
	if turn.State.Held() {
		return turn.LeaseUntil == nil || !turn.LeaseUntil.After(r.Clock.Now())
	}
	open, err := sc.OpenTurns(ctx, turn.SessionID)
	if err != nil || len(open) == 0 {
		return err == nil
	}
	next := open[0]
	for _, t := range open {
		if t.State.Held() {
			return false // its end wakes the next one
		}
	}
	if next.ID != turn.ID { // a hint was lost, or overtaken
		r.waiting.push(models.TurnRef{OrganizationID: ref.OrganizationID, ID: next.ID})
		return false
	}
	return true
}

// joined goes on with the turn that answers a message together with its own.
func (r *Runner) joined(ctx context.Context, sc *models.Scope, ref models.TurnRef) {
	turn, err := sc.Turn(ctx, ref.ID)
	if err != nil { // the sweep finds the other one
		return
	}
	hintSession(ctx, r.Bus, turn.SessionID, 0)
	r.waiting.push(models.TurnRef{OrganizationID: ref.OrganizationID, ID: turn.JoinedTo})
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// recovered turns a panic into the failure of this one turn.
func (x *run) recovered(ctx context.Context) {
	p := recover()
	if p == nil {
		return
	}
	x.Log.ErrorContext(ctx, "agent: a turn panicked", "turn", x.turn.ID, "panic", p, "stack", string(debug.Stack()))
	x.finish(ctx, fault.New(fault.Internal, "turn.panic", "An internal error ended this turn"))
}

// beat keeps the lease, and hears of stops, until the returned function is called.
func (x *run) beat(cancel context.CancelCauseFunc) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(x.Heartbeat)
		defer tick.Stop()
		for held := time.Now(); ; {
			select {
			case <-quit:
				return
			case <-x.first:
				x.firstToken()
				continue
			case <-x.poke:
			case <-tick.C:
			}
			held = x.renew(cancel, held)
		}
	}()
	return func() { close(quit); <-done }
}

// renew heartbeats once. A worker that could not renew for a whole lease must stop by itself: another one has
// the turn by now.
func (x *run) renew(cancel context.CancelCauseFunc, held time.Time) time.Time {
	ctx, done := context.WithTimeout(context.Background(), models.TurnLease/2)
	defer done()
	begun := time.Now()
	stop, err := x.sc.Heartbeat(ctx, x.lease)
	switch {
	case errors.Is(err, models.ErrLeaseLost):
		cancel(errLost)
	case err != nil && time.Since(held) > models.TurnLease:
		x.Log.Warn("agent: a lease could not be renewed", "turn", x.turn.ID, "error", err)
		cancel(errLost)
	case err == nil && stop:
		cancel(errStop)
		return begun
	case err == nil:
		return begun
	}
	return held
}

// firstToken notes when the answer began, beside the stream and not in its way.
func (x *run) firstToken() {
	ctx, done := context.WithTimeout(context.Background(), models.TurnLease/2)
	defer done()
	_ = x.sc.BeginAnswer(ctx, x.lease, x.route.Name, x.route.Model)
}

// append writes events of the turn, remembers them as context, and tells who follows.
func (x *run) append(ctx context.Context, p models.TurnProgress, data ...models.EventData) error {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer done()
	x.parts.flush()
	p.Calls, p.Texts = x.seen.calls, x.seen.texts
	rows, err := x.sc.AppendTurn(ctx, x.lease, p, data...)
	if err != nil {
		return err
	}
	x.seen.calls, x.seen.texts = nil, nil
	if len(rows) == 0 {
		return nil
	}
	x.book.add(rows...)
	hintSession(ctx, x.Bus, x.turn.SessionID, rows[len(rows)-1].Seq)
	return nil
}

// notice writes a remark of the system; it is not worth failing for.
func (x *run) notice(ctx context.Context, level models.LogLevel, format string, args ...any) {
	if err := x.append(ctx, models.TurnProgress{}, models.Notice{Level: level, Text: fmt.Sprintf(format, args...)}); err != nil {
		x.Log.WarnContext(ctx, "agent: a notice was not written", "turn", x.turn.ID, "error", err)
	}
}
