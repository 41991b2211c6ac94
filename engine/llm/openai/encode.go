package openai

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"lobstead/engine/llm"
)

// quirks are the deviations of one model at one server.
type quirks struct {
	oldMax        bool // max_tokens instead of max_completion_tokens: all but OpenAI itself
	noUsage       bool // refuses stream_options
	noTemperature bool // OpenAI's reasoning models
	noEffort      bool // models without reasoning
	noTopP        bool // OpenAI's reasoning models
	noStop        bool // the same
	noParallel    bool // servers that do not know parallel_tool_calls
	swapped       bool // oldMax was changed once already
}

// without gives the quirks that a refusal teaches, false when it teaches nothing new.
func (q quirks) without(err error) (quirks, bool) {
	e := llm.AsError(err)
	if e.Kind != llm.KindBadRequest && e.Status != 422 {
		return q, false
	}
	said := strings.ToLower(e.Message)
	switch {
	case strings.Contains(said, "stream_options") && !q.noUsage:
		q.noUsage = true
	case strings.Contains(said, "reasoning_effort") && !q.noEffort:
		q.noEffort = true
	case strings.Contains(said, "temperature") && !q.noTemperature:
		q.noTemperature = true
	case strings.Contains(said, "top_p") && !q.noTopP:
		q.noTopP = true
	case strings.Contains(said, "parallel_tool_calls") && !q.noParallel:
		q.noParallel = true
	case strings.Contains(said, "'stop'") && !q.noStop:
		q.noStop = true
	case (strings.Contains(said, "max_tokens") || strings.Contains(said, "max_completion_tokens")) && !q.swapped:
		q.oldMax, q.swapped = !q.oldMax, true
	default:
		return q, false
	}
	return q, true
}

type body struct {
	Model         string         `json:"model"`
	Messages      []message      `json:"messages"`
	Tools         []tool         `json:"tools,omitempty"`
	Stream        bool           `json:"stream"`
	StreamOptions *streamOptions `json:"stream_options,omitempty"`
	MaxTokens     int            `json:"max_tokens,omitempty"`
	MaxCompletion int            `json:"max_completion_tokens,omitempty"`
	Temperature   *float64       `json:"temperature,omitempty"`
	Effort        llm.Effort     `json:"reasoning_effort,omitempty"`
	TopP          *float64       `json:"top_p,omitempty"`
	Stop          []string       `json:"stop,omitempty"`
	Choice        any            `json:"tool_choice,omitempty"` // a word, or the tool
	Parallel      *bool          `json:"parallel_tool_calls,omitempty"`
	Format        *format        `json:"response_format,omitempty"`
}

type format struct {
	Type   string  `json:"type"`
	Schema *schema `json:"json_schema,omitempty"`
}

type schema struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	Strict bool            `json:"strict,omitempty"`
}

// chosen is a tool_choice that names its tool.
type chosen struct {
	Type     string `json:"type"`
	Function struct {
		Name string `json:"name"`
	} `json:"function"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type message struct {
	Role    string `json:"role"`
	Content any    `json:"content"` // a string, a list of parts, or null beside calls
	Calls   []call `json:"tool_calls,omitempty"`
	CallID  string `json:"tool_call_id,omitempty"`
}

type part struct {
	Type  string    `json:"type"`
	Text  string    `json:"text,omitempty"`
	Image *imageURL `json:"image_url,omitempty"`
}

type imageURL struct {
	URL string `json:"url"`
}

type call struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type tool struct {
	Type     string     `json:"type"`
	Function definition `json:"function"`
}

type definition struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
}

func encode(r llm.Request, q quirks) body {
	b := body{Model: r.Model, Stream: true, Messages: []message{}}
	if !q.noUsage {
		b.StreamOptions = &streamOptions{IncludeUsage: true}
	}
	if q.oldMax {
		b.MaxTokens = r.MaxTokens
	} else {
		b.MaxCompletion = r.MaxTokens
	}
	if !q.noTemperature {
		b.Temperature = r.Temperature
	}
	if !q.noEffort {
		b.Effort = r.Effort
	}
	if !q.noTopP {
		b.TopP = r.TopP
	}
	if !q.noStop {
		b.Stop = r.Stop
	}
	b.Format = formatOf(r.Output)
	if strings.TrimSpace(r.System) != "" {
		b.Messages = append(b.Messages, message{Role: "system", Content: r.System})
	}
	for _, m := range llm.Normalize(r.Messages) {
		if m.Role == llm.Assistant {
			b.Messages = append(b.Messages, assistant(m)...)
		} else {
			b.Messages = append(b.Messages, user(m)...)
		}
	}
	for _, t := range r.Tools {
		schema := t.Schema
		if len(schema) == 0 {
			schema = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		b.Tools = append(b.Tools, tool{"function", definition{t.Name, t.Description, schema}})
	}
	if len(b.Tools) > 0 { // without tools any choice is refused
		b.Choice = choiceOf(r.Choice)
		if r.Choice.Solo && !q.noParallel {
			b.Parallel = new(bool)
		}
	}
	return b
}

func choiceOf(c llm.Choice) any {
	switch c.Mode {
	case llm.ChooseNone:
		return "none"
	case llm.ChooseAny:
		return "required"
	case llm.ChooseOne:
		out := chosen{Type: "function"}
		out.Function.Name = c.Name
		return out
	}
	return nil
}

func formatOf(o *llm.Output) *format {
	switch {
	case o == nil:
		return nil
	case len(o.Schema) == 0:
		return &format{Type: "json_object"}
	case o.Name == "":
		return &format{Type: "json_schema", Schema: &schema{"answer", o.Schema, o.Strict}}
	}
	return &format{Type: "json_schema", Schema: &schema{o.Name, o.Schema, o.Strict}}
}

// assistant writes text and calls; reasoning is not sent back, the format has no agreed place for it.
func assistant(m llm.Message) []message {
	out := message{Role: "assistant"}
	var text []string
	for _, p := range m.Parts {
		if p.Text != "" {
			text = append(text, p.Text)
		}
		if p.Call != nil {
			out.Calls = append(out.Calls, call{p.Call.ID, "function", function{p.Call.Name, string(p.Call.Input)}})
		}
	}
	if len(text) > 0 {
		out.Content = strings.Join(text, "\n")
	} else if len(out.Calls) == 0 {
		return nil
	}
	return []message{out}
}

// user writes the results first, each a message of its own, then what the person said: a plain string unless
// there are images, since many servers know only strings.
func user(m llm.Message) []message {
	var (
		out    []message
		parts  []part
		text   []string
		images bool
	)
	for _, p := range m.Parts {
		switch {
		case p.Result != nil:
			content := p.Result.Content
			if p.Result.Error {
				content = "Error: " + content
			}
			out = append(out, message{Role: "tool", CallID: p.Result.CallID, Content: content})
		case p.Image != nil:
			images = true
			data := "data:" + p.Image.MediaType + ";base64," + base64.StdEncoding.EncodeToString(p.Image.Data)
			parts = append(parts, part{Type: "image_url", Image: &imageURL{data}})
		case p.Text != "":
			text = append(text, p.Text)
			parts = append(parts, part{Type: "text", Text: p.Text})
		}
	}
	if images {
		return append(out, message{Role: "user", Content: parts})
	}
	if len(text) > 0 {
		out = append(out, message{Role: "user", Content: strings.Join(text, "\n\n")})
	}
	return out
}
