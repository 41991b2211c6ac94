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
	Frame    layout.FrameProps
	Instance *models.Instance
	Cache    *models.ResponseCache
	Stats    models.CacheStats
	Typed    map[string]string // what came back with Errors
	Errors   map[string]string
	BaseURL  string
}

func (p ShowProps) path() string { return "/instances/" + p.Instance.ID + "/cache" }

// typed is a number as it was typed, else as it holds.
func (p ShowProps) typed(name string, holds int) string {
	if v, ok := p.Typed[name]; ok {
		return v
	}
	return strconv.Itoa(holds)
}

func (p ShowProps) tiles() []ui.TileProps {
	rate := "—"
	if p.Stats.Hits+p.Stats.Misses > 0 {
		rate = strconv.FormatFloat(p.Stats.HitRate(), 'f', 1, 64) + " %"
	}
	return []ui.TileProps{
		{Key: "Answers kept", Value: ui.Thousands(p.Stats.Entries)},
		{Key: "Given again", Value: ui.Thousands(p.Stats.Hits)},
		{Key: "Asked anew", Value: ui.Thousands(p.Stats.Misses)},
		{Key: "Hit rate", Value: rate},
	}
}
