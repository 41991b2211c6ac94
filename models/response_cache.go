package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// ResponseCache is what was decided about giving an instance's answers again, with what came of it. An instance without a
// row has it off.
type ResponseCache struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Enabled        bool
	Semantic       bool   // messages that mean about the same are answered alike
	Threshold      int    // percent: how alike
	EmbeddingModel string // that tells how alike; "" = the service's usual one
	LifeHours      int
	MaxEntries     int
	Hits           int64 // since CountedSince
	SemanticHits   int64 // of Hits
	Misses         int64
	CountedSince   time.Time
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// What holds when nobody said otherwise, and the bounds of what can be said.
const (
	defaultThreshold, minThreshold, maxThreshold = 95, 80, 100
	defaultLifeHours, maxLifeHours               = 24, 720
	defaultEntries, maxEntries                   = 1000, 10_000
)

func newResponseCache(org, instanceID string, now time.Time) *ResponseCache {
	return &ResponseCache{ID: id.New(), OrganizationID: org, InstanceID: instanceID, Threshold: defaultThreshold, LifeHours: defaultLifeHours,
		MaxEntries: defaultEntries, CountedSince: now, CreatedAt: now, UpdatedAt: now}
}

// CacheStats are counts of asked-for answers and of those that are kept.
type CacheStats struct {
	Hits         int64
	SemanticHits int64 // of Hits
	Misses       int64
	Entries      int64
}

// HitRate is 0–100.
func (s CacheStats) HitRate() float64 {
	if s.Hits+s.Misses == 0 {
		return 0
	}
	return 100 * float64(s.Hits) / float64(s.Hits+s.Misses)
}

// ResponseCache reads what holds for an instance, and how many answers it keeps.
func (sc *Scope) ResponseCache(ctx context.Context, instanceID string) (*ResponseCache, CacheStats, error) {
	sc.store.caughtUp(ctx)
	row, err := first[ResponseCache](sc.read(ctx).Where("instance_id = ?", instanceID))
	if fault.Is(err, fault.NotFound) {
		return newResponseCache(sc.Org, instanceID, sc.store.now()), CacheStats{}, nil
	}
	if err != nil {
		return nil, CacheStats{}, err
	}
	s := CacheStats{Hits: row.Hits, SemanticHits: row.SemanticHits, Misses: row.Misses}
	err = sc.keptAnswers(ctx).Where("instance_id = ?", instanceID).Count(&s.Entries).Error
	return row, s, translate(err)
}

// CacheStats sums over all instances.
func (sc *Scope) CacheStats(ctx context.Context) (CacheStats, error) {
	sc.store.caughtUp(ctx)
	var s CacheStats
	err := sc.read(ctx).Model(&ResponseCache{}).Select(`CAST(coalesce(sum(hits), 0) AS BIGINT) AS hits,
		CAST(coalesce(sum(semantic_hits), 0) AS BIGINT) AS semantic_hits, CAST(coalesce(sum(misses), 0) AS BIGINT) AS misses`).Scan(&s).Error
	if err != nil {
		return s, translate(err)
	}
	return s, translate(sc.keptAnswers(ctx).Count(&s.Entries).Error)
}

// keptAnswers are those that may still be given.
func (sc *Scope) keptAnswers(ctx context.Context) *gorm.DB {
	return sc.read(ctx).Model(&CachedAnswer{}).Where("expires_at > ?", sc.store.now())
}

// CachesInUse lists the caches that are switched on.
func (sc *Scope) CachesInUse(ctx context.Context) ([]ResponseCache, error) {
	return all[ResponseCache](sc.read(ctx).Where("enabled"))
}

// CacheChange holds what to decide; nil leaves it as it is.
type CacheChange struct {
	Enabled        *bool
	Semantic       *bool
	Threshold      *int // 80–100
	EmbeddingModel *string
	LifeHours      *int // 1–720; for answers from then on
	MaxEntries     *int // 1–10,000
}

