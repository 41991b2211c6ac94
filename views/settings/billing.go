package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// BillingProps is /settings/billing: what the organization has and pays. The plan is chosen by POST
// /settings/billing/checkout, everything else is done in Stripe's portal by POST /settings/billing/portal.
type BillingProps struct {
	Frame        layout.FrameProps
	Configured   bool   // Stripe is connected: plans limit, and are paid
	WebhookURL   string // what the operator enters in Stripe
	Organization *models.Organization
	Plans        []models.Plan
	Subscription *models.Subscription // nil: there was never one
	Allowance    models.Allowance
	Members      int
	MayManage    bool
	Annual       bool              // what was chosen in the form
	Choice       string            // plan
	Errors       map[string]string // "" = what Stripe answered
	Paid         bool              // back from the checkout
	Invoices     *InvoicesProps    // nil: they are asked for when the page is there
}

// InvoicesProps is the list of invoices, which Stripe keeps.
type InvoicesProps struct {
	Rows    []InvoiceRow
	Linked  bool   // who has a link can see the invoice: not for everybody
	Problem string // they could not be read: why
}

// InvoiceRow is one invoice.
type InvoiceRow struct {
	Number, Status, URL, Currency string
	At                            time.Time
	Total                         int64 // in the currency's smallest unit
}

// zeroDecimal are the currencies without a smaller unit (docs.stripe.com/currencies).
var zeroDecimal = []string{"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"}

// Money says an amount as people write it: "$25", "$12.50", "12.50 EUR".
func Money(amount int64, currency string) string {
	text := strconv.FormatInt(amount, 10)
	if !slices.Contains(zeroDecimal, currency) {
		sign := ""
		if amount < 0 {
			sign, amount = "-", -amount
		}
		text = strings.TrimSuffix(fmt.Sprintf("%s%d.%02d", sign, amount/100, amount%100), ".00")
	}
	if currency == "usd" || currency == "" {
		if rest, negative := strings.CutPrefix(text, "-"); negative {
			return "-$" + rest
		}
		return "$" + text
	}
	return text + " " + strings.ToUpper(currency)
}

func (p BillingProps) plan() *models.Plan {
	for n := range p.Plans {
		if p.Organization != nil && p.Plans[n].Tier == p.Organization.Plan {
			return &p.Plans[n]
		}
	}
	return nil
}

// open tells whether a subscription exists, which is changed in the portal.
func (p BillingProps) open() bool { return p.Subscription != nil && p.Subscription.Status.Open() }

// customer tells whether the portal knows this organization.
func (p BillingProps) customer() bool {
	return p.Subscription != nil && p.Subscription.StripeCustomer != ""
}

// facts say what the organization has: what is paid for, and what it uses that nothing limits.
func (p BillingProps) facts() []ui.Pair {
	out := p.paid()
	if !p.Allowance.Limited {
		out = append(out, ui.Pair{Key: "Instances", Value: p.instances()})
	}
	return append(out, ui.Pair{Key: "Members", Value: strconv.Itoa(p.Members) + ", unlimited"})
}

// paid say what is paid for; nothing where billing is not configured.
func (p BillingProps) paid() []ui.Pair {
	plan := p.plan()
	if plan == nil || !p.Configured {
		return nil
	}
	out := []ui.Pair{{Key: "Plan", Value: string(plan.Tier)}}
	s := p.Subscription
	if s == nil {
		return append(out, ui.Pair{Key: "Subscription", Part: ui.Badge{Kind: ui.Off, Text: "None yet"}})
	}
	price := Money(int64(plan.PriceMonthCents), "usd") + " a month"
	if s.Annual {
		price = Money(int64(plan.PriceYearCents), "usd") + " a year"
	}
	out = append(out, ui.Pair{Key: "Price", Value: price}, ui.Pair{Key: "Subscription", Part: statusBadge(s.Status)})
	switch {
	case s.CancelAt != nil && s.Status.Live():
		out = append(out, ui.Pair{Key: "Ends on", Part: ui.Time{At: *s.CancelAt, Form: ui.Date}})
	case s.PeriodEnd != nil && s.Status.Live():
		out = append(out, ui.Pair{Key: "Renews on", Part: ui.Time{At: *s.PeriodEnd, Form: ui.Date}})
	}
	return out
}

