package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/models/modelstest"
)

// The first rule stays first when it is asked to go up, and nothing is written down of that.
func TestMovePolicyRule(t *testing.T) {
	t.Parallel()
	sc, _ := modelstest.Found(t, modelstest.New(t), "Acme")
	ids := []string{}
	for _, tool := range []string{"bash", "fetch_url", "write_file"} {
		r, err := sc.CreatePolicyRule(t.Context(), models.NewPolicyRule{Tool: tool, Verdict: models.Ask})
		require.NoError(t, err)
		ids = append(ids, r.ID)
	}
	order := func() []string {
		rules, err := sc.PolicyRules(t.Context(), "")
		require.NoError(t, err)
		out := []string{}
		for _, r := range rules {
			out = append(out, r.Tool)
		}
		return out
	}
	moved := func() int {
		log, err := sc.AuditEntries(t.Context(), models.AuditFilter{Act: "policy.moved"})
		require.NoError(t, err)
		return len(log)
	}
	require.NoError(t, sc.MovePolicyRule(t.Context(), ids[0], true))
	require.NoError(t, sc.MovePolicyRule(t.Context(), ids[2], false))
	require.Equal(t, []string{"bash", "fetch_url", "write_file"}, order())
	require.Zero(t, moved())
	require.NoError(t, sc.MovePolicyRule(t.Context(), ids[0], false))
	require.NoError(t, sc.MovePolicyRule(t.Context(), ids[2], true))
	require.Equal(t, []string{"fetch_url", "write_file", "bash"}, order())
	require.Equal(t, 2, moved())
}