func (c *CacheChange) check() error {
	var is fault.Issues
	within := func(name string, n *int, least, most int) {
		switch {
		case n == nil:
		case *n < least:
			is.NumberTooSmall(name, least)
		case *n > most:
			is.NumberTooBig(name, most)
		}
	}
	within("threshold", c.Threshold, minThreshold, maxThreshold)
	within("life_hours", c.LifeHours, 1, maxLifeHours)
	within("max_entries", c.MaxEntries, 1, maxEntries)
	if c.EmbeddingModel != nil {
		CheckText(&is, "embedding_model", *c.EmbeddingModel, 200)
	}
	return is.Err()
}

func (c *CacheChange) apply(r *ResponseCache) {
	set(&r.Enabled, c.Enabled)
	set(&r.Semantic, c.Semantic)
	set(&r.Threshold, c.Threshold)
	set(&r.EmbeddingModel, c.EmbeddingModel)
	set(&r.LifeHours, c.LifeHours)
	set(&r.MaxEntries, c.MaxEntries)
}

// SetResponseCache decides about an instance's cache.
func (sc *Scope) SetResponseCache(ctx context.Context, instanceID string, c CacheChange) (*ResponseCache, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	var row *ResponseCache
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		i, err := first[Instance](locked(tx).Where("id = ?", instanceID))
		if err != nil {
			return err
		}
		old, err := first[ResponseCache](locked(tx).Where("instance_id = ?", instanceID))
		switch {
		case fault.Is(err, fault.NotFound):
			row = newResponseCache(sc.Org, instanceID, sc.store.now())
			c.apply(row)
			err = tx.Create(row).Error
		case err == nil:
			row = old
			c.apply(row)
			row.UpdatedAt = sc.store.now()
			_, err = changed(tx.Model(&ResponseCache{}).Where("id = ?", row.ID), map[string]any{"enabled": row.Enabled, "semantic": row.Semantic, "threshold": row.Threshold,
				"embedding_model": row.EmbeddingModel, "life_hours": row.LifeHours, "max_entries": row.MaxEntries, "updated_at": row.UpdatedAt})
		}
		if err != nil {
			return err
		}
		return sc.audit(tx, act{name: "cache.changed", kind: "instance", id: i.ID, of: i.Name, after: map[string]any{"enabled": row.Enabled, "semantic": row.Semantic,
			"threshold": row.Threshold, "embedding_model": row.EmbeddingModel, "life_hours": row.LifeHours, "max_entries": row.MaxEntries}})
	})
	return row, err
}

// EmptyCache forgets an instance's answers and begins to count anew.
func (sc *Scope) EmptyCache(ctx context.Context, instanceID string) error {
	sc.store.caughtUp(ctx)
	return sc.holding(ctx, func(tx *gorm.DB) error {
		i, err := first[Instance](tx.Where("id = ?", instanceID))
		if err != nil {
			return err
		}
		if err := tx.Where("instance_id = ?", instanceID).Delete(&CachedAnswer{}).Error; err != nil {
			return err
		}
		if _, err := changed(tx.Model(&ResponseCache{}).Where("instance_id = ?", instanceID), map[string]any{"hits": 0, "semantic_hits": 0, "misses": 0,
			"counted_since": sc.store.now()}); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "cache.emptied", kind: "instance", id: i.ID, of: i.Name})
	})
}

// CacheOutcome is what became of a call that a cache was asked for.
type CacheOutcome string

// The outcomes.
const (
	CacheMiss     CacheOutcome = ""
	CacheExact    CacheOutcome = "exact"
	CacheSemantic CacheOutcome = "semantic"
)

// CountCache counts one call, without keeping the caller waiting.
func (sc *Scope) CountCache(ctx context.Context, instanceID string, o CacheOutcome) {
	add := map[CacheOutcome]map[string]any{
		CacheMiss:     {"misses": gorm.Expr("misses + 1")},
		CacheExact:    {"hits": gorm.Expr("hits + 1")},
		CacheSemantic: {"hits": gorm.Expr("hits + 1"), "semantic_hits": gorm.Expr("semantic_hits + 1")},
	}[o]
	sc.soon(ctx, "a look into the cache", func(tx *gorm.DB) error {
		_, err := changed(tx.Model(&ResponseCache{}).Where("instance_id = ?", instanceID), add)
		return err
	})
}
