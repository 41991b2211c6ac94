package gateway

import (
	"context"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/models"
)

// Model is one entry of a list.
type Model struct {
	ID, Label, Owner string
	Tier             llm.Tier
	Context          int    // tokens; 0 = unknown
	Input, Output    *int64 // micro-dollars for one million tokens; nil = unknown
	Managed          bool   // the host has a key for it
}

// vendorsShown are whose models the public list names: those that our adapters speak to directly.
var vendorsShown = []string{"openai", "anthropic", "gemini"}

// Catalogue lists what could be connected, with prices: the same for everybody.
func (g *Gateway) Catalogue() []Model {
	managed := map[string]bool{}
	for _, f := range g.Door.Found() {
		managed[f.Kind] = true
	}
	out := []Model{{ID: door.Auto, Label: "Automatic", Owner: "lobstead", Tier: llm.TierStandard, Managed: true}}
	for _, kind := range vendorsShown {
		for _, e := range llm.Entries(kind) {
			out = append(out, entry(e, managed[kind]))
		}
	}
	return out
}

func entry(e llm.Entry, managed bool) Model {
	day := time.Now().UTC().Format(time.DateOnly)
	m := Model{ID: e.ID, Label: e.Name, Owner: e.Provider, Tier: e.Tier(day), Context: e.Context, Managed: managed}
	if m.Label == "" {
		m.Label = e.ID
	}
	if p, ok := e.PriceOn(day); ok {
		m.Input, m.Output = &p.Input, &p.Output
	}
	return m
}

// Models lists what an organization can call: the router, its agents, and the models of its services; an instance's
// token sees its own agent only.
func (g *Gateway) Models(ctx context.Context, sc *models.Scope, own *models.Instance) ([]Model, error) {
	out := []Model{{ID: door.Auto, Label: "Automatic", Owner: "lobstead", Tier: llm.TierStandard}, {ID: AgentModel, Label: "Agent", Owner: "lobstead", Tier: llm.TierStandard}}
	instances := []models.Instance{}
	if own != nil {
		instances = append(instances, *own)
	} else {
		var err error
		if instances, err = sc.Instances(ctx); err != nil {
			return nil, err
		}
	}
	for _, i := range instances {
		if i.Desired != models.WantDeleted {
			out = append(out, Model{ID: AgentModel + ":" + i.Name, Label: "Agent " + i.Name, Owner: "lobstead", Tier: llm.TierStandard})
		}
	}
	seen := map[string]bool{}
	add := func(kind, model string) {
		list := llm.Entries(kind)
		if e, ok := llm.Lookup(kind, model); !ok || len(list) == 0 {
			list = append([]llm.Entry{{ID: model, Provider: kind, Context: e.Context}}, list...)
		}
		for _, e := range list {
			if !seen[e.ID] {
				seen[e.ID] = true
				out = append(out, entry(e, false))
			}
		}
	}
	if own != nil {
		p, err := sc.ServiceOf(ctx, own)
		if p != nil { // no other service answers it
			add(p.Kind, p.Model)
		}
		if p != nil || err != nil {
			return out, err
		}
	}
	rows, err := sc.Providers(ctx)
	for _, p := range rows {
		add(p.Kind, p.Model)
	}
	for _, f := range g.Door.Found() {
		add(f.Kind, f.Model)
	}
	return out, err
}
