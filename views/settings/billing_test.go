package settings_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/views/settings"
)

func billingPage(t *testing.T, p settings.BillingProps) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, settings.Billing(p).Render(t.Context(), &b))
	return b.String()
}

func plans() []models.Plan {
	return []models.Plan{{Size: models.Sizes[0], Instances: 1, PriceMonthCents: 500, PriceYearCents: 5000}, {Size: models.Sizes[1], Instances: 5, PriceMonthCents: 2550, PriceYearCents: 25500}}
}

func TestBillingSaysWhatIsPaid(t *testing.T) {
	t.Parallel()
	at := time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)
	p := settings.BillingProps{Configured: true, Organization: &models.Organization{Plan: models.Pro}, Plans: plans(), MayManage: true, Allowance: models.Allowance{Limited: true, Limit: 5, Used: 2}, Members: 3}
	page := billingPage(t, p)
	for _, want := range []string{"PRO", "None yet", "2 of 5", "3, unlimited", "$25.50 a month, or $255 a year. 5 instances.", "$5 a month, or $50 a year. 1 instance.", "two months are free"} {
		require.Contains(t, page, want)
	}
	for status, word := range map[models.SubscriptionStatus]string{models.SubscriptionActive: "Active", models.SubscriptionTrialing: "Trial", models.SubscriptionPastDue: "tried again",
		models.SubscriptionUnpaid: "Not paid", models.SubscriptionPaused: "Paused", models.SubscriptionCanceled: "Cancelled", models.SubscriptionIncomplete: "First payment open",
		models.SubscriptionIncompleteExpired: "Never paid", "novel": "novel"} {
		p.Subscription = &models.Subscription{Status: status, StripeCustomer: "cus", PeriodEnd: &at, Annual: true}
		page = billingPage(t, p)
		require.Contains(t, page, word)
		require.Equal(t, status.Live(), bytes.Contains([]byte(page), []byte("Renews on")), status)
		require.Equal(t, !status.Open(), bytes.Contains([]byte(page), []byte("Continue to payment")), status)
	}
	p.Subscription = &models.Subscription{Status: models.SubscriptionActive, StripeCustomer: "cus", PeriodEnd: &at, CancelAt: &at}
	page = billingPage(t, p)
	require.Contains(t, page, "Ends on")
	require.Contains(t, page, "2 Jan 2027")
	p.Plans[1].PriceYearCents = 20000
	p.Subscription = nil
	require.NotContains(t, billingPage(t, p), "free", "what a year saves is said only when it holds for all")
	o := &models.Organization{Plan: models.Pro, SuspendedAt: &at, SuspendedReason: "abuse", SuspendedBy: models.SuspendedByStaff}
	page = billingPage(t, settings.BillingProps{Organization: o, Plans: plans()})
	require.Contains(t, page, "until 1 February 2027. Ask the operator")
	require.NotPanics(t, func() { billingPage(t, settings.BillingProps{}) })
}

func TestInvoices(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	rows := []settings.InvoiceRow{{Number: "A-1", Status: "paid", URL: "https://a.example", Currency: "usd", Total: 2500}, {Status: "draft", Currency: "eur", Total: -1205},
		{Number: "A-3", Status: "void", URL: "javascript:alert(1)", Currency: "jpy", Total: 900}, {Number: "A-4", Status: "uncollectible", Currency: "usd", Total: -50}}
	require.NoError(t, settings.Invoices(settings.InvoicesProps{Rows: rows, Linked: true}).Render(t.Context(), &b))
	for _, want := range []string{"$25<", "-12.05 EUR", "900 JPY", "-$0.50", "Draft", "Void", "Not collected", `href="https://a.example"`} {
		require.Contains(t, b.String(), want)
	}
	require.NotContains(t, b.String(), "javascript:")
	b.Reset()
	require.NoError(t, settings.Invoices(settings.InvoicesProps{Rows: rows}).Render(t.Context(), &b))
	require.NotContains(t, b.String(), "a.example")
}
