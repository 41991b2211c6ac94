package door

import (
	"context"
	"iter"
	"strings"

	"lobstead/engine/llm"
	"lobstead/models"
)

// Aside answers what we ask beside a conversation, a title or a summary: by the cheapest healthy model up to a.Ceiling. It stays
// with the model that somebody chose for the instance, and with the service of the default, unless the router may choose among
// all; where the router finds nobody, whoever answers the instance is asked.
func (d *Door) Aside(ctx context.Context, sc *models.Scope, a Ask) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		plan, err := d.planAside(ctx, sc, a)
		if err != nil {
			yield(llm.Chunk{}, err)
			return
		}
		d.Answer(ctx, sc, plan, a)(yield)
	}
}

func (d *Door) planAside(ctx context.Context, sc *models.Scope, a Ask) (Plan, error) {
	a.Model = ""
	settled, err := d.Plan(ctx, sc, a)
	if err != nil || pin(a.Instance) != "" || settled.Routes[0].Offline {
		return settled, err
	}
	a.Model = Auto
	if !strings.EqualFold(a.Instance.Model, Auto) {
		a.account = settled.Routes[0].account
	}
	routed, err := d.Plan(ctx, sc, a)
	if err != nil {
		return settled, nil
	}
	return routed, nil
}
