package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

const (
	maxEntries = 1000
	maxMatches = 200
)

var listFilesTool = Tool{
	Name:        "list_files",
	Description: "List files and directories of the workspace, with sizes. depth 1 shows the direct children.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"path":{"type":"string","description":"Where to begin; the workspace itself if left out."},
		"depth":{"type":"integer","minimum":1,"maximum":20,"description":"How deep; 2 if left out."}},
		"additionalProperties":false}`),
	Run: runListFiles,
}

func runListFiles(ctx context.Context, c *Call) (models.ToolResult, error) {
	in := struct {
		Path  string `json:"path"`
		Depth int    `json:"depth"`
	}{Path: ".", Depth: 2}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	if in.Depth < 1 || in.Depth > 20 {
		return models.ToolResult{}, fault.New(fault.Invalid, "tool.input", "wrong input: depth must be from 1 to 20")
	}
	h, err := c.Hands(ctx)
	if err != nil {
		return models.ToolResult{}, err
	}
	list, err := h.List(ctx, cmp.Or(in.Path, "."), in.Depth, maxEntries+1)
	if err != nil {
		return models.ToolResult{}, c.Lost(ctx, err)
	}
	r := models.ToolResult{Truncated: len(list) > maxEntries}
	var b strings.Builder
	for _, e := range list[:min(len(list), maxEntries)] {
		switch {
		case e.Link != "":
			fmt.Fprintf(&b, "%s -> %s\n", e.Path, e.Link)
		case e.Dir:
			fmt.Fprintf(&b, "%s/\n", e.Path)
		default:
			fmt.Fprintf(&b, "%s\t%d bytes\n", e.Path, e.Size)
		}
	}
	if r.Truncated {
		fmt.Fprintf(&b, "[only the first %d entries]", maxEntries)
	}
	r.Output = cmp.Or(b.String(), "(the directory is empty)")
	return r, nil
}

var searchFilesTool = Tool{
	Name:        "search_files",
	Description: "Find lines that match a regular expression (RE2 syntax) in the text files of the workspace.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"pattern":{"type":"string","description":"The regular expression; (?i) in front ignores case."},
		"path":{"type":"string","description":"Where to search; the workspace if left out."},
		"glob":{"type":"string","description":"Only files whose name matches, as *.go."}},
		"required":["pattern"],"additionalProperties":false}`),
	Run: runSearchFiles,
}

func runSearchFiles(ctx context.Context, c *Call) (models.ToolResult, error) {
	var in struct {
		Pattern string `json:"pattern"`
		Path    string `json:"path"`
		Glob    string `json:"glob"`
	}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	if in.Pattern == "" {
		return models.ToolResult{}, missing("pattern")
	}
	h, err := c.Hands(ctx)
	if err != nil {
		return models.ToolResult{}, err
	}
	found, err := h.Search(ctx, sandbox.SearchQuery{Pattern: in.Pattern, Path: cmp.Or(in.Path, "."), Glob: in.Glob, Max: maxMatches + 1})
	cut := sandbox.SearchCut(err)
	if err != nil && !cut {
		return models.ToolResult{}, c.Lost(ctx, err)
	}
	r := models.ToolResult{Truncated: len(found) > maxMatches}
	var b strings.Builder
	for _, m := range found[:min(len(found), maxMatches)] {
		text := m.Text
		if len(text) > 400 {
			text = text[:wholeRunes(text[:400])] + " […]"
		}
		fmt.Fprintf(&b, "%s:%d: %s\n", m.Path, m.Line, text)
	}
	if r.Truncated {
		fmt.Fprintf(&b, "[only the first %d matches]", maxMatches)
	}
	r.Output = cmp.Or(b.String(), "(no matches)")
	if cut {
		r.Truncated = true
		r.Output += "\n[not everything was searched: there is too much. Search a directory below]"
	}
	return r, nil
}
