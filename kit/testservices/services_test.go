package testservices_test

import (
	"database/sql"
	"net/url"
	"os/exec"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
)

func TestPostgresGivesEachCallItsOwnDatabase(t *testing.T) {
	seen := map[string]bool{}
	var mu sync.Mutex
	t.Run("group", func(t *testing.T) {
		for _, name := range []string{"a", "b", "c", "d"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				address := testservices.Postgres(t)
				db, err := sql.Open("pgx", address)
				require.NoError(t, err)
				defer func() { _ = db.Close() }()
				_, err = db.ExecContext(t.Context(), "CREATE TABLE here (id int)")
				require.NoError(t, err, "an empty database")
				mu.Lock()
				seen[address] = true
				mu.Unlock()
			})
		}
		if !t.Failed() {
			address := testservices.Postgres(t)
			require.NotEmpty(t, address)
		}
	})
	for address := range seen { // the cleanups have run
		db, err := sql.Open("pgx", address)
		require.NoError(t, err)
		require.ErrorContains(t, db.PingContext(t.Context()), "does not exist")
		require.NoError(t, db.Close())
	}
}

func TestRedisGivesEachCallItsOwn(t *testing.T) {
	a, b := client(t, testservices.Redis(t)), client(t, testservices.Redis(t))
	require.NoError(t, a.Set(t.Context(), "k", "v", 0).Err())
	require.Zero(t, b.Exists(t.Context(), "k").Val())
}

// Without the program the databases of a shared server are handed out.
func TestRedisOnASharedServer(t *testing.T) {
	shared := testservices.Redis(t)
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("the other test covers it")
	}
	require.NotEmpty(t, bin)
	t.Setenv("TEST_REDIS_URL", shared)
	t.Setenv("PATH", "")
	first, second := testservices.Redis(t), testservices.Redis(t)
	require.NotEqual(t, first, second)
	a, b := client(t, first), client(t, second)
	require.NoError(t, a.Set(t.Context(), "k", "v", 0).Err())
	require.Zero(t, b.Exists(t.Context(), "k").Val())
}

func client(t *testing.T, address string) *redis.Client {
	u, err := url.Parse(address)
	require.NoError(t, err)
	opt, err := redis.ParseURL(u.String())
	require.NoError(t, err)
	c := redis.NewClient(opt)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