func statusBadge(s models.SubscriptionStatus) ui.Badge {
	switch s {
	case models.SubscriptionActive:
		return ui.Badge{Kind: ui.OK, Text: "Active"}
	case models.SubscriptionTrialing:
		return ui.Badge{Kind: ui.OK, Text: "Trial"}
	case models.SubscriptionPastDue:
		return ui.Badge{Kind: ui.Warn, Text: "Payment failed, tried again"}
	case models.SubscriptionUnpaid:
		return ui.Badge{Kind: ui.Bad, Text: "Not paid"}
	case models.SubscriptionPaused:
		return ui.Badge{Kind: ui.Warn, Text: "Paused"}
	case models.SubscriptionCanceled:
		return ui.Badge{Kind: ui.Off, Text: "Cancelled"}
	case models.SubscriptionIncomplete:
		return ui.Badge{Kind: ui.Warn, Text: "First payment open"}
	case models.SubscriptionIncompleteExpired:
		return ui.Badge{Kind: ui.Off, Text: "Never paid"}
	}
	return ui.Badge{Kind: ui.Off, Text: string(s)}
}

// instances says how many there are of how many.
func (p BillingProps) instances() string {
	if !p.Allowance.Limited {
		return strconv.Itoa(p.Allowance.Used) + ", unlimited"
	}
	return fmt.Sprintf("%d of %d", p.Allowance.Used, p.Allowance.Limit)
}

// suspended says until when the data of a suspended organization is kept for certain.
func (p BillingProps) suspended() string {
	o := p.Organization
	if o == nil || o.SuspendedAt == nil {
		return ""
	}
	until := o.SuspendedAt.AddDate(0, 0, models.KeptAfterSuspension).UTC().Format("2 January 2006")
	text := "This organization is suspended: " + o.SuspendedReason + ". Its instances are stopped and take no messages. Their data is kept for " +
		strconv.Itoa(models.KeptAfterSuspension) + " days, until " + until
	if o.SuspendedBy == models.SuspendedByStaff {
		return text + ". Ask the operator of this installation what to do."
	}
	return text + ". Everything goes on as it was as soon as it is paid."
}

func (p BillingProps) options() []ui.Option {
	out := []ui.Option{}
	for _, plan := range p.Plans {
		out = append(out, ui.Option{Value: string(plan.Tier), Text: string(plan.Tier), Note: Money(int64(plan.PriceMonthCents), "usd") + " a month, or " +
			Money(int64(plan.PriceYearCents), "usd") + " a year. " + allowed(plan.Instances)})
	}
	return out
}

func allowed(instances int) string {
	if instances == 1 {
		return "1 instance."
	}
	return strconv.Itoa(instances) + " instances."
}

// saving says what a year saves, when all plans save the same number of months.
func (p BillingProps) saving() string {
	months := -1
	for _, plan := range p.Plans {
		saved := 12*plan.PriceMonthCents - plan.PriceYearCents
		if plan.PriceMonthCents <= 0 || saved <= 0 || saved%plan.PriceMonthCents != 0 || months >= 0 && months != saved/plan.PriceMonthCents {
			return ""
		}
		months = saved / plan.PriceMonthCents
	}
	switch months {
	case -1, 0:
		return ""
	case 1:
		return "A year costs as much as 11 months: one month is free."
	case 2:
		return "A year costs as much as 10 months: two months are free."
	}
	return fmt.Sprintf("A year costs as much as %d months: %d months are free.", 12-months, months)
}

func (p BillingProps) choice() string {
	if p.Choice == "" && p.Organization != nil {
		return string(p.Organization.Plan)
	}
	return p.Choice
}

func period(annual bool) string {
	if annual {
		return "true"
	}
	return "false"
}

func (r InvoiceRow) badge() ui.Badge {
	switch r.Status {
	case "paid":
		return ui.Badge{Kind: ui.OK, Text: "Paid"}
	case "open":
		return ui.Badge{Kind: ui.Warn, Text: "Open"}
	case "uncollectible":
		return ui.Badge{Kind: ui.Bad, Text: "Not collected"}
	case "void":
		return ui.Badge{Kind: ui.Off, Text: "Void"}
	}
	return ui.Badge{Kind: ui.Off, Text: "Draft"}
}

func (r InvoiceRow) name() string {
	if r.Number == "" {
		return "Draft"
	}
	return r.Number
}
