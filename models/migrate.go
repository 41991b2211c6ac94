package models

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pressly/goose/v3"

	"lobstead/migrations"
)

// Migrate brings the schema up to date under a lock, so that replicas that start together apply each
// migration once. An existing SQLite file is copied first; the copy's path is returned.
func (s *Store) Migrate(ctx context.Context) (backup string, err error) {
	unlock, err := s.lockMigration(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	p, err := s.migrator()
	if err != nil {
		return "", err
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return "", err
	}
	if !pending {
		return "", s.indexMemories(ctx) // what an interrupted migration left
	}
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return "", err
	}
	if version > 0 && s.dialect == migrations.SQLite {
		backup = filepath.Join(filepath.Dir(s.path), "backups",
			fmt.Sprintf("%s.v%d.%s", filepath.Base(s.path), version, s.now().Format("20060102T150405")))
		if err := s.Backup(ctx, backup); err != nil {
			return "", fmt.Errorf("backup before migration: %w", err)
		}
	}
	if _, err = p.Up(ctx); err != nil {
		return backup, err
	}
	return backup, s.indexMemories(ctx)
}

// Pending tells whether the schema is behind this binary.
func (s *Store) Pending(ctx context.Context) (bool, error) {
	p, err := s.migrator()
	if err != nil {
		return false, err
	}
	return p.HasPending(ctx)
}

// Backup writes a consistent copy of a SQLite database to path while it is in use.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // an empty file is taken as the target
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := s.w.WithContext(systemContext(ctx, "backup")).Exec("VACUUM INTO ?", path).Error; err != nil {
		_ = os.Remove(path)
		return translate(err)
	}
	return nil
}

// migrationLock is the key of Postgres's advisory lock for migrations.
const migrationLock = 7106851492

// lockMigration makes processes on one database migrate one after the other. Not goose's own lock: that one
// comes after goose made its table, which two cannot do at once, and waits in steps of seconds.
func (s *Store) lockMigration(ctx context.Context) (unlock func(), err error) {
	if s.dialect == migrations.Postgres {
		return s.lockPostgres(ctx)
	}
	f, err := os.OpenFile(s.path+".migrate", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

func (s *Store) lockPostgres(ctx context.Context) (unlock func(), err error) {
	pool, err := s.w.DB()
	if err != nil {
		return nil, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, translate(err)
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		_ = conn.Close()
		return nil, translate(err)
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
		_ = conn.Close()
	}, nil
}

func (s *Store) migrator() (*goose.Provider, error) {
	files, err := migrations.For(s.dialect)
	if err != nil {
		return nil, err
	}
	pool, err := s.w.DB()
	if err != nil {
		return nil, err
	}
	if s.dialect == migrations.SQLite {
		return goose.NewProvider(goose.DialectSQLite3, pool, files)
	}
	return goose.NewProvider(goose.DialectPostgres, pool, files)
}
