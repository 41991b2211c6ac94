// Package openai is the wire of the two OpenAI APIs, chat completions and responses, in OpenAI's own dialect and in
// that of the agent API's gateway (agent-api.md, section 2): readers of requests, writers of answers, error bodies. It
// asks nobody anything; pictures that lie elsewhere are fetched by a function that it is given.
package openai

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"lobstead/api/wire"
	"lobstead/engine/llm"
)

// Dialect is whose rules hold for a chat completion.
type Dialect int

// The dialects.
const (
	Standard Dialect = iota // OpenAI's
	Lobstack                // the agent API's gateway
)

// Fetch gets a picture that lies elsewhere; nil refuses them.
type Fetch func(url string) (*llm.Image, error)

// fields is a body by field; what was read is taken out, and what is left was ignored.
type fields map[string]json.RawMessage

// readFields reads a body; an empty one has no fields.
func readFields(body []byte) (fields, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return fields{}, nil
	}
	f, err := wire.Object(body)
	return fields(f), err
}

// take reads a field; absent and null leave the value as it is.
func (f fields) take(name string, into any) error {
	raw, ok := f[name]
	delete(f, name)
	if !ok || string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return wire.BadParam(name, "%s has the wrong type", name)
	}
	return nil
}

type field struct {
	name string
	into any
}

func (f fields) takeAll(list ...field) error {
	for _, x := range list {
		if err := f.take(x.name, x.into); err != nil {
			return err
		}
	}
	return nil
}

// plainName is how tools and schemas may be called.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// settings are what both APIs say of how to answer.
type settings struct {
	temperature, topP *float64
	maxTokens         *int
	maxName           string // the parameter of maxTokens
}

func (s settings) put(r *llm.Request) error {
	switch {
	case s.temperature != nil && (*s.temperature < 0 || *s.temperature > 2):
		return wire.BadParam("temperature", "temperature must be between 0 and 2")
	case s.topP != nil && (*s.topP < 0 || *s.topP > 1):
		return wire.BadParam("top_p", "top_p must be between 0 and 1")
	case s.maxTokens != nil && (*s.maxTokens < 1 || *s.maxTokens > 10_000_000):
		return wire.BadParam(s.maxName, "%s must be between 1 and 10,000,000", s.maxName)
	}
	r.Temperature, r.TopP = s.temperature, s.topP
	if s.maxTokens != nil {
		r.MaxTokens = *s.maxTokens
	}
	return nil
}

// effortOf reads how hard to think, of a parameter.
func effortOf(param, word string) (llm.Effort, error) {
	switch word {
	case "", "none", "minimal":
		return "", nil
	case "low":
		return llm.EffortLow, nil
	case "medium":
		return llm.EffortMedium, nil
	case "high", "xhigh", "max":
		return llm.EffortHigh, nil
	}
	return "", wire.BadParam(param, "the effort of %s must be none, minimal, low, medium or high", param)
}

// readStop takes one text or a list of them.
func readStop(raw json.RawMessage) ([]string, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var list []string
	var one string
	switch {
	case json.Unmarshal(raw, &one) == nil:
		list = []string{one}
	case json.Unmarshal(raw, &list) != nil:
		return nil, wire.BadParam("stop", "stop must be a text or a list of texts")
	}
	if len(list) > 16 {
		return nil, wire.BadParam("stop", "stop may hold 16 texts at most")
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" }), nil
}

// function is a tool in the words of both APIs.
type function struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
}

func (d function) tool(param string) (llm.Tool, error) {
	if !plainName.MatchString(d.Name) {
		return llm.Tool{}, wire.BadParam(param, "a tool's name is 1 to 64 letters, digits, dashes and underscores")
	}
	schema := d.Parameters
	if string(schema) == "null" {
		schema = nil
	}
	if len(schema) > 0 && !wire.IsObject(schema) {
		return llm.Tool{}, wire.BadParam(param, "the parameters of %s must be a JSON Schema object", d.Name)
	}
	return llm.Tool{Name: d.Name, Description: d.Description, Schema: schema}, nil
}

// choose reads a tool_choice; name is that of a chosen tool.
func choose(word, name string, tools []llm.Tool) (llm.Choice, error) {
	switch {
	case name != "" && !slices.ContainsFunc(tools, func(t llm.Tool) bool { return t.Name == name }):
		return llm.Choice{}, wire.BadParam("tool_choice", "there is no tool called %s", name)
	case name != "":
		return llm.Choice{Mode: llm.ChooseOne, Name: name}, nil
	case word == "", word == "auto":
		return llm.Choice{}, nil
	case word == "none":
		return llm.Choice{Mode: llm.ChooseNone}, nil
	case word == "required" && len(tools) == 0:
		return llm.Choice{}, wire.BadParam("tool_choice", "tool_choice asks for a call, but there are no tools")
	case word == "required":
		return llm.Choice{Mode: llm.ChooseAny}, nil
	}
	return llm.Choice{}, wire.BadParam("tool_choice", "tool_choice must be none, auto, required or one function")
}

// format is the wanted shape of an answer.
type format struct {
	Type   string          `json:"type"`
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	Strict bool            `json:"strict"`
}

func (f format) output(param string) (*llm.Output, error) {
	switch f.Type {
	case "", "text":
		return nil, nil
	case "json_object":
		return &llm.Output{}, nil
	case "json_schema":
		if !wire.IsObject(f.Schema) {
			return nil, wire.BadParam(param, "a json_schema needs a schema")
		}
		if f.Name != "" && !plainName.MatchString(f.Name) {
			return nil, wire.BadParam(param, "a schema's name is 1 to 64 letters, digits, dashes and underscores")
		}
		return &llm.Output{Name: f.Name, Schema: f.Schema, Strict: f.Strict}, nil
	}
	return nil, wire.BadParam(param, "the type must be text, json_object or json_schema")
}

// joinSystem adds a piece to the system prompt.
func joinSystem(have, more string) string {
	if strings.TrimSpace(more) == "" {
		return have
	}
	if have == "" {
		return more
	}
	return have + "\n\n" + more
}
