package hands

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
	"lobstead/kit/fault"
)

// A workspace that cannot be measured takes no more, and says why instead of a number that is none.
func TestTooDeepToBeMeasured(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	root, err := os.OpenRoot(home)
	require.NoError(t, err)
	defer func() { _ = root.Close() }()
	d := newDaemon(&Setup{Plan: confine.Plan{Mount: true}}, root, home)
	d.storage = 1 << 30
	require.NoError(t, d.disk.reserve(d, 1))
	require.NoError(t, os.MkdirAll(filepath.Join(home, strings.Repeat("d/", sandbox.MaxDepth+5)), 0o755))
	err = d.disk.reserve(d, d.storage-1)
	require.True(t, fault.Is(err, fault.Full))
	require.Contains(t, fault.As(err).Detail, "levels deep")
	require.NoError(t, root.RemoveAll("d"))
	require.NoError(t, d.disk.reserve(d, 1<<20), "it was removed")
}
