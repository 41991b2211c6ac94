package app

import (
	"context"
	"strconv"

	"lobstead/api/cloud"
	"lobstead/api/runtime"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/deliveries"
)

// Deliveries are what an organization sent and could not send; AdminDeliveries are those of all.
type Deliveries struct{ *App }

const deliveriesPath = deliveries.Path

// Index lists, searches and narrows them.
func (h *Deliveries) Index(c *Ctx) (Reply, error) {
	p := deliveries.IndexProps{Text: c.Query("q"), State: c.Query("state"), Kind: c.Query("kind"), Before: c.Query("before"), BaseURL: h.PublicURL}
	f := models.DeliveryFilter{Text: p.Text, State: models.DeliveryState(p.State), Kind: models.DeliveryKind(p.Kind), Target: c.Query("webhook"), Before: p.Before, Limit: officePage + 1}
	if c.wantsJSON() {
		if err := f.Check(); err != nil {
			return nil, err
		}
	}
	var err error
	if p.Counts, err = c.Scope.CountDeliveries(c); err != nil {
		return nil, err
	}
	rows, err := c.Scope.Deliveries(c, f)
	if err != nil {
		return nil, err
	}
	p.Deliveries, p.Next = paged(rows, officePage, func(d models.Delivery) string { return d.ID })
	if c.wantsJSON() {
		return data(cloud.NewOwnDeliveries(p.Deliveries, p.Counts, p.Next)), nil
	}
	p.Frame = c.frame("Deliveries", "/settings", "")
	return page(deliveries.Index(p)), nil
}

// Show is one, with its content, its attempts and never with its secret.
func (h *Deliveries) Show(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return h.show(c, id, "", 200)
}

func (h *Deliveries) show(c *Ctx, id, problem string, status int) (Reply, error) {
	d, err := c.Scope.Delivery(c, id)
	if err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		return data(cloud.NewOwnDeliveryDetail(d)).with(status), nil
	}
	return page(deliveries.Show(deliveries.ShowProps{Frame: c.frame("Delivery", "/settings", ""), Delivery: d, Problem: problem, BaseURL: h.PublicURL})).with(status), nil
}

// Replay has one sent again.
func (h *Deliveries) Replay(c *Ctx) (Reply, error) {
	return h.act(c, c.Scope.ReplayDelivery, "A worker sends it")
}

// Drop ends one that nobody wants any more.
func (h *Deliveries) Drop(c *Ctx) (Reply, error) {
	return h.act(c, c.Scope.DropDelivery, "It is not sent")
}

func (h *Deliveries) act(c *Ctx, f func(ctx context.Context, id string) (*models.Delivery, error), says string) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	d, err := f(c, id)
	if fault.Is(err, fault.Conflict) && !c.wantsJSON() {
		return h.show(c, id, fault.As(err).Detail, 409)
	}
	if err != nil {
		return nil, err
	}
	return redirect(deliveriesPath+"/"+id).json(cloud.NewOwnDelivery(d)).say("ok", says), nil
}

// deadLetters is how many the runtime API lists: what it is asked for, within its bounds.
func deadLetters(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 50
	}
	return min(max(n, 1), 500)
}

// Dead lists what could not be delivered, as the runtime API spells it.
func (h *Deliveries) Dead(c *Ctx) (Reply, error) {
	rows, err := c.Scope.DeadLetters(c, deadLetters(c.Query("limit")))
	return data(runtime.NewDeadLetters(rows)), err
}

// ReplayDead has one of those sent again.
func (h *Deliveries) ReplayDead(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	var d *models.Delivery
	if err == nil {
		d, err = c.Scope.Delivery(c, id)
	}
	if err == nil && d.State != models.DeliveryDead {
		err = fault.NotFoundf("delivery")
	}
	if fault.Is(err, fault.NotFound) {
		return data(runtime.NoDeadLetter).with(404), nil
	}
	if err == nil {
		_, err = c.Scope.ReplayDelivery(c, id)
	}
	return data(runtime.DeadLetterReplayed{OK: true, ID: id}), err
}
