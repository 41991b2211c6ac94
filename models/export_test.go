package models

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"
)

// What the tests of the locks need to see from inside.

var (
	TenantContext = tenantContext
	SystemContext = systemContext
	Hasty         = hasty
	RawContext    = rawContext
	CleanText     = cleanText
	BadEscapes    = badEscapes
	UploadPath    = uploadPath
	Clip          = clip
	Translate     = translate
	RetryAfter    = retryAfter
	DecoyHash     = decoyHash
	IndexWords    = indexWords
	SearchWords   = searchWords
)

const (
	KeptLogs    = keptLogs
	KeptMetrics = keptMetrics
	IsOpen      = isOpen
	TrimBatch   = trimBatch
)

// Gorm gives the write handle with a context of the test's choice.
func (s *Store) Gorm(ctx context.Context) *gorm.DB { return s.w.WithContext(ctx) }

// SQL gives the pool below gorm: what a statement that no plugin sees could do.
func (s *Store) SQL() *sql.DB {
	db, err := s.w.DB()
	if err != nil {
		panic(err)
	}
	return db
}

// MigrateTo goes to a schema version, up or down.
func (s *Store) MigrateTo(ctx context.Context, version int64) error {
	p, err := s.migrator()
	if err != nil {
		return err
	}
	if now, err := p.GetDBVersion(ctx); err != nil || now < version {
		if err == nil {
			_, err = p.UpTo(ctx, version)
		}
		return err
	}
	_, err = p.DownTo(ctx, version)
	return err
}

// Version is the schema's.
func (s *Store) Version(ctx context.Context) (int64, error) {
	p, err := s.migrator()
	if err != nil {
		return 0, err
	}
	return p.GetDBVersion(ctx)
}

// Handles gives the handles, for tests that watch statements.
func (s *Store) Handles() []*gorm.DB { return []*gorm.DB{s.r, s.w} }

// PeriodAround gives the borders of the period that holds now.
func PeriodAround(p BudgetPeriod, now time.Time, zone *time.Location) (start, end time.Time) {
	w := p.around(now, zone)
	return w.start, w.end
}

// NoteTook counts one call.
func NoteTook(t *Took, d time.Duration) { t.note(d) }

// LockLate locks the organization after an instance, as no verb may.
func (sc *Scope) LockLate(ctx context.Context, instanceID string) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		if _, err := first[Instance](locked(tx).Where("id = ?", instanceID)); err != nil {
			return err
		}
		return sc.lockOrganization(tx)
	})
}
