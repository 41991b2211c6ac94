// Package outbox sends what rows say is to be sent: at least once, in the order of each destination, and never lost.
// It owns the ways out (a Sender for each kind), the pauses between attempts, and which errors pass. The rows, their
// states and their leases are models'. It must not know HTTP or asynq, and it keeps nothing that matters in memory: a
// hint makes it quick, the sweep makes it sure.
package outbox

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/slots"
	"lobstead/models"
)

// Sender is the way out of one kind.
type Sender interface {
	// Send hands a delivery over and gives the other side's answer, which a customer may read. It puts the claim's
	// secret where models.SecretMark stands, and the idempotency key where the other side looks for it. ctx ends well
	// before the lease.
	//
	// An error that Permanent made ends the delivery: it is dead, and waits for somebody. One that RetryAt made is tried
	// again at its time, which the other side has asked for: for a day that costs no attempt. Every other one is tried
	// again after a pause of the table, with the lane waiting for models.LaneHold at most.
	Send(ctx context.Context, c *models.Claim) (Answer, error)
}

// Answer is what the other side said, whether it took the delivery or not.
type Answer struct {
	Status int    // of HTTP, 0 for other ways
	Text   string // its beginning is kept
}

// Enqueuer is the durable path of a delivery to a worker; *jobs.Client is one.
type Enqueuer interface {
	Deliver(ctx context.Context, delivery string) error
}

// Outbox sends. Any number of them may share a database.
type Outbox struct {
	Store   *models.Store
	Bus     *events.Bus
	Jobs    Enqueuer
	Senders map[models.DeliveryKind]Sender // what has none here waits for a worker that has
	Node    string
	Log     *slog.Logger
	// Slots is how many deliveries are on their way at once; 0 = 64: most wait for the other side.
	Slots int

	slots slots.Slots
	once  sync.Once
	asks  chan string // what the sweep wants done by this process

	mu   sync.Mutex
	seen map[string]bool // at the sweep before
}

const (
	defaultSlots = 64
	// sendLimit leaves time to write down what came of it before the lease ends.
	sendLimit = models.DeliveryLease - 15*time.Second
	// wrapUp is how long the last write may take, also of a worker that stops: what was sent is written down.
	wrapUp = 5 * time.Second
)

// topic tells every worker that a delivery was written.
const topic = "deliveries"

// Wake tells the workers of a delivery, after the commit. What it loses, the sweep finds.
func Wake(ctx context.Context, bus *events.Bus, deliveryID string) {
	bus.Publish(ctx, topic, []byte(deliveryID))
}

// pauses are those after each failed attempt: a day in all, for a server that is being moved.
var pauses = []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour}

// pause is that after attempt n, with up to a quarter more: what failed together does not come back together.
func pause(n int) time.Duration {
	d := pauses[min(max(n, 1), len(pauses))-1]
	return d + rand.N(d/4)
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that another attempt would only repeat.
func Permanent(err error) error { return permanent{err} }

type retryAt struct {
	error
	at time.Time
}

func (r retryAt) Unwrap() error { return r.error }

// RetryAt marks an error after which the other side has said when to come again. A time that is far off is taken as
// longestPause.
func RetryAt(err error, at time.Time) error { return retryAt{err, at} }

// longestPause bounds what another side may ask for; leastPause is what is waited at any rate.
const (
	longestPause = 24 * time.Hour
	leastPause   = time.Second
)

// atOnce is how many deliveries are on their way at once.
func (o *Outbox) atOnce() int {
	if o.Slots > 0 {
		return o.Slots
	}
	return defaultSlots
}

// spare tells whether a place is free.
func (o *Outbox) spare() bool { return o.slots.Spare(o.atOnce()) }

// asked is what the sweep wants done by this process: as many as it has places.
func (o *Outbox) asked() chan string {
	o.once.Do(func() { o.asks = make(chan string, o.atOnce()) })
	return o.asks
}

func (o *Outbox) kinds() []models.DeliveryKind {
	out := []models.DeliveryKind{}
	for _, k := range models.DeliveryKinds {
		if o.Senders[k] != nil {
			out = append(out, k)
		}
	}
	return out
}

func (o *Outbox) system() *models.System { return o.Store.AsSystem("the outbox sends for all") }

// Deliver makes one attempt at a delivery, and at those behind it when it went. It gives nil when the delivery is not to
// be had, and when a failure was recorded on the row: the row says when to try again. An error means that the row may
// not know: a database that does not answer, or ctx.
func (o *Outbox) Deliver(ctx context.Context, deliveryID string) error {
	free, err := o.slots.Take(ctx, o.atOnce())
	if err != nil {
		return err
	}
	defer free()
	for err == nil && deliveryID != "" {
		deliveryID, err = o.deliver(ctx, deliveryID)
	}
	return err
}

// deliver gives the next one of the lane, "" for none.
func (o *Outbox) deliver(ctx context.Context, deliveryID string) (next string, err error) {
	c, err := o.system().ClaimDelivery(ctx, deliveryID, o.Node+"/"+id.New(), o.kinds())
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	a, err := o.attempt(ctx, c)
	if err != nil {
		return "", err
	}
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), wrapUp)
	defer cancel()
	d, err := o.system().SettleDelivery(write, c, a)
	if fault.Is(err, fault.Conflict) { // dropped meanwhile, or slower than the lease
		return "", nil
	}
	if err != nil {
		return "", err
	}
	o.tell(d)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return o.system().NextDelivery(ctx, d)
}

// attempt hands a delivery over. The error is ctx's: then the delivery was given back.
func (o *Outbox) attempt(ctx context.Context, c *models.Claim) (models.Attempt, error) {
	work, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	began := time.Now()
	answer, err := o.Senders[c.Kind].Send(work, c)
	if err != nil && ctx.Err() != nil {
		write, cancel := context.WithTimeout(context.WithoutCancel(ctx), wrapUp)
		defer cancel()
		if err := o.system().ReleaseDelivery(write, c); err != nil {
			o.Log.WarnContext(ctx, "release failed, the lease will run out", "delivery", c.ID, "error", err)
		}
		return models.Attempt{}, ctx.Err()
	}
	a := models.Attempt{Sent: err == nil, Status: answer.Status, Response: hide(answer.Text, c), Took: time.Since(began), Pause: pause(c.Attempts)}
	if err != nil {
		_, a.Permanent = errors.AsType[permanent](err)
		if r, ok := errors.AsType[retryAt](err); ok {
			a.Asked, a.Pause = true, min(max(time.Until(r.at), leastPause), longestPause)
		}
		a.Error = hide(err.Error(), c)
	}
	return a, nil
}

// hide takes the secret out of what the other side said: it may repeat what it was sent.
func hide(text string, c *models.Claim) string {
	if c.Secret.Empty() {
		return text
	}
	return strings.ReplaceAll(text, c.Secret.Reveal(), models.SecretMark)
}

func (o *Outbox) tell(d *models.Delivery) {
	log := o.Log.With("delivery", d.ID, "kind", d.Kind, "organization", d.OrganizationID, "attempts", d.Attempts)
	switch d.State {
	case models.DeliverySent:
		log.Info("delivered")
	case models.DeliveryDead:
		level := slog.LevelInfo // an organization's own address, or its bot, is its own to mend: it is notified
		if d.Kind == models.MailDelivery {
			level = slog.LevelWarn
		}
		log.Log(context.Background(), level, "a delivery is dead", "reason", d.Reason, "error", d.LastError)
	default:
		log.Info("an attempt to deliver failed", "error", d.LastError, "again", d.NextAt)
	}
}
