package agent

import "lobstead/kit/diff"

const maxDiff = 32 << 10

// unifiedDiff compares two texts by lines; the counts are exact even where the text is cut.
func unifiedDiff(path, before, after string) (text string, added, removed int) {
	text, added, removed = diff.Unified(path, before, after)
	text, _ = clipMiddle(text, maxDiff)
	return text, added, removed
}
