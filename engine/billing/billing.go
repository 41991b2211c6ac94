// Package billing lets organizations pay through Stripe: checkout, customer portal, invoices, and the webhook by which
// Stripe tells how a subscription fares. It is the only package that knows Stripe; plans, limits and suspension are
// models'. It keeps nothing: what an organization pays for is in its row, and what is true is asked of Stripe.
package billing

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v85"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// Patience is how long Stripe may take to answer, for the client that is given to New.
const Patience = 20 * time.Second

// Config is what billing needs. Without a Key nothing can be paid, and every verb gives ErrUnconfigured.
type Config struct {
	Store         *models.Store
	Key           secret.String
	WebhookSecret secret.String
	APIURL        string // "" = Stripe's
	PublicURL     string // where people come back to, without a slash at the end
	Client        *http.Client
	// Changed tells workers and watchers of instances whose wish was written; nil = nobody.
	Changed func(ctx context.Context, org string, rows []models.Instance)
	Log     *slog.Logger
}

// Billing is the way to Stripe.
type Billing struct {
	Config
	stripe *stripe.Client
}

// ErrUnconfigured answers everything that needs Stripe where no key is given.
var ErrUnconfigured = fault.New(fault.Unavailable, "billing.unconfigured", "Billing is not configured").
	Hinting("Nothing is limited here and nothing is to be paid")

// New makes the way to Stripe; nothing is asked of it yet.
func New(c Config) *Billing {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	b := &Billing{Config: c}
	if c.Key.Empty() {
		return b
	}
	backend := &stripe.BackendConfig{HTTPClient: c.Client, EnableTelemetry: stripe.Bool(false), MaxNetworkRetries: stripe.Int64(1),
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull}} // errors are returned, and logged once where they end
	if c.APIURL != "" {
		backend.URL = stripe.String(c.APIURL)
	}
	b.stripe = stripe.NewClient(c.Key.Reveal(), stripe.WithBackends(stripe.NewBackendsWithConfig(backend)))
	return b
}

// Configured tells whether organizations can pay.
func (b *Billing) Configured() bool { return b != nil && b.stripe != nil }

// Words in the metadata of what we make in Stripe: by them a subscription finds back to its organization and plan.
const (
	metaOrganization = "lobstead_organization"
	metaPlan         = "lobstead_plan"
)

// currency of the plans' prices.
const currency = "usd"

const page = "/settings/billing"

// Checkout opens Stripe's page where a plan is bought, and gives its address. An organization that has a subscription
// already is sent to the customer portal instead: a second one would be paid twice.
func (b *Billing) Checkout(ctx context.Context, sc *models.Scope, email string, tier models.Tier, annual bool) (string, error) {
	if !b.Configured() {
		return "", ErrUnconfigured
	}
	plan, err := sc.Plan(ctx, tier)
	if err != nil {
		return "", err
	}
	had, err := subscription(ctx, sc)
	if err != nil {
		return "", err
	}
	if had.Status.Open() {
		return b.Portal(ctx, sc)
	}
	meta := map[string]string{metaOrganization: sc.Org, metaPlan: string(tier)}
	p := &stripe.CheckoutSessionCreateParams{
		Mode: stripe.String(string(stripe.CheckoutSessionModeSubscription)), ClientReferenceID: stripe.String(sc.Org),
		SuccessURL: stripe.String(b.PublicURL + page + "?checkout=done"), CancelURL: stripe.String(b.PublicURL + page),
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{lineItem(plan, annual)}, Metadata: meta,
		SubscriptionData: &stripe.CheckoutSessionCreateSubscriptionDataParams{Metadata: meta},
	}
	switch {
	case had.StripeCustomer != "":
		p.Customer = stripe.String(had.StripeCustomer)
	case email != "":
		p.CustomerEmail = stripe.String(email)
	}
	s, err := b.stripe.V1CheckoutSessions.Create(ctx, p)
	if err != nil {
		return "", upstream(err)
	}
	return address(s.URL)
}

