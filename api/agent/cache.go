package agent

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// CacheSettings are what an instance's cache of answers may do, and what it did.
type CacheSettings struct {
	Enabled      bool    `json:"enabled"`
	Semantic     bool    `json:"semantic"`        // messages that mean about the same are answered alike
	Threshold    int     `json:"threshold"`       // percent
	Embedder     string  `json:"embedding_model"` // "" = the service's usual one
	EmbeddedBy   *string `json:"embedded_by"`     // "model · service" that tells how alike; null: no connected service can
	LifeHours    int     `json:"life_hours"`
	MaxEntries   int     `json:"max_entries"`
	Hits         int64   `json:"hits"`          // since counted_since
	SemanticHits int64   `json:"semantic_hits"` // of hits
	Misses       int64   `json:"misses"`
	Entries      int64   `json:"entries"`
	HitRate      float64 `json:"hit_rate"` // 0–100
	CountedSince string  `json:"counted_since"`
}

// NewCacheSettings presents them; embeddedBy is "" when nobody can.
func NewCacheSettings(r *models.ResponseCache, s models.CacheStats, embeddedBy string) CacheSettings {
	out := CacheSettings{Enabled: r.Enabled, Semantic: r.Semantic, Threshold: r.Threshold, Embedder: r.EmbeddingModel, SemanticHits: s.SemanticHits, LifeHours: r.LifeHours, MaxEntries: r.MaxEntries, Hits: s.Hits, Misses: s.Misses, Entries: s.Entries,
		HitRate: s.HitRate(), CountedSince: wire.Time(r.CountedSince)}
	if embeddedBy != "" {
		out.EmbeddedBy = &embeddedBy
	}
	return out
}

// ReadCacheChange reads which of the settings to change.
func ReadCacheChange(f *wire.Fields) (models.CacheChange, error) {
	c := models.CacheChange{Enabled: f.OptionalBool("enabled"), Semantic: f.OptionalBool("semantic"), Threshold: f.OptionalInt("threshold", 80, 100), LifeHours: f.OptionalInt("life_hours", 1, 720), MaxEntries: f.OptionalInt("max_entries", 1, 10_000)}
	c.EmbeddingModel, _ = f.OptionalString("embedding_model")
	return c, f.Err()
}
