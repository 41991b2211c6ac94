package app

import (
	runtimeapi "lobstead/api/runtime"
	"lobstead/engine/insight"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/turns"
)

// Inspector shows why a turn went as it did.
type Inspector struct{ *App }

// Show is one turn.
func (h *Inspector) Show(c *Ctx) (Reply, error) {
	t, err := h.turn(c)
	if err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		log, err := c.Scope.TurnEvents(c, t.ID)
		return data(runtimeapi.NewTurn(t, log)), err
	}
	return h.show(c, t, &turns.ShowProps{}, 200)
}

func (h *Inspector) turn(c *Ctx) (*models.Turn, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	return c.Scope.Turn(c, id)
}

// show fills a page in; a form that was refused comes back with what was typed.
func (h *Inspector) show(c *Ctx, t *models.Turn, p *turns.ShowProps, status int) (Reply, error) {
	p.Turn, p.BaseURL = t, h.PublicURL
	var err error
	if p.Session, err = c.Scope.Session(c, t.SessionID); err != nil {
		return nil, err
	}
	p.Frame = c.frame("Turn in "+p.Session.Title, "/chat", "")
	all, err := insight.Session(c, c.Scope, t.SessionID)
	if err != nil {
		return nil, err
	}
	for _, read := range []func(*Ctx, *turns.ShowProps, []insight.Figures) error{h.rows, h.judged, h.answers, h.analyses} {
		if err := read(c, p, all); err != nil {
			return nil, err
		}
	}
	return page(turns.Show(*p)).partial(turns.Grade(*p)).with(status), nil
}

// rows reads what is kept of the turn.
func (h *Inspector) rows(c *Ctx, p *turns.ShowProps, _ []insight.Figures) (err error) {
	if p.Log, err = c.Scope.TurnEvents(c, p.Turn.ID); err != nil {
		return err
	}
	for _, e := range p.Log {
		switch e.Kind {
		case models.KindUser:
			if d, err := models.Decode[models.UserMessage](e); err == nil {
				p.Question = d.Text
			}
		case models.KindAssistant:
			if d, err := models.Decode[models.AssistantMessage](e); err == nil {
				p.Again.Original = d.Text
			}
		}
	}
	if p.Changes, err = c.Scope.TurnCheckpoint(c, p.Turn.ID); err != nil {
		return err
	}
	if p.Steps, err = c.Scope.TurnSteps(c, p.Turn.ID); err != nil {
		return err
	}
	if p.Decisions, err = c.Scope.TurnDecisions(c, p.Turn.ID); err != nil {
		return err
	}
	p.Ledger, err = c.Scope.TurnLedger(c, p.Turn.ID)
	return err
}

// judged adds the tips and the grade.
func (h *Inspector) judged(c *Ctx, p *turns.ShowProps, all []insight.Figures) (err error) {
	if p.Turn.StartedAt != nil {
		p.Tips = shownTips(insight.TurnTips(insight.One(all, p.Turn.ID)))
	}
	p.Grade, err = c.Scope.TurnGrade(c, p.Turn.ID)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func shownTips(list []insight.Tip) []turns.Tip {
	out := make([]turns.Tip, len(list))
	for i, t := range list {
		out[i] = turns.Tip(t)
	}
	return out
}

// answers adds who could answer again, and who did.
func (h *Inspector) answers(c *Ctx, p *turns.ShowProps, _ []insight.Figures) (err error) {
	if p.Again.Answers, err = c.Scope.TurnOpinions(c, p.Turn.ID, models.Answer); err != nil || !p.Turn.State.Ended() {
		return err
	}
	list, err := h.inspector.Others(c, c.Scope, p.Turn)
	if fault.Is(err, fault.NotFound) {
		p.Again.Gone = true
		return nil
	}
	for _, o := range list {
		p.Again.Others = append(p.Again.Others, turns.Other{Name: o.Name, Price: turns.Price(o.Quote)})
	}
	return err
}

// analyses adds what a model would cost to ask, and what models said.
func (h *Inspector) analyses(c *Ctx, p *turns.ShowProps, all []insight.Figures) error {
	q, err := h.inspector.Turn(c, c.Scope, p.Turn, all)
	if p.Ask, err = asking(q, err); err != nil {
		return err
	}
	p.Ask.Action, p.Ask.Title = "/turns/"+p.Turn.ID+"/analysis", "Ask a model about this turn"
	p.Ask.About = "The model reads the turn's figures, its tips and its log, with long outputs shortened, and says what to do differently."
	p.Ask.Opinions, err = c.Scope.TurnOpinions(c, p.Turn.ID, models.Analysis)
	return err
}

// Grade takes what a person thinks of the turn.
func (h *Inspector) Grade(c *Ctx) (Reply, error) {
	t, err := h.turn(c)
	if err != nil {
		return nil, err
	}
	n, comment, err := grade(c)
	if err == nil {
		_, err = c.Scope.GradeTurn(c, t.ID, n, comment, false)
	}
	if words, ok := asInvalid(err); ok && !fault.Is(err, fault.TooLarge) && !c.wantsJSON() && !c.isHTMX() {
		return h.show(c, t, &turns.ShowProps{Problem: words, Comment: comment}, 422)
	}
	if err != nil {
		return nil, err
	}
	if !c.isHTMX() {
		return redirect("/turns/"+t.ID+"#grade").json(map[string]any{"turn_id": t.ID, "grade": n}).say("ok", "Grade saved"), nil
	}
	g, err := c.Scope.TurnGrade(c, t.ID)
	return (&answer{}).partial(turns.Grade(turns.ShowProps{Turn: t, Grade: g})).say("ok", "Grade saved"), err
}

// Analyze asks a model about the turn.
func (h *Inspector) Analyze(c *Ctx) (Reply, error) {
	t, err := h.turn(c)
	if err != nil {
		return nil, err
	}
	all, err := insight.Session(c, c.Scope, t.SessionID)
	if err != nil {
		return nil, err
	}
	q, err := h.inspector.Turn(c, c.Scope, t, all)
	o, err := h.ask(c, q, err)
	return c.heard(o, err, "/turns/"+t.ID+"#analysis", h.again(c, t))
}

// Answer has another model answer the turn again.
func (h *Inspector) Answer(c *Ctx) (Reply, error) {
	t, err := h.turn(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	q, err := h.inspector.Again(c, c.Scope, t, f.Text("model"))
	o, err := h.ask(c, q, err)
	return c.heard(o, err, "/turns/"+t.ID+"#again", h.again(c, t))
}

// again shows the page with why something was refused.
func (h *Inspector) again(c *Ctx, t *models.Turn) func(string, int) (Reply, error) {
	return func(problem string, status int) (Reply, error) {
		return h.show(c, t, &turns.ShowProps{Problem: problem}, status)
	}
}
