package models

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Event is one entry of a session's log: append-only, numbered by Seq without gaps, never changed. Page,
// stream, export, context and compaction all read it.
type Event struct {
	ID             string
	OrganizationID string
	SessionID      string
	TurnID         *string
	Seq            int64
	Attempt        int
	Kind           EventKind
	Data           string // JSON of the kind's type
	CreatedAt      time.Time
}

// EventKind names the type of Data.
type EventKind string

// The kinds.
const (
	KindUser      EventKind = "user_message"
	KindAssistant EventKind = "assistant_message"
	KindThinking  EventKind = "thinking"
	KindCall      EventKind = "tool_call"
	KindResult    EventKind = "tool_result"
	KindNotice    EventKind = "notice"
	KindCompacted EventKind = "compacted"
	KindPaused    EventKind = "paused"
	KindDecided   EventKind = "decided"
	KindEnded     EventKind = "turn_ended"
)

// EventData is what an event can hold.
type EventData interface{ EventKind() EventKind }

// UserMessage is what a person or a program said.
type UserMessage struct {
	Text        string           `json:"text"`
	Attachments []AttachmentNote `json:"attachments,omitempty"`
	Source      string           `json:"source"`
	By          string           `json:"by,omitempty"`
}

// AttachmentNote names a file that came with a message; its bytes are in attachments.
type AttachmentNote struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Path      string `json:"path"`
	Size      int64  `json:"size"`
}

// AssistantMessage is what the model said in one step; Final when no tool call follows.
type AssistantMessage struct {
	Text     string `json:"text"`
	Step     int    `json:"step"`
	Provider string `json:"provider"`
	Model    string `json:"model"`
	Final    bool   `json:"final,omitempty"`
	Cut      bool   `json:"cut,omitempty"`   // stopped, or the answer's limit, before its end
	Quiet    bool   `json:"quiet,omitempty"` // of an automation's run: the mark that there is nothing to report
}

// Thinking is visible reasoning.
type Thinking struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
	Redacted  bool   `json:"redacted,omitempty"` // the reasoning is opaque, and lies in Signature
	Step      int    `json:"step"`
	Millis    int64  `json:"millis"`
}

// ToolCall is the model's wish to run a tool.
type ToolCall struct {
	CallID    string          `json:"call_id"`
	Tool      string          `json:"tool"`
	Input     json.RawMessage `json:"input"`
	Step      int             `json:"step"`
	Signature string          `json:"signature,omitempty"`
}

// ToolResult is what came of a call. Interrupted when nobody knows how far it got: it is never run again
// silently.
type ToolResult struct {
	CallID      string `json:"call_id"`
	Tool        string `json:"tool"`
	Output      string `json:"output"`
	Error       bool   `json:"error,omitempty"`
	Interrupted bool   `json:"interrupted,omitempty"`
	ExitCode    *int   `json:"exit_code,omitempty"`
	Truncated   bool   `json:"truncated,omitempty"`
	Killed      int    `json:"killed,omitempty"`
	Diff        string `json:"diff,omitempty"`
	Added       int    `json:"added,omitempty"`
	Removed     int    `json:"removed,omitempty"`
	Millis      int64  `json:"millis"`
}

// Status is "success", "error" or "interrupted".
func (r ToolResult) Status() string {
	switch {
	case r.Interrupted:
		return "interrupted"
	case r.Error:
		return "error"
	}
	return "success"
}

// Notice is a remark of the system inside a conversation.
type Notice struct {
	Level LogLevel `json:"level"`
	Text  string   `json:"text"`
}

// Compacted says that the model from now on sees Summary instead of the events up to Through.
type Compacted struct {
	Through int64  `json:"through"`
	Events  int    `json:"events"`
	Before  int    `json:"tokens_before"`
	After   int    `json:"tokens_after"`
	Summary string `json:"summary"`
}

// Paused says that a turn waits, and what for. It goes on where it stopped.
type Paused struct {
	For      WaitReason `json:"for"`
	Code     string     `json:"code"` // of the fault
	Text     string     `json:"text"`
	BudgetID string     `json:"budget_id,omitempty"`
	Until    *time.Time `json:"until,omitempty"` // when it is tried again by itself, or denied

	ApprovalID string `json:"approval_id,omitempty"`
	CallID     string `json:"call_id,omitempty"` // of the call that waits
}

// Decided says what became of a call that waited for a person.
type Decided struct {
	ApprovalID string         `json:"approval_id"`
	CallID     string         `json:"call_id"`
	Status     ApprovalStatus `json:"status"`
	By         string         `json:"by,omitempty"`
	Note       string         `json:"note,omitempty"`
	Lasts      GrantScope     `json:"lasts,omitempty"`
	Days       int            `json:"days,omitempty"`
}

// TurnEnded closes a turn.
type TurnEnded struct {
	State        TurnState `json:"state"`
	Reason       string    `json:"reason,omitempty"`
	Code         string    `json:"code,omitempty"`
	Provider     string    `json:"provider,omitempty"`
	Model        string    `json:"model,omitempty"`
	InputTokens  int       `json:"input_tokens"`
	OutputTokens int       `json:"output_tokens"`
	CostNanos    int64     `json:"cost_nanos"`
	Millis       int64     `json:"millis"`
	Killed       int       `json:"killed,omitempty"`
	TokensSaved  int       `json:"tokens_saved,omitempty"` // by the cache that gave the answer

	RetryAt *time.Time `json:"retry_at,omitempty"` // when trying again may help
	Quiet   bool       `json:"quiet,omitempty"`    // a run of an automation that had nothing to report: its answer goes nowhere
}

// EventKind names the data's kind.
func (UserMessage) EventKind() EventKind { return KindUser }

// EventKind names the data's kind.
func (AssistantMessage) EventKind() EventKind { return KindAssistant }

