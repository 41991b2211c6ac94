package app

import (
	"strings"

	"lobstead/api/cloud"
	"lobstead/engine/billing"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/settings"
)

// Billing is what the organization has and pays: the page, and the cloud API's two routes.
type Billing struct{ *App }

// payHosts are where the forms of the page lead after they were sent here: browsers check that too.
var payHosts = []string{"checkout.stripe.com", "billing.stripe.com"}

// Show is the page. The invoices come after it: they are asked of Stripe.
func (h *Billing) Show(c *Ctx) (Reply, error) {
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	p.Paid = c.Query("checkout") == "done"
	return h.page(p, 200), nil
}

func (h *Billing) page(p *settings.BillingProps, status int) *answer {
	return page(settings.Billing(*p)).with(status).leadingTo(append(payHosts, h.PayHosts...)...)
}

func (h *Billing) props(c *Ctx) (*settings.BillingProps, error) {
	p := &settings.BillingProps{Frame: c.frame("Billing", "/settings", ""), Configured: h.Billing.Configured(),
		MayManage: c.May(models.CanManageBilling) == nil, WebhookURL: h.PublicURL + "/api/stripe/webhook"}
	p.Frame.Notice = layout.Announcement{} // the page says it itself, with more words
	var err error
	if p.Organization, err = c.Scope.Organization(c); err != nil {
		return nil, err
	}
	if p.Plans, err = c.Scope.Plans(c); err != nil {
		return nil, err
	}
	if p.Allowance, err = c.Scope.Allowance(c); err != nil {
		return nil, err
	}
	members, err := c.Scope.Members(c)
	if err != nil {
		return nil, err
	}
	p.Members = len(members)
	if p.Subscription, err = c.Scope.Subscription(c); fault.Is(err, fault.NotFound) {
		p.Subscription, err = nil, nil
	}
	return p, err
}

// Invoices is the page with the list that Stripe has, or the list alone.
func (h *Billing) Invoices(c *Ctx) (Reply, error) {
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	list := settings.InvoicesProps{Linked: p.MayManage}
	rows, err := h.Billing.Invoices(c, c.Scope)
	if err != nil && p.Configured {
		h.Log.Warn("invoices cannot be read", "request", c.requestID, "error", err)
		list.Problem = "Stripe did not give the invoices. Try again in a moment."
	}
	for _, i := range rows {
		list.Rows = append(list.Rows, settings.InvoiceRow{Number: i.Number, Status: i.Status, URL: i.URL, Currency: i.Currency, At: i.At, Total: i.Total})
	}
	p.Invoices = &list
	return h.page(p, 200).partial(settings.Invoices(list)), nil
}

// Checkout leads to the page where the plan is bought.
func (h *Billing) Checkout(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	plan, annual, err := cloud.ReadCheckout(f)
	if err == nil {
		var url string
		if url, err = h.Billing.Checkout(c, c.Scope, c.Principal.User.Email, plan, annual); err == nil {
			return redirect(url).json(cloud.Checkout{URL: url}), nil
		}
	}
	return h.again(c, err, string(plan), annual)
}

// Portal leads to the page where the subscription, cards and invoices are.
func (h *Billing) Portal(c *Ctx) (Reply, error) {
	url, err := h.Billing.Portal(c, c.Scope)
	if err != nil {
		return h.again(c, err, "", false)
	}
	return redirect(url).json(cloud.Checkout{URL: url}), nil
}

// again shows a person the page with what went wrong.
func (h *Billing) again(c *Ctx, err error, plan string, annual bool) (Reply, error) {
	errs, ok := invalid(err)
	status := 422
	if e := fault.As(err); !ok && (e.Kind == fault.Upstream || e.Kind == fault.Timeout || e.Kind == fault.Conflict) {
		h.Log.Warn("Stripe was not reached", "request", c.requestID, "error", err)
		errs, ok, status = map[string]string{"": sentence(e)}, true, statuses[e.Kind]
	}
	if !ok || c.wantsJSON() {
		return nil, err
	}
	p, perr := h.props(c)
	if perr != nil {
		return nil, perr
	}
	p.Errors, p.Choice, p.Annual = errs, plan, annual
	return h.page(p, status), nil
}

// Webhook takes what Stripe tells. No credential is asked for: the signature over the body is one.
func (h *Billing) Webhook(c *Ctx) (Reply, error) {
	raw, err := c.body()
	if err != nil {
		return nil, err
	}
	if err := h.Billing.Webhook(c, raw, strings.TrimSpace(c.f.Get("Stripe-Signature"))); err != nil {
		return nil, err
	}
	return data(cloud.Received{Received: true}), nil
}

// webhookBody is what an event may have.
const webhookBody = billing.MaxEvent
