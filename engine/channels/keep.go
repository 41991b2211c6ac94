package channels

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
)

// Keeper connects accounts, and listens for those that are to be asked for news. Any number of them may share a database: an account
// has one listener, whoever it is.
type Keeper struct {
	Desk *Desk
	Node string // as the one of the runner beside it: what that works on is shown by this one
	Log  *slog.Logger

	mu   sync.Mutex
	held map[string]chan struct{} // channels in the hands of this process; one in each tells that it was changed
}

const (
	keepEvery   = time.Second // how long a lost hint goes unnoticed
	keepAtOnce  = 200         // accounts taken up in one look
	keepMost    = 5000        // accounts that one process listens for
	checkLimit  = 30 * time.Second
	firstRetry  = 5 * time.Second
	longestWait = 10 * time.Minute
)

// Run keeps accounts until ctx ends; then it lets go of them, for another worker at once.
func (k *Keeper) Run(ctx context.Context) {
	k.held = map[string]chan struct{}{}
	sub := k.Desk.Bus.Subscribe(1, topic)
	defer sub.Close()
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	var work sync.WaitGroup
	defer work.Wait()
	var tidied, typed time.Time
	for {
		k.look(ctx, &work)
		if now := time.Now(); now.Sub(typed) >= typingEvery && ctx.Err() == nil {
			k.showWork(ctx)
			typed = now
		}
		if now := time.Now(); now.Sub(tidied) > time.Hour && ctx.Err() == nil {
			if err := k.system().TidyChannels(ctx); err != nil {
				k.Log.WarnContext(ctx, "channels could not be tidied", "error", err)
			}
			tidied = now
		}
		select {
		case <-ctx.Done():
			return
		case e := <-sub.C():
			k.nudge(string(e.Payload))
		case <-tick.C:
		}
	}
}

// nudge has an account looked at that was changed: what is switched off is heard no longer.
func (k *Keeper) nudge(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case k.held[id] <- struct{}{}:
	default: // not here, or it is told already
	}
}

func (k *Keeper) system() *models.System {
	return k.Desk.Store.AsSystem("accounts of all are connected")
}

func (k *Keeper) look(ctx context.Context, work *sync.WaitGroup) {
	idle, err := k.system().IdleChannels(ctx, keepAtOnce)
	if err != nil {
		if ctx.Err() == nil {
			k.Log.WarnContext(ctx, "channels cannot be read", "error", err)
		}
		return
	}
	for n := range idle {
		ch := &idle[n]
		if k.Desk.Services[ch.Kind] == nil {
			continue
		}
		changed := k.reserve(ch.ID)
		if changed == nil {
			continue
		}
		work.Go(func() {
			defer k.forget(ch.ID)
			k.keep(ctx, ch, changed)
		})
	}
}

// reserve notes that this process has an account in its hands, and gives what tells of its changes; nil when it has it already, or too many.
func (k *Keeper) reserve(id string) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held[id] != nil || len(k.held) >= keepMost {
		return nil
	}
	k.held[id] = make(chan struct{}, 1)
	return k.held[id]
}

func (k *Keeper) forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.held, id)
}

// keep holds an account: it is asked who it is, connected, and listened for, for as long as nobody changes it.
func (k *Keeper) keep(ctx context.Context, ch *models.Channel, changed <-chan struct{}) {
	owner := k.Node + "/" + id.New()
	if err := k.system().HoldChannel(ctx, ch.ID, owner, ch.Generation); err != nil {
		return // another worker's
	}
	defer func() {
		drop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = k.system().DropChannel(drop, ch.ID, owner) // else it runs out
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go k.renew(ctx, cancel, ch, owner, changed)
	r, err := k.serve(ctx, ch, owner)
	if ctx.Err() != nil && err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	if err != nil {
		r = failure(ch, err)
		k.Log.WarnContext(ctx, "a channel failed", "channel", ch.ID, "kind", ch.Kind, "error", err, "again", r.Retry)
	}
	k.report(ctx, ch, owner, r)
}

// renew keeps the hold; when it is lost the account is let go.
func (k *Keeper) renew(ctx context.Context, cancel context.CancelFunc, ch *models.Channel, owner string, changed <-chan struct{}) {
	tick := time.NewTicker(models.ChannelLease / 5)
	defer tick.Stop()
	for held := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-changed:
		}
		err := k.system().HoldChannel(ctx, ch.ID, owner, ch.Generation)
		switch {
		case err == nil:
			held = time.Now()
		case errors.Is(err, models.ErrChannelHeld) || time.Since(held) > models.ChannelLease*3/4:
			cancel()
			return
		}
	}
}

