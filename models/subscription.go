package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Subscription is what Stripe said last of what an organization pays for. Every write replaces all of it.
type Subscription struct {
	ID                 string
	OrganizationID     string
	StripeCustomer     string
	StripeSubscription string
	Status             SubscriptionStatus
	Plan               Tier
	Annual             bool
	PeriodEnd          *time.Time
	CancelAt           *time.Time // it ends then, and is not renewed
	Ticket             int64      // of the fetch that wrote this
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

// SubscriptionStatus is Stripe's word for how a subscription fares (docs.stripe.com, "Subscription statuses").
type SubscriptionStatus string

// Stripe's words.
const (
	SubscriptionTrialing          SubscriptionStatus = "trialing"
	SubscriptionActive            SubscriptionStatus = "active"
	SubscriptionPastDue           SubscriptionStatus = "past_due" // a payment failed and Stripe tries again: a warning, no suspension
	SubscriptionUnpaid            SubscriptionStatus = "unpaid"   // the tries are over
	SubscriptionPaused            SubscriptionStatus = "paused"   // a trial ended without a way to pay
	SubscriptionCanceled          SubscriptionStatus = "canceled"
	SubscriptionIncomplete        SubscriptionStatus = "incomplete" // the first payment is not made yet
	SubscriptionIncompleteExpired SubscriptionStatus = "incomplete_expired"
)

// endings says why an organization whose subscription is in a state stands still.
var endings = map[SubscriptionStatus]string{
	SubscriptionUnpaid:   "the subscription is not paid",
	SubscriptionPaused:   "the subscription is paused",
	SubscriptionCanceled: "the subscription was cancelled",
}

// Live tells whether the plan is the organization's.
func (s SubscriptionStatus) Live() bool {
	return s == SubscriptionTrialing || s == SubscriptionActive || s == SubscriptionPastDue
}

// Open tells whether the subscription still exists in Stripe, so that a second one would be paid twice.
func (s SubscriptionStatus) Open() bool {
	return s.Live() || s == SubscriptionUnpaid || s == SubscriptionPaused
}

// Subscribed is the present state of a subscription as it was fetched from Stripe.
type Subscribed struct {
	Customer, Subscription string
	Status                 SubscriptionStatus
	Plan                   Tier // "" = not known: the organization's stays
	Annual                 bool
	PeriodEnd, CancelAt    *time.Time
	Weighed                []string // the subscriptions that were fetched to choose this one, itself included
}

// StripeEvent is one event that Stripe sent.
type StripeEvent struct {
	ID         string
	Type       string
	Ticket     int64
	ReceivedAt time.Time
	DoneAt     *time.Time
}

// ErrSubscriptionMoved means that another event changed the organization's subscription since it was weighed: fetch
// again with a fresh ticket.
var ErrSubscriptionMoved = fault.New(fault.Conflict, "subscription.moved", "The subscription was changed by another event")

// ticketLock is the key of Postgres's advisory lock around the number of the next ticket.
const ticketLock = 7106851494

// TakeStripeEvent notes that an event came and numbers what is fetched from Stripe after this call: of two fetches the
// one with the higher number began later and saw no older state. done: the event has had its effect.
func (sy *System) TakeStripeEvent(ctx context.Context, eventID, kind string) (ticket int64, done bool, err error) {
	now := sy.store.now()
	err = sy.tx(ctx, func(tx *gorm.DB) error {
		if err := advisory(tx, ticketLock); err != nil {
			return err
		}
		seen, err := first[StripeEvent](tx.Where("id = ?", eventID))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if done = err == nil && seen.DoneAt != nil; done {
			return nil
		}
		if ticket, err = nextTicket(tx); err != nil {
			return err
		}
		if seen != nil {
			_, err := changed(tx.Model(&StripeEvent{}).Where("id = ?", eventID), map[string]any{"ticket": ticket})
			return err
		}
		return tx.Create(&StripeEvent{ID: clip(cleanText(eventID), 255), Type: clip(cleanText(kind), 255), Ticket: ticket, ReceivedAt: now}).Error
	})
	return ticket, done, err
}

// nextTicket looks in both tables: events are forgotten after a while, and a number must never come twice.
func nextTicket(tx *gorm.DB) (int64, error) {
	var events, rows int64
	if err := tx.Model(&StripeEvent{}).Select("coalesce(max(ticket), 0)").Scan(&events).Error; err != nil {
		return 0, err
	}
	err := tx.Model(&Subscription{}).Select("coalesce(max(ticket), 0)").Scan(&rows).Error
	return max(events, rows) + 1, err
}

// DropStripeEvent marks an event as done that concerns no organization here.
func (sy *System) DropStripeEvent(ctx context.Context, eventID string) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		_, err := claimStripeEvent(tx, eventID, sy.store.now())
		return err
	})
}

