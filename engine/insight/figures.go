package insight

import (
	"context"

	"lobstead/models"
)

// Figures are what rules know of one turn. Tokens of the prompt are those of its last call to a model.
type Figures struct {
	TurnID     string
	Model      string
	Room       int // tokens that the prompt could have had; 0 = the prompt is not known
	System     int
	Memory     int
	History    int
	Tools      int
	Depth      int  // messages
	Complexity int  // 0–100; -1 = nobody judged
	In, Out    int  // tokens of all calls together
	CacheRead  int  // of In
	Saved      int  // by the cache that gave the answer; 0 = a model did
	Reasoning  int  // of Out
	Thought    bool // reasoning was shown
	Calls      int  // of tools
	Failures   int  // of tools
	CostNanos  int64
	Grade      int // 0 = none
}

// prompt is the size of the whole prompt.
func (f *Figures) prompt() int { return f.System + f.Memory + f.History + f.Tools }

// Level is the complexity as the runtime API spells it.
func (f *Figures) Level() string { return Level(f.Complexity) }

// Level spells a complexity of 0–100 for the runtime API: L0 to L3, "" for -1, which nobody judged.
func Level(c int) string {
	switch {
	case c < 0:
		return ""
	case c < 12:
		return "L0"
	case c < 30:
		return "L1"
	case c < 55:
		return "L2"
	}
	return "L3"
}

// Session reads the figures of all turns of a session that began, the oldest first. A session that is not there has none.
func Session(ctx context.Context, sc *models.Scope, sessionID string) ([]Figures, error) {
	turns, err := sc.SessionTurns(ctx, sessionID)
	if err != nil || len(turns) == 0 {
		return nil, err
	}
	r := rows{of: map[string]int{}}
	for i := range turns {
		if t := &turns[i]; t.StartedAt != nil {
			r.of[t.ID] = len(r.out)
			r.out = append(r.out, Figures{TurnID: t.ID, Model: t.Model, In: t.InputTokens, Out: t.OutputTokens, Calls: t.ToolCalls, Failures: t.ToolFailures, Saved: t.TokensSaved,
				CostNanos: t.CostNanos, Complexity: -1})
		}
	}
	return r.out, r.fill(ctx, sc, sessionID)
}

// rows are figures on their way.
type rows struct {
	out []Figures
	of  map[string]int // by turn
}

func (r *rows) fill(ctx context.Context, sc *models.Scope, sessionID string) error {
	steps, err := sc.SessionSteps(ctx, sessionID)
	if err != nil {
		return err
	}
	for i := range steps {
		if n, ok := r.of[steps[i].TurnID]; ok {
			r.out[n].step(&steps[i])
		}
	}
	decisions, err := sc.SessionDecisions(ctx, sessionID)
	if err != nil {
		return err
	}
	for i := range decisions {
		if n, ok := r.of[decisions[i].TurnID]; ok {
			r.out[n].Complexity = max(r.out[n].Complexity, decisions[i].Complexity)
		}
	}
	thoughts, err := sc.EventsOf(ctx, sessionID, models.KindThinking)
	if err != nil {
		return err
	}
	for _, e := range thoughts {
		d, err := models.Decode[models.Thinking](e)
		if err != nil || e.TurnID == nil {
			continue
		}
		if n, ok := r.of[*e.TurnID]; ok {
			r.out[n].Thought = r.out[n].Thought || d.Text != ""
		}
	}
	grades, err := sc.SessionGrades(ctx, sessionID)
	for _, g := range grades {
		if n, ok := r.of[g.TurnID]; ok {
			r.out[n].Grade = g.Grade
		}
	}
	return err
}

func (f *Figures) step(s *models.TurnStep) {
	f.Room, f.System, f.Memory, f.History, f.Tools, f.Depth = s.Room, s.SystemTokens, s.MemoryTokens, s.HistoryTokens, s.ToolsTokens, s.Messages
	f.CacheRead += s.CacheReadTokens
	f.Reasoning += s.ReasoningTokens
}

// One picks a turn out of its session's figures, and gives what the others cost on average: 0 when there are no others.
func One(all []Figures, turnID string) (f Figures, others int64) {
	f = Figures{TurnID: turnID, Complexity: -1}
	n := int64(0)
	for i := range all {
		if all[i].TurnID == turnID {
			f = all[i]
			continue
		}
		others += all[i].CostNanos
		n++
	}
	if n > 0 {
		others /= n
	}
	return f, others
}
