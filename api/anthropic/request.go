// Package anthropic is the wire of Anthropic's Messages API: the reader of requests, the writer of answers, error
// bodies and the list of models. It asks nobody anything; pictures that lie elsewhere are fetched by a function that it
// is given.
package anthropic

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lobstead/api/wire"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

// Fetch gets a picture that lies elsewhere; nil refuses them.
type Fetch func(url string) (*llm.Image, error)

// Request is one message as it was asked for.
type Request struct {
	Model    string
	Session  string
	Streamed bool
	Thinking bool     // the reasoning is wanted
	Dropped  []string // fields that nobody read
	Request  llm.Request
}

type body struct {
	Model       string          `json:"model"`
	MaxTokens   *int            `json:"max_tokens"`
	Messages    []message       `json:"messages"`
	System      json.RawMessage `json:"system"`
	Streamed    bool            `json:"stream"`
	Temperature *float64        `json:"temperature"`
	TopP        *float64        `json:"top_p"`
	Stop        []string        `json:"stop_sequences"`
	Tools       []tool          `json:"tools"`
	Choice      *choice         `json:"tool_choice"`
	Thinking    *struct {
		Type   string `json:"type"`
		Budget int    `json:"budget_tokens"`
	} `json:"thinking"`
	Output *struct {
		Effort string `json:"effort"`
		Format *struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"schema"`
		} `json:"format"`
	} `json:"output_config"`
	Session string `json:"session_id"`
}

var known = []string{"model", "max_tokens", "messages", "system", "stream", "temperature", "top_p", "stop_sequences", "tools", "tool_choice", "thinking",
	"output_config", "session_id", "metadata"}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

type tool struct {
	Type        string          `json:"type"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"input_schema"`
}

type choice struct {
	Type string `json:"type"`
	Name string `json:"name"`
	Solo bool   `json:"disable_parallel_tool_use"`
}

// plainName is how tools may be called.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)

// Read reads a message. Errors are fault.Invalid and name the parameter; those of fetch come as they are.
func Read(raw []byte, fetch Fetch) (Request, error) {
	var b body
	names, err := wire.Object(raw)
	if err != nil {
		return Request{}, err
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		name := "body"
		if wrong, ok := err.(*json.UnmarshalTypeError); ok { // json gives it bare
			name = wrong.Field
		}
		return Request{}, wire.BadParam(name, "%.100s has the wrong type", name)
	}
	r := Request{Model: b.Model, Streamed: b.Streamed, Session: b.Session, Dropped: wire.Unread(names, known...)}
	if err := b.settings(&r.Request); err != nil {
		return r, err
	}
	if err := b.shape(&r); err != nil {
		return r, err
	}
	if err := b.tools(&r.Request); err != nil {
		return r, err
	}
	return r, b.converse(&r.Request, &pictures{fetch: fetch})
}

func (b *body) settings(r *llm.Request) error {
	switch {
	case b.MaxTokens == nil:
		return wire.BadParam("max_tokens", "max_tokens is required")
	case *b.MaxTokens < 1 || *b.MaxTokens > 10_000_000:
		return wire.BadParam("max_tokens", "max_tokens must be between 1 and 10,000,000")
	case b.Temperature != nil && (*b.Temperature < 0 || *b.Temperature > 1):
		return wire.BadParam("temperature", "temperature must be between 0 and 1")
	case b.TopP != nil && (*b.TopP < 0 || *b.TopP > 1):
		return wire.BadParam("top_p", "top_p must be between 0 and 1")
	case len(b.Stop) > 16:
		return wire.BadParam("stop_sequences", "stop_sequences may hold 16 texts at most")
	}
	r.MaxTokens, r.Temperature, r.TopP = *b.MaxTokens, b.Temperature, b.TopP
	r.Stop = slices.DeleteFunc(b.Stop, func(s string) bool { return s == "" })
	return nil
}

// shape reads the reasoning and the format that are wanted.
func (b *body) shape(r *Request) error {
	effort := ""
	if b.Output != nil {
		effort = b.Output.Effort
		if f := b.Output.Format; f != nil {
			if f.Type != "json_schema" || !wire.IsObject(f.Schema) {
				return wire.BadParam("output_config", "the format must be a json_schema with its schema")
			}
			r.Request.Output = &llm.Output{Schema: f.Schema, Strict: true}
		}
	}
	if b.Thinking == nil || b.Thinking.Type == "disabled" {
		return nil
	}
	r.Thinking = true
	switch {
	case effort == "low", effort == "" && b.Thinking.Type == "enabled" && b.Thinking.Budget < 4096:
		r.Request.Effort = llm.EffortLow
	case effort == "high", effort == "max", effort == "xhigh", effort == "" && b.Thinking.Budget >= 16384:
		r.Request.Effort = llm.EffortHigh
	default:
		r.Request.Effort = llm.EffortMedium
	}
	return nil
}

func (b *body) tools(r *llm.Request) error {
	for n, t := range b.Tools {
		param := fmt.Sprintf("tools.%d", n)
		switch {
		case t.Type != "" && t.Type != "custom":
			return wire.BadParam(param, "tools of the type %.64q are not supported", t.Type)
		case !plainName.MatchString(t.Name):
			return wire.BadParam(param, "a tool's name is 1 to 128 letters, digits, dashes and underscores")
		case !wire.IsObject(t.Schema):
			return wire.BadParam(param, "a tool needs its input_schema")
		}
		r.Tools = append(r.Tools, llm.Tool{Name: t.Name, Description: t.Description, Schema: t.Schema})
	}
	if b.Choice == nil {
		return nil
	}
	r.Choice.Solo = b.Choice.Solo
	switch b.Choice.Type {
	case "auto":
	case "none":
		r.Choice.Mode = llm.ChooseNone
	case "any":
		r.Choice.Mode = llm.ChooseAny
	case "tool":
		r.Choice.Mode, r.Choice.Name = llm.ChooseOne, b.Choice.Name
		if !slices.ContainsFunc(b.Tools, func(t tool) bool { return t.Name == b.Choice.Name }) {
			return wire.BadParam("tool_choice", "there is no tool called %.128s", b.Choice.Name)
		}
	default:
		return wire.BadParam("tool_choice", "tool_choice must be auto, any, tool or none")
	}
	if len(b.Tools) == 0 && b.Choice.Type != "auto" && b.Choice.Type != "none" {
		return wire.BadParam("tool_choice", "tool_choice asks for a call, but there are no tools")
	}
	return nil
}

// converse turns the messages into ours.
func (b *body) converse(r *llm.Request, pics *pictures) error {
	system, err := pics.blocks("system", b.System)
	if err != nil {
		return err
	}
	var text []string
	for _, p := range system {
		text = append(text, p.Text)
	}
	r.System = strings.Join(text, "\n\n")
	if len(b.Messages) == 0 {
		return wire.BadParam("messages", "messages must hold at least one message")
	}
	for n, m := range b.Messages {
		param := fmt.Sprintf("messages.%d", n)
		role := llm.Role(m.Role)
		if role != llm.User && role != llm.Assistant {
			return wire.BadParam(param, "the role must be user or assistant")
		}
		parts, err := pics.blocks(param, m.Content)
		if err != nil {
			return err
		}
		if len(parts) == 0 && role == llm.User {
			return wire.BadParam(param, "a message needs content")
		}
		if last := len(r.Messages) - 1; last >= 0 && r.Messages[last].Role == role { // one side may speak twice
			r.Messages[last].Parts = append(r.Messages[last].Parts, parts...)
			continue
		}
		r.Messages = append(r.Messages, llm.Message{Role: role, Parts: parts})
	}
	return nil
}

// pictures counts and gets the pictures of one request.
type pictures struct {
	fetch Fetch
	n     int
}

type block struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	Thinking  string          `json:"thinking"`
	Signature string          `json:"signature"`
	Data      string          `json:"data"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	CallID    string          `json:"tool_use_id"`
	Content   json.RawMessage `json:"content"`
	IsError   bool            `json:"is_error"`
	Source    *struct {
		Type string `json:"type"`
		Data string `json:"data"`
		URL  string `json:"url"`
	} `json:"source"`
}

// blocks reads content: a text, or a list of blocks.
func (p *pictures) blocks(param string, raw json.RawMessage) ([]llm.Part, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []llm.Part{{Text: text}}, nil
	}
	var list []block
	if json.Unmarshal(raw, &list) != nil {
		return nil, wire.BadParam(param, "content must be a text or a list of blocks")
	}
	var out []llm.Part
	for _, b := range list {
		part, err := p.block(param, b)
		if err != nil {
			return nil, err
		}
		out = append(out, part)
	}
	return out, nil
}

