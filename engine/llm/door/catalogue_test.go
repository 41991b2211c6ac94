package door_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/models"
)

func TestTheCatalogueListsWhatAnswersAndWhatCould(t *testing.T) {
	t.Parallel()
	g := newRig(t, 1)
	in, out := int64(1_500_000), int64(30_000_000)
	by := models.Actor{Name: "Admin", Staff: true, Reason: "test"}
	require.NoError(t, g.store.AsSystem("test").EditCatalogue(t.Context(), by, models.CatalogueEdit{Provider: "anthropic", Model: other, Input: &in, Output: &out}))
	require.NoError(t, g.sc.OrderBreaker(t.Context(), "openai", true))
	rows, err := g.door.Catalogue(t.Context(), g.sc)
	require.NoError(t, err)
	require.Equal(t, []any{"openai", big, true, true, true}, []any{rows[0].Service, rows[0].ID, rows[0].Default, rows[0].Priced, rows[0].Resting}, "the chosen model is the first")
	found := map[string]door.Listed{}
	for _, r := range rows {
		require.NotContains(t, found, r.Kind+"/"+r.ID, "twice")
		found[r.Kind+"/"+r.ID] = r
	}
	edited := found["anthropic/"+other]
	require.Equal(t, []any{"", true, in, out, llm.TierFlagship, true}, []any{edited.Service, edited.Edited, edited.Input, edited.Output, edited.Tier, edited.Tools})
	require.Positive(t, edited.Context)
	require.False(t, edited.Resting)
}

// An organization's ceiling holds below its plan's.
func TestAnOrganizationHasACeilingOfItsOwn(t *testing.T) {
	t.Parallel()
	g := newRig(t, 2)
	g.offered()
	require.NoError(t, g.sc.SetRouting(t.Context(), models.Routing{Ceiling: string(llm.TierSmall)}))
	require.Equal(t, llm.TierSmall, g.door.Ceiling(t.Context(), g.sc))
	got := g.ask(door.Ask{Model: door.Auto, Request: say(hard)})
	require.NoError(t, got.err)
	require.LessOrEqual(t, llm.Tier(got.decision.Tier).Rank(), llm.TierSmall.Rank())
}
