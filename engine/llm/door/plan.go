package door

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"lobstead/engine/llm"
	"lobstead/models"
)

// Auto is the model name that leaves the choice to the router.
const Auto = "auto"

const (
	maxRoutes  = 4  // of a plan by rank, and one of each further service
	maxChoices = 16 // that are kept of a decision
)

// Ask is one wish for an answer, before a model is chosen.
type Ask struct {
	Call     Call
	Instance *models.Instance // whose settings hold; nil = the organization's default service
	Model    string           // "" = the instance's setting, Auto without one; Auto = the router chooses; else the dearest model that may answer
	Request  llm.Request      // its Model is filled in by Answer
	Ceiling  llm.Tier         // "" = the plan's
	Cache    CacheUse

	// Restart hears that the chunks so far are void: the answer begins anew, of the same model or another. With nil, whatever was
	// handed out is final, and a failure after it is the caller's.
	Restart func()
	Quit    <-chan struct{} // ends a wait between two tries; nil = only ctx does

	account string // of the only service that the router may choose from; "" = all
}

// Decision says which model was chosen, and why. It is stored with the call and shown in the turn inspector.
type Decision struct {
	Requested  string    `json:"requested"`
	Routed     bool      `json:"routed"`     // somebody else than the caller chose
	Complexity int       `json:"complexity"` // 0–100
	Tier       llm.Tier  `json:"tier"`
	Reason     string    `json:"reason"` // one line for people
	Features   []Feature `json:"features,omitempty"`
	Candidates []Choice  `json:"candidates"`
	Baseline   *Baseline `json:"baseline,omitempty"`
	Shadow     bool      `json:"shadow,omitempty"` // decided, but another model answers: the one without a router
	Chosen     string    `json:"chosen"`           // "provider/model" of the choice
}

// Feature is one explainable part of a request's complexity.
type Feature struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Points int    `json:"points"`
}

// Choice is a model that could have answered.
type Choice struct {
	Provider  string   `json:"provider"`
	Model     string   `json:"model"`
	Tier      llm.Tier `json:"tier"`
	Score     float64  `json:"score"` // 0–100: 100 is the cheapest that is usable
	Usable    bool     `json:"usable"`
	Note      string   `json:"note,omitempty"` // why not, or why so far behind
	CostNanos int64    `json:"cost_nanos"`     // of this request, about
	Priced    bool     `json:"priced"`
	Blocked   bool     `json:"blocked,omitempty"` // by its breaker
}

// Baseline is what the request would have been served by without a router: savings are measured against it.
type Baseline struct {
	Model  string `json:"model"`
	Reason string `json:"reason"` // "named" or "plan_ceiling"
	route  Route
}

// Plan is a decision with the routes that carry it out: the first answers, the others stand in for it in order.
type Plan struct {
	Decision Decision
	Routes   []Route

	hedge time.Duration
	kept  *atomic.Bool // the decision is in the database
}

// Plan chooses. It calls no model and changes nothing. A model that nobody connected serves is a fault.Invalid
// llm.unknown_model; a request that no model can take is llm.context_length (TooLarge), llm.no_images, llm.no_model (Invalid) or
// llm.ceiling (Forbidden); when all that could answer rest, the error is the *llm.Error of the one that is back first.
func (d *Door) Plan(ctx context.Context, sc *models.Scope, a Ask) (Plan, error) {
	p := d.policy(ctx, sc)
	i := a.Instance
	if i == nil {
		i = &models.Instance{OrganizationID: sc.Org}
	}
	named := a.Model
	if strings.EqualFold(named, Auto) {
		named = ""
	}
	auto := strings.EqualFold(a.Model, Auto) || a.Model == "" && (a.Instance == nil || strings.EqualFold(i.Model, Auto))
	if !auto && (named == "" || pin(i) != "" && strings.EqualFold(named, pin(i))) {
		return d.planSettled(ctx, sc, p, i, a)
	}
	return d.planRouted(ctx, sc, p, i, a, named)
}

// planSettled carries out what somebody chose before: exactly that model, and for an organization's default what else the
// organization chose for its other services, should the default fail.
func (d *Door) planSettled(ctx context.Context, sc *models.Scope, p policy, i *models.Instance, a Ask) (Plan, error) {
	r, err := d.Resolve(ctx, sc, i)
	if err != nil {
		return Plan{}, err
	}
	g := measure(a.Request)
	reason := "the organization's default model"
	routes := []Route{r}
	switch {
	case pin(i) != "":
		reason = "the model that was chosen for the instance"
	case r.Offline:
		reason = "no other model is connected"
	case i.ProviderID == nil || *i.ProviderID == "":
		if routes, err = d.standIns(ctx, sc, p, r, g); err != nil {
			return Plan{}, err
		}
	default:
		reason = "the model of the service that was chosen for the instance"
	}
	now, stand := d.now(), standing{}
	out := Plan{Routes: routes, kept: new(atomic.Bool), Decision: Decision{Requested: a.Model, Complexity: g.complexity, Tier: r.Tier(), Reason: reason, Features: g.features, Chosen: r.key()}}
	for n, r := range routes {
		stand = d.health.look(r, p.orders[r.service], now)
		c := candidate{route: r, stand: stand, nanos: g.cost(r, now), set: true}
		note := ""
		if n > 0 {
			note = "stands in for the default"
		}
		if stand.rest > 0 {
			note = want{ceiling: llm.TierFlagship, most: -1}.unfit(c)
		}
		out.Decision.Candidates = append(out.Decision.Candidates, c.choice(0, stand.rest == 0, note))
	}
	return out, nil
}

