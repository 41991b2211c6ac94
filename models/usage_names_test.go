package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/id"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// An export by conversation asks for the names of more of them than one query can have parameters.
func TestUsageNamesOfMany(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, owner := modelstest.Found(t, store, "Acme")
	other, _ := modelstest.Found(t, store, "Rival")
	keys := []string{}
	for range 70_000 {
		keys = append(keys, id.New())
	}
	keys = append(keys, owner.User.ID)
	names, err := sc.UsageNames(t.Context(), models.ByMember, keys)
	require.NoError(t, err)
	require.Equal(t, map[string]string{owner.User.ID: owner.User.Name}, names)
	names, err = other.UsageNames(t.Context(), models.ByMember, keys)
	require.NoError(t, err)
	require.Empty(t, names, "of another organization")
	names, err = sc.UsageNames(t.Context(), models.ByModel, []string{"gpt-5-nano"})
	require.NoError(t, err)
	require.Empty(t, names, "a model is its own name")
}
