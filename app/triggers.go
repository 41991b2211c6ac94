package app

import (
	"cmp"
	"strings"
	"time"

	"lobstead/api/fleet"
	"lobstead/engine/automate"
	"lobstead/kit/fault"
	"lobstead/kit/limit"
)

// Triggers take calls from outside, in the fleet API's spelling (fleet-api.md, section 5). No credential of ours is asked for:
// the trigger's secret is one.
type Triggers struct{ *App }

// triggerCalls is how often one address may call one trigger that it proves to know: each call is a turn that somebody pays.
var triggerCalls = limit.Rule{N: 60, Per: time.Minute}

// Create takes a call: it starts exactly one run.
func (h *Triggers) Create(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, c.stranger(fault.NotFoundf("trigger"))
	}
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	header := func(names ...string) (value string) {
		for _, n := range names {
			value = cmp.Or(value, strings.TrimSpace(c.f.Get(n)))
		}
		return value
	}
	bearer, _ := c.credentials()
	headers := map[string]string{}
	for name, values := range c.f.GetReqHeaders() {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	proved := false
	admit := func() error {
		proved = true
		_, err := c.take("trigger "+id+" "+h.address(c.f), triggerCalls)
		return err
	}
	run, repeated, err := h.Automations.Call(c, id, automate.Call{Admit: admit, Standard: header("Webhook-Signature"), Address: h.address(c.f), Headers: headers, Secret: cmp.Or(header("X-Webhook-Secret"), bearer.Reveal()), Signature: header("X-Hub-Signature-256"),
		Delivery: header("Webhook-Id", "X-GitHub-Delivery", "X-Delivery-Id", "Idempotency-Key"), Timestamp: header("Webhook-Timestamp", "X-Webhook-Timestamp"), Body: body})
	if fault.Is(err, fault.NotFound) {
		err = fault.NotFoundf("trigger")
	}
	if err != nil && !proved {
		err = c.stranger(err)
	}
	if err != nil {
		return nil, err
	}
	message, err := h.Store.In(run.OrganizationID).MessageOf(c, run.TurnID)
	if err != nil {
		return nil, err
	}
	out := fleet.WebhookReceived{Success: true, Message: "Webhook received", MessageID: message}
	if repeated {
		out.Message = "Webhook received before"
	}
	return data(out), nil
}
