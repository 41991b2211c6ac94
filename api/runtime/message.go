package runtime

import (
	"encoding/json"
	"strings"
	"unicode"

	"lobstead/api/wire"
	"lobstead/kit/fault"
)

const (
	maxContent = 32768 // bytes of one message
	maxScopeID = 256   // bytes
)

// MessageRequest is a message to the agent.
type MessageRequest struct {
	Content   string
	SessionID string
	Channel   string // where it came from; "web" without
}

// ReadMessage reads a message, in the order of the contract's refusals (runtime-api.md, section 9).
func ReadMessage(f *wire.Fields) (MessageRequest, error) {
	r := MessageRequest{Content: f.Text("content"), SessionID: f.Text("session_id"), Channel: f.Text("channel")}
	for _, name := range []string{"session_id", "channel", "sender_id", "peer_id", "group_id"} {
		if id := f.Text(name); len(id) > maxScopeID || strings.ContainsFunc(id, unicode.IsControl) {
			f.Issues.Custom(name, "must have at most 256 bytes and no control characters")
		}
	}
	if group := f.OptionalBool("is_group"); group != nil && *group && f.Text("peer_id") == "" && f.Text("sender_id") == "" {
		f.Issues.Custom("peer_id", "or sender_id is required for a group")
	}
	if err := f.Err(); err != nil {
		return r, err
	}
	switch {
	case strings.TrimSpace(r.Content) == "":
		return r, fault.New(fault.Invalid, "message.empty", "message content cannot be empty")
	case len(r.Content) > maxContent:
		return r, fault.New(fault.TooLarge, "message.long", "message content exceeds maximum length (%d bytes)", maxContent)
	}
	if r.Channel == "" {
		r.Channel = webChannel
	}
	return r, nil
}

const webChannel = "web"

// Outside tells whether the message says that it came from elsewhere than our own pages and programs.
func (r MessageRequest) Outside() bool { return r.Channel != webChannel }

// MessageAnswer answers POST /api/agent/message.
type MessageAnswer struct {
	SessionID          string  `json:"session_id"`
	Nickname           string  `json:"nickname"`
	UserMessageID      string  `json:"user_message_id"`
	AssistantMessageID string  `json:"assistant_message_id"`
	Content            string  `json:"content"`
	SelectedModel      string  `json:"selected_model"` // provider/model
	Model              string  `json:"model"`
	ModelShiftFrom     *string `json:"model_shift_from"` // who answered this session before, when it was another
	Cached             bool    `json:"cached"`
	TokensSaved        int     `json:"tokens_saved"`
	TokensIn           int     `json:"tokens_in"`
	TokensOut          int     `json:"tokens_out"`
	Cost               float64 `json:"cost"` // dollars
	ThreatScore        float64 `json:"threat_score"`
	ReducedAuthority   bool    `json:"reduced_authority"`
	Authority          string  `json:"authority"` // Creator, External
	ReactTurns         int     `json:"react_turns"`
}

// Authority is how far a message is trusted.
func (r MessageRequest) Authority() string {
	if r.Outside() {
		return "External"
	}
	return "Creator"
}

// MessageStream spells an answer as it comes: frames without event names, each with a type.
type MessageStream struct {
	SessionID, TurnID, Model string

	length int // bytes of text so far
}

type streamFrame struct {
	Type      string  `json:"type"`
	SessionID string  `json:"session_id,omitempty"`
	TurnID    string  `json:"turn_id,omitempty"`
	Delta     *string `json:"delta,omitempty"`
	Model     string  `json:"model,omitempty"`
	Error     string  `json:"error,omitempty"`
}

type streamChunk struct {
	streamFrame
	FinishReason *string `json:"finish_reason"`
}

type streamEnd struct {
	streamFrame
	TokensIn  int  `json:"tokens_in"`
	TokensOut int  `json:"tokens_out"`
	Length    int  `json:"content_length"`
	Blocked   bool `json:"content_blocked"`
}

func frame(v any) []byte {
	text, _ := json.Marshal(v) // of types that always can
	return []byte("data: " + string(text) + "\n\n")
}

// Start is the first frame.
func (s *MessageStream) Start() []byte {
	return frame(streamFrame{Type: "stream_start", SessionID: s.SessionID, TurnID: s.TurnID, Model: s.Model})
}

// Text is a piece of the answer.
func (s *MessageStream) Text(text string) []byte {
	s.length += len(text)
	return frame(streamChunk{streamFrame{Type: "chunk", Delta: &text, Model: s.Model}, nil})
}

// Finish is the last piece and the end, of an answer that this model gave.
func (s *MessageStream) Finish(model string, in, out int) []byte {
	empty, stop := "", "stop"
	s.Model = model
	return append(frame(streamChunk{streamFrame{Type: "chunk", Delta: &empty, Model: s.Model}, &stop}), s.end(in, out)...)
}

// Broken says that the answer broke off; the end still follows.
func (s *MessageStream) Broken() []byte {
	return append(frame(streamFrame{Type: "error", Error: Upstream}), s.end(0, 0)...)
}

// Upstream is what a caller hears of a provider's failure.
const Upstream = "upstream provider error"

func (s *MessageStream) end(in, out int) []byte {
	return frame(streamEnd{streamFrame: streamFrame{Type: "stream_end", SessionID: s.SessionID, TurnID: s.TurnID, Model: s.Model}, TokensIn: in, TokensOut: out, Length: s.length})
}
