package settings_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/views/settings"
)

// A capability is spelled on every page as programs spell it.
func TestCapabilitiesKeepTheirSpelling(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, settings.Keys(settings.KeysProps{MayManage: true, Capabilities: []string{"files:read", "use instances"}}).Render(t.Context(), &b))
	require.Contains(t, b.String(), "<span>files:read</span>")
	require.Contains(t, b.String(), "<span>Use instances</span>")
	require.NotContains(t, b.String(), "Files:read")
}
