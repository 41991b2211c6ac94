package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"lobstead/engine/llm"
	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

// maxToolOutput is what the model and the log get of one output; the middle of a longer one is left out.
const maxToolOutput = 32 << 10

// Tool is something that a model can do.
type Tool struct {
	Name        string
	Description string          // for the model
	Schema      json.RawMessage // JSON Schema of the input, an object
	// Outward says what a call would do outside of the sandbox, or for longer than the conversation ("sends a message to
	// …"), "" for one that does nothing of the kind. Such a call asks a person once untrusted words were read. nil = never.
	Outward func(input json.RawMessage) string
	// Changes says that a call may change files of the workspace.
	Changes bool
	// Run does it. An error becomes a result that the model reads; it never ends the turn. Output, Error,
	// ExitCode, Diff and the like may be set; the rest is filled in.
	Run func(ctx context.Context, c *Call) (models.ToolResult, error)
}

// Call is one use of a tool.
type Call struct {
	ID        string
	Input     json.RawMessage
	Scope     *models.Scope
	Instance  *models.Instance
	SessionID string
	TurnID    string
	Config    map[string]string // what the instance's people set for the tool

	run  *run
	live int // bytes of output that went out
}

// Hands gives the instance's sandbox, and starts it when it does not run.
func (c *Call) Hands(ctx context.Context) (sandbox.Hands, error) { return c.run.hands.get(ctx) }

// Live shows output while the tool runs, up to a limit; it is no part of the result.
func (c *Call) Live(text []byte) {
	if c.live >= liveOutput {
		return
	}
	text = text[:min(len(text), liveOutput-c.live)]
	c.live += len(text)
	if c.run != nil && len(text) > 0 {
		c.run.parts.add(PartOutput+"/"+c.ID, string(text))
	}
}

// Lost says what became of a call whose sandbox answered with err, nil when the sandbox still stands.
func (c *Call) Lost(ctx context.Context, err error) error {
	if ctx.Err() != nil || !c.run.hands.lost(err) {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, "sandbox.lost",
		"the sandbox stopped while this ran: nobody knows how far it got. The next call gets a fresh sandbox with the same files")
}

// Decode reads the input into a struct and refuses what the tool does not know.
func (c *Call) Decode(into any) error {
	d := json.NewDecoder(bytes.NewReader(c.Input))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		text := strings.TrimPrefix(err.Error(), "json: ")
		return fault.Wrap(err, fault.Invalid, "tool.input", "%s", "wrong input: "+text)
	}
	return nil
}

func missing(field string) error {
	return fault.New(fault.Invalid, "tool.input", "wrong input: %q is required and must not be empty", field)
}

// Registry holds the tools that a turn may use. Later packages add theirs; safe for concurrent use.
type Registry struct {
	mu    sync.RWMutex
	tools []Tool
}

// NewRegistry makes a registry of tools.
func NewRegistry(tools ...Tool) *Registry {
	r := &Registry{}
	for _, t := range tools {
		r.Add(t)
	}
	return r
}

// Add adds a tool; one of the same name is replaced. It panics on a schema that is no JSON object.
func (r *Registry) Add(t Tool) {
	var object map[string]any
	if err := json.Unmarshal(t.Schema, &object); err != nil || t.Name == "" || t.Run == nil {
		panic(fmt.Sprintf("agent: tool %q is not complete: %v", t.Name, err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tools = slices.DeleteFunc(slices.Clone(r.tools), func(o Tool) bool { return o.Name == t.Name })
	r.tools = append(r.tools, t)
}

// Get finds a tool.
func (r *Registry) Get(name string) (Tool, bool) {
	for _, t := range r.all() {
		if t.Name == name {
			return t, true
		}
	}
	return Tool{}, false
}

// without gives the tools that off does not hold for.
func (r *Registry) without(off func(name string) bool) *Registry {
	return &Registry{tools: slices.DeleteFunc(slices.Clone(r.all()), func(t Tool) bool { return off(t.Name) })}
}

// Outward says what a call would do outside of the sandbox, "" for nothing: see Tool.Outward.
func (r *Registry) Outward(name string, input json.RawMessage) string {
	t, ok := r.Get(name)
	if !ok || t.Outward == nil {
		return ""
	}
	return t.Outward(input)
}

// Names lists the tools in the order in which they were added.
func (r *Registry) Names() []string {
	var out []string
	for _, t := range r.all() {
		out = append(out, t.Name)
	}
	return out
}

// Schemas gives the tools as a model is told of them.
func (r *Registry) Schemas() []llm.Tool {
	var out []llm.Tool
	for _, t := range r.all() {
		out = append(out, llm.Tool{Name: t.Name, Description: t.Description, Schema: t.Schema})
	}
	return out
}

func (r *Registry) all() []Tool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.tools
}

// Builtin gives the tools that every instance has. fetch is the guarded client; nil switches fetch_url off.
func Builtin(fetch *http.Client) *Registry {
	return NewRegistry(bashTool, readFileTool, writeFileTool, editFileTool, listFilesTool, searchFilesTool,
		fetchTool(fetch), rememberTool, recallTool)
}
