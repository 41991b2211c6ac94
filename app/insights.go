package app

import (
	"strconv"

	runtimeapi "lobstead/api/runtime"
	"lobstead/engine/insight"
	"lobstead/models"
	"lobstead/views/turns"
)

// Insights shows a conversation as a whole.
type Insights struct{ *App }

// Show is the page.
func (h *Insights) Show(c *Ctx) (Reply, error) {
	s, err := h.session(c)
	if err != nil {
		return nil, err
	}
	return h.show(c, s, "", 200)
}

func (h *Insights) session(c *Ctx) (*models.Session, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return c.Scope.Session(c, id)
}

func (h *Insights) show(c *Ctx, s *models.Session, problem string, status int) (Reply, error) {
	all, err := insight.Session(c, c.Scope, s.ID)
	if err != nil {
		return nil, err
	}
	found := insight.SessionTips(all)
	p := turns.InsightsProps{Frame: c.frame("Insights into "+s.Title, "/chat", ""), Session: s, Tips: shownTips(found), Problem: problem, BaseURL: h.PublicURL}
	for _, f := range all {
		p.Rows = append(p.Rows, turns.TurnRow{ID: f.TurnID, Model: f.Model, Prompt: f.System + f.Memory + f.History + f.Tools, Room: f.Room, CostNanos: f.CostNanos,
			Calls: f.Calls, Failures: f.Failures, Grade: f.Grade})
	}
	q, err := h.inspector.Session(c, c.Scope, s, all)
	if p.Ask, err = asking(q, err); err != nil {
		return nil, err
	}
	p.Ask.Action, p.Ask.Title = "/chat/"+s.ID+"/analysis", "Ask a model about this conversation"
	p.Ask.About = "The model reads the figures of the turns and the tips, not the messages, and says what to do differently."
	if p.Ask.Opinions, err = c.Scope.SessionOpinions(c, s.ID); err != nil {
		return nil, err
	}
	tips := wireTips(found)
	return page(turns.Insights(p)).json(runtimeapi.Insights{SessionID: s.ID, Insights: tips, InsightCount: len(tips), TurnCount: len(all)}).with(status), nil
}

// Analyze asks a model about the conversation.
func (h *Insights) Analyze(c *Ctx) (Reply, error) {
	s, err := h.session(c)
	if err != nil {
		return nil, err
	}
	all, err := insight.Session(c, c.Scope, s.ID)
	if err != nil {
		return nil, err
	}
	q, err := h.inspector.Session(c, c.Scope, s, all)
	o, err := h.ask(c, q, err)
	return c.heard(o, err, "/chat/"+s.ID+"/insights#analysis", func(problem string, status int) (Reply, error) { return h.show(c, s, problem, status) })
}

// Index is the page of recommendations.
func (h *Recommendations) Index(c *Ctx) (Reply, error) { return h.index(c, "", 200) }

func (h *Recommendations) index(c *Ctx, problem string, status int) (Reply, error) {
	p, err := h.profile(c)
	if err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		return h.List(c)
	}
	out := turns.AdviceProps{Frame: c.frame("Recommendations", "/chat", ""), Period: p.Period, Profile: shownProfile(p), Problem: problem, BaseURL: h.PublicURL}
	for _, r := range insight.Recommend(p) {
		out.List = append(out.List, shownAdvice(r))
	}
	q, err := h.inspector.Habits(c, c.Scope, p)
	if out.Ask, err = asking(q, err); err != nil {
		return nil, err
	}
	out.Ask.Action, out.Ask.Title = "/recommendations?period="+p.Period, "Ask a model about these figures"
	out.Ask.About = "The model reads the figures of this page and says what to change first. It sees no message."
	out.Ask.Opinions, err = c.Scope.HabitOpinions(c)
	return page(turns.Advice(out)).with(status), err
}

// Analyze asks a model what it makes of the figures.
func (h *Recommendations) Analyze(c *Ctx) (Reply, error) {
	p, err := h.profile(c)
	if err != nil {
		return nil, err
	}
	q, err := h.inspector.Habits(c, c.Scope, p)
	o, err := h.ask(c, q, err)
	return c.heard(o, err, "/recommendations?period="+p.Period+"#analysis", func(problem string, status int) (Reply, error) { return h.index(c, problem, status) })
}

func shownProfile(p *insight.Profile) turns.Profile {
	out := turns.Profile{Sessions: p.Sessions, Turns: p.Turns, CostNanos: p.CostNanos, ToolCalls: p.ToolCalls, AvgQuality: p.AvgQuality, GradeCoverage: p.GradeCoverage,
		AvgLength: p.AvgLength, AvgTokens: p.AvgTokens, ToolSuccess: p.ToolSuccess, CacheHits: p.CacheHits, WithMemory: p.WithMemory}
	for _, m := range p.Models {
		out.Models = append(out.Models, turns.ModelProfile{Model: m.Model, Turns: m.Turns, AvgNanos: m.AvgNanos, AvgQuality: m.AvgQuality, CacheHits: m.CacheHits, Density: m.Density})
	}
	return out
}

func shownAdvice(r insight.Recommendation) turns.Recommendation {
	out := turns.Recommendation{Category: r.Category, Priority: string(r.Priority), Title: r.Title, Explanation: r.Explanation, Action: r.Action}
	for _, e := range r.Evidence {
		out.Evidence = append(out.Evidence, turns.Evidence(e))
	}
	if r.Impact != nil && r.Impact.MonthlySavings != nil {
		out.Savings = "$" + strconv.FormatFloat(*r.Impact.MonthlySavings, 'f', 2, 64)
	}
	return out
}
