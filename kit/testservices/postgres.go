package testservices

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver behind database/sql
)

// Postgres gives the URL of a fresh, empty database on the server that TEST_DATABASE_URL names; it is
// dropped when the test ends. Skips without that variable.
func Postgres(t testing.TB) (address string) {
	t.Helper()
	server := os.Getenv("TEST_DATABASE_URL")
	if server == "" {
		leftOut(t, "Postgres", "TEST_DATABASE_URL is not set")
	}
	u, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		t.Fatal("TEST_DATABASE_URL is not a postgres:// address")
	}
	name := "test_" + strings.ToLower(rand.Text()[:16])
	run(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { run(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

// run repeats for a while: two CREATE DATABASE at once collide on the template.
func run(t testing.TB, server, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		if _, err = db.ExecContext(ctx, statement); err == nil {
			return
		}
		if !strings.Contains(err.Error(), "is being accessed by other users") || ctx.Err() != nil {
			t.Error(fmt.Errorf("%s: %w", statement, err))
			t.FailNow()
		}
		time.Sleep(50 * time.Millisecond)
	}
}
