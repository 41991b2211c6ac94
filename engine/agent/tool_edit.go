package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"lobstead/kit/fault"
	"lobstead/models"
)

var editFileTool = Tool{
	Name: "edit_file",
	Description: "Replace a piece of a text file. old_text must be in the file exactly as given, blanks and line ends included, and " +
		"only once: give enough of its surroundings. replace_all replaces every place.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"path":{"type":"string","description":"Relative to /workspace."},
		"old_text":{"type":"string","description":"What is there now."},
		"new_text":{"type":"string","description":"What shall be there."},
		"replace_all":{"type":"boolean","description":"Replace every occurrence."}},
		"required":["path","old_text","new_text"],"additionalProperties":false}`),
	Changes: true,
	Run:     runEditFile,
}

func runEditFile(ctx context.Context, c *Call) (models.ToolResult, error) {
	var in struct {
		Path       string  `json:"path"`
		OldText    string  `json:"old_text"`
		NewText    *string `json:"new_text"`
		ReplaceAll bool    `json:"replace_all"`
	}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	switch {
	case in.OldText == "":
		return models.ToolResult{}, missing("old_text")
	case in.NewText == nil:
		return models.ToolResult{}, missing("new_text")
	}
	before, err := readText(ctx, c, in.Path)
	if err != nil {
		return models.ToolResult{}, err
	}
	after, n, err := replace(before, in.Path, in.OldText, *in.NewText, in.ReplaceAll)
	if err != nil {
		return models.ToolResult{}, err
	}
	h, err := c.Hands(ctx)
	if err != nil {
		return models.ToolResult{}, err
	}
	mode := uint32(0o644)
	if f, err := h.ReadFile(ctx, in.Path, 0, 1); err == nil && f.Mode&0o777 != 0 {
		mode = f.Mode & 0o777
	}
	if err := h.WriteFile(ctx, in.Path, []byte(after), mode); err != nil {
		return models.ToolResult{}, c.Lost(ctx, err)
	}
	var r models.ToolResult
	r.Diff, r.Added, r.Removed = unifiedDiff(in.Path, before, after)
	r.Output = fmt.Sprintf("edited %s: %s replaced, +%d −%d lines", in.Path, places(n), r.Added, r.Removed)
	return r, nil
}

func places(n int) string {
	if n == 1 {
		return "1 place"
	}
	return fmt.Sprintf("%d places", n)
}

// replace edits text, or says what about the request does not fit the file.
func replace(text, path, old, new string, all bool) (string, int, error) {
	n := strings.Count(text, old)
	switch {
	case old == new:
		return "", 0, fault.New(fault.Invalid, "tool.edit", "old_text and new_text are the same: nothing to do")
	case n == 0 && strings.Contains(text, "\r\n") && strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), old):
		return "", 0, fault.New(fault.Invalid, "tool.edit", "old_text is not in %s: the file's lines end in \\r\\n", path)
	case n == 0:
		return "", 0, fault.New(fault.Invalid, "tool.edit", "old_text is not in %s: read the file and copy the text exactly, blanks included", path)
	case n > 1 && !all:
		return "", 0, fault.New(fault.Invalid, "tool.edit", "old_text is in %s %d times: give more of its surroundings, or set replace_all", path, n)
	}
	return strings.ReplaceAll(text, old, new), n, nil
}
