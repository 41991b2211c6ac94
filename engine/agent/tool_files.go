package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"lobstead/kit/fault"
	"lobstead/models"
)

const maxFile = 5 << 20 // bytes of a file that is read or edited as text

var readFileTool = Tool{
	Name:        "read_file",
	Description: "Read a text file of the workspace, with line numbers. Long files: say from which line and how many.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"path":{"type":"string","description":"Relative to /workspace."},
		"offset":{"type":"integer","minimum":1,"description":"First line, 1 if left out."},
		"limit":{"type":"integer","minimum":1,"description":"Number of lines, 2000 if left out."}},
		"required":["path"],"additionalProperties":false}`),
	Run: runReadFile,
}

func runReadFile(ctx context.Context, c *Call) (models.ToolResult, error) {
	in := struct {
		Path   string `json:"path"`
		Offset int    `json:"offset"`
		Limit  int    `json:"limit"`
	}{Offset: 1, Limit: 2000}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	if in.Offset < 1 || in.Limit < 1 {
		return models.ToolResult{}, fault.New(fault.Invalid, "tool.input", "wrong input: offset and limit count from 1")
	}
	text, err := readText(ctx, c, in.Path)
	if err != nil {
		return models.ToolResult{}, err
	}
	return numbered(text, in.Offset, in.Limit), nil
}

// numbered gives lines from one on, as many as fit.
func numbered(text string, offset, limit int) models.ToolResult {
	if text == "" {
		return models.ToolResult{Output: "(the file is empty)"}
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if offset > len(lines) {
		return failed("the file has only %d lines", len(lines))
	}
	var b strings.Builder
	last, end := offset-1, min(len(lines), offset-1+limit)
	for i := offset - 1; i < end; i++ {
		line := lines[i]
		if len(line) > 2000 {
			line = line[:wholeRunes(line[:2000])] + " […]"
		}
		if b.Len()+len(line)+20 > maxToolOutput-200 {
			break
		}
		fmt.Fprintf(&b, "%6d\t%s\n", i+1, line)
		last = i + 1
	}
	r := models.ToolResult{Output: b.String(), Truncated: last < end}
	if last < len(lines) {
		r.Output += fmt.Sprintf("[lines %d to %d of %d; read on with offset %d]", offset, last, len(lines), last+1)
	}
	return r
}

// readText reads a whole text file.
func readText(ctx context.Context, c *Call, path string) (string, error) {
	if strings.TrimSpace(path) == "" {
		return "", missing("path")
	}
	h, err := c.Hands(ctx)
	if err != nil {
		return "", err
	}
	f, err := h.ReadFile(ctx, path, 0, maxFile)
	if err != nil {
		return "", c.Lost(ctx, err)
	}
	if f.Size > int64(len(f.Data)) {
		return "", fault.New(fault.TooLarge, "tool.file", "%s has %d bytes, the limit is %d: use bash to look at parts of it", path, f.Size, maxFile)
	}
	if bytes.IndexByte(f.Data, 0) >= 0 || !utf8.Valid(f.Data) {
		return "", fault.New(fault.Invalid, "tool.binary", "%s is not a text file (%d bytes): use bash to inspect it", path, f.Size)
	}
	return string(f.Data), nil
}

var writeFileTool = Tool{
	Name:        "write_file",
	Description: "Write a whole text file in the workspace, replacing what was there; directories are made as needed.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"path":{"type":"string","description":"Relative to /workspace."},
		"content":{"type":"string","description":"The whole new content."}},
		"required":["path","content"],"additionalProperties":false}`),
	Changes: true,
	Run:     runWriteFile,
}

func runWriteFile(ctx context.Context, c *Call) (models.ToolResult, error) {
	var in struct {
		Path    string  `json:"path"`
		Content *string `json:"content"`
	}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	switch {
	case strings.TrimSpace(in.Path) == "":
		return models.ToolResult{}, missing("path")
	case in.Content == nil:
		return models.ToolResult{}, missing("content")
	}
	h, err := c.Hands(ctx)
	if err != nil {
		return models.ToolResult{}, err
	}
	old, existed, mode := "", false, uint32(0o644)
	if f, err := h.ReadFile(ctx, in.Path, 0, maxFile); err == nil {
		existed = true
		if f.Size == int64(len(f.Data)) && utf8.Valid(f.Data) {
			old = string(f.Data)
		}
		if f.Mode&0o777 != 0 {
			mode = f.Mode & 0o777
		}
	}
	if err := h.WriteFile(ctx, in.Path, []byte(*in.Content), mode); err != nil {
		return models.ToolResult{}, c.Lost(ctx, err)
	}
	r := models.ToolResult{}
	r.Diff, r.Added, r.Removed = unifiedDiff(in.Path, old, *in.Content)
	verb := "wrote"
	if existed {
		verb = "replaced"
	}
	r.Output = fmt.Sprintf("%s %s (%d bytes)", verb, in.Path, len(*in.Content))
	return r, nil
}
