package insight

import (
	"context"
	"time"

	"lobstead/models"
)

// Profile is how an organization used its agents in a period. Rates are 0–1.
type Profile struct {
	Period        string
	Days          float64 // that the period has; 0 = all time
	Sessions      int64
	Turns         int64
	CostNanos     int64
	AvgQuality    float64 // 1–5; 0 = nothing was graded
	GradeCoverage float64
	Models        []ModelProfile // the most used first
	AvgLength     float64        // turns of a session
	AvgTokens     float64        // of a turn, in and out
	ToolCalls     int64
	ToolSuccess   float64
	CacheHits     float64 // turns for which a service read from its cache of prompts, of those that are known
	WithMemory    float64 // turns with memories in the prompt, of those that are known
}

// ModelProfile is one model's part.
type ModelProfile struct {
	Model      string
	Turns      int64
	AvgNanos   float64 // of a turn
	AvgQuality float64 // 0 = nothing was graded
	Grades     int64
	CacheHits  float64
	Density    float64 // tokens out for one in
}

// periods are those of the runtime API; "all" has no beginning.
var periods = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour, "all": 0}

// Period gives the period that a word names, and the usual one for any other word.
func Period(word string) string {
	if _, ok := periods[word]; ok {
		return word
	}
	return "30d"
}

// ReadProfile reads the figures of a period that ends now.
func ReadProfile(ctx context.Context, sc *models.Scope, period string, now time.Time) (*Profile, error) {
	period = Period(period)
	since := time.Time{}
	if d := periods[period]; d > 0 {
		since = now.Add(-d)
	}
	h, err := sc.Habits(ctx, since)
	if err != nil {
		return nil, err
	}
	return newProfile(period, h), nil
}

func newProfile(period string, h *models.Habits) *Profile {
	p := &Profile{Period: period, Days: periods[period].Hours() / 24, Sessions: h.Sessions, Turns: h.Turns, CostNanos: h.CostNanos, AvgQuality: share(h.GradeSum, h.Grades),
		GradeCoverage: share(h.Grades, h.Turns), AvgLength: share(h.Turns, h.Sessions), AvgTokens: share(h.InputTokens+h.OutputTokens, h.Turns),
		ToolCalls: h.ToolCalls, ToolSuccess: 1, CacheHits: share(h.WithCache, h.Sighted), WithMemory: share(h.WithMemory, h.Sighted)}
	if h.ToolCalls > 0 {
		p.ToolSuccess = 1 - share(h.ToolFailures, h.ToolCalls)
	}
	for _, m := range h.Models {
		p.Models = append(p.Models, ModelProfile{Model: m.Model, Turns: m.Turns, AvgNanos: share(m.CostNanos, m.Turns), AvgQuality: share(m.GradeSum, m.Grades), Grades: m.Grades,
			CacheHits: share(m.WithCache, m.Sighted), Density: share(m.OutputTokens, m.InputTokens)})
	}
	return p
}

// month scales nano-dollars of the period to thirty days; ok is false when nobody can say.
func (p *Profile) month(nanos float64) (float64, bool) {
	if p.Days <= 0 {
		return 0, false
	}
	return nanos * 30 / p.Days, true
}
