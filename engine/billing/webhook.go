package billing

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"lobstead/kit/fault"
	"lobstead/models"
)

// MaxEvent bounds the body of a webhook; Stripe's events have a few kilobytes.
const MaxEvent = 512 << 10

// window is how old a signature may be.
const window = 5 * time.Minute

// tries is how often an event is looked at anew when another one was quicker.
const tries = 8

// Webhook takes an event from Stripe: raw is the body as it came, signature its header. The signature covers the bytes
// and the time, so that nothing is parsed before it is checked. What the event says is not believed beyond whose
// subscription it is about: the subscription is fetched, and all of its state is written. So repeated events, events in
// any order and events at the same time end in what Stripe says now.
func (b *Billing) Webhook(ctx context.Context, raw []byte, signature string) error {
	if !b.Configured() || b.WebhookSecret.Empty() { // with an empty secret anybody could sign
		return ErrUnconfigured
	}
	if len(raw) > MaxEvent {
		return fault.New(fault.TooLarge, "billing.event", "Request body too large")
	}
	event, err := webhook.ConstructEventWithOptions(raw, signature, b.WebhookSecret.Reveal(),
		webhook.ConstructEventOptions{Tolerance: window, IgnoreAPIVersionMismatch: true})
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "billing.signature", "The signature of the event is not valid")
	}
	if event.ID == "" {
		return fault.New(fault.Invalid, "billing.event", "The event has no id")
	}
	about := subscriptionOf(&event)
	for range tries {
		err = b.take(ctx, &event, about)
		if !errors.Is(err, models.ErrSubscriptionMoved) {
			return err
		}
	}
	return fault.Wrap(err, fault.Unavailable, "billing.busy", "Too much happens to this subscription at once")
}

// take gives an event its effect, once.
func (b *Billing) take(ctx context.Context, event *stripe.Event, about string) error {
	system := b.Store.AsSystem("an event from Stripe names its organization itself")
	ticket, done, err := system.TakeStripeEvent(ctx, event.ID, string(event.Type))
	if err != nil || done {
		return err
	}
	if about == "" {
		return system.DropStripeEvent(ctx, event.ID)
	}
	sub, err := b.fetch(ctx, about)
	if err != nil {
		return err
	}
	org, err := b.whose(ctx, sub)
	if err != nil {
		return err
	}
	if org == "" {
		b.Log.InfoContext(ctx, "an event from Stripe concerns no organization here", "event", event.ID, "type", event.Type)
		return system.DropStripeEvent(ctx, event.ID)
	}
	sc := b.Store.In(org).As(models.Actor{Name: "Stripe"})
	state, err := b.weigh(ctx, sc, sub)
	if err != nil {
		return err
	}
	rows, err := sc.ApplySubscription(ctx, event.ID, ticket, state)
	switch {
	case fault.Is(err, fault.NotFound): // the organization went meanwhile
		return system.DropStripeEvent(ctx, event.ID)
	case err == nil && b.Changed != nil:
		b.Changed(ctx, org, rows)
	}
	return err
}

// subscriptionOf names the subscription that an event is about, "" for events that concern none.
func subscriptionOf(e *stripe.Event) string {
	if e.Data == nil {
		return ""
	}
	var o struct {
		ID           string          `json:"id"`
		Object       string          `json:"object"`
		Subscription json.RawMessage `json:"subscription"` // of a checkout, and of invoices of older API versions
		Parent       struct {
			Details struct {
				Subscription json.RawMessage `json:"subscription"`
			} `json:"subscription_details"`
		} `json:"parent"`
	}
	if json.Unmarshal(e.Data.Raw, &o) != nil {
		return ""
	}
	switch o.Object {
	case "subscription":
		return o.ID
	case "invoice", "checkout.session":
		if id := idOf(o.Parent.Details.Subscription); id != "" {
			return id
		}
		return idOf(o.Subscription)
	}
	return ""
}

// idOf reads a reference, which may be expanded.
func idOf(raw json.RawMessage) string {
	var id string
	if json.Unmarshal(raw, &id) == nil {
		return id
	}
	var o struct{ ID string }
	_ = json.Unmarshal(raw, &o) // absent: no id
	return o.ID
}

// fetch asks Stripe how a subscription is now; nil when Stripe knows none.
func (b *Billing) fetch(ctx context.Context, id string) (*stripe.Subscription, error) {
	s, err := b.stripe.V1Subscriptions.Retrieve(ctx, id, nil)
	if err != nil && missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, upstream(err)
	}
	return s, nil
}

