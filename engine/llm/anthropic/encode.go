package anthropic

import (
	"encoding/json"
	"strings"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire"
)

const adapter = "anthropic" // marks our signatures

type body struct {
	Model       string        `json:"model"`
	MaxTokens   int           `json:"max_tokens"`
	System      []content     `json:"system,omitempty"`
	Messages    []message     `json:"messages"`
	Tools       []tool        `json:"tools,omitempty"`
	Stream      bool          `json:"stream"`
	Temperature *float64      `json:"temperature,omitempty"`
	Thinking    *thinking     `json:"thinking,omitempty"`
	Output      *outputConfig `json:"output_config,omitempty"`
	TopP        *float64      `json:"top_p,omitempty"`
	Stop        []string      `json:"stop_sequences,omitempty"`
	Choice      *choice       `json:"tool_choice,omitempty"`
}

type choice struct {
	Type string `json:"type"`
	Name string `json:"name,omitempty"`
	Solo bool   `json:"disable_parallel_tool_use,omitempty"`
}

type thinking struct {
	Type   string `json:"type"`
	Budget int    `json:"budget_tokens,omitempty"`
}

type outputConfig struct {
	Effort llm.Effort `json:"effort,omitempty"`
	Format *format    `json:"format,omitempty"`
}

type format struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

type message struct {
	Role    llm.Role  `json:"role"`
	Content []content `json:"content"`
}

type content struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	Thinking  *string         `json:"thinking,omitempty"`
	Signature string          `json:"signature,omitempty"`
	Data      string          `json:"data,omitempty"` // of redacted thinking
	Source    *source         `json:"source,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	CallID    string          `json:"tool_use_id,omitempty"`
	Content   string          `json:"content,omitempty"`
	IsError   bool            `json:"is_error,omitempty"`
	Cache     *cache          `json:"cache_control,omitempty"`
}

type source struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type"`
	Data      []byte `json:"data"` // base64 by encoding/json
}

type tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"input_schema"`
	Cache       *cache          `json:"cache_control,omitempty"`
}

type cache struct {
	Type string `json:"type"`
}

var ephemeral = &cache{"ephemeral"}

// encode writes a request. Three cache breakpoints of the four allowed: the tools, the system prompt, and the
// end of the conversation, which the next step of the same turn then reads back at a tenth of the price.
func encode(r llm.Request) body {
	b := body{Model: r.Model, MaxTokens: r.MaxTokens, Stream: true, Messages: []message{}}
	if b.MaxTokens <= 0 {
		b.MaxTokens = defaultMax(r.Model)
	}
	if samples(r.Model) {
		b.Temperature = r.Temperature
		if r.Temperature == nil { // most models take one of the two
			b.TopP = r.TopP
		}
	}
	for _, s := range r.Stop {
		if strings.TrimSpace(s) != "" { // white space alone is refused
			b.Stop = append(b.Stop, s)
		}
	}
	b.think(r)
	r.System = b.shape(r)
	if strings.TrimSpace(r.System) != "" {
		b.System = []content{{Type: "text", Text: r.System, Cache: ephemeral}}
	}
	for _, t := range r.Tools {
		schema := t.Schema
		if len(schema) == 0 {
			schema = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		b.Tools = append(b.Tools, tool{Name: t.Name, Description: t.Description, Schema: schema})
	}
	if n := len(b.Tools); n > 0 {
		b.Tools[n-1].Cache = ephemeral
		b.Choice = choiceOf(r.Choice)
	}
	for _, m := range llm.Normalize(r.Messages) {
		if parts := contents(m); len(parts) > 0 {
			b.Messages = append(b.Messages, message{m.Role, parts})
		}
	}
	if n := len(b.Messages); n > 0 {
		last := b.Messages[n-1].Content
		last[len(last)-1].Cache = ephemeral
	}
	return b
}

func contents(m llm.Message) []content {
	var out []content
	for _, p := range m.Parts {
		switch {
		case p.Thinking != nil:
			out = append(out, reasoning(*p.Thinking)...)
		case p.Image != nil:
			out = append(out, content{Type: "image", Source: &source{"base64", p.Image.MediaType, p.Image.Data}})
		case p.Call != nil:
			out = append(out, content{Type: "tool_use", ID: p.Call.ID, Name: p.Call.Name, Input: p.Call.Input})
		case p.Result != nil:
			out = append(out, content{Type: "tool_result", CallID: p.Result.CallID, Content: p.Result.Content, IsError: p.Result.Error})
		default:
			out = append(out, content{Type: "text", Text: p.Text})
		}
	}
	if len(out) == 0 && m.Role == llm.Assistant { // only another provider's reasoning: roles must still alternate
		out = append(out, content{Type: "text", Text: "(no text)"})
	}
	return out
}

// reasoning goes back only with our own signature: without one the API refuses it.
func reasoning(t llm.Thinking) []content {
	sig := wire.Unsigned(adapter, t.Signature)
	switch {
	case sig == "":
		return nil
	case t.Redacted:
		return []content{{Type: "redacted_thinking", Data: sig}}
	}
	return []content{{Type: "thinking", Thinking: &t.Text, Signature: sig}}
}

// think asks for reasoning. Models up to 4.5 take a budget; later ones only "adaptive" with an effort
// (a budget is an error from Opus 4.7 on). Before 3.7 there is none.
func (b *body) think(r llm.Request) {
	if r.Choice.Mode == llm.ChooseAny || r.Choice.Mode == llm.ChooseOne {
		return // a forced call and reasoning exclude each other
	}
	budget := map[llm.Effort]int{llm.EffortLow: 2048, llm.EffortMedium: 8192, llm.EffortHigh: 24576}[r.Effort]
	if budget == 0 {
		return
	}
	b.Temperature, b.TopP = nil, nil // reasoning and a temperature exclude each other
	switch age(r.Model) {
	case silent:
	case budgeted:
		b.Thinking = &thinking{Type: "enabled", Budget: budget}
		b.MaxTokens = max(b.MaxTokens, budget+4096)
	case adaptive:
		b.Thinking, b.Output = &thinking{Type: "adaptive"}, &outputConfig{Effort: r.Effort}
	}
}

func choiceOf(c llm.Choice) *choice {
	switch c.Mode {
	case llm.ChooseNone:
		return &choice{Type: "none"}
	case llm.ChooseAny:
		return &choice{Type: "any", Solo: c.Solo}
	case llm.ChooseOne:
		return &choice{Type: "tool", Name: c.Name, Solo: c.Solo}
	}
	if c.Solo {
		return &choice{Type: "auto", Solo: true}
	}
	return nil
}

// shape asks for an answer in JSON and gives the system prompt for it: models since 4.5 hold themselves to a schema,
// older ones, and JSON without a schema, are asked in words.
func (b *body) shape(r llm.Request) string {
	switch {
	case r.Output == nil:
		return r.System
	case len(r.Output.Schema) == 0:
		return strings.TrimSpace(r.System + "\n\nAnswer with one JSON object and nothing else.")
	case !shapes(r.Model):
		return strings.TrimSpace(r.System + "\n\nAnswer with one JSON object and nothing else. It must fit this JSON Schema:\n" + string(r.Output.Schema))
	}
	if b.Output == nil {
		b.Output = &outputConfig{}
	}
	b.Output.Format = &format{"json_schema", r.Output.Schema}
	return r.System
}

// shapes reports whether a model holds its answer to a JSON Schema.
func shapes(model string) bool {
	return age(model) == adaptive || strings.Contains(model, "-4-5") || strings.Contains(model, "-4.5") ||
		strings.Contains(model, "opus-4-1") || strings.Contains(model, "opus-4.1")
}

type generation int

const (
	adaptive generation = iota // 4.6 and later, and every name not known to be older
	budgeted                   // 3.7 to 4.5
	silent                     // before
)

func age(model string) generation {
	m := strings.ToLower(model)
	m = strings.ReplaceAll(m[strings.LastIndexByte(m, '/')+1:], ".", "-")
	for _, old := range []string{"claude-3-7", "claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-2", "claude-opus-4-5",
		"claude-sonnet-4-0", "claude-sonnet-4-2", "claude-sonnet-4-5", "claude-haiku-4-5"} {
		if strings.HasPrefix(m, old) {
			return budgeted
		}
	}
	for _, old := range []string{"claude-1", "claude-2", "claude-3", "claude-v1", "claude-instant"} {
		if strings.HasPrefix(m, old) {
			return silent
		}
	}
	if m == "claude-opus-4" || m == "claude-sonnet-4" {
		return budgeted
	}
	return adaptive
}

// samples reports whether a model takes a temperature: those after Opus 4.6 refuse any but the default.
func samples(model string) bool {
	return age(model) != adaptive || strings.Contains(model, "-4-6") || strings.Contains(model, "-4.6")
}

func defaultMax(model string) int {
	if strings.HasPrefix(model, "claude-3-opus") || strings.HasPrefix(model, "claude-3-haiku") || strings.HasPrefix(model, "claude-3-sonnet") {
		return 4096
	}
	if age(model) == silent {
		return 8192
	}
	return 16384
}
