// Package modelstest opens fresh databases for tests: SQLite always, Postgres where one runs.
package modelstest

import (
	"os"
	"runtime/debug"
	"sync/atomic"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/secret"
	"lobstead/models"
)

// Postgres tells whether this run of the tests is the one on Postgres and Redis.
func Postgres() bool { return os.Getenv("LOBSTEAD_TEST_PAIR") == "postgres" }

// New opens a migrated, empty store on the database of this run.
func New(t testing.TB) *models.Store { return NewAt(t, clock.Real) }

// NewAt is New with a clock.
func NewAt(t testing.TB, c clock.Clock) *models.Store { return NewAs(t, models.Options{Clock: c}) }

// NewAs is New with options; where the database and the files are is set here.
func NewAs(t testing.TB, o models.Options) *models.Store {
	t.Helper()
	o.Dir, o.URL = t.TempDir(), URL(t)
	return Open(t, o)
}

// Open opens and migrates a store as the options say: in Dir, or at what URL gave.
func Open(t testing.TB, o models.Options) *models.Store {
	t.Helper()
	if o.Box == nil {
		o.Box = Box(t)
	}
	if o.URL == "" {
		lay(t, o.Dir)
	}
	if o.OutOfOrder == nil {
		var over atomic.Bool
		t.Cleanup(func() { over.Store(true) })
		o.OutOfOrder = func(what string) {
			if !over.Load() {
				t.Errorf("locks out of order: %s\n%s", what, debug.Stack())
			}
		}
	}
	s, err := models.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	return s
}

// Box is a sealing box with a fresh key.
func Box(t testing.TB) *secret.Box {
	t.Helper()
	box, _, err := secret.LoadOrCreate(t.TempDir(), secret.String{})
	require.NoError(t, err)
	return box
}

// Argon2id is what passwords cost outside of tests; a test holds it against the rule.
var Argon2id = *argon2id.DefaultParams

// Tests make many people: their passwords cost a sixty-fourth.
func init() { argon2id.DefaultParams = &cheap }

var cheap = argon2id.Params{Memory: Argon2id.Memory / 64, Iterations: 1, Parallelism: 1, SaltLength: Argon2id.SaltLength, KeyLength: Argon2id.KeyLength}

// Password of every person that Found makes.
const Password = "correct horse battery"

// Found makes an organization with its owner.
func Found(t testing.TB, s *models.Store, name string) (*models.Scope, *models.Founded) {
	t.Helper()
	f, err := s.AsSystem("test").NewOrganization(t.Context(), models.Founding{Email: models.Slug(name) + "@example.com", Name: "Owner of " + name,
		Organization: name, Password: secret.Of(Password)})
	require.NoError(t, err)
	return s.In(f.Organization.ID).As(models.Actor{UserID: f.User.ID, Name: f.User.Name, Role: models.Owner}), f
}

// Instance makes an instance of the scope's organization.
func Instance(t testing.TB, sc *models.Scope, name string) *models.Instance {
	t.Helper()
	i, err := sc.CreateInstance(t.Context(), models.NewInstance{Name: name, Region: "local", Tier: models.Starter})
	require.NoError(t, err)
	return i
}
