package models_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
	"lobstead/migrations"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// versions are the schema's, oldest first; a number may be missing that is not merged yet.
var versions = func() (out []int64) {
	files, err := migrations.For(migrations.SQLite)
	if err != nil {
		panic(err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		version, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(version, 10, 64)
		if err != nil {
			panic(err)
		}
		out = append(out, n)
	}
	return out
}()

var latest, previous = versions[len(versions)-1], versions[len(versions)-2]

// place gives options that open one and the same empty database, as often as they are used.
func place(t *testing.T) models.Options {
	t.Helper()
	o := models.Options{Dir: t.TempDir(), Box: modelstest.Box(t)}
	if modelstest.Postgres() {
		o.URL = testservices.Postgres(t)
	}
	return o
}

func open(t *testing.T, o models.Options) *models.Store {
	t.Helper()
	s, err := models.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestMigrateFreshAndAgain(t *testing.T) {
	t.Parallel()
	s := open(t, place(t))
	pending, err := s.Pending(t.Context())
	require.NoError(t, err)
	require.True(t, pending)
	for range 2 {
		backup, err := s.Migrate(t.Context())
		require.NoError(t, err)
		require.Empty(t, backup, "nothing to copy")
		v, err := s.Version(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, latest, v)
	}
	pending, err = s.Pending(t.Context())
	require.NoError(t, err)
	require.False(t, pending)
}

// Replicas that start together apply each migration once.
func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	for range 3 {
		o := place(t)
		var wg sync.WaitGroup
		for range 4 {
			s := open(t, o)
			wg.Go(func() {
				if _, err := s.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		populated(t, open(t, o), "Acme")
	}
}

// Before an existing SQLite database changes there is a copy of it, which opens and holds everything.
func TestBackupBeforeMigration(t *testing.T) {
	t.Parallel()
	o := place(t)
	s := open(t, o)
	require.NoError(t, s.MigrateTo(t.Context(), previous))
	// In plain SQL: the types are of the newest version.
	_, err := s.SQL().ExecContext(t.Context(), `INSERT INTO users (id, email, name, created_at, updated_at) VALUES ('u1', 'acme@example.com', 'Acme', '2026-01-02 03:04:05', '2026-01-02 03:04:05')`)
	require.NoError(t, err)
	backup, err := s.Migrate(t.Context())
	require.NoError(t, err)
	populated(t, s, "Beta")
	if modelstest.Postgres() {
		require.Empty(t, backup, "the operator's own tools copy Postgres")
		return
	}
	require.Contains(t, filepath.Base(backup), fmt.Sprintf("lobstead.db.v%d.", previous))
	info, err := os.Stat(backup)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	copied := open(t, models.Options{URL: "sqlite:" + backup, Box: o.Box})
	v, err := copied.Version(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, previous, v)
	u, err := copied.AsSystem("test").User(t.Context(), "u1")
	require.NoError(t, err)
	require.Equal(t, "acme@example.com", u.Email)
	_, err = copied.Migrate(t.Context())
	require.NoError(t, err, "it goes on from there")
	require.Error(t, s.Backup(t.Context(), backup), "an earlier copy is never overwritten")
	still, err := os.Stat(backup)
	require.NoError(t, err)
	require.Positive(t, still.Size())
}

func TestMigrationsGoDownAndUp(t *testing.T) {
	t.Parallel()
	s := open(t, place(t))
	_, err := s.Migrate(t.Context())
	require.NoError(t, err)
	before := readSchema(t, s)
	for v := latest - 1; v >= 0; v-- {
		require.NoError(t, s.MigrateTo(t.Context(), v))
	}
	require.Len(t, readSchema(t, s), 1, "goose's own table is left")
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	require.Len(t, readSchema(t, s), len(before))
	populated(t, s, "Acme")
}

// A backup under load is consistent, and what was answered before it is in it.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	if modelstest.Postgres() {
		t.Skip("SQLite only: the operator's own tools copy Postgres")
	}
	o := place(t)
	s := modelstest.Open(t, o)
	sc, _, session := conversation(t, s)
	l := claim(t, sc, say(t, sc, session.ID, "x").ID, "w")
	stop, wg := make(chan struct{}), sync.WaitGroup{}
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := sc.AppendTurn(t.Context(), l, models.TurnProgress{}, models.Notice{Text: "x"}); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	path := filepath.Join(t.TempDir(), "copy", "b.db")
	at, err := sc.Session(t.Context(), session.ID)
	require.NoError(t, err)
	require.NoError(t, s.Backup(t.Context(), path))
	close(stop)
	wg.Wait()
	copied := open(t, models.Options{URL: "sqlite:" + path, Box: o.Box}).In(sc.Org)
	there, err := copied.Session(t.Context(), session.ID)
	require.NoError(t, err)
	events, err := copied.Events(t.Context(), session.ID, 0, 0)
	require.NoError(t, err)
	require.GreaterOrEqual(t, there.LastSeq, at.LastSeq)
	require.Len(t, events, int(there.LastSeq))
}

func TestOpenRefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "text.db")
	require.NoError(t, os.WriteFile(file, []byte("this is a text of some length, and no database at all; SQLite says so"), 0o600))
	for _, url := range []string{"sqlite:" + file, "sqlite:" + dir, "postgres://nobody:x@127.0.0.1:1/none?connect_timeout=1"} {
		_, err := models.Open(t.Context(), models.Options{URL: url})
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "nobody:x", "no password in errors")
	}
	odd := open(t, models.Options{URL: "sqlite:" + filepath.Join(dir, "a b%20?#ü", "x.db"), Box: modelstest.Box(t)})
	_, err := odd.Migrate(t.Context())
	require.NoError(t, err)
	_, err = os.Stat(filepath.Join(dir, "a b%20?#ü", "x.db"))
	require.NoError(t, err)
}
