package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestSignInProvidersNeedATest(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	_, f := modelstest.Found(t, store, "Acme")
	sy, ctx := store.AsSystem("test"), t.Context()
	by := models.Actor{UserID: f.User.ID, Name: f.User.Name}
	n := models.NewSignInProvider{Kind: models.OIDC, Name: "Corp", Issuer: issuer, ClientID: "client", Secret: secret.Of("s3cret-canary")}
	bad := n
	bad.Kind, bad.Name, bad.Issuer, bad.ClientID, bad.Secret = "saml", "", "http://inside", "\x00", secret.String{}
	require.Len(t, fault.As(second(sy.AddSignInProvider(ctx, by, bad))).Fields, 5, "all at once")
	for _, address := range []string{"", "https://", "ftp://a.example", "https://u:p@a.example", "https://a.example?x=1", "https://a.example#x", "http://a.example"} {
		bad = n
		bad.Issuer = address
		require.Len(t, fault.As(second(sy.AddSignInProvider(ctx, by, bad))).Fields, 1, address)
	}
	p, err := sy.AddSignInProvider(ctx, by, n)
	require.NoError(t, err)
	require.True(t, fault.Is(second(sy.AddSignInProvider(ctx, by, n)), fault.Conflict))
	for _, row := range dump(t, store, "sign_in_providers") {
		require.NotContains(t, row, "canary")
	}
	read, err := sy.SignInProvider(ctx, nil, p.ID)
	require.NoError(t, err)
	require.Equal(t, "s3cret-canary", read.Secret.Reveal())
	keys, err := sy.SignInSecrets(ctx)
	require.NoError(t, err)
	require.Len(t, keys, 1)
	for _, unknown := range []string{"github", "x", f.User.ID, "\x00", ""} {
		require.True(t, fault.Is(second(sy.SignInProvider(ctx, nil, unknown)), fault.NotFound), unknown)
	}

	require.Equal(t, "sign_in_provider.untested", fault.As(sy.EnableSignInProvider(ctx, by, p.ID, true)).Code)
	require.NoError(t, sy.NoteSignInTest(ctx, by, read, false, "refused"))
	require.Equal(t, "sign_in_provider.untested", fault.As(sy.EnableSignInProvider(ctx, by, p.ID, true)).Code, "a bad test is none")
	require.Equal(t, "password_policy.only_way", fault.As(sy.SetPasswordPolicy(ctx, by, models.PasswordsForNobody, nil)).Code)
	require.NoError(t, sy.NoteSignInTest(ctx, by, read, true, "ada came back"))
	require.Equal(t, "password_policy.only_way", fault.As(sy.SetPasswordPolicy(ctx, by, models.PasswordsForNobody, nil)).Code, "tested, not enabled")
	require.NoError(t, sy.EnableSignInProvider(ctx, by, p.ID, true))

	require.NoError(t, sy.SetPasswordPolicy(ctx, by, models.PasswordsForNobody, nil))
	policy, err := sy.PasswordPolicy(ctx)
	require.NoError(t, err)
	require.Equal(t, models.PasswordsForNobody, policy)
	changed := models.NewSignInProvider{Name: "Corp 2", Issuer: issuer + "/2", ClientID: "client"}
	for name, err := range map[string]error{"disable": sy.EnableSignInProvider(ctx, by, p.ID, false), "remove": sy.RemoveSignInProvider(ctx, by, p.ID),
		"another issuer": sy.ChangeSignInProvider(ctx, by, p.ID, changed)} {
		require.Equal(t, "sign_in_provider.last", fault.As(err).Code, name)
	}
	changed.Issuer = issuer
	require.NoError(t, sy.ChangeSignInProvider(ctx, by, p.ID, changed), "only a name")
	require.True(t, fault.Is(sy.SetPasswordPolicy(ctx, by, "some", nil), fault.Invalid))
	require.NoError(t, sy.SetPasswordPolicy(ctx, by, models.PasswordsForAll, nil))
	changed.Issuer = issuer + "/2"
	require.NoError(t, sy.ChangeSignInProvider(ctx, by, p.ID, changed))
	rows, err := sy.SignInProviders(ctx, nil)
	require.NoError(t, err)
	require.False(t, rows[0].Enabled, "other settings are not tested")
	require.Nil(t, rows[0].TestedAt)
	require.True(t, fault.Is(sy.NoteSignInTest(ctx, by, read, true, "late"), fault.Conflict), "the test was of other settings")
	require.NoError(t, sy.RemoveSignInProvider(ctx, by, p.ID))
	require.True(t, fault.Is(sy.RemoveSignInProvider(ctx, by, p.ID), fault.NotFound))
	require.Equal(t, []string{"sign_in_provider.added", "sign_in_provider.tested", "sign_in_provider.tested", "sign_in_provider.enabled", "password_policy.changed",
		"sign_in_provider.changed", "password_policy.changed", "sign_in_provider.changed", "sign_in_provider.removed"}, acts(t, store))
}

