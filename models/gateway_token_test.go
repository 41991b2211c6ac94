package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// An instance's token names the instance and its organization, and may do one thing.
func TestGatewayToken(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	inst := modelstest.Instance(t, sc, "one")
	token, err := sc.GatewayToken(inst)
	require.NoError(t, err)
	sy := store.AsSystem("test")
	p, err := sy.ByGatewayToken(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, []string{inst.ID, sc.Org, sc.Org, ""}, []string{p.Instance.ID, p.Organization.ID, p.Membership.OrganizationID, p.User.ID})
	for _, c := range models.Capabilities {
		require.Equal(t, c == models.CanInfer, p.May(c), c)
	}
	require.Equal(t, models.Actor{Name: "one"}, p.Actor())
	for _, wrong := range []string{"", "gw_", "gw_nobody", token.Reveal() + "x", inst.ID} {
		_, err = sy.ByGatewayToken(t.Context(), secret.Of(wrong))
		require.True(t, fault.Is(err, fault.Unauthenticated), wrong)
	}
	require.NoError(t, sc.MayInfer(t.Context()))
	off := false
	require.NoError(t, sc.SetFlag(t.Context(), models.FlagAgents, &off))
	require.True(t, fault.Is(sc.MayInfer(t.Context()), fault.Forbidden))
	for _, name := range []string{"one", inst.ID} {
		found, err := sc.InstanceNamed(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, inst.ID, found.ID)
	}
	_, err = sc.InstanceNamed(t.Context(), "two")
	require.True(t, fault.Is(err, fault.NotFound))
}
