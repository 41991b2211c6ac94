package openai

import (
	"encoding/json"
	"fmt"

	"lobstead/api/wire"
	"lobstead/engine/llm"
)

// ResponseRequest is one call of the responses API as it was asked for.
type ResponseRequest struct {
	Model    string
	Session  string
	Streamed bool
	Dropped  []string
	Request  llm.Request
	Echo     Echo
}

// Echo is what a response repeats of its request.
type Echo struct {
	Instructions    *string           `json:"instructions"`
	MaxOutputTokens *int              `json:"max_output_tokens"`
	Metadata        map[string]string `json:"metadata"`
	Parallel        bool              `json:"parallel_tool_calls"`
	Temperature     *float64          `json:"temperature"`
	TopP            *float64          `json:"top_p"`
	ToolChoice      json.RawMessage   `json:"tool_choice"`
	Tools           json.RawMessage   `json:"tools"`
	Text            json.RawMessage   `json:"text"`
	Reasoning       json.RawMessage   `json:"reasoning"`
}

// item is one entry of the input.
type item struct {
	Type      string          `json:"type"`
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    json.RawMessage `json:"output"`
}

// ReadResponse reads a call of the responses API: text, pictures and function tools. Nothing is stored, so what refers
// to an earlier response is refused.
func ReadResponse(body []byte, fetch Fetch) (ResponseRequest, error) {
	r := ResponseRequest{Echo: Echo{Parallel: true, Metadata: map[string]string{}, ToolChoice: json.RawMessage(`"auto"`), Tools: json.RawMessage("[]"),
		Text: json.RawMessage(`{"format":{"type":"text"}}`), Reasoning: json.RawMessage(`{"effort":null,"summary":null}`)}}
	f, err := readFields(body)
	if err != nil {
		return r, err
	}
	var input json.RawMessage
	var previous, prompt, conversation json.RawMessage
	var store, background bool
	err = f.takeAll(field{"model", &r.Model}, field{"input", &input}, field{"instructions", &r.Echo.Instructions}, field{"stream", &r.Streamed},
		field{"max_output_tokens", &r.Echo.MaxOutputTokens}, field{"temperature", &r.Echo.Temperature}, field{"top_p", &r.Echo.TopP},
		field{"tools", &r.Echo.Tools}, field{"tool_choice", &r.Echo.ToolChoice}, field{"parallel_tool_calls", &r.Echo.Parallel},
		field{"text", &r.Echo.Text}, field{"reasoning", &r.Echo.Reasoning}, field{"metadata", &r.Echo.Metadata}, field{"session_id", &r.Session},
		field{"previous_response_id", &previous}, field{"conversation", &conversation}, field{"prompt", &prompt}, field{"store", &store}, field{"background", &background})
	switch {
	case err != nil:
		return r, err
	case len(previous) > 0, len(conversation) > 0:
		return r, wire.BadParam("previous_response_id", "responses are not stored: send the whole conversation as input")
	case len(prompt) > 0:
		return r, wire.BadParam("prompt", "stored prompts are not supported")
	case background:
		return r, wire.BadParam("background", "background responses are not supported")
	}
	r.Dropped = wire.Unread(f)
	if err := (settings{r.Echo.Temperature, r.Echo.TopP, r.Echo.MaxOutputTokens, "max_output_tokens"}).put(&r.Request); err != nil {
		return r, err
	}
	if r.Echo.Instructions != nil {
		r.Request.System = *r.Echo.Instructions
	}
	if err := r.shape(); err != nil {
		return r, err
	}
	return r, r.converse(input, &pictures{fetch: fetch})
}

