// Package llm owns the door to the models: one request and one stream shape over every provider's wire
// format, and typed errors. It knows neither HTTP of ours nor SQL; it never decides who pays.
package llm

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// Role says who speaks in a message.
type Role string

// The system prompt is Request.System, never a message; a tool result is a user-side part.
const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// Part is one piece of a message; exactly one of its fields is set.
type Part struct {
	Text     string      `json:"text,omitempty"`
	Remark   bool        `json:"remark,omitempty"` // Text is the system's, beside what the person said
	Thinking *Thinking   `json:"thinking,omitempty"`
	Image    *Image      `json:"image,omitempty"`
	Call     *ToolCall   `json:"call,omitempty"`
	Result   *ToolResult `json:"result,omitempty"`
}

// Thinking is visible reasoning; Signature is the provider's proof, to be sent back unchanged. A signature
// names its adapter ("anthropic:…"), and the others leave it out: one conversation may change providers.
type Thinking struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
	Redacted  bool   `json:"redacted,omitempty"` // the reasoning itself is opaque, and lies in Signature
}

// Image is inline image data.
type Image struct {
	MediaType string `json:"media_type"`
	Data      []byte `json:"data"`
}

// ToolCall is the model's wish to run a tool; Input is a JSON object. Signature belongs to the provider.
// Invalid holds the arguments as sent when they were no JSON object; Input is then {}, and the call must be
// answered with an error instead of being run.
type ToolCall struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	Signature string          `json:"signature,omitempty"`
	Invalid   string          `json:"invalid,omitempty"`
}

// ToolResult answers a call.
type ToolResult struct {
	CallID  string `json:"call_id"`
	Name    string `json:"name"`
	Content string `json:"content"`
	Error   bool   `json:"error,omitempty"`
}

// Message is one turn of the conversation as the model sees it.
type Message struct {
	Role  Role   `json:"role"`
	Parts []Part `json:"parts"`
}

// Tool describes a tool; Schema is a JSON Schema object.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`
}

// Request is one call to a model.
type Request struct {
	Model       string
	System      string
	Messages    []Message
	Tools       []Tool
	MaxTokens   int // of the answer; 0 = the provider's default
	Temperature *float64
	TopP        *float64
	Stop        []string // texts that end the answer
	Effort      Effort   // of reasoning; "" = the provider's default
	Choice      Choice   // of tools
	Output      *Output  // the shape of the answer's text; nil = free
}

// Choice says which tools a model has to call; the zero value leaves it to the model.
type Choice struct {
	Mode ChoiceMode
	Name string // of ChooseOne
	Solo bool   // at most one call at a time
}

// ChoiceMode is how much freedom a model has.
type ChoiceMode string

// The modes.
const (
	ChooseFreely ChoiceMode = ""
	ChooseNone   ChoiceMode = "none" // no call, although there are tools
	ChooseAny    ChoiceMode = "any"  // at least one call
	ChooseOne    ChoiceMode = "one"  // the named tool
)

// Output asks for an answer in JSON: one that fits Schema, or any object when Schema is empty.
type Output struct {
	Name   string
	Schema json.RawMessage // a JSON Schema object
	Strict bool
}

// Effort says how much a reasoning model may think; models without reasoning ignore it.
type Effort string

// The efforts that every provider with reasoning knows.
const (
	EffortLow    Effort = "low"
	EffortMedium Effort = "medium"
	EffortHigh   Effort = "high"
)

// Chunk is one piece of a streamed answer. Text and Thinking are deltas; Call comes whole; the last chunk
// has Done set, with the usage.
type Chunk struct {
	Text      string
	Thinking  string
	Signature string // closes the reasoning that came before
	Redacted  bool   // Signature is a whole opaque reasoning block of its own
	Call      *ToolCall
	Done      *Done
}

// Done closes a stream.
type Done struct {
	Model  string // the model that served
	Stop   StopReason
	Ended  string // with StopEnd: the text of Request.Stop that ended the answer, where the provider says so
	Usage  Usage
	Timing Timing
}

// StopReason says why a model stopped.
type StopReason string

// Stop reasons, the union of the wire formats.
const (
	StopEnd     StopReason = "end"
	StopTools   StopReason = "tools"
	StopLength  StopReason = "length"
	StopRefusal StopReason = "refusal"
)

// Usage counts tokens; Estimated when the provider sent none. Input is the whole prompt: CacheRead and
// CacheWrite are parts of it. Output is all that was generated: Reasoning is a part of it.
type Usage struct {
	Input      int  `json:"input"`
	Output     int  `json:"output"`
	CacheRead  int  `json:"cache_read,omitempty"`
	CacheWrite int  `json:"cache_write,omitempty"`
	Reasoning  int  `json:"reasoning,omitempty"`
	Estimated  bool `json:"estimated,omitempty"`
}

// Timing is measured by the door.
type Timing struct {
	First time.Duration // to the first chunk
	Total time.Duration
}

// Model is one entry of a provider's list.
type Model struct {
	ID            string
	Name          string
	ContextWindow int // tokens; 0 = unknown
	Tools, Images bool
}

// Provider is one connected model service. Streams end with a Done chunk or an error; the error is an
// *Error (see error.go). Breaking out of the loop or cancelling ctx closes the connection.
type Provider interface {
	Name() string
	Stream(ctx context.Context, r Request) iter.Seq2[Chunk, error]
	Models(ctx context.Context) ([]Model, error)
}
