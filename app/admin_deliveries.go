package app

import (
	"fmt"

	"lobstead/api/cloud"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/admin"
	"lobstead/views/ui"
)

// AdminDeliveries are what the product sends, for all organizations.
type AdminDeliveries struct{ *App }

func (h *AdminDeliveries) system() *models.System { return h.Store.AsSystem("deliveries of all") }

// Index lists, searches and narrows them.
func (h *AdminDeliveries) Index(c *Ctx) (Reply, error) { return h.list(c, admin.Form{}, 200) }

func (h *AdminDeliveries) list(c *Ctx, form admin.Form, status int) (Reply, error) {
	counts, err := h.system().CountDeliveries(c)
	if err != nil {
		return nil, err
	}
	s, f, err := h.search(c, counts)
	if err != nil {
		return nil, err
	}
	rows, err := h.system().AllDeliveries(c, f)
	if err != nil {
		return nil, err
	}
	rows, s.Next = paged(rows, officePage, func(d models.DeliveryRow) string { return d.ID })
	return page(admin.Deliveries(admin.DeliveriesProps{Frame: c.adminFrame("Deliveries"), Search: s, Deliveries: rows, Mails: h.Mails, Form: form})).
		json(cloud.NewDeliveries(rows, counts, s.Next)).with(status), nil
}

// search reads what narrows the list.
func (h *AdminDeliveries) search(c *Ctx, counts map[models.DeliveryState]int) (admin.Search, models.DeliveryFilter, error) {
	s := c.search(admin.DeliveriesPath, "Search by destination or id")
	s.Name, s.Label, s.Choice, s.Choices = "state", "State", c.Query("state"), []ui.Option{{Value: "", Text: "Every state"}}
	for _, state := range models.DeliveryStates {
		s.Choices = append(s.Choices, ui.Option{Value: string(state), Text: fmt.Sprintf("%s (%d)", state, counts[state])})
	}
	kind := admin.Choice{Name: "kind", Label: "Kind", Value: c.Query("kind"), Options: []ui.Option{{Value: "", Text: "Every kind"}}}
	for _, k := range models.DeliveryKinds {
		kind.Options = append(kind.Options, ui.Option{Value: string(k), Text: string(k)})
	}
	of := admin.Choice{Name: "organization", Value: c.Query("organization")}
	names, err := h.system().OrganizationNames(c, []string{of.Value})
	if of.Text = names[of.Value]; of.Text == "" {
		of.Text = of.Value
	}
	s.Also = []admin.Choice{kind, of}
	return s, models.DeliveryFilter{Text: s.Text, State: models.DeliveryState(s.Choice), Kind: models.DeliveryKind(kind.Value), Organization: of.Value,
		Before: s.Before, Limit: officePage + 1}, err
}

// Create sends a test letter.
func (h *AdminDeliveries) Create(c *Ctx) (Reply, error) {
	a, err := c.staffAct("test")
	var d *models.Delivery
	if err == nil && !h.Mails {
		err = fault.New(fault.Conflict, "mail.none", "No mail server is configured").Hinting("Set SMTP_URL and MAIL_FROM")
	}
	if err == nil {
		d, err = h.system().AskTestMail(c, a.by, a.text("address"), models.Mail{Subject: "A test of Lobstead's mail",
			Text: "Emails of " + h.PublicURL + " arrive here.\n\nYou need not do anything.\n"})
	}
	if form, ok := c.refused(a, "test", err, "address"); ok {
		return h.list(c, form, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect(admin.DeliveriesPath+"/"+d.ID).json(cloud.NewDelivery(&models.DeliveryRow{Delivery: *d})).with(201).say("ok", "A worker sends it"), nil
}

// Show is one, with its attempts and never with its secret.
func (h *AdminDeliveries) Show(c *Ctx) (Reply, error) { return h.show(c, admin.Form{}, 200) }

func (h *AdminDeliveries) show(c *Ctx, form admin.Form, status int) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	d, err := h.system().DeliveryByID(c, id)
	if err != nil {
		return nil, err
	}
	return page(admin.Delivery(admin.DeliveryProps{Frame: c.adminFrame(d.Destination), Delivery: d, Form: form})).json(cloud.NewDeliveryDetail(d)).with(status), nil
}

// Update replays a dead one, or drops one.
func (h *AdminDeliveries) Update(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	a, err := c.staffAct("replay", "drop")
	var d *models.Delivery
	switch {
	case err != nil:
	case a.name == "replay":
		d, err = h.system().ReplayDelivery(c, a.by, id)
	default:
		d, err = h.system().DropDelivery(c, a.by, id)
	}
	if form, ok := c.refused(a, "delivery", err); ok {
		return h.show(c, form, 422)
	}
	if err != nil {
		return nil, err
	}
	said := map[string]string{"replay": "A worker sends it", "drop": "It is not sent"}[a.name]
	return redirect(admin.DeliveriesPath+"/"+id).json(cloud.NewDelivery(&models.DeliveryRow{Delivery: *d})).say("ok", said), nil
}
