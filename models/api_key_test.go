package models_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, f := modelstest.Found(t, store, "Acme")
	ctx, sy := t.Context(), store.AsSystem("test")
	column := func(row *models.APIKey) models.APIKey {
		var k models.APIKey
		require.NoError(t, store.Gorm(models.SystemContext(ctx, "test")).Where("id = ?", row.ID).Take(&k).Error)
		return k
	}
	tokyo := time.FixedZone("JST", 9*3600)
	expires := fake.Now().Add(time.Hour).In(tokyo)
	row, key, err := sc.CreateAPIKey(ctx, models.NewAPIKey{Name: "  ci ", Expires: &expires})
	require.NoError(t, err)
	require.Equal(t, "ci", row.Name)
	require.True(t, strings.HasPrefix(key.Reveal(), models.KeyPrefix))
	require.True(t, strings.HasPrefix(key.Reveal(), row.Prefix))
	require.LessOrEqual(t, len(row.Prefix), 12)
	p, err := sy.ByAPIKey(ctx, key, "192.0.2.1")
	require.NoError(t, err)
	require.Equal(t, []string{sc.Org, f.User.ID, row.ID}, []string{p.Membership.OrganizationID, p.User.ID, p.KeyID})
	require.Equal(t, "192.0.2.1", column(row).LastUsedAddress)
	first := *column(row).LastUsedAt
	fake.Add(59 * time.Second)
	require.NoError(t, second(sy.ByAPIKey(ctx, key, "192.0.2.2")))
	require.Equal(t, first, *column(row).LastUsedAt, "not a write per request")
	fake.Add(2 * time.Second)
	require.NoError(t, second(sy.ByAPIKey(ctx, key, "192.0.2.2")))
	require.Equal(t, fake.Now(), column(row).LastUsedAt.UTC())
	fake.Add(time.Hour)
	require.True(t, fault.Is(second(sy.ByAPIKey(ctx, key, "")), fault.Unauthenticated), "expired, whatever zone the date was given in")

	row, key, err = sc.CreateAPIKey(ctx, models.NewAPIKey{Name: "second"})
	require.NoError(t, err)
	for _, wrong := range []string{"", "lob_", key.Reveal() + "x", strings.ToUpper(key.Reveal()), row.KeyHash, "' OR 1=1 --"} {
		require.True(t, fault.Is(second(sy.ByAPIKey(ctx, secret.Of(wrong), "")), fault.Unauthenticated), wrong)
	}
	set := func(model any, columns map[string]any) {
		require.NoError(t, store.Gorm(models.SystemContext(ctx, "test")).Model(model).Where("1 = 1").Updates(columns).Error)
	}
	set(&models.Membership{}, map[string]any{"role": models.Member})
	p, err = sy.ByAPIKey(ctx, key, "")
	require.NoError(t, err)
	require.Equal(t, models.Member, p.Actor().Role, "resolved afresh: a demotion counts at once")
	set(&models.APIKey{}, map[string]any{"revoked_at": fake.Now()})
	require.True(t, fault.Is(second(sy.ByAPIKey(ctx, key, "")), fault.Unauthenticated), "revoked")
	set(&models.APIKey{}, map[string]any{"revoked_at": nil})
	require.NoError(t, store.Gorm(models.SystemContext(ctx, "test")).Where("1 = 1").Delete(&models.Membership{}).Error)
	require.True(t, fault.Is(second(sy.ByAPIKey(ctx, key, "")), fault.Unauthenticated), "no member any more")
	for _, name := range []string{"", " ", strings.Repeat("a", 101), "a\nb"} {
		_, _, err = sc.CreateAPIKey(ctx, models.NewAPIKey{Name: name})
		require.True(t, fault.Is(err, fault.Invalid), "%q", name)
	}
}

// No credential is in the database in clear: the bytes of the file say so, or every column of every table.
func TestSecretsAreNotStored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := modelstest.New(t)
	if !modelstest.Postgres() {
		store = modelstest.Open(t, models.Options{Dir: dir})
	}
	ctx, sy := t.Context(), store.AsSystem("test")
	link, err := sy.NewSetupLink(ctx)
	require.NoError(t, err)
	f, err := sy.Found(ctx, link, founding(1))
	require.NoError(t, err)
	sc := store.In(f.Organization.ID).As(models.Actor{UserID: f.User.ID})
	cookie, err := sy.OpenSignIn(ctx, f.User.ID, models.Client{})
	require.NoError(t, err)
	_, key, err := sc.CreateAPIKey(ctx, models.NewAPIKey{Name: "k"})
	require.NoError(t, err)
	inst := modelstest.Instance(t, sc, "one")
	gateway, err := sc.GatewayToken(inst)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(gateway.Reveal(), "gw_"))
	provider := secret.Of("sk-live-0123456789abcdefghij")
	_, err = sc.ConnectProvider(ctx, models.NewProvider{Kind: "openai", Model: "m", Key: provider}, "")
	require.NoError(t, err)
	keys, err := sy.ProviderKeys(ctx)
	require.NoError(t, err)
	require.Equal(t, []secret.String{provider}, keys)
	secrets := map[string]secret.String{"link": link, "cookie": cookie, "key": key, "gateway": gateway, "provider": provider, "password": secret.Of(modelstest.Password)}
	text := ""
	for table := range readSchema(t, store) {
		text += strings.Join(dump(t, store, table), "\n")
	}
	if !modelstest.Postgres() {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		for _, name := range files {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			text += string(b)
			info, err := os.Stat(name)
			require.NoError(t, err)
			require.Zero(t, info.Mode().Perm()&0o077, "%s can be read by others", filepath.Base(name))
		}
	}
	require.Contains(t, text, inst.ID, "the search looks at the right place")
	for name, s := range secrets {
		require.NotContains(t, text, s.Reveal(), name)
		require.NotContains(t, text, strings.TrimPrefix(s.Reveal(), "lob_"), name)
	}
	other, _ := modelstest.Found(t, store, "Other")
	moved := modelstest.Instance(t, other, "two")
	moved.GatewayTokenSealed = inst.GatewayTokenSealed
	_, err = other.GatewayToken(moved)
	require.Error(t, err, "a sealed token opens in its own row only")
}