// standIns follows a default by the models that were chosen for the other services, as far as they can take the request.
func (d *Door) standIns(ctx context.Context, sc *models.Scope, p policy, first Route, g gauge) ([]Route, error) {
	all, err := d.services(ctx, sc)
	if err != nil {
		return nil, err
	}
	out := []Route{first}
	for _, s := range all {
		alt := d.route(p, s, s.model)
		if alt.account == first.account || s.model == "" || g.input+alt.keeps(g.most) > alt.Window || g.images && !alt.Images {
			continue
		}
		out = append(out, alt)
	}
	return out, nil
}

// planRouted lets the router choose, below the named model or the plan's ceiling.
func (d *Door) planRouted(ctx context.Context, sc *models.Scope, p policy, i *models.Instance, a Ask, named string) (Plan, error) {
	all, err := d.servicesOf(ctx, sc, i)
	if err != nil {
		return Plan{}, err
	}
	if a.account != "" {
		all = slices.DeleteFunc(all, func(s service) bool { return s.account != a.account })
	}
	g := measure(a.Request)
	w := want{tier: TierFor(g.complexity), ceiling: p.ceiling, most: -1, input: g.input, answer: g.most, images: g.images, tools: g.tools}
	if a.Ceiling != "" {
		w.ceiling = a.Ceiling
	}
	if w.tier == llm.TierNano && w.tools { // the smallest models lose their way among tools
		w.tier = llm.TierSmall
	}
	cands := d.candidates(ctx, p, all, g)
	base, reason, err := d.baseline(ctx, sc, p, i, all, named)
	if err != nil {
		return Plan{}, err
	}
	if named != "" {
		if w.named = base.key(); base.Tier().Rank() < w.ceiling.Rank() {
			w.ceiling = base.Tier()
		}
		if base.Priced() {
			w.most = g.cost(base, d.now())
		}
		cands = d.include(cands, p, base, g)
	}
	ranked, choices, err := choose(w, cands)
	if err != nil {
		return Plan{}, err
	}
	out := Plan{Routes: spread(ranked), hedge: p.hedge, kept: new(atomic.Bool)}
	first := out.Routes[0]
	out.Decision = Decision{Requested: a.Model, Routed: true, Complexity: g.complexity, Tier: first.Tier(), Features: g.features, Candidates: choices[:min(len(choices), maxChoices)],
		Chosen: first.key(), Reason: why(w, g.complexity, first, len(ranked)), Baseline: &Baseline{Model: base.Model, Reason: reason, route: base}}
	if w.named == first.key() {
		out.Decision.Routed = false
	}
	if p.shadow {
		return shadowed(out, base, ranked), nil
	}
	return out, nil
}

// shadowed keeps the decision and serves what would answer without a router.
func shadowed(p Plan, base Route, ranked []candidate) Plan {
	p.Decision.Shadow, p.Decision.Routed = true, false
	p.Decision.Reason = "only noted: " + p.Decision.Reason
	p.Decision.Tier = base.Tier()
	stands := slices.DeleteFunc(spread(ranked), func(r Route) bool { return r.key() == base.key() })
	p.Routes = append([]Route{base}, stands...)
	return p
}

func why(w want, score int, r Route, n int) string {
	switch {
	case w.named == r.key():
		return fmt.Sprintf("the named model: complexity %d leaves nothing smaller", score)
	case n == 1:
		return "the only model that can answer"
	case r.Tier().Rank() < min(w.tier.Rank(), w.ceiling.Rank()):
		return fmt.Sprintf("complexity %d calls for %s; the most capable that can answer now", score, w.tier)
	case w.tier.Rank() > w.ceiling.Rank():
		return fmt.Sprintf("complexity %d calls for %s, the ceiling is %s; the cheapest there", score, w.tier, w.ceiling)
	}
	return fmt.Sprintf("complexity %d calls for %s; the cheapest of it or above", score, w.tier)
}

// spread takes the first routes by rank, and the first of each further service: when a provider is down, another must be there.
func spread(ranked []candidate) []Route {
	var out []Route
	services := map[string]bool{}
	for n, c := range ranked {
		if n < maxRoutes || !services[c.route.account] {
			out = append(out, c.route)
			services[c.route.account] = true
		}
	}
	return out[:min(len(out), 2*maxRoutes)]
}
