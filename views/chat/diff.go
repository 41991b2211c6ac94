package chat

import (
	"strings"

	"lobstead/views/ui"
)

// maxDiff is how many lines of a change a card shows.
const maxDiff = 400

// diff reads the result's unified diff; without one it makes a plain one of the edit's own words.
func (k card) diff() []ui.DiffLine {
	if k.result == nil || k.result.Error {
		return nil
	}
	if k.result.Diff != "" {
		return ui.Unified(k.result.Diff, maxDiff)
	}
	if k.tool != "edit_file" || k.args.Old == "" && k.args.New == "" {
		return nil
	}
	var out []ui.DiffLine
	add := func(op byte, text string) {
		for line := range strings.Lines(text) {
			if len(out) < maxDiff {
				out = append(out, ui.DiffLine{Op: op, Text: strings.TrimSuffix(line, "\n")})
			}
		}
	}
	add('-', k.args.Old)
	add('+', k.args.New)
	return out
}
