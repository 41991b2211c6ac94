package modelstest

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
	"lobstead/migrations"
	"lobstead/models"
)

// Tests open hundreds of databases. Each is a copy of one that was migrated: on Postgres one of the server's, for as long as
// the schema stays the same; on SQLite one of the test's process.

// URL is the address of a fresh, migrated database of this run's kind, for models.Options; "" on SQLite, which has none.
func URL(t testing.TB) string {
	t.Helper()
	if !Postgres() {
		return ""
	}
	return testservices.PostgresLike(t, "lobstead_"+schemaDigest(t), func(url string) { migrated(t, models.Options{URL: url, Dir: t.TempDir()}) })
}

func schemaDigest(t testing.TB) string {
	t.Helper()
	files, err := migrations.For(migrations.Postgres)
	require.NoError(t, err)
	names, err := fs.Glob(files, "*.sql")
	require.NoError(t, err)
	sum := sha256.New()
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		require.NoError(t, err)
		sum.Write(b)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

func migrated(t testing.TB, o models.Options) {
	t.Helper()
	o.Box = Box(t)
	s, err := models.Open(t.Context(), o)
	require.NoError(t, err)
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

var migratedFile struct {
	sync.Mutex
	bytes []byte
}

// lay puts a migrated SQLite database into a directory that has none.
func lay(t testing.TB, dir string) {
	t.Helper()
	path := filepath.Join(dir, "lobstead.db")
	if _, err := os.Stat(path); err == nil {
		return
	}
	m := &migratedFile
	m.Lock()
	defer m.Unlock()
	if m.bytes == nil {
		o := models.Options{Dir: t.TempDir()}
		migrated(t, o)
		var err error
		m.bytes, err = os.ReadFile(filepath.Join(o.Dir, "lobstead.db"))
		require.NoError(t, err)
	}
	require.NoError(t, os.WriteFile(path, m.bytes, 0o600))
}
