package models

import (
	"context"
	"database/sql"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // registers "sqlite"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/migrations"
)

type clockTime = time.Time

// Open connects, without migrating. Errors name what to change.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{clock: o.Clock, box: o.Box, scrub: o.Scrub, learn: o.Learn, log: o.Log, limits: o.PlanLimits, dir: o.Dir, letters: o.Letters, public: o.Public, outOfOrder: o.OutOfOrder}
	if s.clock == nil {
		s.clock = clock.Real
	}
	if s.learn == nil {
		s.learn = func(...secret.String) {}
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	var err error
	if strings.HasPrefix(o.URL, "postgres://") || strings.HasPrefix(o.URL, "postgresql://") {
		err = s.openPostgres(o.URL)
	} else {
		err = s.openSQLite(sqlitePath(o))
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "database.open", "The database cannot be opened")
	}
	if err := s.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, fault.Wrap(err, fault.Unavailable, "database.ping", "The database does not answer")
	}
	return s, nil
}

func sqlitePath(o Options) string {
	path := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(o.URL, "sqlite:"), "file:"), "//")
	if path == "" {
		path = filepath.Join(o.Dir, "lobstead.db")
	}
	return path
}

// config is gorm's. Its statement cache holds a lock while it waits for a connection: only the readers of
// SQLite may use it, which never hold one across statements. pgx keeps prepared statements by itself.
func (s *Store) config(cached bool) *gorm.Config {
	return &gorm.Config{
		PrepareStmt:            cached,
		SkipDefaultTransaction: true, // we open them where a verb needs one
		DisableAutomaticPing:   true,
		NowFunc:                s.clock.Now,
		Logger:                 logger.Discard, // errors are returned, and logged once where they end
	}
}

const postgresConns = 24

func (s *Store) openPostgres(dsn string) error {
	s.dialect, s.url = migrations.Postgres, secret.Of(dsn)
	utc := stdlib.OptionAfterConnect(func(_ context.Context, c *pgx.Conn) error { // times come back in UTC, as SQLite's do
		c.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}})
		return nil
	})
	db, err := gorm.Open(postgres.New(postgres.Config{DSN: dsn, OptionOpenDB: []stdlib.OptionOpenDB{utc}}), s.config(false))
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(postgresConns)
	pool.SetMaxIdleConns(12)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	s.w, s.r = db, db
	return db.Use(tenancy{})
}

// SQLite: immediate transactions, else two that read before they write fail at once; times are written as
// sortable text, all in UTC; FULL so that an answered write survives the machine, not only the process. The log is folded
// into the database beside the writer (sqliteLog), which does it itself only when that fell far behind.
const (
	sqlitePragmas = "_txlock=immediate&_time_format=sqlite&_timezone=UTC&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)" +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)"
	sqliteWriter = "&_pragma=cache_size(-8000)&_pragma=wal_autocheckpoint(16000)" // pages of 4 kB
	sqliteReader = "&_pragma=cache_size(-8000)&_pragma=query_only(1)"
	sqliteFolder = "&_pragma=cache_size(-200)"
)

func (s *Store) openSQLite(path string) error {
	s.dialect, s.path = migrations.SQLite, path
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite would let others read it
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	s.wal.path, s.wal.log, s.wal.db = path+"-wal", s.log, sql.OpenDB(connector{dsn: sqliteDSN(path, sqliteFolder)})
	s.wal.db.SetMaxOpenConns(1)
	if s.w, err = s.openSQLiteHandle(path, sqliteWriter, 1); err != nil {
		return err
	}
	if s.r, err = s.openSQLiteHandle(path, sqliteReader, 4); err != nil {
		return err
	}
	return nil
}

func sqliteDSN(path, extra string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + sqlitePragmas + extra
}

func (s *Store) openSQLiteHandle(path, extra string, conns int) (*gorm.DB, error) {
	c := connector{dsn: sqliteDSN(path, extra)}
	if conns == 1 {
		c.wrote = s.wal.wrote
	}
	pool := sql.OpenDB(c)
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	db, err := gorm.Open(sqlite.New(sqlite.Config{DriverName: "sqlite", Conn: pool}), s.config(conns > 1))
	if err != nil {
		return nil, err
	}
	if err := db.Use(tenancy{}); err != nil {
		return nil, err
	}
	return db, nil
}
