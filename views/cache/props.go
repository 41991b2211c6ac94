// Package cache shows what an instance's cache of answers may do and what it did. It knows no handler; props are models and
// plain data.
package cache

import (
	"strconv"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// ShowProps is /instances/:id/cache.
type ShowProps struct {
	Frame      layout.FrameProps
	Instance   *models.Instance
	Cache      *models.ResponseCache
	Stats      models.CacheStats
	EmbeddedBy string                   // who tells how alike messages are; "" = no connected service can
	Unpriced   bool                     // nobody knows what it costs
	Typed      func(name string) string // what came back with Errors
	Errors     map[string]string
	BaseURL    string
}

func (p ShowProps) path() string { return "/instances/" + p.Instance.ID + "/cache" }

// typed is a field as it was typed, else as it holds.
func (p ShowProps) typed(name, holds string) string {
	if len(p.Errors) > 0 && p.Typed(name) != "" {
		return p.Typed(name)
	}
	return holds
}

// alike tells how many were given to other words.
func (p ShowProps) alike() string {
	if p.Stats.SemanticHits == 0 {
		return ""
	}
	return ui.Thousands(p.Stats.SemanticHits) + " to other words"
}

func (p ShowProps) tiles() []ui.TileProps {
	rate := "—"
	if p.Stats.Hits+p.Stats.Misses > 0 {
		rate = strconv.FormatFloat(p.Stats.HitRate(), 'f', 1, 64) + " %"
	}
	return []ui.TileProps{
		{Key: "Answers kept", Value: ui.Thousands(p.Stats.Entries)},
		{Key: "Given again", Value: ui.Thousands(p.Stats.Hits), Note: p.alike()},
		{Key: "Asked anew", Value: ui.Thousands(p.Stats.Misses)},
		{Key: "Hit rate", Value: rate},
	}
}