func (p *pictures) block(param string, b block) (llm.Part, error) {
	switch b.Type {
	case "text":
		return llm.Part{Text: b.Text}, nil
	case "image":
		img, err := p.image(param, b)
		return llm.Part{Image: img}, err
	case "tool_use":
		if b.ID == "" || b.Name == "" {
			return llm.Part{}, wire.BadParam(param, "a tool_use needs an id and a name")
		}
		input := b.Input
		if !wire.IsObject(input) {
			input = json.RawMessage("{}")
		}
		return llm.Part{Call: &llm.ToolCall{ID: b.ID, Name: b.Name, Input: input}}, nil
	case "tool_result":
		return p.result(param, b)
	case "thinking":
		return llm.Part{Thinking: &llm.Thinking{Text: b.Thinking, Signature: b.Signature}}, nil
	case "redacted_thinking":
		return llm.Part{Thinking: &llm.Thinking{Signature: b.Data, Redacted: true}}, nil
	}
	return llm.Part{}, wire.BadParam(param, "blocks of the type %.64q are not supported", b.Type)
}

func (p *pictures) result(param string, b block) (llm.Part, error) {
	if b.CallID == "" {
		return llm.Part{}, wire.BadParam(param, "a tool_result needs its tool_use_id")
	}
	parts, err := p.blocks(param, b.Content)
	if err != nil {
		return llm.Part{}, err
	}
	var text []string
	for _, x := range parts {
		if x.Text == "" && (x.Image != nil || x.Call != nil || x.Result != nil || x.Thinking != nil) {
			return llm.Part{}, wire.BadParam(param, "a tool_result holds text only")
		}
		text = append(text, x.Text)
	}
	return llm.Part{Result: &llm.ToolResult{CallID: b.CallID, Content: strings.Join(text, "\n"), Error: b.IsError}}, nil
}

func (p *pictures) image(param string, b block) (*llm.Image, error) {
	p.n++
	switch {
	case p.n > wire.MaxImages:
		return nil, wire.BadParam(param, "a request may hold %d pictures at most", wire.MaxImages)
	case b.Source == nil:
		return nil, wire.BadParam(param, "a picture needs its source")
	case b.Source.Type == "url" && p.fetch == nil:
		return nil, wire.BadParam(param, "a picture must be sent as base64")
	case b.Source.Type == "url":
		return p.fetch(b.Source.URL)
	}
	kind, data, err := wire.Image(b.Source.Data)
	if err != nil {
		return nil, wire.BadParam(param, "%s", fault.As(err).Detail)
	}
	return &llm.Image{MediaType: kind, Data: data}, nil
}
