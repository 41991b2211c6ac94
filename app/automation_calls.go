package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/automations"
	"lobstead/views/ui"
)

// AutomationCalls are the calls that a trigger took, and its console.
type AutomationCalls struct{ *App }

// keptCalls are the newest of a trigger, each with its newest run.
func keptCalls(ctx context.Context, sc *models.Scope, id string) ([]automations.Call, error) {
	rows, err := sc.TriggerCalls(ctx, id, callsListed)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rows))
	for n := range rows {
		ids[n] = rows[n].ID
	}
	runs, err := sc.CallRuns(ctx, ids...)
	last := map[string]*models.AutomationRun{}
	for n := range runs {
		last[runs[n].CallID] = &runs[n]
	}
	out := []automations.Call{}
	for _, r := range rows {
		out = append(out, automations.Call{TriggerCall: r, Last: last[r.ID]})
	}
	return out, err
}

// Show is one call whole.
func (h *AutomationCalls) Show(c *Ctx) (Reply, error) {
	id, call, err := keptCall(c)
	if err != nil {
		return nil, err
	}
	a, err := c.Scope.Automation(c, id)
	if err != nil {
		return nil, err
	}
	row, err := c.Scope.TriggerCall(c, a.ID, call)
	if err != nil {
		return nil, err
	}
	p := automations.CallProps{Frame: c.frame("Call of "+a.Name, automationsPath, ""), Row: automations.Row{Automation: a}, Call: *row, Body: readable(row.Body), Location: time.UTC}
	if zone, err := time.LoadLocation(cmp.Or(a.TimeZone, "UTC")); err == nil {
		p.Location = zone
	}
	headers := map[string]string{}
	_ = json.Unmarshal([]byte(row.Headers), &headers) // our own writing
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		p.Headers = append(p.Headers, ui.Pair{Key: name, Value: headers[name], Mono: true})
	}
	p.Runs, err = c.Scope.CallRuns(c, row.ID)
	slices.Reverse(p.Runs)
	return page(automations.ShowCall(p)), err
}

func keptCall(c *Ctx) (automation, call string, err error) {
	if automation, err = c.ID("id"); err == nil {
		call, err = c.ID("call")
	}
	return automation, call, err
}

// readable is a body for people: JSON with its lines, what is no text as far as it is.
func readable(body []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, body, "", "  ") == nil {
		return out.String()
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

// Replay runs a call again.
func (h *AutomationCalls) Replay(c *Ctx) (Reply, error) {
	id, call, err := keptCall(c)
	if err != nil {
		return nil, err
	}
	run, err := h.Automations.Replay(c, c.Scope, id, call)
	back := redirect(automationsPath + "/" + id + "#runs")
	if err != nil && run != nil { // the page has it
		return back.say("warn", sentence(fault.As(err))), nil
	}
	return back.say("ok", "It runs again"), err
}

// Console is the page that has it: what was tried there is not kept.
func (h *AutomationCalls) Console(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.Automation(c, id); err != nil {
		return nil, err
	}
	return redirect(automationsPath + "/" + id + "#console"), nil
}

// Create tries a trigger in its console: it shows what the agent would be told, or sends it for real.
func (h *AutomationCalls) Create(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	a, err := c.Scope.Automation(c, id)
	if err == nil && a.Kind != models.AutomationWebhook {
		err = fault.NotFoundf("trigger")
	}
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	con := automations.Console{ID: id, Body: f.Text("body")}
	preview := f.Text("preview") != "" || c.Query("preview") != ""
	if err := f.Err(); err != nil {
		return nil, err
	}
	con.Rendered, err = h.Automations.Rendered(a, []byte(con.Body))
	if errs, ok := invalid(err); ok {
		con.Error = errs["body"]
		return h.tried(c, a, con, 422)
	}
	if err != nil || preview {
		return h.tried(c, a, con, 200)
	}
	run, err := h.Automations.Test(c, c.Scope, id, h.address(c.f), []byte(con.Body))
	back := redirect(automationsPath + "/" + id + "#runs")
	if err != nil && run != nil {
		return back.say("warn", sentence(fault.As(err))), nil
	}
	return back.say("ok", "It was sent"), err
}

// tried is the page with what was tried, or that part of it alone.
func (h *AutomationCalls) tried(c *Ctx, a *models.Automation, con automations.Console, status int) (Reply, error) {
	if c.isHTMX() {
		return page(automations.Rendered(con)).partial(automations.Rendered(con)), nil // it is swapped in while somebody types
	}
	return h.automationPage(c, a.ID, con, status)
}
