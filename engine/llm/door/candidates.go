package door

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

const (
	leastWindow   = 32_000 // tokens: models with less are of another time
	maxCandidates = 400
)

// candidates are the models of all services that the router may take: those that were chosen for their services, and of what
// a service offers those whose price and abilities are known. Without a service it is the built-in model.
func (d *Door) candidates(ctx context.Context, p policy, all []service, g gauge) []candidate {
	if len(all) == 0 && d.Offline != nil {
		return []candidate{{route: d.builtIn(), set: true}}
	}
	var out []candidate
	for _, s := range all {
		seen := map[string]bool{}
		add := func(model string, set bool) {
			r := d.route(p, s, model)
			id := cmp.Or(r.entry.ID, strings.ToLower(model))
			if model == "" || seen[id] || !set && !d.routable(s, r) || len(out) >= maxCandidates {
				return
			}
			seen[id] = true
			out = append(out, d.candidate(p, r, g, set))
		}
		add(s.model, true)
		offered, _ := d.offers(ctx, s, listWait)
		for _, m := range offered {
			add(m.ID, false)
		}
	}
	return out
}

// routable keeps the router to models that it knows enough of.
func (d *Door) routable(s service, r Route) bool {
	switch {
	case !llm.Talks(r.Model):
		return false
	case r.edited: // an administrator spoke of it
		return true
	case local(s.kind):
		return r.known
	}
	return r.priced && r.tools && r.Window >= leastWindow
}

func (d *Door) candidate(p policy, r Route, g gauge, set bool) candidate {
	now := d.now()
	return candidate{route: r, stand: d.health.look(r, p.orders[r.service], now), nanos: g.cost(r, now), set: set}
}

// include makes sure that the named model is among the candidates.
func (d *Door) include(all []candidate, p policy, named Route, g gauge) []candidate {
	for n := range all {
		if all[n].route.key() == named.key() {
			all[n].set = true
			return all
		}
	}
	return append(all, d.candidate(p, named, g, true))
}

// baseline is what answers without a router: the named model, else the default.
func (d *Door) baseline(ctx context.Context, sc *models.Scope, p policy, i *models.Instance, all []service, named string) (Route, string, error) {
	if named == "" && len(all) > 0 && all[0].main { // as Resolve would find, without asking again
		return d.route(p, all[0], cmp.Or(pin(i), all[0].model)), "plan_ceiling", nil
	}
	if named == "" {
		r, err := d.Resolve(ctx, sc, i)
		return r, "plan_ceiling", err
	}
	r, err := d.named(ctx, p, all, named)
	return r, "named", err
}

// find looks for a model by its name, also as "provider/model". The default service comes first.
func (d *Door) find(ctx context.Context, p policy, all []service, named string) (Route, bool) {
	if len(all) == 0 && d.Offline != nil {
		r := d.builtIn()
		return r, strings.EqualFold(named, r.Model) || strings.EqualFold(named, r.key())
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b service) int { return btoi(!a.main) - btoi(!b.main) })
	finders := []func(s service, name string) (string, bool){
		func(s service, name string) (string, bool) { return s.model, strings.EqualFold(s.model, name) },
		func(s service, name string) (string, bool) { m, ok := d.told(s, name); return m.ID, ok },
		func(s service, name string) (string, bool) { // the catalogue's, or another spelling that it knows
			e, ok := llm.Lookup(s.kind, name)
			if s.kind == "openai-compatible" || s.kind == "openrouter" && !ok {
				return "", false
			}
			if s.kind == "openrouter" {
				return name, ok
			}
			return e.ID, ok
		},
		func(s service, name string) (string, bool) {
			_, ok := p.edits[s.kind+"/"+strings.ToLower(name)]
			return name, ok
		},
	}
	for _, s := range all {
		_, _ = d.offers(ctx, s, listWait)
	}
	for _, f := range finders {
		for _, s := range all {
			for _, name := range []string{named, within(s, named)} {
				if model, ok := f(s, name); ok && name != "" {
					return d.route(p, s, model), true
				}
			}
		}
	}
	return Route{}, false
}

// Named finds the route of a model by its name, also as "provider/model", among the services that may answer an instance:
// exactly that model, whatever a router would take. Fault: Invalid llm.unknown_model.
func (d *Door) Named(ctx context.Context, sc *models.Scope, i *models.Instance, name string) (Route, error) {
	all, err := d.servicesOf(ctx, sc, i)
	if err != nil {
		return Route{}, err
	}
	return d.named(ctx, d.policy(ctx, sc), all, name)
}

func (d *Door) named(ctx context.Context, p policy, all []service, name string) (Route, error) {
	r, ok := d.find(ctx, p, all, name)
	if !ok {
		return r, fault.New(fault.Invalid, "llm.unknown_model", "No connected service offers the model %s", name)
	}
	return r, nil
}

// within takes a service's own name off a model's: "openai/gpt-6-sol" → "gpt-6-sol".
func within(s service, named string) string {
	prefix, rest, ok := strings.Cut(named, "/")
	if !ok || !strings.EqualFold(prefix, s.name) && !strings.EqualFold(prefix, s.kind) {
		return ""
	}
	return rest
}
