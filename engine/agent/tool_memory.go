package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"lobstead/models"
)

const maxRecalled = 50

var rememberTool = Tool{
	Name: "remember",
	Description: "Keep a fact for later conversations, under a key; the same key overwrites. For what people tell you to keep and for " +
		"what will matter again. Never keep passwords or keys. A tier other than semantic needs no key: working is for this conversation only, " +
		"episodic for what happened.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"key":{"type":"string","description":"A short name, at most 200 characters. Only the semantic tier has keys."},
		"value":{"type":"string","description":"The fact, at most 8000 characters."},
		"category":{"type":"string","description":"semantic: user_pref, fact, context, general, personality or skill; working: goal, note, turn_summary, decision, observation or fact; episodic: a word for what happened."},
		"tier":{"type":"string","enum":["semantic","episodic","working"]},
		"importance":{"type":"integer","minimum":1,"maximum":10}},
		"required":["value"],"additionalProperties":false}`),
	Run: runRemember,
}

func runRemember(ctx context.Context, c *Call) (models.ToolResult, error) {
	var in struct {
		Key        string `json:"key"`
		Value      string `json:"value"`
		Category   string `json:"category"`
		Tier       string `json:"tier"`
		Importance int    `json:"importance"`
	}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	origin, note, err := tainted(ctx, c.Scope, c.SessionID, 0)
	if err != nil {
		return models.ToolResult{}, err
	}
	n := models.NewMemory{InstanceID: c.Instance.ID, Key: in.Key, Value: in.Value, Category: in.Category, Tier: models.MemoryTier(in.Tier), Importance: in.Importance,
		TurnID: c.TurnID, Origin: origin, OriginNote: note}
	if err := n.Under(c.run.rules.Memory); err != nil {
		return models.ToolResult{}, err
	}
	if n.Tier == models.WorkingMemory {
		n.SessionID = c.SessionID
	}
	m, err := c.Scope.Remember(ctx, n)
	switch {
	case err != nil:
		return models.ToolResult{}, err
	case c.run.rules.Memory.Ephemeral():
		return models.ToolResult{Output: "remembered for this conversation: this agent's memory is ephemeral, and nothing is kept beyond it"}, nil
	case m.Pending:
		return models.ToolResult{Output: "held for review: this conversation has read content from outside, so a person must accept it on the memory page before it is remembered"}, nil
	case !m.Named():
		return models.ToolResult{Output: "remembered in " + string(m.Tier) + " memory"}, nil
	}
	return models.ToolResult{Output: "remembered under " + m.Key}, nil
}

var recallTool = Tool{
	Name:        "recall",
	Description: "Search what was remembered in earlier conversations, the best first; everything, newest first, without a query.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"query":{"type":"string","description":"Words, or how they begin. Those that have all of them come first."}},
		"additionalProperties":false}`),
	Run: runRecall,
}

func runRecall(ctx context.Context, c *Call) (models.ToolResult, error) {
	var in struct {
		Query string `json:"query"`
	}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	f := models.MemoryFilter{InstanceID: c.Instance.ID, Query: in.Query, Limit: maxRecalled}
	switch rule := c.run.rules.Memory; {
	case rule.Ephemeral():
		f.Tier, f.SessionID = models.WorkingMemory, c.SessionID
	case rule.Flat():
		f.Tier = models.SemanticMemory
	}
	rows, err := c.Scope.MemoryList(ctx, f)
	if err == nil && len(rows) == 0 && in.Query != "" { // models ask in sentences
		f.Any = true
		rows, err = c.Scope.MemoryList(ctx, f)
	}
	if err != nil {
		return models.ToolResult{}, err
	}
	rows = slices.DeleteFunc(rows, func(m models.Memory) bool { return m.SessionID != nil && *m.SessionID != c.SessionID })
	if len(rows) == 0 {
		return models.ToolResult{Output: "(nothing found)"}, nil
	}
	var b strings.Builder
	for i := range rows {
		m := &rows[i]
		if m.Named() {
			fmt.Fprintf(&b, "%s (%s): %s\n", m.Key, m.Category, m.Value)
		} else {
			fmt.Fprintf(&b, "%s (%s): %s\n", m.Category, m.Tier, m.Value)
		}
	}
	return models.ToolResult{Output: b.String()}, nil
}
