package text

import "strings"

// Words gives what a person reads of a text, without spaces: what every way of cutting must keep.
func (d *Dialect) Words(markdown string) string {
	var b strings.Builder
	lines := read(d, markdown)
	if !anyWords(lines, false) {
		return ""
	}
	for _, l := range lines {
		if l.kind == rule {
			continue
		}
		b.WriteString(l.mark + l.text())
	}
	return Tight(b.String())
}

// Tight takes the spaces out.
func Tight(s string) string { return strings.Join(strings.Fields(s), "") }
