package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"lobstead/models"
)

const maxRecalled = 50

var rememberTool = Tool{
	Name: "remember",
	Description: "Keep a fact for later conversations, under a key; the same key overwrites. For what people tell you to keep and for " +
		"what will matter again. Never keep passwords or keys.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"key":{"type":"string","description":"A short name, at most 200 characters."},
		"value":{"type":"string","description":"The fact, at most 8000 characters."},
		"category":{"type":"string","enum":["user_pref","fact","context","general","personality","skill"]}},
		"required":["key","value"],"additionalProperties":false}`),
	Run: runRemember,
}

func runRemember(ctx context.Context, c *Call) (models.ToolResult, error) {
	var in struct {
		Key      string `json:"key"`
		Value    string `json:"value"`
		Category string `json:"category"`
	}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	m, err := c.Scope.Remember(ctx, models.NewMemory{InstanceID: c.Instance.ID, Key: in.Key, Value: in.Value, Category: in.Category, TurnID: c.TurnID})
	if err != nil {
		return models.ToolResult{}, err
	}
	return models.ToolResult{Output: "remembered under " + m.Key}, nil
}

var recallTool = Tool{
	Name:        "recall",
	Description: "Read what was remembered in earlier conversations, newest first.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"query":{"type":"string","description":"Words that must occur in key or value; everything if left out."}},
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
	rows, err := c.Scope.Memories(ctx, c.Instance.ID, in.Query, maxRecalled)
	if err != nil {
		return models.ToolResult{}, err
	}
	if len(rows) == 0 {
		return models.ToolResult{Output: "(nothing found)"}, nil
	}
	var b strings.Builder
	for _, m := range rows {
		fmt.Fprintf(&b, "%s (%s): %s\n", m.Key, m.Category, m.Value)
	}
	return models.ToolResult{Output: b.String()}, nil
}
