package skills_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/skills"
	"lobstead/kit/fault"
	"lobstead/models/modelstest"
)

func TestHostAllowed(t *testing.T) {
	t.Parallel()
	const list = "example.com,*.example.org,127.0.0.1"
	for host, want := range map[string]bool{"example.com": true, "EXAMPLE.com.": true, "www.example.com": false, "a.example.org": true, "a.b.example.org": true, "example.org": false,
		"badexample.org": false, "example.com.evil.net": false, "127.0.0.1": true, "": false} {
		require.Equal(t, want, skills.HostAllowed(list, host), host)
		require.True(t, skills.HostAllowed("", host), "an empty list allows every host")
	}
}

func TestSwitchAndConfigure(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	one, two := modelstest.Instance(t, sc, "one"), modelstest.Instance(t, sc, "two")
	ctx := t.Context()
	fresh, err := skills.For(ctx, sc, one.ID)
	require.NoError(t, err)
	_, off := fresh.Off("bash")
	require.False(t, off, "as it comes, everything is on")

	s, err := skills.Configure(ctx, sc, one.ID, "web", map[string]string{skills.AllowedHosts: " Example.COM;\n*.example.org, example.com "})
	require.NoError(t, err)
	require.Equal(t, []string{skills.AllowedHosts}, s.Configured)
	s, err = skills.Switch(ctx, sc, one.ID, "web", false)
	require.NoError(t, err)
	require.False(t, s.Enabled)
	require.Equal(t, []string{skills.AllowedHosts}, s.Configured, "what is configured stays while it is off")
	now, err := skills.For(ctx, sc, one.ID)
	require.NoError(t, err)
	name, off := now.Off("fetch_url")
	require.True(t, off)
	require.Equal(t, "web", name)
	require.Equal(t, "example.com,*.example.org", now.Config("fetch_url")[skills.AllowedHosts])
	require.False(t, now.Same(fresh))
	other, err := skills.For(ctx, sc, two.ID)
	require.NoError(t, err)
	_, off = other.Off("fetch_url")
	require.False(t, off, "another instance decides for itself")
	list, err := skills.List(ctx, sc, one.ID)
	require.NoError(t, err)
	require.Len(t, list, len(skills.Builtin))

	s, err = skills.Configure(ctx, sc, one.ID, "web", map[string]string{skills.AllowedHosts: " "})
	require.NoError(t, err)
	require.Empty(t, s.Configured)
	for _, bad := range []string{"https://example.com", "example.com/path", "exa mple..com", "-a.com", "a.com:80", "*.", "*", "bücher.example"} {
		_, err := skills.Configure(ctx, sc, one.ID, "web", map[string]string{skills.AllowedHosts: bad})
		require.True(t, fault.Is(err, fault.Invalid), bad)
	}
	foreign, _ := modelstest.Found(t, store, "Beta")
	_, err = skills.Switch(ctx, foreign, one.ID, "web", true)
	require.True(t, fault.Is(err, fault.NotFound))
}