// whose finds the organization of a subscription: by what we wrote on it, else by its customer. "" when it is nobody's:
// one account of Stripe may sell other things too.
func (b *Billing) whose(ctx context.Context, s *stripe.Subscription) (string, error) {
	if s == nil {
		return "", nil
	}
	org := s.Metadata[metaOrganization]
	if org == "" && s.Customer != nil {
		found, err := b.Store.AsSystem("whose customer is this").OrganizationOfCustomer(ctx, s.Customer.ID)
		if fault.Is(err, fault.NotFound) {
			return "", nil
		}
		return found, err
	}
	if _, err := b.Store.In(org).Organization(ctx); err != nil {
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return "", err
	}
	return org, nil
}

// weigh gives the state that counts: of the subscription, or of the organization's present one when that is better. Both
// are fetched.
func (b *Billing) weigh(ctx context.Context, sc *models.Scope, s *stripe.Subscription) (models.Subscribed, error) {
	plans, err := sc.Plans(ctx)
	if err != nil {
		return models.Subscribed{}, err
	}
	weighed := []string{s.ID}
	had, err := subscription(ctx, sc)
	if err != nil {
		return models.Subscribed{}, err
	}
	if had.StripeSubscription != "" && had.StripeSubscription != s.ID {
		weighed = append(weighed, had.StripeSubscription)
		other, err := b.fetch(ctx, had.StripeSubscription)
		if err != nil {
			return models.Subscribed{}, err
		}
		if better(other, s) {
			s = other
		}
	}
	out := state(s, plans)
	out.Weighed = weighed
	return out, nil
}

// better tells whether a counts instead of b: the one that is paid, else the newer.
func better(a, b *stripe.Subscription) bool {
	if a == nil {
		return false
	}
	if x, y := rank(a), rank(b); x != y {
		return x > y
	}
	if a.Created != b.Created {
		return a.Created > b.Created
	}
	return a.ID > b.ID
}

func rank(s *stripe.Subscription) int {
	switch models.SubscriptionStatus(s.Status) {
	case models.SubscriptionActive, models.SubscriptionTrialing:
		return 4
	case models.SubscriptionPastDue:
		return 3
	case models.SubscriptionUnpaid, models.SubscriptionPaused:
		return 2
	case models.SubscriptionCanceled:
		return 1
	case models.SubscriptionIncomplete, models.SubscriptionIncompleteExpired:
		return 0 // a first payment that is not made: it never counted
	}
	return 0
}

// state reads what concerns us of a subscription.
func state(s *stripe.Subscription, plans []models.Plan) models.Subscribed {
	out := models.Subscribed{Subscription: s.ID, Status: models.SubscriptionStatus(s.Status), CancelAt: moment(s.CancelAt)}
	if s.Customer != nil {
		out.Customer = s.Customer.ID
	}
	if s.Items != nil && len(s.Items.Data) > 0 {
		item := s.Items.Data[0]
		out.PeriodEnd = moment(item.CurrentPeriodEnd)
		if item.Price != nil && item.Price.Recurring != nil {
			out.Annual = item.Price.Recurring.Interval == stripe.PriceRecurringIntervalYear
		}
		out.Plan = planOf(item.Price, plans)
	}
	if out.Plan == "" {
		out.Plan = knownTier(s.Metadata[metaPlan])
	}
	if s.CancelAtPeriodEnd && out.CancelAt == nil {
		out.CancelAt = out.PeriodEnd
	}
	return out
}

// planOf knows the prices that staff named, and those that say their plan themselves.
func planOf(p *stripe.Price, plans []models.Plan) models.Tier {
	if p == nil {
		return ""
	}
	for n := range plans {
		if p.ID != "" && (p.ID == plans[n].StripePriceMonth || p.ID == plans[n].StripePriceYear) {
			return plans[n].Tier
		}
	}
	return knownTier(p.Metadata[metaPlan])
}

func knownTier(word string) models.Tier {
	if word = strings.ToUpper(word); slices.Contains(models.TierNames, word) {
		return models.Tier(word)
	}
	return ""
}

func moment(unix int64) *time.Time {
	if unix == 0 {
		return nil
	}
	t := time.Unix(unix, 0).UTC()
	return &t
}
