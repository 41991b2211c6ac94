package insight

import (
	"context"
	"slices"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/models"
)

// A turn is run again without its hands: another model is shown what the turn's last step saw, the conversation and the results
// of the tools that ran then, and answers. No tool runs and nothing is written but the answer, so the two can be compared.

// Other is a model that could answer a turn again.
type Other struct {
	Name  string // "provider/model"
	Quote Quote
}

// Others lists the models that could answer a turn again, the cheapest first, with what that would cost. Empty when no model
// service is connected. NotFound when what the turn saw is not kept.
func (s *Inspector) Others(ctx context.Context, sc *models.Scope, turn *models.Turn) ([]Other, error) {
	t, err := s.last(ctx, sc, turn)
	if err != nil {
		return nil, err
	}
	return s.others(ctx, sc, t)
}

// Again makes the question for one of Others. Invalid insight.unknown_model for any other name.
func (s *Inspector) Again(ctx context.Context, sc *models.Scope, turn *models.Turn, name string) (*Inquiry, error) {
	t, err := s.last(ctx, sc, turn)
	if err != nil {
		return nil, err
	}
	list, err := s.others(ctx, sc, t)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(list, func(o Other) bool { return o.Name == name }) {
		return nil, fault.New(fault.Invalid, "insight.unknown_model", "This model cannot answer the turn again: choose one of the list")
	}
	route, err := s.Door.Named(ctx, sc, t.inst, name)
	if err != nil {
		return nil, err
	}
	req := t.request
	req.Model = route.Model
	return &Inquiry{route: route, request: req, call: door.Call{Purpose: "comparison", InstanceID: t.inst.ID, SessionID: t.turn.SessionID},
		opinion: models.Opinion{Kind: models.Answer, TurnID: &t.turn.ID, SessionID: &t.turn.SessionID}}, nil
}

// lastStep is a turn with what its last step was shown.
type lastStep struct {
	turn    *models.Turn
	inst    *models.Instance
	request llm.Request
}

func (s *Inspector) last(ctx context.Context, sc *models.Scope, turn *models.Turn) (*lastStep, error) {
	inst, err := sc.Instance(ctx, turn.InstanceID)
	if err != nil {
		return nil, err
	}
	steps, err := sc.TurnSteps(ctx, turn.ID)
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 || !turn.State.Ended() {
		return nil, fault.NotFoundf("turn_step")
	}
	seen, err := s.Turns.Seen(ctx, sc, &steps[len(steps)-1])
	if err != nil {
		return nil, err
	}
	req := seen.Request
	req.Choice, req.MaxTokens = llm.Choice{Mode: llm.ChooseNone}, maxAnswer
	return &lastStep{turn: turn, inst: inst, request: req}, nil
}

func (s *Inspector) others(ctx context.Context, sc *models.Scope, t *lastStep) ([]Other, error) {
	plan, err := s.Door.Plan(ctx, sc, door.Ask{Instance: t.inst, Model: door.Auto, Request: t.request})
	if fault.Is(err, fault.Unavailable) || err == nil && plan.Routes[0].Offline {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Other
	input := llm.EstimateRequest(t.request)
	for _, c := range plan.Decision.Candidates {
		if !c.Usable {
			continue
		}
		name := c.Provider + "/" + c.Model
		route, err := s.Door.Named(ctx, sc, t.inst, name)
		if err != nil {
			return nil, err
		}
		q := Quote{Provider: c.Provider, Model: c.Model, Input: input, Output: t.request.MaxTokens}
		q.MostNanos, q.Priced = route.Price(llm.Usage{Input: q.Input, Output: q.Output}, time.Now())
		out = append(out, Other{Name: name, Quote: q})
	}
	return out, nil
}