// serve connects an account and listens for it, where it is to be listened for: until ctx ends, or it cannot go on.
func (k *Keeper) serve(ctx context.Context, ch *models.Channel, owner string) (models.ChannelReport, error) {
	s := k.Desk.Services[ch.Kind]
	a, err := k.Desk.Account(ch)
	if err != nil {
		return models.ChannelReport{}, err
	}
	check, done := context.WithTimeout(ctx, checkLimit)
	defer done()
	p, err := s.Check(check, a)
	if err != nil {
		return models.ChannelReport{}, err
	}
	l, ok := s.(service.Listener)
	listens := ok && l.Listens(a)
	if h, ok := s.(service.Hooked); ok && !listens {
		if err := h.Hook(check, a, k.Desk.Hook(ch)); err != nil {
			return models.ChannelReport{}, err
		}
	}
	r := models.ChannelReport{State: models.ChannelConnected, Name: p.Name, ExternalID: p.ID, Link: p.Link, Note: p.Note, Listens: listens}
	if !listens {
		return r, nil
	}
	k.report(ctx, ch, owner, r)
	a.Past = func(ctx context.Context) ([]service.Mark, error) { return k.past(ctx, ch.ID) }
	return r, l.Listen(ctx, a, func(ctx context.Context, e service.Event) error { return k.Desk.hear(ctx, ch, a, &e) })
}

// mostPast is how many conversations are heard again after a time when nobody listened.
const mostPast = 200

// past gives how far the conversations of an account were heard.
func (k *Keeper) past(ctx context.Context, channelID string) ([]service.Mark, error) {
	rows, err := k.system().ChannelMarks(ctx, channelID, mostPast)
	if err != nil {
		return nil, err
	}
	out := make([]service.Mark, len(rows))
	for n, r := range rows {
		out[n].Message = r.MessageID
		if err := json.Unmarshal([]byte(r.Peer), &out[n].Peer); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (k *Keeper) report(ctx context.Context, ch *models.Channel, owner string, r models.ChannelReport) {
	if err := k.system().ReportChannel(ctx, ch.ID, owner, r); err != nil && !errors.Is(err, models.ErrChannelHeld) && ctx.Err() == nil {
		k.Log.WarnContext(ctx, "the state of a channel was not written", "channel", ch.ID, "error", err)
	}
	k.Desk.Bus.Publish(ctx, orgTopic(ch), nil)
}

// failure says what is told of an account that cannot be connected: one whose credentials are refused waits for somebody, all else is tried again.
func failure(ch *models.Channel, err error) models.ChannelReport {
	f := fault.As(err)
	r := models.ChannelReport{State: models.ChannelFailed, Error: f.Detail}
	if f.Kind == fault.Unauthenticated || f.Kind == fault.Invalid || f.Kind == fault.Forbidden || f.Kind == fault.NotFound {
		return r
	}
	if f.Kind == fault.Internal {
		r.Error = "It could not be connected"
	}
	r.Retry = min(firstRetry<<min(ch.Attempts, 10), longestWait)
	if wait := time.Until(f.RetryAt); wait > r.Retry {
		r.Retry = wait
	}
	return r
}
