package door

import (
	"cmp"
	"context"
	"slices"
	"time"

	"lobstead/engine/llm"
	"lobstead/models"
)

// Listed is one model as a list of what could answer shows it.
type Listed struct {
	Kind           string // of the service
	Service        string // its name, "" when none of the kind is connected
	ID, Name       string
	Context        int // tokens; 0 = unknown
	Tier           llm.Tier
	Input, Output  int64 // micro-dollars for one million tokens, when Priced
	Priced         bool
	Free           bool // it runs here: nobody pays
	Tools, Images  bool
	Default        bool // chosen for its service
	Edited         bool // an administrator spoke of it
	Resting, Trial bool // as its breaker says
}

// listedKinds are whose models are listed although nobody connected them: those that our adapters speak to directly.
var listedKinds = []string{"openai", "anthropic", "gemini"}

// Catalogue lists the models of the organization's services, and after them those that it could connect: by service, the
// chosen model first, then by name. What a service offers is what it told last; nothing is waited for.
func (d *Door) Catalogue(ctx context.Context, sc *models.Scope) ([]Listed, error) {
	all, err := d.services(ctx, sc)
	if err != nil {
		return nil, err
	}
	p, out := d.policy(ctx, sc), []Listed{}
	connected := map[string]bool{}
	for _, s := range all {
		connected[s.kind] = true
		out = append(out, d.listService(ctx, p, s)...)
	}
	for _, kind := range listedKinds {
		for _, e := range llm.Entries(kind) {
			if !connected[kind] {
				out = append(out, d.listUnconnected(p, kind, e))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Listed) int {
		return cmp.Or(btoi(a.Service == "")-btoi(b.Service == ""), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Kind, b.Kind), btoi(b.Default)-btoi(a.Default), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

func (d *Door) listService(ctx context.Context, p policy, s service) []Listed {
	names := []string{s.model}
	offered, _ := d.offers(ctx, s, 0) // what cannot be read is not there
	for _, m := range offered {
		names = append(names, m.ID)
	}
	for _, e := range llm.Entries(s.kind) {
		names = append(names, e.ID)
	}
	out, seen := []Listed{}, map[string]bool{"": true}
	for n, name := range names {
		if r := d.route(p, s, name); !seen[name] && llm.Talks(name) {
			seen[name] = true
			stand := d.health.look(r, p.orders[s.name], d.now())
			l := d.list(r, s.kind)
			l.Service, l.Default, l.Resting, l.Trial = s.name, n == 0, stand.rest > 0, stand.trial
			out = append(out, l)
		}
	}
	return out
}

func (d *Door) listUnconnected(p policy, kind string, e llm.Entry) Listed {
	r := Route{Model: e.ID, Window: e.Context, Images: e.Images, tools: e.Tools, entry: e, known: true, priced: e.Priced()}
	if edit, ok := p.edits[kind+"/"+e.ID]; ok {
		r.correct(edit)
	}
	r.tier = cmp.Or(r.tier, r.worth(d.now()))
	return d.list(r, kind)
}

func (d *Door) list(r Route, kind string) Listed {
	l := Listed{Kind: kind, ID: r.Model, Name: r.entry.Name, Tier: r.Tier(), Free: r.free, Tools: r.tools, Images: r.Images, Edited: r.edited}
	if r.known {
		l.Context = r.Window
	}
	if price, ok := r.entry.PriceOn(d.now().UTC().Format(time.DateOnly)); ok && r.priced {
		l.Priced, l.Input, l.Output = true, price.Input, price.Output
	}
	return l
}
