package models

import (
	"context"
	"time"
)

// SightedCalls are the calls of turns to one model whose prompts are kept, added up.
type SightedCalls struct {
	Model         string
	Calls         int64
	Pressed       int64 // of Calls: the prompt filled more than four fifths of its room
	SystemTokens  int64 // estimates, as are the next three
	MemoryTokens  int64
	HistoryTokens int64
	ToolsTokens   int64
	Room          int64 // tokens that the prompts could have had
	Remembering   int64 // of Calls: memories were in the prompt
	Written       int64 // tokens of the answers of Remembering
}

// PromptTokens is the size of the whole prompts.
func (s *SightedCalls) PromptTokens() int64 {
	return s.SystemTokens + s.MemoryTokens + s.HistoryTokens + s.ToolsTokens
}

// Sighted adds up the calls of a span of time by model; those that a cache answered are no calls.
func (sc *Scope) Sighted(ctx context.Context, from, until time.Time) ([]SightedCalls, error) {
	rows := []SightedCalls{}
	err := sc.read(ctx).Model(&TurnStep{}).Select(`model, count(*) AS calls,
		CAST(coalesce(sum(CASE WHEN (system_tokens + memory_tokens + history_tokens + tools_tokens) * 5 > room * 4 THEN 1 ELSE 0 END), 0) AS BIGINT) AS pressed,
		`+each([]string{"system_tokens", "memory_tokens", "history_tokens", "tools_tokens", "room"}, "CAST(coalesce(sum(%s), 0) AS BIGINT) AS %s")+`,
		CAST(coalesce(sum(CASE WHEN memory_tokens > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS remembering,
		CAST(coalesce(sum(CASE WHEN memory_tokens > 0 THEN output_tokens ELSE 0 END), 0) AS BIGINT) AS written`).
		Where("began_at >= ? AND began_at < ? AND cached = '' AND room > 0", from, until).Group("model").Scan(&rows).Error
	return rows, translate(err)
}

// GradedTurn is what somebody thought of a turn, with what it was like.
type GradedTurn struct {
	Model      string
	Grade      int // 1–5
	Complexity int // 0–100; -1 = nobody judged
	Remembered bool
	CreatedAt  time.Time
}

// maxGraded bounds how many grades one report reads, the newest.
const maxGraded = 5000

// GradedTurns lists the graded turns of a span of time, the newest first.
func (sc *Scope) GradedTurns(ctx context.Context, from, until time.Time) ([]GradedTurn, error) {
	sc.store.caughtUp(ctx)
	rows := []GradedTurn{}
	read := sc.read(ctx)
	err := read.WithContext(rawContext(read.Statement.Context)).Raw(`SELECT t.model, t.created_at, g.grade,
		coalesce((SELECT max(d.complexity) FROM decisions d WHERE d.organization_id = t.organization_id AND d.turn_id = t.id), -1) AS complexity,
		EXISTS (SELECT 1 FROM turn_steps s WHERE s.organization_id = t.organization_id AND s.turn_id = t.id AND s.memory_tokens > 0) AS remembered
		FROM turns t JOIN grades g ON g.organization_id = t.organization_id AND g.turn_id = t.id
		WHERE t.organization_id = ? AND t.created_at >= ? AND t.created_at < ? AND t.model <> '' ORDER BY t.created_at DESC, t.id DESC LIMIT ?`,
		sc.Org, from, until, maxGraded).Scan(&rows).Error
	return rows, translate(err)
}