func claimStripeEvent(tx *gorm.DB, eventID string, now time.Time) (bool, error) {
	return changed(tx.Model(&StripeEvent{}).Where("id = ? AND done_at IS NULL", eventID), map[string]any{"done_at": now})
}

// OrganizationOfCustomer finds whose customer one of Stripe's is; NotFound when nobody's.
func (sy *System) OrganizationOfCustomer(ctx context.Context, customer string) (string, error) {
	s, err := first[Subscription](sy.read(ctx).Where("stripe_customer = ?", customer).Order("id").Limit(1))
	if err != nil {
		return "", err
	}
	return s.OrganizationID, nil
}

// Subscription reads the organization's; NotFound when it never had one.
func (sc *Scope) Subscription(ctx context.Context) (*Subscription, error) {
	return first[Subscription](sc.read(ctx).Where("organization_id = ?", sc.Org))
}

// ApplySubscription claims an event and writes what Stripe says now, in one transaction: the row, the organization's
// plan, and whether it stands still. The order and the number of events do not matter: a fetch that began earlier never
// replaces what a later one wrote, and an event that is done has no second effect. It gives the instances whose
// reconcilers are to be told; ErrSubscriptionMoved asks the caller to fetch again.
func (sc *Scope) ApplySubscription(ctx context.Context, eventID string, ticket int64, s Subscribed) ([]Instance, error) {
	var rows []Instance
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		o, err := sc.heldOrganization(tx)
		if err != nil {
			return err
		}
		was, err := first[Subscription](tx.Where("organization_id = ?", sc.Org))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		stale, err := s.against(was, ticket)
		if err != nil {
			return err
		}
		system := tx.WithContext(systemContext(ctx, "events are the installation's"))
		if fresh, err := claimStripeEvent(system, eventID, sc.store.now()); err != nil || !fresh || stale {
			return err
		}
		if s.Plan == "" {
			s.Plan = o.Plan
		}
		if err := sc.writeSubscription(tx, was, ticket, s); err != nil {
			return err
		}
		rows, err = sc.followSubscription(tx, o, s)
		return err
	})
	return rows, err
}

// against tells whether the state is older than what is written, or was chosen without knowing what is written.
func (s *Subscribed) against(was *Subscription, ticket int64) (stale bool, err error) {
	switch {
	case was == nil:
		return false, nil
	case !slices.Contains(s.Weighed, was.StripeSubscription):
		return false, ErrSubscriptionMoved
	case was.Ticket < ticket:
		return false, nil
	case len(s.Weighed) > 1:
		return false, ErrSubscriptionMoved
	}
	return true, nil
}

func (sc *Scope) writeSubscription(tx *gorm.DB, was *Subscription, ticket int64, s Subscribed) error {
	now := sc.store.now()
	note := act{name: "subscription.changed", kind: "subscription", id: s.Subscription, of: string(s.Plan),
		after: map[string]any{"plan": s.Plan, "status": s.Status, "annual": s.Annual, "cancel_at": s.CancelAt}}
	if was == nil {
		row := &Subscription{ID: id.New(), OrganizationID: sc.Org, StripeCustomer: s.Customer, StripeSubscription: s.Subscription, Status: s.Status,
			Plan: s.Plan, Annual: s.Annual, PeriodEnd: s.PeriodEnd, CancelAt: s.CancelAt, Ticket: ticket, CreatedAt: now, UpdatedAt: now}
		if err := tx.Create(row).Error; err != nil {
			return err
		}
		return sc.audit(tx, note)
	}
	_, err := changed(tx.Model(&Subscription{}).Where("id = ?", was.ID), map[string]any{"stripe_customer": s.Customer, "stripe_subscription": s.Subscription,
		"status": s.Status, "plan": s.Plan, "annual": s.Annual, "period_end": s.PeriodEnd, "cancel_at": s.CancelAt, "ticket": ticket, "updated_at": now})
	if err != nil || was.StripeSubscription == s.Subscription && was.Status == s.Status && was.Plan == s.Plan && was.Annual == s.Annual && sameTime(was.CancelAt, s.CancelAt) {
		return err
	}
	note.before = map[string]any{"plan": was.Plan, "status": was.Status, "annual": was.Annual, "cancel_at": was.CancelAt}
	return sc.audit(tx, note)
}

func sameTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

// followSubscription makes the organization what its subscription says.
func (sc *Scope) followSubscription(tx *gorm.DB, o *Organization, s Subscribed) ([]Instance, error) {
	if why := endings[s.Status]; why != "" {
		return sc.suspend(tx, why)
	}
	if !s.Status.Live() { // a first payment that is not made changes nothing
		return nil, nil
	}
	if o.Plan != s.Plan {
		if _, err := changed(tx.Model(&Organization{}).Where("id = ?", sc.Org), map[string]any{"plan": s.Plan, "updated_at": sc.store.now()}); err != nil {
			return nil, err
		}
	}
	return sc.resume(tx)
}
