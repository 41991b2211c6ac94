// Package turns are the pages that explain answers: one turn at /turns/:id, what a step of it saw, a conversation as a whole at
// /chat/:id/insights, and how the organization works at /recommendations. It knows no handler; everything that a model or a
// tool said is text, or Markdown made safe.
package turns

import (
	"lobstead/models"
	"lobstead/views/layout"
)

// ShowProps is one turn.
type ShowProps struct {
	Frame     layout.FrameProps
	Session   *models.Session
	Turn      *models.Turn
	Question  string
	Log       []models.Event
	Steps     []models.TurnStep
	Decisions []models.Decision
	Ledger    []models.LedgerEntry // settled calls
	Changes   *models.Checkpoint   // of files; nil = none that is known
	Tips      []Tip
	Grade     *models.Grade // nil = none was given
	Comment   string        // what was typed, when it came back with Problem
	Ask       AskProps
	Again     AgainProps
	Problem   string // why a form was refused
	BaseURL   string
}

// Tip is what a rule noticed.
type Tip struct {
	Severity, Category, Rule string
	Message, Suggestion      string
}

// Price is what a question to a model would cost.
type Price struct {
	Provider, Model string
	Input, Output   int // tokens
	MostNanos       int64
	Priced          bool
}

// AskProps is the part of a page where a model can be asked. Posts to Action.
type AskProps struct {
	Action   string
	Title    string
	About    string // what the model is told
	Price    *Price // nil = there is no model to ask
	Opinions []models.Opinion
}

// AgainProps is the part where another model can answer the turn. Posts to /turns/:id/answers (model).
type AgainProps struct {
	Original string // the turn's own answer
	Others   []Other
	Gone     bool // what the turn saw is not kept
	Answers  []models.Opinion
}

// Other is a model that could answer.
type Other struct {
	Name  string
	Price Price
}

// StepProps is what one step of a turn saw.
type StepProps struct {
	Frame    layout.FrameProps
	Session  *models.Session
	Turn     *models.Turn
	Step     *models.TurnStep
	Number   int // in the list of the turn's steps, from 1
	Count    int
	System   string // our own part of the system prompt
	Memory   string // the memories in it
	Tools    []Tool
	Messages []Message
	Exact    bool
	Gone     bool // the texts are forgotten
}

// Tool is one that the model was told of.
type Tool struct{ Name, Description, Schema string }

// Message is one of the conversation as the model saw it.
type Message struct {
	Role  string
	Parts []Part
}

// Part is one piece of a message, with what it is.
type Part struct {
	Kind string // "", thinking, picture, call, result, error, remark
	Name string // of the tool
	Text string
}

// InsightsProps is a conversation as a whole.
type InsightsProps struct {
	Frame   layout.FrameProps
	Session *models.Session
	Rows    []TurnRow
	Tips    []Tip
	Ask     AskProps
	Problem string
	BaseURL string
}

// TurnRow is one turn in a list.
type TurnRow struct {
	ID, Model              string
	Prompt, Room           int // tokens
	CostNanos              int64
	Calls, Failures, Grade int
}

// AdviceProps is how the organization works in a period.
type AdviceProps struct {
	Frame   layout.FrameProps
	Period  string
	Profile Profile
	List    []Recommendation
	Ask     AskProps
	Problem string
	BaseURL string
}

// Profile is the figures of a period. Rates are 0–1.
type Profile struct {
	Sessions, Turns, CostNanos, ToolCalls           int64
	AvgQuality, GradeCoverage, AvgLength, AvgTokens float64
	ToolSuccess, CacheHits, WithMemory              float64
	Models                                          []ModelProfile
}

// ModelProfile is one model's part.
type ModelProfile struct {
	Model              string
	Turns              int64
	AvgNanos           float64
	AvgQuality         float64 // 0 = nothing was graded
	CacheHits, Density float64
}

// Recommendation is what to change.
type Recommendation struct {
	Category, Priority, Title, Explanation, Action string
	Evidence                                       []Evidence
	Savings                                        string // for people, "" = nobody can say
}

// Evidence is one figure behind a recommendation.
type Evidence struct{ Metric, Value, Context string }
