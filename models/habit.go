package models

import (
	"context"
	"time"
)

// Habits is how an organization used its agents in a span of time, in figures: what tips and recommendations go by.
type Habits struct {
	Sessions     int64
	Turns        int64
	CostNanos    int64
	InputTokens  int64
	OutputTokens int64
	ToolCalls    int64
	ToolFailures int64
	Grades       int64
	GradeSum     int64
	Sighted      int64         // turns whose prompts were kept; the next two are among them
	WithMemory   int64         // memories were in the prompt
	WithCache    int64         // a service read from its cache of prompts
	Models       []ModelHabits `gorm:"-"`
}

// ModelHabits are those of one model.
type ModelHabits struct {
	Model        string
	Turns        int64
	CostNanos    int64
	InputTokens  int64
	OutputTokens int64
	Grades       int64
	GradeSum     int64
	Sighted      int64
	WithCache    int64
}

// Habits adds up the turns that began since a time; the zero time is all.
func (sc *Scope) Habits(ctx context.Context, since time.Time) (*Habits, error) {
	h := &Habits{}
	err := sc.read(ctx).Model(&Turn{}).Select(`count(DISTINCT session_id) AS sessions, count(*) AS turns, coalesce(sum(cost_nanos), 0) AS cost_nanos,
		coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
		coalesce(sum(tool_calls), 0) AS tool_calls, coalesce(sum(tool_failures), 0) AS tool_failures`).
		Where("created_at >= ? AND started_at IS NOT NULL", since).Scan(h).Error
	if err != nil {
		return nil, translate(err)
	}
	err = sc.read(ctx).Model(&Turn{}).Select(`model, count(*) AS turns, sum(cost_nanos) AS cost_nanos, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens`).
		Where("created_at >= ? AND started_at IS NOT NULL AND model <> ''", since).Group("model").Order("turns DESC, model").Scan(&h.Models).Error
	if err != nil {
		return nil, translate(err)
	}
	if err := sc.gradedHabits(ctx, since, h); err != nil {
		return nil, err
	}
	return h, sc.sightedHabits(ctx, since, h)
}

// model finds the habits of a model; nil for one that no turn is said to have had.
func (h *Habits) model(name string) *ModelHabits {
	for i := range h.Models {
		if h.Models[i].Model == name {
			return &h.Models[i]
		}
	}
	return nil
}

func (sc *Scope) gradedHabits(ctx context.Context, since time.Time, h *Habits) error {
	type graded struct {
		Model            string
		Grades, GradeSum int64
	}
	var rows []graded
	turn := sc.read(ctx).Model(&Turn{}).Select("id").Where("created_at >= ?", since)
	err := sc.read(ctx).Model(&Grade{}).Select(`(SELECT model FROM turns WHERE turns.organization_id = grades.organization_id AND turns.id = grades.turn_id) AS model,
		count(*) AS grades, sum(grade) AS grade_sum`).Where("turn_id IN (?)", turn).Group("model").Scan(&rows).Error
	for _, r := range rows {
		h.Grades, h.GradeSum = h.Grades+r.Grades, h.GradeSum+r.GradeSum
		if m := h.model(r.Model); m != nil {
			m.Grades, m.GradeSum = r.Grades, r.GradeSum
		}
	}
	return translate(err)
}

func (sc *Scope) sightedHabits(ctx context.Context, since time.Time, h *Habits) error {
	type sighted struct {
		Model                          string
		Sighted, WithMemory, WithCache int64
	}
	var rows []sighted
	err := sc.read(ctx).Model(&TurnStep{}).Select(`model, count(DISTINCT turn_id) AS sighted, count(DISTINCT CASE WHEN memory_tokens > 0 THEN turn_id END) AS with_memory,
		count(DISTINCT CASE WHEN cache_read_tokens > 0 THEN turn_id END) AS with_cache`).Where("created_at >= ?", since).Group("model").Scan(&rows).Error
	for _, r := range rows {
		h.Sighted, h.WithMemory, h.WithCache = h.Sighted+r.Sighted, h.WithMemory+r.WithMemory, h.WithCache+r.WithCache
		if m := h.model(r.Model); m != nil {
			m.Sighted, m.WithCache = r.Sighted, r.WithCache
		}
	}
	return translate(err)
}

// SessionTurns lists a session's turns, the oldest first.
func (sc *Scope) SessionTurns(ctx context.Context, sessionID string) ([]Turn, error) {
	return all[Turn](sc.read(ctx).Where("session_id = ?", sessionID).Order("input_seq"))
}

// SessionSteps lists the calls to models of a session's turns, in their order.
func (sc *Scope) SessionSteps(ctx context.Context, sessionID string) ([]TurnStep, error) {
	turns := sc.read(ctx).Model(&Turn{}).Select("id").Where("session_id = ?", sessionID)
	return all[TurnStep](sc.read(ctx).Where("turn_id IN (?)", turns).Order("id"))
}

// SessionDecisions lists the decisions for a session's turns, in their order.
func (sc *Scope) SessionDecisions(ctx context.Context, sessionID string) ([]Decision, error) {
	sc.store.caughtUp(ctx)
	return all[Decision](sc.read(ctx).Where("session_id = ? AND turn_id <> '' AND "+forAnswers, sessionID).Order("id"))
}

// TurnLedger lists what the calls of a turn cost, in the order in which they were settled.
func (sc *Scope) TurnLedger(ctx context.Context, turnID string) ([]LedgerEntry, error) {
	return all[LedgerEntry](sc.read(ctx).Where(settledOnly+" AND turn_id <> '' AND turn_id = ?", turnID).Order("created_at, id"))
}