// shape reads tools, their choice, the format of the text and the reasoning.
func (r *ResponseRequest) shape() error {
	var tools []struct {
		Type string `json:"type"`
		function
	}
	if json.Unmarshal(r.Echo.Tools, &tools) != nil {
		return wire.BadParam("tools", "tools has the wrong type")
	}
	for n, t := range tools {
		if t.Type != "function" {
			return wire.BadParam("tools", "tools of the type %.64q are not supported", t.Type)
		}
		tool, err := t.tool(fmt.Sprintf("tools[%d]", n))
		if err != nil {
			return err
		}
		r.Request.Tools = append(r.Request.Tools, tool)
	}
	var err error
	if r.Request.Choice, err = responseChoice(r.Echo.ToolChoice, r.Request.Tools); err != nil {
		return err
	}
	r.Request.Choice.Solo = !r.Echo.Parallel
	var text struct {
		Format format `json:"format"`
	}
	if json.Unmarshal(r.Echo.Text, &text) != nil {
		return wire.BadParam("text", "text has the wrong type")
	}
	if r.Request.Output, err = text.Format.output("text"); err != nil {
		return err
	}
	var reasoning struct {
		Effort string `json:"effort"`
	}
	if json.Unmarshal(r.Echo.Reasoning, &reasoning) != nil {
		return wire.BadParam("reasoning", "reasoning has the wrong type")
	}
	r.Request.Effort, err = effortOf("reasoning", reasoning.Effort)
	return err
}

func responseChoice(raw json.RawMessage, tools []llm.Tool) (llm.Choice, error) {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		return choose(word, "", tools)
	}
	var one struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	if json.Unmarshal(raw, &one) != nil || one.Type != "function" || one.Name == "" {
		return choose("no such word", "", tools)
	}
	return choose("", one.Name, tools)
}

// converse turns the input into messages.
func (r *ResponseRequest) converse(input json.RawMessage, pics *pictures) error {
	var text string
	if json.Unmarshal(input, &text) == nil && text != "" {
		r.Request.Messages = []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: text}}}}
		return nil
	}
	var items []item
	if json.Unmarshal(input, &items) != nil || len(items) == 0 {
		return wire.BadParam("input", "input must be a text or a list with at least one item")
	}
	for n, it := range items {
		if err := r.item(fmt.Sprintf("input[%d]", n), it, pics); err != nil {
			return err
		}
	}
	if len(r.Request.Messages) == 0 {
		return wire.BadParam("input", "input holds nothing to answer")
	}
	return nil
}

func (r *ResponseRequest) item(param string, it item, pics *pictures) error {
	switch it.Type {
	case "", "message":
		return r.message(param, it, pics)
	case "function_call":
		call, err := callOf(param, it.CallID, it.Name, it.Arguments)
		if err != nil {
			return err
		}
		r.add(llm.Assistant, llm.Part{Call: call})
		return nil
	case "function_call_output":
		if it.CallID == "" {
			return wire.BadParam(param, "a function_call_output needs its call_id")
		}
		text, err := pics.textOf(param, it.Output)
		if err != nil {
			return err
		}
		r.add(llm.User, llm.Part{Result: &llm.ToolResult{CallID: it.CallID, Content: text}})
		return nil
	case "reasoning": // another provider's: it has no place here
		return nil
	}
	return wire.BadParam(param, "input of the type %.64q is not supported", it.Type)
}

func (r *ResponseRequest) message(param string, it item, pics *pictures) error {
	parts, err := pics.parts(param, it.Content)
	if err != nil {
		return err
	}
	switch it.Role {
	case "system", "developer":
		for _, p := range parts {
			r.Request.System = joinSystem(r.Request.System, p.Text)
		}
	case "user":
		if len(parts) == 0 {
			return wire.BadParam(param, "a message of the user needs content")
		}
		r.add(llm.User, parts...)
	case "assistant":
		r.add(llm.Assistant, parts...)
	default:
		return wire.BadParam(param, "the role %.64q is not known", it.Role)
	}
	return nil
}

func (r *ResponseRequest) add(role llm.Role, parts ...llm.Part) {
	r.Request.Messages = join(r.Request.Messages, role, parts...)
}