func TestProvidersOfTheEnvironment(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	_, f := modelstest.Found(t, store, "Acme")
	sy, ctx := store.AsSystem("test"), t.Context()
	by := models.Actor{UserID: f.User.ID, Name: f.User.Name}
	env := []models.SignInProvider{{ID: models.OIDC, Kind: models.OIDC, Name: "Corp", Issuer: issuer, ClientID: "c", Secret: secret.Of("s"), Enabled: true, Environment: true}}
	require.Equal(t, "password_policy.only_way", fault.As(sy.SetPasswordPolicy(ctx, by, models.PasswordsForOwners, env)).Code)
	p, err := sy.SignInProvider(ctx, env, models.OIDC)
	require.NoError(t, err)
	require.Equal(t, "s", p.Secret.Reveal())
	require.NoError(t, sy.NoteSignInTest(ctx, by, p, true, "ada came back"))
	rows, err := sy.SignInProviders(ctx, env)
	require.NoError(t, err)
	require.Equal(t, "ada came back", rows[0].TestResult)
	require.True(t, rows[0].Secret.Empty(), "lists hold no secrets")
	env[0].ClientID = "other"
	rows, err = sy.SignInProviders(ctx, env)
	require.NoError(t, err)
	require.Nil(t, rows[0].TestedAt, "another client was not tested")
	env[0].ClientID = "c"
	require.NoError(t, sy.SetPasswordPolicy(ctx, by, models.PasswordsForOwners, env))

	member := models.User{ID: "m"}
	for u, may := range map[*models.User]bool{&f.User: true, {ID: f.User.ID}: true, {ID: "m", Staff: true}: true, &member: false} {
		got, err := sy.MaySignInWithPassword(ctx, u, models.PasswordsForOwners)
		require.NoError(t, err)
		require.Equal(t, may, got)
		got, err = sy.MaySignInWithPassword(ctx, u, models.PasswordsForNobody)
		require.NoError(t, err)
		require.False(t, got)
	}
}

// A secret is known to the scrubber from the moment it is kept, and in another process once it is read there.
func TestScrubberLearnsSignInSecrets(t *testing.T) {
	t.Parallel()
	o := place(t)
	here, there := &secret.Scrubber{}, &secret.Scrubber{}
	o.Scrub, o.Learn = here.Scrub, here.Add
	store := modelstest.Open(t, o)
	_, f := modelstest.Found(t, store, "Acme")
	sy, ctx := store.AsSystem("test"), t.Context()
	by := models.Actor{UserID: f.User.ID, Name: "Staff", Staff: true, Reason: "for the test"}
	n := models.NewSignInProvider{Kind: models.OIDC, Name: "Corp", Issuer: "https://corp.example", ClientID: "client", Secret: secret.Of("first-canary")}
	p, err := sy.AddSignInProvider(ctx, by, n)
	require.NoError(t, err)
	n.Secret = secret.Of("second-canary")
	require.NoError(t, sy.ChangeSignInProvider(ctx, by, p.ID, n))
	require.NotContains(t, here.Scrub("first-canary second-canary"), "canary")
	read, err := sy.SignInProvider(ctx, nil, p.ID)
	require.NoError(t, err)
	require.NoError(t, sy.NoteSignInTest(ctx, by, read, false, "refused second-canary"))
	for _, row := range dump(t, store, "sign_in_providers") {
		require.NotContains(t, row, "canary")
	}
	o.Scrub, o.Learn = there.Scrub, there.Add
	require.NoError(t, second(open(t, o).AsSystem("test").SignInProvider(ctx, nil, p.ID)))
	require.NotContains(t, there.Scrub("second-canary"), "canary")
}
