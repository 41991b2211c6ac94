package door

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/id"
	"lobstead/models"
)

// charge is a call as the ledger sees it.
func (c Call) charge(r Route) models.Charge {
	return models.Charge{CallID: id.New(), Purpose: c.Purpose, InstanceID: c.InstanceID, SessionID: c.SessionID, TurnID: c.TurnID,
		MemberID: c.MemberID, KeyID: c.KeyID, ScheduleID: c.ScheduleID, Provider: r.Name, Model: r.Model, Unpriced: !r.Priced()}
}

// keeper says of a call, from time to time, that it is under way and what it is known to have cost: when this process
// dies, that is what the sweep settles it at. A short call never hears of it.
type keeper struct {
	door   *Door
	ctx    context.Context
	sc     *models.Scope
	charge models.Charge
	meter  *meter
	every  time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// keep renews the lease of a call until the returned function is called.
func (d *Door) keep(ctx context.Context, sc *models.Scope, c models.Charge, m *meter) (stop func()) {
	k := &keeper{door: d, ctx: context.WithoutCancel(ctx), sc: sc, charge: c, meter: m, every: cmp.Or(d.Keep, models.ReservationLease/3)}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(k.every, k.renew)
	return k.stop
}

func (k *keeper) renew() {
	ctx, done := context.WithTimeout(k.ctx, settleLimit)
	defer done()
	c, u := k.charge, llm.Usage{Input: k.meter.input, Output: int(k.meter.said.Load()+3) / 4}
	c.InputTokens, c.OutputTokens, c.CostNanos = u.Input, u.Output, k.meter.route.cost(u, k.door.now())
	if _, err := k.sc.KeepReservation(ctx, c); err != nil {
		slog.WarnContext(ctx, "agent: the lease of a call was not renewed", "call", c.CallID, "error", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.stopped {
		k.timer.Reset(k.every)
	}
}

func (k *keeper) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	k.timer.Stop()
}
