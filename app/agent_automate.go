package app

import (
	"strconv"
	"strings"
	"time"

	agentapi "lobstead/api/agent"
	"lobstead/engine/automate"
	"lobstead/kit/fault"
	"lobstead/models"
)

// AgentAutomate makes workflows of words, in the agent API's spelling (agent-api.md, 3.7).
type AgentAutomate struct{ *App }

// Create makes one, or lists what there is.
func (h *AgentAutomate) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := agentapi.ReadAutomate(f)
	if err != nil {
		return nil, err
	}
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	if in.Lists() {
		return h.list(c, i)
	}
	zone, err := c.zone(in.TimeZone)
	if err != nil {
		return nil, err
	}
	plan, err := automate.Read(automate.Command(in.Command), in.Text, h.Automations.Now(), zone)
	if err != nil {
		return nil, err
	}
	a, token, err := h.Automations.Create(c, c.Scope, i.ID, plan)
	if err != nil {
		return nil, err
	}
	look := automate.Look(a)
	made := agentapi.NewWorkflow(a, look.String(), h.PublicURL)
	out := agentapi.Automated{Success: true, Workflow: &made, NextRuns: agentapi.Times(look.Next), WebhookSecret: token.Reveal(), Message: "“" + a.Name + "” is set: " + look.Sentence()}
	if look.Webhook {
		out.Message += ", by POST to " + made.Trigger.WebhookURL + " with its secret, which is shown only now, in X-Webhook-Secret"
	}
	return data(out), nil
}

func (h *AgentAutomate) list(c *Ctx, i *models.Instance) (Reply, error) {
	rows, err := c.Scope.Automations(c, i.ID)
	if err != nil {
		return nil, err
	}
	list, lines := []agentapi.Workflow{}, []string{}
	for n := range rows {
		words := automate.Glance(&rows[n]).String()
		list = append(list, agentapi.NewWorkflow(&rows[n], words, h.PublicURL))
		if n < 5 {
			lines = append(lines, rows[n].Name+", "+words+", "+list[n].Status)
		}
	}
	message := "No automations yet"
	if len(rows) > 0 {
		message = strconv.Itoa(len(rows)) + " set: " + strings.Join(lines, "; ")
	}
	return data(agentapi.Automated{Success: true, Message: message, Workflows: &list}), nil
}

// zone is the time zone that somebody named, else the organization's.
func (c *Ctx) zone(name string) (*time.Location, error) {
	if name == "" {
		return c.Scope.TimeZone(c)
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		var is fault.Issues
		is.Custom("timezone", "This is no time zone; one is called Europe/Berlin")
		return nil, is.Err()
	}
	return zone, nil
}
