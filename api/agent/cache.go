package agent

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// CacheSettings are what an instance's cache of answers may do, and what it did.
type CacheSettings struct {
	Enabled      bool    `json:"enabled"`
	LifeHours    int     `json:"life_hours"`
	MaxEntries   int     `json:"max_entries"`
	Hits         int64   `json:"hits"` // since counted_since
	Misses       int64   `json:"misses"`
	Entries      int64   `json:"entries"`
	HitRate      float64 `json:"hit_rate"` // 0–100
	CountedSince string  `json:"counted_since"`
}

// NewCacheSettings presents them.
func NewCacheSettings(r *models.ResponseCache, s models.CacheStats) CacheSettings {
	return CacheSettings{Enabled: r.Enabled, LifeHours: r.LifeHours, MaxEntries: r.MaxEntries, Hits: s.Hits, Misses: s.Misses, Entries: s.Entries,
		HitRate: s.HitRate(), CountedSince: wire.Time(r.CountedSince)}
}

// ReadCacheChange reads which of the settings to change.
func ReadCacheChange(f *wire.Fields) (models.CacheChange, error) {
	c := models.CacheChange{Enabled: f.OptionalBool("enabled"), LifeHours: f.OptionalInt("life_hours", 1, 720), MaxEntries: f.OptionalInt("max_entries", 1, 10_000)}
	return c, f.Err()
}
