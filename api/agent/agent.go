// Package agent is the wire of the agent API's management half: types, readers and presenters. Shapes and
// rules are those of the published contract (agent-api.md, section 3); it asks nothing of the database.
package agent

import (
	"strconv"
	"strings"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Error is the family's error body.
type Error struct {
	Error string `json:"error"`
	Code  string `json:"code,omitempty"`
	Hint  string `json:"hint,omitempty"` // of what was not understood: what was, and what is missing
}

// NewError spells a fault as the family does: one sentence, and our stable code.
func NewError(e *fault.Error) Error {
	out := Error{Error: e.Detail, Code: e.Code}
	switch {
	case len(e.Fields) > 0:
		i := e.Fields[0]
		out.Error, out.Code = i.Message, ""
		if len(i.Path) > 0 {
			name := i.Name()
			out.Error = name + ": " + i.Message
			if i.Code == "invalid_type" && i.Received == "undefined" {
				out.Error = name + " is required"
			}
		}
	case e.Code == "body.json", e.Code == "body.utf8":
		out = Error{Error: "Invalid request body"}
	case e.Kind == fault.Unclear:
		out.Hint = e.Hint
	case e.Kind == fault.Unauthenticated:
		out = Error{Error: "Unauthorized"}
	case e.Kind == fault.Internal:
		out = Error{Error: "Server error"}
	}
	return out
}

// ChatRequest is a message to the agent.
type ChatRequest struct {
	Message   string
	SessionID string
	Images    []models.Upload
}

// ReadChat reads a message; an image is a bare base64 text or a data URL.
func ReadChat(f *wire.Fields) (ChatRequest, error) {
	var r ChatRequest
	message, ok := f.String("message")
	if ok && strings.TrimSpace(message) == "" {
		f.Issues.Required("message", "string")
	}
	r.Message = message
	if s, ok := f.OptionalString("session_id"); ok && s != nil {
		r.SessionID = *s
	}
	for n, text := range f.OptionalStrings("images") {
		up, err := readImage(text, n)
		if err != nil {
			f.Issues.BadString("images", "base64")
			break
		}
		r.Images = append(r.Images, up)
	}
	return r, f.Err()
}

func readImage(text string, n int) (models.Upload, error) {
	kind, data, err := wire.Image(text)
	if err != nil {
		return models.Upload{}, err
	}
	return models.Upload{Name: "image-" + strconv.Itoa(n+1) + ImageSuffix[kind], MediaType: kind, Data: data}, nil
}

// ImageSuffix is how the name of a picture's file ends, by its media type.
var ImageSuffix = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}

// Message is one message of a conversation.
type Message struct {
	ID        string `json:"id"`
	SessionID string `json:"session_id"`
	Role      string `json:"role"`
	Content   string `json:"content"`
	CreatedAt string `json:"created_at"`
}

// Tokens counts a turn's tokens.
type Tokens struct {
	Input  int `json:"input"`
	Output int `json:"output"`
	Total  int `json:"total"`
}

// ToolUse is one tool call of a turn.
type ToolUse struct {
	Name       string `json:"name"`
	Status     string `json:"status"` // success, error, interrupted
	DurationMS int64  `json:"duration_ms"`
}

// Chat answers a message. The three texts are the same, for clients that look for either name.
type Chat struct {
	Response      string    `json:"response"`
	Reply         string    `json:"reply"`
	Content       string    `json:"content"`
	SessionID     string    `json:"session_id"`
	TurnID        string    `json:"turn_id"`
	Message       Message   `json:"message"`
	Model         string    `json:"model"`
	Tokens        Tokens    `json:"tokens"`
	ToolsUsed     []ToolUse `json:"tools_used"`
	MessagesUsed  int       `json:"messages_used"`
	MessagesLimit *int      `json:"messages_limit"` // null: unlimited
}

// Session is one conversation.
type Session struct {
	ID            string  `json:"id"`
	Title         string  `json:"title"`
	Category      string  `json:"category"`
	Status        string  `json:"status"`
	Icon          *string `json:"icon"`
	Pinned        bool    `json:"pinned"`
	MessageCount  int     `json:"message_count"`
	CreatedAt     string  `json:"created_at"`
	UpdatedAt     string  `json:"updated_at"`
	LastMessageAt *string `json:"last_message_at"`
}

// SessionList is the answer to a list.
type SessionList struct {
	Sessions []Session `json:"sessions"`
}

// SessionAnswer is one session.
type SessionAnswer struct {
	Session Session `json:"session"`
}

// Deleted answers a deletion.
type Deleted struct {
	Success bool `json:"success"`
}

// SessionID is how the family names a session: the alias its client chose, else our id.
func SessionID(s *models.Session) string {
	if s.Alias != nil {
		return *s.Alias
	}
	return s.ID
}

// NewSession presents a conversation.
func NewSession(s *models.Session) Session {
	out := Session{ID: SessionID(s), Title: s.Title, Category: s.Category, Status: s.Status, Pinned: s.Pinned, MessageCount: s.MessageCount,
		CreatedAt: wire.Time(s.CreatedAt), UpdatedAt: wire.Time(s.UpdatedAt), LastMessageAt: wire.TimeOrNull(s.LastMessageAt)}
	if s.Icon != "" {
		out.Icon = &s.Icon
	}
	return out
}

// NewSessions presents a list.
func NewSessions(rows []models.Session) []Session {
	out := make([]Session, len(rows))
	for i := range rows {
		out[i] = NewSession(&rows[i])
	}
	return out
}

// ReadSessionChange reads which session to change, and what.
func ReadSessionChange(f *wire.Fields) (string, models.SessionChange, error) {
	var c models.SessionChange
	name, _ := f.String("sessionId")
	c.Title, _ = f.OptionalString("title")
	c.Category, _ = f.OptionalString("category")
	c.Status, _ = f.OptionalString("status")
	c.Icon, _ = f.OptionalString("icon")
	c.Pinned = f.OptionalBool("pinned")
	return name, c, f.Err()
}
