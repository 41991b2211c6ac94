package door

import (
	"context"
	"iter"

	"lobstead/engine/llm"
	"lobstead/models"
)

// ledgered is a provider whose every call goes through the door: for code that takes a provider.
type ledgered struct {
	door  *Door
	sc    *models.Scope
	route Route
}

func (l *ledgered) Name() string { return l.route.Name }

func (l *ledgered) Models(ctx context.Context) ([]llm.Model, error) {
	return l.route.Provider.Models(ctx)
}

func (l *ledgered) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return l.door.stream(ctx, l.sc, Call{Purpose: "test"}, l.route, r, manner{unsafe: true})
}
