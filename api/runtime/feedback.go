package runtime

import "lobstead/models"

// Feedback is a grade.
type Feedback struct {
	ID        string `json:"id"`
	TurnID    string `json:"turn_id"`
	SessionID string `json:"session_id"`
	Grade     int    `json:"grade"`
	Source    string `json:"source"`
	Comment   string `json:"comment"`
	CreatedAt string `json:"created_at"`
}

// Feedbacks answers GET /api/sessions/:id/feedback.
type Feedbacks struct {
	Feedback []Feedback `json:"feedback"`
}

// FeedbackGiven answers POST /api/turns/:id/feedback.
type FeedbackGiven struct {
	ID     string `json:"id"`
	TurnID string `json:"turn_id"`
	Grade  int    `json:"grade"`
}

// FeedbackChanged answers PUT /api/turns/:id/feedback.
type FeedbackChanged struct {
	TurnID  string `json:"turn_id"`
	Grade   int    `json:"grade"`
	Updated bool   `json:"updated"`
}

// NewFeedback presents a grade.
func NewFeedback(g *models.Grade) Feedback {
	return Feedback{ID: g.ID, TurnID: g.TurnID, SessionID: g.SessionID, Grade: g.Grade, Source: g.Source, Comment: g.Comment, CreatedAt: Time(g.CreatedAt)}
}

// NewFeedbacks presents grades.
func NewFeedbacks(rows []models.Grade) Feedbacks {
	out := Feedbacks{Feedback: make([]Feedback, len(rows))}
	for i := range rows {
		out.Feedback[i] = NewFeedback(&rows[i])
	}
	return out
}
