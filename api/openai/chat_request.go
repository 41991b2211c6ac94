package openai

import (
	"encoding/json"
	"fmt"

	"lobstead/api/wire"
	"lobstead/engine/llm"
)

// ChatRequest is one chat completion as it was asked for.
type ChatRequest struct {
	Model        string // as the caller said, "" = theirs to have chosen for
	Session      string // groups usage, and names the agent's session
	Streamed     bool
	IncludeUsage bool     // of a stream: a last chunk with the usage
	Dropped      []string // fields that nobody read
	Request      llm.Request
}

type message struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
	Calls   []toolCall      `json:"tool_calls"`
	CallID  string          `json:"tool_call_id"`
}

type toolCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

type chatTool struct {
	Type     string   `json:"type"`
	Function function `json:"function"`
}

// ReadChat reads a chat completion. Errors are fault.Invalid and name the parameter; those of fetch come as they are.
// In the Lobstack dialect some fields are accepted and dropped (agent-api.md, 2.1).
func ReadChat(body []byte, d Dialect, fetch Fetch) (ChatRequest, error) {
	var r ChatRequest
	f, err := readFields(body)
	if err != nil {
		return r, err
	}
	var messages []message
	var tools []chatTool
	s := settings{maxName: "max_tokens"}
	var newer *int
	if err := f.takeAll(field{"messages", &messages}, field{"model", &r.Model}, field{"stream", &r.Streamed}, field{"max_tokens", &s.maxTokens},
		field{"max_completion_tokens", &newer}, field{"temperature", &s.temperature}, field{"tools", &tools}, field{"session_id", &r.Session}); err != nil {
		return r, err
	}
	if newer != nil {
		s.maxTokens, s.maxName = newer, "max_completion_tokens"
	}
	for n, t := range tools {
		if t.Type != "function" && t.Type != "" {
			return r, wire.BadParam("tools", "tools of the type %.64q are not supported", t.Type)
		}
		tool, err := t.Function.tool(fmt.Sprintf("tools[%d]", n))
		if err != nil {
			return r, err
		}
		r.Request.Tools = append(r.Request.Tools, tool)
	}
	if d == Standard {
		if err := r.standard(f, &s); err != nil {
			return r, err
		}
	}
	if err := s.put(&r.Request); err != nil {
		return r, err
	}
	r.Dropped = wire.Unread(f)
	return r, r.converse(messages, &pictures{fetch: fetch})
}

// standard reads what OpenAI's own dialect honours beyond the gateway's.
func (r *ChatRequest) standard(f fields, s *settings) error {
	var stop, choice json.RawMessage
	var options struct {
		IncludeUsage bool `json:"include_usage"`
	}
	var shape struct {
		Type   string `json:"type"`
		Schema format `json:"json_schema"`
	}
	n, parallel, effort := 1, true, ""
	err := f.takeAll(field{"top_p", &s.topP}, field{"stop", &stop}, field{"tool_choice", &choice}, field{"parallel_tool_calls", &parallel},
		field{"response_format", &shape}, field{"stream_options", &options}, field{"n", &n}, field{"reasoning_effort", &effort})
	if err != nil {
		return err
	}
	if n != 1 {
		return wire.BadParam("n", "n must be 1: there is one answer")
	}
	r.IncludeUsage = options.IncludeUsage
	if r.Request.Stop, err = readStop(stop); err != nil {
		return err
	}
	if r.Request.Choice, err = chatChoice(choice, r.Request.Tools); err != nil {
		return err
	}
	r.Request.Choice.Solo = !parallel
	if r.Request.Effort, err = effortOf("reasoning_effort", effort); err != nil {
		return err
	}
	shape.Schema.Type = shape.Type
	r.Request.Output, err = shape.Schema.output("response_format")
	return err
}

func chatChoice(raw json.RawMessage, tools []llm.Tool) (llm.Choice, error) {
	var word string
	if len(raw) == 0 || json.Unmarshal(raw, &word) == nil {
		return choose(word, "", tools)
	}
	var one chatTool
	if json.Unmarshal(raw, &one) != nil || one.Function.Name == "" {
		return choose("no such word", "", tools)
	}
	return choose("", one.Function.Name, tools)
}

// converse turns the messages into ours.
func (r *ChatRequest) converse(messages []message, pics *pictures) error {
	if len(messages) == 0 {
		return wire.BadParam("messages", "messages must hold at least one message")
	}
	for n, m := range messages {
		param := fmt.Sprintf("messages[%d]", n)
		var err error
		switch m.Role {
		case "system", "developer":
			var text string
			text, err = pics.textOf(param, m.Content)
			r.Request.System = joinSystem(r.Request.System, text)
		case "user":
			err = r.say(param, llm.User, m, pics)
		case "assistant":
			err = r.say(param, llm.Assistant, m, pics)
		case "tool":
			err = r.result(param, m, pics)
		default:
			err = wire.BadParam(param, "the role %.64q is not known", m.Role)
		}
		if err != nil {
			return err
		}
	}
	if len(r.Request.Messages) == 0 { // only instructions: they are what is asked
		r.Request.Messages = []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: r.Request.System}}}}
		r.Request.System = ""
	}
	return nil
}

func (r *ChatRequest) say(param string, role llm.Role, m message, pics *pictures) error {
	parts, err := pics.parts(param, m.Content)
	if err != nil {
		return err
	}
	if role == llm.Assistant {
		for _, c := range m.Calls {
			call, err := callOf(param, c.ID, c.Function.Name, c.Function.Arguments)
			if err != nil {
				return err
			}
			parts = append(parts, llm.Part{Call: call})
		}
	} else if len(parts) == 0 {
		return wire.BadParam(param, "a message of the user needs content")
	}
	r.Request.Messages = join(r.Request.Messages, role, parts...)
	return nil
}

func (r *ChatRequest) result(param string, m message, pics *pictures) error {
	if m.CallID == "" {
		return wire.BadParam(param, "a tool's message needs its tool_call_id")
	}
	text, err := pics.textOf(param, m.Content)
	if err != nil {
		return err
	}
	r.Request.Messages = join(r.Request.Messages, llm.User, llm.Part{Result: &llm.ToolResult{CallID: m.CallID, Content: text}})
	return nil
}
