package door_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/llmtest"
	"lobstead/models"
)

// What we ask beside a conversation goes to a cheap model of the service that may see it.
func TestAside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		model  string // of the instance
		fault  llmtest.Fault
		served string
		routed bool
	}{
		"the default's service":   {"", llmtest.Fine, "gpt-5-nano", true},
		"the router may choose":   {"auto", llmtest.Fine, "gpt-5-nano", true},
		"a model that was chosen": {"gpt-5", llmtest.Fine, "gpt-5", false},
		"the cheap one is broken": {"", llmtest.Unknown, "gpt-5-mini", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, 2)
			g.two.List("claude-haiku-4-5")
			g.one.List(big, "gpt-5", "gpt-5-mini", "gpt-5-nano").On("gpt-5-nano", c.fault)
			i := g.instance(c.model, nil)
			a := door.Ask{Instance: i, Ceiling: llm.TierSmall, Request: say("name it"), Call: door.Call{Purpose: "title", InstanceID: i.ID}}
			m, done, err := llm.Collect(g.door.Aside(t.Context(), g.sc, a))
			require.NoError(t, err)
			require.Equal(t, []any{c.served, "Hello from " + c.served}, []any{done.Model, m.Parts[0].Text})
			rows, err := g.sc.Decisions(t.Context(), 1)
			require.NoError(t, err)
			require.Equal(t, []any{c.routed, "title"}, []any{rows[0].Routed, rows[0].Purpose})
		})
	}
}

// Where no model is small enough, whoever answers the instance is asked.
func TestAsideWithoutASmallModel(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	g.one.List(big)
	require.Equal(t, models.CacheMiss, g.ask(door.Ask{Instance: g.instance("", nil)}).spent.Cached) // the list was read
	_, done, err := llm.Collect(g.door.Aside(t.Context(), g.sc, door.Ask{Instance: g.instance("", nil), Ceiling: llm.TierNano, Request: say("name it"), Call: door.Call{Purpose: "title"}}))
	require.NoError(t, err)
	require.Equal(t, big, done.Model)
}
