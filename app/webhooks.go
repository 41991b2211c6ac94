package app

import (
	"lobstead/api/cloud"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/settings"
)

// Webhooks are the servers outside that are told of what happens.
type Webhooks struct{ *App }

// webhookPage is how many deliveries the page of an endpoint shows.
const webhookPage = 25

// Index lists them.
func (h *Webhooks) Index(c *Ctx) (Reply, error) {
	return h.list(c, settings.WebhookForm{Active: true, Events: []string{string(models.MessageCompleted), string(models.MessageFailed), string(models.AgentError)}}, 200)
}

func (h *Webhooks) list(c *Ctx, form settings.WebhookForm, status int) (Reply, error) {
	rows, err := c.Scope.Webhooks(c)
	if err != nil || c.wantsJSON() {
		return data(cloud.NewWebhookEndpoints(rows)), err
	}
	names, err := c.Scope.InstanceNames(c)
	form.MayPrivate = operates(c.Principal)
	p := settings.WebhooksProps{Frame: c.frame("Webhooks", "/settings", ""), Webhooks: rows, Names: names, Instances: map[string]string{}, New: form, BaseURL: h.PublicURL}
	for _, i := range names {
		p.Instances[i.ID] = i.Name
	}
	return page(settings.Webhooks(p)).with(status), err
}

// Create adds one; its secret is told once, to a program in this answer and to a person by the page after.
func (h *Webhooks) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	w, err := h.read(c, f, nil)
	var e *models.WebhookEndpoint
	var key secret.String
	if err == nil {
		e, key, err = c.Scope.CreateWebhook(c, w)
	}
	if form, ok := refusedWebhook(c, w, err); ok {
		return h.list(c, form, 422)
	}
	if err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		return data(cloud.WebhookEndpointCreated{WebhookEndpoint: cloud.NewWebhookEndpoint(e), Secret: key.Reveal()}).with(201), nil
	}
	return c.showOnce(settings.WebhooksPath+"/"+e.ID, once{Value: key.Reveal()})
}

// read takes what was sent: a form has all of it, a program says what it means. Only an operator, in person, allows that an address
// is inside the network; who changes something else of an endpoint leaves that as it is, and another address is asked about anew.
func (h *Webhooks) read(c *Ctx, f *wire.Fields, was *models.WebhookEndpoint) (models.WebhookForm, error) {
	var w models.WebhookForm
	var err error
	switch {
	case c.family == Pages:
		on := f.OptionalBool("active")
		w = models.WebhookForm{Name: f.Text("name"), URL: f.Text("url"), Description: f.Text("description"), InstanceID: f.Text("instance"), Events: f.OptionalStrings("events"), Active: on != nil && *on}
		inside := f.OptionalBool("private")
		w.Private = inside != nil && *inside && operates(c.Principal)
		err = f.Err()
	case was == nil:
		w, err = cloud.ReadWebhook(f)
	default:
		w, err = cloud.ReadWebhookChange(f, was)
	}
	if was != nil && was.URL == w.URL && (c.family != Pages || !operates(c.Principal)) {
		w.Private = was.Private
	}
	return w, err
}

// refusedWebhook gives the form again with what is wrong; programs get the fault.
func refusedWebhook(c *Ctx, w models.WebhookForm, err error) (settings.WebhookForm, bool) {
	errs, ok := invalid(err)
	if fault.As(err).Code == "webhook.full" {
		errs, ok = map[string]string{"": fault.As(err).Detail}, true
	}
	return settings.WebhookForm{Name: w.Name, URL: w.URL, Description: w.Description, Instance: w.InstanceID, Events: w.Events, Active: w.Active, Private: w.Private, Errors: errs}, err != nil && ok && !c.wantsJSON()
}

// Show is one with its log.
func (h *Webhooks) Show(c *Ctx) (Reply, error) {
	e, err := h.find(c)
	if err != nil {
		return nil, err
	}
	return h.show(c, e, settings.FormOf(e), 200)
}

func (h *Webhooks) find(c *Ctx) (*models.WebhookEndpoint, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return c.Scope.Webhook(c, id)
}

func (h *Webhooks) show(c *Ctx, e *models.WebhookEndpoint, form settings.WebhookForm, status int) (Reply, error) {
	if c.wantsJSON() {
		return data(cloud.NewWebhookEndpoint(e)).with(status), nil
	}
	form.MayPrivate = operates(c.Principal)
	p := settings.WebhookProps{Frame: c.frame(e.Name, "/settings", ""), Webhook: e, Form: form, Key: c.shownOnce().Value, Before: c.Query("before"), BaseURL: h.PublicURL}
	var err error
	if p.Names, err = c.Scope.InstanceNames(c); err != nil {
		return nil, err
	}
	rows, err := c.Scope.Deliveries(c, models.DeliveryFilter{Target: e.ID, Before: p.Before, Limit: webhookPage + 1})
	p.Deliveries, p.Next = paged(rows, webhookPage, func(d models.Delivery) string { return d.ID })
	return page(settings.Webhook(p)).with(status), err
}

// Update changes one.
func (h *Webhooks) Update(c *Ctx) (Reply, error) {
	was, err := h.find(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	w, err := h.read(c, f, was)
	e := was
	if err == nil {
		e, err = c.Scope.UpdateWebhook(c, was.ID, w)
	}
	if form, ok := refusedWebhook(c, w, err); ok {
		return h.show(c, was, form, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect(settings.WebhooksPath+"/"+e.ID).json(cloud.NewWebhookEndpoint(e)).say("ok", "The webhook is changed"), nil
}

// Rotate makes a new secret, which is told once, as by Create.
func (h *Webhooks) Rotate(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	e, key, err := c.Scope.RotateWebhook(c, id)
	if fault.Is(err, fault.Conflict) && !c.wantsJSON() {
		return redirect(settings.WebhooksPath+"/"+id).say("warn", sentence(fault.As(err))), nil
	}
	if err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		return data(cloud.WebhookEndpointCreated{WebhookEndpoint: cloud.NewWebhookEndpoint(e), Secret: key.Reveal()}), nil
	}
	return c.showOnce(settings.WebhooksPath+"/"+e.ID, once{Value: key.Reveal()})
}

// Test has a test event sent; its page shows the answer.
func (h *Webhooks) Test(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	d, err := c.Scope.TestWebhook(c, id)
	if err != nil {
		return nil, err
	}
	return redirect(deliveriesPath+"/"+d.ID).json(cloud.NewDelivery(&models.DeliveryRow{Delivery: *d})).with(201).say("ok", "The test event is being sent"), nil
}

// Destroy removes one.
func (h *Webhooks) Destroy(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	e, err := c.Scope.DeleteWebhook(c, id)
	if err != nil {
		return nil, err
	}
	return redirect(settings.WebhooksPath).json(cloud.Deleted{Success: true}).say("ok", "The webhook "+e.Name+" is removed"), nil
}