// EventKind names the data's kind.
func (Thinking) EventKind() EventKind { return KindThinking }

// EventKind names the data's kind.
func (ToolCall) EventKind() EventKind { return KindCall }

// EventKind names the data's kind.
func (ToolResult) EventKind() EventKind { return KindResult }

// EventKind names the data's kind.
func (Notice) EventKind() EventKind { return KindNotice }

// EventKind names the data's kind.
func (Compacted) EventKind() EventKind { return KindCompacted }

// EventKind names the data's kind.
func (Paused) EventKind() EventKind { return KindPaused }

// EventKind names the data's kind.
func (Decided) EventKind() EventKind { return KindDecided }

// EventKind names the data's kind.
func (TurnEnded) EventKind() EventKind { return KindEnded }

// Decode reads an event's data as its kind's type.
func Decode[T EventData](e Event) (T, error) {
	var d T
	if d.EventKind() != e.Kind {
		return d, fault.New(fault.Internal, "event.kind", "Event %d is a %s", e.Seq, e.Kind)
	}
	err := json.Unmarshal([]byte(e.Data), &d)
	return d, err
}

// appendEvents numbers and writes events inside a transaction; only startDue writes the
// log beside it. Known secrets and what a database cannot hold are taken out by eventText, so every reader inherits it.
func (sc *Scope) appendEvents(tx *gorm.DB, sessionID string, turnID *string, attempt int, data ...EventData) ([]Event, error) {
	now := sc.store.now()
	messages := 0
	for _, d := range data {
		if k := d.EventKind(); k == KindUser || k == KindAssistant {
			messages++
		}
	}
	set := map[string]any{"last_seq": gorm.Expr("last_seq + ?", len(data)), "updated_at": now}
	if messages > 0 {
		set["message_count"], set["last_message_at"] = gorm.Expr("message_count + ?", messages), now
	}
	hit, err := changed(tx.Model(&Session{}).Where("id = ?", sessionID), set)
	if err != nil {
		return nil, err
	}
	if !hit {
		return nil, fault.NotFoundf("session")
	}
	var last int64
	if err := tx.Model(&Session{}).Select("last_seq").Where("id = ?", sessionID).Scan(&last).Error; err != nil {
		return nil, err
	}
	rows := make([]Event, len(data))
	for n, d := range data {
		rows[n] = Event{ID: id.New(), OrganizationID: sc.Org, SessionID: sessionID, TurnID: turnID, Attempt: attempt,
			Seq: last - int64(len(data)) + int64(n) + 1, Kind: d.EventKind(), CreatedAt: now}
		if rows[n].Data, err = sc.store.eventText(d); err != nil {
			return nil, err
		}
	}
	return rows, tx.Create(&rows).Error
}

// eventText is what an event keeps of its data.
func (s *Store) eventText(d EventData) (string, error) {
	text, err := json.Marshal(d)
	return s.storable(text), err
}

// Events reads a session's log after a cursor, in order, at most limit (0 = all).
func (sc *Scope) Events(ctx context.Context, sessionID string, after int64, limit int) ([]Event, error) {
	q := sc.read(ctx).Where("session_id = ? AND seq > ?", sessionID, after).Order("seq")
	if limit > 0 {
		q = q.Limit(limit)
	}
	return all[Event](q)
}

// EventsOf reads a session's events of some kinds, in order.
func (sc *Scope) EventsOf(ctx context.Context, sessionID string, kinds ...EventKind) ([]Event, error) {
	return all[Event](sc.read(ctx).Where("session_id = ? AND kind IN ?", sessionID, kinds).Order("seq"))
}

// LatestEvents reads the last n events before a cursor (0 = the end), in order: the chat page's window.
func (sc *Scope) LatestEvents(ctx context.Context, sessionID string, before int64, n int) ([]Event, error) {
	q := sc.read(ctx).Where("session_id = ?", sessionID)
	if before > 0 {
		q = q.Where("seq < ?", before)
	}
	rows, err := all[Event](q.Order("seq DESC").Limit(n))
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	return rows, err
}

// TurnEvents reads the events of one turn, in order.
func (sc *Scope) TurnEvents(ctx context.Context, turnID string) ([]Event, error) {
	return all[Event](sc.read(ctx).Where("turn_id = ?", turnID).Order("seq"))
}

// OpenCalls gives the tool calls of a turn's log that have no result, in order.
func OpenCalls(log []Event) []ToolCall {
	var open []ToolCall
	for _, e := range log {
		switch e.Kind {
		case KindCall:
			if c, err := Decode[ToolCall](e); err == nil {
				open = append(open, c)
			}
		case KindResult:
			if r, err := Decode[ToolResult](e); err == nil {
				open = slices.DeleteFunc(open, func(c ToolCall) bool { return c.CallID == r.CallID })
			}
		}
	}
	return open
}

// LoggedCall is a tool call of a turn's log with what came of it.
type LoggedCall struct {
	ToolCall
	At     time.Time
	Result *ToolResult // nil: there is none yet
}

// LoggedCalls gives the tool calls of a turn's log, in order. An error means that the log cannot be read.
func LoggedCalls(log []Event) ([]LoggedCall, error) {
	out, at := []LoggedCall{}, map[string]int{}
	for _, e := range log {
		switch e.Kind {
		case KindCall:
			c, err := Decode[ToolCall](e)
			if err != nil {
				return nil, err
			}
			at[c.CallID] = len(out)
			out = append(out, LoggedCall{ToolCall: c, At: e.CreatedAt})
		case KindResult:
			r, err := Decode[ToolResult](e)
			if err != nil {
				return nil, err
			}
			if n, ok := at[r.CallID]; ok {
				out[n].Result = &r
			}
		}
	}
	return out, nil
}
