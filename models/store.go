// Package models owns the data: tables, rules, state machines and every query. It is the only package that
// knows gorm, and no *gorm.DB leaves it. It must not know HTTP, Redis, sandboxes or models of language.
//
// Organization data is reached through Store.In(org); work over all organizations says Store.AsSystem(reason).
package models

import (
	"context"
	"log/slog"
	"sync"

	"gorm.io/gorm"

	"lobstead/kit/clock"
	"lobstead/kit/secret"
	"lobstead/migrations"
)

// Store is one opened database. SQLite has one writer connection and a few read-only ones; on Postgres the
// two handles are the same pool.
type Store struct {
	w, r       *gorm.DB
	dialect    migrations.Dialect
	path       string        // of the SQLite file
	url        secret.String // of Postgres; holds the password
	dir        string        // the data directory
	flags      flagCache
	clock      clock.Clock
	box        *secret.Box
	scrub      func(string) string
	learn      func(...secret.String)
	log        *slog.Logger
	limits     bool
	cache      planCache
	shared     sharedCommits
	wal        sqliteLog
	zones      sync.Map // of organizations, as last read: a guess that saves a question, never believed unseen
	letters    string
	public     string
	outOfOrder func(string)
	written    func(context.Context, Written)
}

// Options are what a store needs from outside.
type Options struct {
	URL   string // postgres://…, sqlite:PATH or empty for DataDir/lobstead.db
	Dir   string // the data directory
	Box   *secret.Box
	Scrub func(string) string    // takes known secrets out of what is appended to a log; nil = nothing
	Learn func(...secret.String) // hears of secrets that people keep here, so that Scrub knows them; nil = nobody
	Clock clock.Clock            // nil = the system's
	Log   *slog.Logger
	// PlanLimits makes plans limit how many instances an organization has: billing is configured.
	PlanLimits bool
	// Letters is the address that links in letters begin with; "" = no mail server is configured, and none are written.
	Letters string
	// Public is the address that links in messages begin with.
	Public string
	// OutOfOrder hears of transactions on Postgres that take locks in an order in which two could wait for each other. It costs a
	// question each: for tests, which fail then.
	OutOfOrder func(what string)
}

// PlanLimits tells whether plans limit how many instances an organization has.
func (s *Store) PlanLimits() bool { return s.limits }

// Dialect tells which database this is.
func (s *Store) Dialect() migrations.Dialect { return s.dialect }

// Writers is how many transactions can be written at the same time: SQLite has one writer.
func (s *Store) Writers() int {
	if s.dialect == migrations.SQLite {
		return 1
	}
	return postgresConns
}

// now is the store's time.
func (s *Store) now() clockTime { return s.clock.Now() }

// Ping answers whether the database does.
func (s *Store) Ping(ctx context.Context) error {
	db, err := s.r.DB()
	if err != nil {
		return err
	}
	return translate(db.PingContext(ctx))
}

// Close closes both handles; SQLite folds its log into the file.
func (s *Store) Close() error {
	s.shared.end()
	s.wal.close()
	if s.dialect == migrations.SQLite {
		_ = s.w.WithContext(systemContext(context.Background(), "checkpoint")).Exec("PRAGMA wal_checkpoint(TRUNCATE)").Error
	}
	var first error
	for _, h := range []*gorm.DB{s.r, s.w} {
		if h == nil {
			continue
		}
		db, err := h.DB()
		if err == nil {
			err = db.Close()
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// tx runs f in one write transaction; ctx already carries its tenant.
func (s *Store) tx(ctx context.Context, f func(tx *gorm.DB) error) error {
	ctx, tell := s.noting(s.ordering(ctx))
	err := translate(s.w.WithContext(ctx).Transaction(f))
	if err == nil {
		tell()
	}
	return err
}
