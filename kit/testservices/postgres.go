package testservices

import (
	"context"
	"crypto/rand"
	"database/sql"
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
	return startPostgres(t).create("")
}

// PostgresLike is Postgres with what fill puts into an empty database. The server keeps the first one under the name, a
// word of SQL that must stand for one content, and gives copies of it.
func PostgresLike(t testing.TB, name string, fill func(address string)) (address string) {
	t.Helper()
	p := startPostgres(t)
	if !p.has(name) {
		first := p.create("")
		fill(first)
		u, _ := url.Parse(first)
		if err := p.try("ALTER DATABASE " + strings.TrimPrefix(u.Path, "/") + " RENAME TO " + name); err != nil && !p.has(name) { // another package may be sooner
			t.Fatal(err)
		}
	}
	return p.create(" TEMPLATE " + name)
}

// postgres is the server for one test.
type postgres struct {
	t   testing.TB
	url *url.URL
	db  *sql.DB
}

func startPostgres(t testing.TB) *postgres {
	t.Helper()
	server := os.Getenv("TEST_DATABASE_URL")
	if server == "" {
		leftOut(t, "Postgres", "TEST_DATABASE_URL is not set")
	}
	u, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		t.Fatal("TEST_DATABASE_URL is not a postgres:// address")
	}
	db, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxIdleConns(0) // hundreds of tests hold one of these
	t.Cleanup(func() { _ = db.Close() })
	return &postgres{t: t, url: u, db: db}
}

func (p *postgres) create(like string) string {
	p.t.Helper()
	name := "test_" + strings.ToLower(rand.Text()[:16])
	if err := p.try("CREATE DATABASE " + name + like); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := p.try("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			p.t.Error(err)
		}
	})
	u := *p.url
	u.Path = "/" + name
	return u.String()
}

func (p *postgres) has(name string) bool {
	p.t.Helper()
	var n int
	if err := p.db.QueryRow("SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&n); err != nil {
		p.t.Fatal(err)
	}
	return n > 0
}

// try repeats for a while: two that are created at once collide on what they copy.
func (p *postgres) try(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		_, err := p.db.ExecContext(ctx, statement)
		if err == nil || !strings.Contains(err.Error(), "is being accessed by other users") || ctx.Err() != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}