// subscription reads the organization's, an empty one when it never had any.
func subscription(ctx context.Context, sc *models.Scope) (*models.Subscription, error) {
	s, err := sc.Subscription(ctx)
	if fault.Is(err, fault.NotFound) {
		return &models.Subscription{}, nil
	}
	return s, err
}

// lineItem buys by the price that staff named, else by one that is made from the plan's figures.
func lineItem(plan *models.Plan, annual bool) *stripe.CheckoutSessionCreateLineItemParams {
	item := &stripe.CheckoutSessionCreateLineItemParams{Quantity: stripe.Int64(1)}
	if id := plan.StripePrice(annual); id != "" {
		item.Price = stripe.String(id)
		return item
	}
	interval := stripe.PriceRecurringIntervalMonth
	if annual {
		interval = stripe.PriceRecurringIntervalYear
	}
	item.PriceData = &stripe.CheckoutSessionCreateLineItemPriceDataParams{
		Currency: stripe.String(currency), UnitAmount: stripe.Int64(int64(plan.Price(annual))),
		ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: stripe.String("Lobstead " + string(plan.Tier)),
			Metadata: map[string]string{metaPlan: string(plan.Tier)}},
		Recurring: &stripe.CheckoutSessionCreateLineItemPriceDataRecurringParams{Interval: stripe.String(string(interval))},
	}
	return item
}

// Portal opens Stripe's page where cards, invoices and the subscription are managed. Conflict before the first checkout.
func (b *Billing) Portal(ctx context.Context, sc *models.Scope) (string, error) {
	if !b.Configured() {
		return "", ErrUnconfigured
	}
	had, err := subscription(ctx, sc)
	if err != nil {
		return "", err
	}
	if had.StripeCustomer == "" {
		return "", fault.New(fault.Conflict, "billing.no_customer", "This organization has paid for nothing yet").Hinting("Choose a plan first")
	}
	s, err := b.stripe.V1BillingPortalSessions.Create(ctx, &stripe.BillingPortalSessionCreateParams{
		Customer: stripe.String(had.StripeCustomer), ReturnURL: stripe.String(b.PublicURL + page)})
	if err != nil {
		return "", upstream(err)
	}
	return address(s.URL)
}

// Invoice is one bill, as Stripe keeps it.
type Invoice struct {
	Number   string
	At       time.Time
	Total    int64  // in the currency's smallest unit
	Currency string // "usd"
	Status   string // Stripe's word: draft, open, paid, uncollectible, void
	URL      string // of its page; who has it can see the invoice
}

// shownInvoices is how many of the newest are listed; the portal has them all.
const shownInvoices = 24

// Invoices asks Stripe for the organization's newest invoices. None before the first checkout.
func (b *Billing) Invoices(ctx context.Context, sc *models.Scope) ([]Invoice, error) {
	if !b.Configured() {
		return nil, ErrUnconfigured
	}
	out := []Invoice{}
	had, err := subscription(ctx, sc)
	if err != nil || had.StripeCustomer == "" {
		return out, err
	}
	list := b.stripe.V1Invoices.List(ctx, &stripe.InvoiceListParams{Customer: stripe.String(had.StripeCustomer),
		ListParams: stripe.ListParams{Limit: stripe.Int64(shownInvoices), Single: true}})
	if err := list.Err(); err != nil {
		return nil, upstream(err)
	}
	for _, i := range list.Data() {
		out = append(out, Invoice{Number: i.Number, At: time.Unix(i.Created, 0).UTC(), Total: i.Total, Currency: string(i.Currency),
			Status: string(i.Status), URL: i.HostedInvoiceURL})
	}
	return out, nil
}

// End cancels the organization's subscription at once, before the organization is deleted: nobody pays for what is
// gone. Nothing to do without one.
func (b *Billing) End(ctx context.Context, sc *models.Scope) error {
	if !b.Configured() {
		return nil
	}
	had, err := subscription(ctx, sc)
	if err != nil || !had.Status.Open() {
		return err
	}
	_, err = b.stripe.V1Subscriptions.Cancel(ctx, had.StripeSubscription, &stripe.SubscriptionCancelParams{})
	if err != nil && !missing(err) {
		return upstream(err)
	}
	return nil
}
