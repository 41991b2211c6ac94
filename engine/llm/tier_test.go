package llm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
)

func TestTiers(t *testing.T) {
	for out, want := range map[int64]llm.Tier{0: llm.TierNano, 1_000_000: llm.TierNano, 1_000_001: llm.TierSmall, 12_000_000: llm.TierStandard, 25_000_000: llm.TierPremium, 25_000_001: llm.TierFlagship} {
		require.Equal(t, want, llm.Entry{Prices: []llm.Price{{Output: out}}}.Tier("2026-11-22"), "%d", out)
	}
	require.Equal(t, llm.TierStandard, llm.Entry{}.Tier("2026-11-22"))
	for name, want := range map[string]llm.Tier{"llama3.2:3b": llm.TierNano, "llama3.1:8b-instruct": llm.TierSmall, "qwen3-235b-a22b": llm.TierPremium, "Mixtral-70B": llm.TierStandard,
		"gpt-oss": llm.TierStandard, "phi-4-mini-3.8b": llm.TierNano, "step-3.5b5": llm.TierStandard} {
		require.Equal(t, want, llm.TierOfName(name), name)
	}
	for n, tier := range llm.Tiers {
		require.Equal(t, n, tier.Rank())
	}
	require.Equal(t, llm.TierStandard.Rank(), llm.Tier("what").Rank())
	require.True(t, llm.Talks("gpt-6-sol"))
	require.False(t, llm.Talks("text-embedding-3-large"))
}
