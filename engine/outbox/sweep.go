package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"lobstead/kit/events"
)

// sweepBatch is how many rows one sweep takes; the next one takes the rest.
const sweepBatch = 500

// enqueueLimit is how long a Redis may take before this worker does the work itself.
const enqueueLimit = time.Second

// Follow sends what is hinted at, from before it returns, and what the sweep asks for, until ctx ends. wait returns when
// all that it began is over.
func (o *Outbox) Follow(ctx context.Context) (wait func()) {
	sub := o.Bus.Subscribe(1024, topic) // what a burst drops, the sweep finds
	asked := o.asked()
	var work sync.WaitGroup
	begin := func(id string) {
		if o.spare() { // else the sweep hands it to whoever has a place
			work.Go(func() { o.try(ctx, id) })
		}
	}
	work.Go(func() {
		defer sub.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case id := <-asked:
				begin(id)
			case e := <-sub.C():
				if id := hinted(e); id != "" {
					begin(id)
				}
			}
		}
	})
	return work.Wait
}

func hinted(e events.Event) string {
	if e.Resync {
		return ""
	}
	return string(e.Payload)
}

// try is Deliver for callers that have nobody to tell.
func (o *Outbox) try(ctx context.Context, id string) {
	if err := o.Deliver(ctx, id); err != nil && ctx.Err() == nil {
		o.Log.WarnContext(ctx, "a delivery could not be tried, the sweep will try again", "delivery", id, "error", err)
	}
}

// Sweep finds what is due and has it sent: by the queue, so that all workers share it, and by this process what the queue
// did not bring about since the sweep before, or cannot take.
func (o *Outbox) Sweep(ctx context.Context) error {
	if len(o.Senders) == 0 {
		return nil
	}
	if err := o.system().WriteNotifications(ctx); err != nil {
		return err
	}
	due, err := o.system().DueDeliveries(ctx, o.kinds(), sweepBatch)
	if err != nil {
		return err
	}
	before := o.note(due)
	queue := true
	for _, id := range due {
		if queue {
			if err := o.enqueue(ctx, id); err != nil {
				o.Log.WarnContext(ctx, "no queue, this worker delivers by itself", "deliveries", len(due), "error", err)
				queue = false // one refusal is enough: waiting for each would take minutes
			}
		}
		if !queue || before[id] {
			o.ask(id)
		}
	}
	return ctx.Err()
}

// note keeps what this sweep saw and gives what the one before did.
func (o *Outbox) note(due []string) (before map[string]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before, o.seen = o.seen, map[string]bool{}
	for _, id := range due {
		o.seen[id] = true
	}
	return before
}

// ask leaves one to Follow, when there is room.
func (o *Outbox) ask(id string) {
	select {
	case o.asked() <- id:
	default:
	}
}

func (o *Outbox) enqueue(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueLimit)
	defer cancel()
	return o.Jobs.Deliver(ctx, id)
}

// Tidy forgets what ended, or was told, long ago.
func (o *Outbox) Tidy(ctx context.Context) error {
	return errors.Join(o.system().TidyDeliveries(ctx), o.system().TidyNotifications(ctx))
}
