package app

import (
	"lobstead/api/runtime"
	"lobstead/engine/insight"
	"lobstead/kit/fault"
	"lobstead/models"
)

// RuntimeTurns are turns, what they saw and what people thought of them in the runtime API's spelling (section 10).
type RuntimeTurns struct{ *App }

// turnOf reads the turn of the path. What is not there is told in the family's words, whoever has it.
func (h *RuntimeTurns) turnOf(c *Ctx) (*models.Turn, error) {
	t, err := c.Scope.Turn(c, c.Param("id"))
	return t, missing(err, "turn %s not found", c.Param("id"))
}

// missing gives the words for what is not there.
func missing(err error, words string, args ...any) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "missing", words, args...)
	}
	return err
}

// sessionOf finds the session of the path by id or alias; "" for one that is not there: its lists are empty.
func (h *RuntimeTurns) sessionOf(c *Ctx) (string, error) {
	s, err := c.Scope.SessionNamed(c, c.Param("id"))
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return s.ID, nil
}

// Index lists a session's turns.
func (h *RuntimeTurns) Index(c *Ctx) (Reply, error) {
	session, err := h.sessionOf(c)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.SessionTurns(c, session)
	if err != nil {
		return nil, err
	}
	thoughts, err := c.Scope.EventsOf(c, session, models.KindThinking)
	return data(runtime.NewTurns(rows, thoughts)), err
}

// Show is one turn.
func (h *RuntimeTurns) Show(c *Ctx) (Reply, error) {
	t, err := h.turnOf(c)
	if err != nil {
		return nil, err
	}
	log, err := c.Scope.TurnEvents(c, t.ID)
	return data(runtime.NewTurn(t, log)), err
}

// figures are those of the turn's session.
func (h *RuntimeTurns) figures(c *Ctx) (*models.Turn, []insight.Figures, error) {
	t, err := h.turnOf(c)
	if err != nil {
		return nil, nil, err
	}
	all, err := insight.Session(c, c.Scope, t.SessionID)
	return t, all, err
}

// Context tells what the turn's last call to a model was shown, by size.
func (h *RuntimeTurns) Context(c *Ctx) (Reply, error) {
	t, all, err := h.figures(c)
	if err != nil {
		return nil, err
	}
	f, _ := insight.One(all, t.ID)
	return data(runtime.Context{TurnID: t.ID, Model: t.Model, TokenBudget: f.Room, SystemPromptTokens: f.System, MemoryTokens: f.Memory, HistoryTokens: f.History,
		ToolsTokens: f.Tools, HistoryDepth: f.Depth, ComplexityLevel: f.Level(), TokensIn: t.InputTokens, TokensOut: t.OutputTokens, Cost: models.Dollars(t.CostNanos),
		ToolCallCount: t.ToolCalls, ToolFailureCount: t.ToolFailures}), nil
}

// Tools lists the turn's tool calls; a turn that is not there has none.
func (h *RuntimeTurns) Tools(c *Ctx) (Reply, error) {
	log, err := c.Scope.TurnEvents(c, c.Param("id"))
	if err != nil {
		return nil, err
	}
	calls, err := runtime.NewToolCalls(log)
	return data(calls), err
}

// Tips says what stands out in the turn.
func (h *RuntimeTurns) Tips(c *Ctx) (Reply, error) {
	t, all, err := h.figures(c)
	if err != nil {
		return nil, err
	}
	tips := wireTips(insight.TurnTips(insight.One(all, t.ID)))
	return data(runtime.Tips{TurnID: t.ID, Tips: tips, TipCount: len(tips)}), nil
}

func wireTips(list []insight.Tip) []runtime.Tip {
	out := make([]runtime.Tip, len(list))
	for i, t := range list {
		out[i] = runtime.Tip(t)
	}
	return out
}

// Selection tells how the turn's model was chosen.
func (h *RuntimeTurns) Selection(c *Ctx) (Reply, error) {
	rows, err := c.Scope.TurnDecisions(c, c.Param("id"))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound, "missing", "no model selection trace for turn %s", c.Param("id"))
	}
	words, err := c.Scope.DecidedWords(c, rows[:1])
	return data(runtime.NewSelection(&rows[0], words[rows[0].TurnID])), err
}

// Analyze asks a model about the turn.
func (h *RuntimeTurns) Analyze(c *Ctx) (Reply, error) {
	t, all, err := h.figures(c)
	if err != nil {
		return nil, err
	}
	q, err := h.inspector.Turn(c, c.Scope, t, all)
	o, err := h.ask(c, q, err)
	if err != nil {
		return nil, err
	}
	return data(runtime.TurnAnalysis{TurnID: t.ID, Status: "complete", Tips: wireTips(insight.TurnTips(insight.One(all, t.ID))), Asked: runtime.NewAsked(o)}), nil
}

// Insights says what stands out in a session; one that is not there has no turns.
func (h *RuntimeTurns) Insights(c *Ctx) (Reply, error) {
	_, all, err := h.sessionFigures(c)
	if err != nil {
		return nil, err
	}
	tips := wireTips(insight.SessionTips(all))
	return data(runtime.Insights{SessionID: c.Param("id"), Insights: tips, InsightCount: len(tips), TurnCount: len(all)}), nil
}

func (h *RuntimeTurns) sessionFigures(c *Ctx) (session string, all []insight.Figures, err error) {
	if session, err = h.sessionOf(c); err != nil {
		return "", nil, err
	}
	all, err = insight.Session(c, c.Scope, session)
	return session, all, err
}

// AnalyzeSession asks a model about a session. One without turns, there or not, is told of without asking: nobody should pay
// for that.
func (h *RuntimeTurns) AnalyzeSession(c *Ctx) (Reply, error) {
	session, all, err := h.sessionFigures(c)
	if err != nil {
		return nil, err
	}
	out := runtime.SessionAnalysis{SessionID: c.Param("id"), Status: "complete", Insights: wireTips(insight.SessionTips(all)), Asked: runtime.Asked{Analysis: "This session has no turns."}}
	if len(all) == 0 {
		return data(out), nil
	}
	s, err := c.Scope.Session(c, session)
	if err != nil {
		return nil, err
	}
	q, err := h.inspector.Session(c, c.Scope, s, all)
	o, err := h.ask(c, q, err)
	if err != nil {
		return nil, err
	}
	out.Asked = runtime.NewAsked(o)
	return data(out), nil
}
