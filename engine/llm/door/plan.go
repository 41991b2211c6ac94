package door

import (
	"context"
	"iter"
	"strings"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Auto is the model name that leaves the choice to the router.
const Auto = "auto"

// Ask is one wish for an answer, before a model is chosen.
type Ask struct {
	Call     Call
	Instance *models.Instance // whose settings hold; nil = the organization's default service
	Model    string           // "" or Auto = the router chooses; else the dearest model that may answer
	Request  llm.Request      // its Model is filled in by Answer
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
}

// Feature is one explainable part of a request's complexity.
type Feature struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Points int    `json:"points"`
}

// Choice is a model that could have answered.
type Choice struct {
	Provider string   `json:"provider"`
	Model    string   `json:"model"`
	Tier     llm.Tier `json:"tier"`
	Score    float64  `json:"score"`
	Usable   bool     `json:"usable"`
	Note     string   `json:"note,omitempty"` // why not, or why so far behind
}

// Baseline is what the request would have been served by without a router: savings are measured against it.
type Baseline struct {
	Model  string `json:"model"`
	Reason string `json:"reason"` // "named" or "plan_ceiling"
	route  Route  // whose price it is
}

// Plan is a decision with the routes that carry it out: the first answers, the others stand in for it in order.
type Plan struct {
	Decision Decision
	Routes   []Route
}

// Plan chooses. It calls no model and changes nothing. A model that nobody connected serves is a fault.Invalid
// llm.unknown_model.
func (d *Door) Plan(ctx context.Context, sc *models.Scope, a Ask) (Plan, error) {
	i := a.Instance
	if i == nil {
		i = &models.Instance{OrganizationID: sc.Org}
	}
	r, err := d.Resolve(ctx, sc, i)
	if err != nil {
		return Plan{}, err
	}
	named := a.Model != "" && a.Model != Auto
	if named && !strings.EqualFold(a.Model, r.Model) {
		e, ok := llm.Lookup(r.Name, a.Model)
		if !ok {
			return Plan{}, fault.New(fault.Invalid, "llm.unknown_model", "No connected service offers the model %s", a.Model)
		}
		r = route(r.Name, r.Provider, e.ID)
	}
	return Plan{Routes: []Route{r}, Decision: Decision{Requested: a.Model, Routed: !named, Tier: r.Tier(), Reason: "the only connected service",
		Candidates: []Choice{{Provider: r.Name, Model: r.Model, Tier: r.Tier(), Usable: true}}}}, nil
}

// Answer streams the answer of a plan; errors are as those of Stream. The chunk with Done names the model that served.
func (d *Door) Answer(ctx context.Context, sc *models.Scope, p Plan, a Ask) iter.Seq2[llm.Chunk, error] {
	req := a.Request
	req.Model = p.Routes[0].Model
	return d.Stream(ctx, sc, a.Call, p.Routes[0], req)
}
