package app

import "lobstead/api/runtime"

// grade reads a grade and what was said with it.
func grade(c *Ctx) (int, string, error) {
	f, err := c.Fields()
	if err != nil {
		return 0, "", err
	}
	n, comment := 0, ""
	if v := f.OptionalInt("grade", -1<<31, 1<<31-1); v != nil {
		n = *v
	}
	if s, _ := f.OptionalString("comment"); s != nil {
		comment = *s
	}
	return n, comment, f.Err()
}

// Grade writes the turn's grade, over an earlier one.
func (h *RuntimeTurns) Grade(c *Ctx) (Reply, error) {
	n, comment, err := grade(c)
	if err != nil {
		return nil, err
	}
	g, err := c.Scope.GradeTurn(c, c.Param("id"), n, comment, false)
	if err != nil {
		return nil, missing(err, "turn %s not found", c.Param("id"))
	}
	return data(runtime.FeedbackGiven{ID: g.ID, TurnID: g.TurnID, Grade: g.Grade}), nil
}

// Regrade changes the turn's grade.
func (h *RuntimeTurns) Regrade(c *Ctx) (Reply, error) {
	n, comment, err := grade(c)
	if err != nil {
		return nil, err
	}
	g, err := c.Scope.GradeTurn(c, c.Param("id"), n, comment, true)
	if err != nil {
		return nil, missing(err, "no feedback for turn %s", c.Param("id"))
	}
	return data(runtime.FeedbackChanged{TurnID: g.TurnID, Grade: g.Grade, Updated: true}), nil
}

// Feedback is the turn's grade.
func (h *RuntimeTurns) Feedback(c *Ctx) (Reply, error) {
	g, err := c.Scope.TurnGrade(c, c.Param("id"))
	if err != nil {
		return nil, missing(err, "no feedback for turn %s", c.Param("id"))
	}
	return data(runtime.NewFeedback(g)), nil
}

// Feedbacks lists a session's grades.
func (h *RuntimeTurns) Feedbacks(c *Ctx) (Reply, error) {
	session, err := h.sessionOf(c)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.SessionGrades(c, session)
	return data(runtime.NewFeedbacks(rows)), err
}
