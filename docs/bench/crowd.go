package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// crowd is how many schedules are due at one second.
const crowd = 10_000

// crowds is how long they take to be started, on both databases, as far as there is a Postgres.
func (b *bench) crowds() error {
	if err := b.crowd("SQLite", func(s *server) (*sql.DB, error) { return sql.Open("sqlite", s.file()) }); err != nil {
		return err
	}
	postgres := os.Getenv("TEST_DATABASE_URL")
	if postgres == "" {
		b.notes = append(b.notes, "There was no Postgres: ten thousand schedules were due on SQLite alone.")
		return nil
	}
	address, err := freshPostgres(postgres)
	if err != nil {
		return err
	}
	return b.crowd("Postgres", func(*server) (*sql.DB, error) { return sql.Open("pgx", address) }, "DATABASE_URL="+address)
}

// freshPostgres makes an empty database on a server.
func freshPostgres(server string) (string, error) {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return "", err
	}
	defer func() { _ = db.Close() }()
	name := fmt.Sprint("bench_", time.Now().UnixNano())
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		return "", err
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// crowd is one of them: copies of a schedule, which are written
// into the database, because an organization may have no more than a thousand.
func (b *bench) crowd(name string, open func(*server) (*sql.DB, error), more ...string) error {
	s, c, agent, err := b.office("crowd-"+name, more...)
	if err != nil {
		return err
	}
	defer s.down()
	defer c.close()
	if _, err := s.json(c, "POST", "/v1/agent/"+agent+"/schedules", map[string]string{"name": "s", "cron_expression": "0 0 1 1 *", "message_template": "say due"}); err != nil {
		return err
	}
	db, err := open(s)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := due(db, 200, "warm"); err != nil { // tables that were never written to have no statistics to be read by
		return err
	}
	time.Sleep(10 * time.Second)
	if len(more) > 0 { // as its autovacuum does elsewhere
		if _, err := db.Exec("ANALYZE"); err != nil {
			return err
		}
	}
	took, err := due(db, crowd, "many")
	if err != nil {
		return err
	}
	b.add(row{"Schedule: 10,000 due at one second, until the last has its run and its turn, " + name, fmt.Sprintf("%.2f s", took.Seconds()), "–", "≤ 2 s", goal(took.Seconds(), 2)})
	return nil
}

// due makes copies of the one schedule that are due at one second, and gives how long after it the last was started.
func due(db *sql.DB, many int, name string) (time.Duration, error) {
	due := time.Now().Add(10 * time.Second).UTC().Truncate(time.Second)
	at := "'" + due.Format("2006-01-02 15:04:05") + "+00:00'"
	if _, err := db.Exec(fmt.Sprintf(`WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < %d)
		INSERT INTO automations (id, organization_id, instance_id, name, prompt, kind, expression, time_zone, state, next_at, fire_at, created_by, created_name, key_id, created_at, updated_at)
		SELECT a.id || '-%s-' || n.v, a.organization_id, a.instance_id, a.name, a.prompt, a.kind, a.expression, a.time_zone, a.state, %s, %s, a.created_by, a.created_name, a.key_id,
		a.created_at, a.updated_at FROM automations a, n WHERE a.id NOT LIKE '%%-%%'`, many, name, at, at)); err != nil {
		return 0, err
	}
	if time.Now().After(due) {
		return 0, errors.New("the schedules were made too slowly")
	}
	left := true
	for until := due.Add(2 * time.Minute); left && time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if err := db.QueryRow(`SELECT EXISTS (SELECT 1 FROM automations WHERE state = 'active' AND fire_at IS NOT NULL AND fire_at <= ` + at + `)`).Scan(&left); err != nil {
			return 0, err
		}
	}
	took := time.Since(due)
	var began int
	if err := db.QueryRow(`SELECT count(*) FROM automation_runs r JOIN turns t ON t.id = r.turn_id WHERE r.automation_id LIKE '%-` + name + `-%'`).Scan(&began); err != nil {
		return 0, err
	}
	if began != many {
		return 0, fmt.Errorf("%d of %d runs began", began, many)
	}
	return took, nil
}
