// Package text turns what an agent wrote, Markdown, into messages in a chat service's own format: pieces within the service's
// limit, each well formed by itself, and nothing in them that the agent's words did not mean as formatting. It knows no
// service's protocol; a Dialect is all that it knows of one.
//
// Markdown is read once into lines of spans (line.go). A piece is a run of lines, and it is written by rendering them
// (render.go), so what is cut is never markup but the text under it: styles, links and code blocks close and open again.
package text

import "strings"

// Dialect is how one service writes text. Its functions are pure. Those that are nil leave the words as they are.
type Dialect struct {
	Limit int                    // of one piece, in the unit of Size
	Size  func(piece string) int // how much of the limit a piece takes

	// Plain writes words so that nothing in them is markup. start tells that they begin a line.
	Plain func(words string, start bool) string
	// Bold, Italic, Strike wrap what is in the dialect already and neither begins nor ends with a space.
	Bold, Italic, Strike func(s string) string
	// Code wraps plain words within a line; Fence a block of them. language is "" or a short name of letters.
	Code  func(words string) string
	Fence func(language, words string) string
	// Link wraps a label in the dialect. Without it a link is its label and its address in brackets. Bare writes an address that is its own label.
	Link func(label, address string) string
	Bare func(address string) string
	// Heading wraps a line in the dialect; without it a heading is bold.
	Heading func(level int, s string) string
	// Quote wraps lines in the dialect.
	Quote func(s string) string
	Rule  string
	// Bullets mark the items of lists without numbers, by depth: the last one for all that is deeper. With its space.
	Bullets []string
	// Inside are the styles that hold in the middle of a word; the others are left out there.
	Inside Style
	// Label are the styles that a link's label can hold.
	Label Style
	// CodeAlone tells that code within a line goes with no other style.
	CodeAlone bool
}

// Split gives a text's messages. What has no words gives none.
func (d *Dialect) Split(markdown string) []string {
	lines := read(d, markdown)
	if !anyWords(lines, false) {
		return nil
	}
	return d.pieces(lines)
}

// anyWords tells whether anything is to be read in lines, the marks of lists counted or not.
func anyWords(lines []line, marks bool) bool {
	for _, l := range lines {
		if l.kind == rule {
			continue
		}
		if marks && l.mark != "" {
			return true
		}
		for _, s := range l.spans {
			if strings.IndexFunc(s.words, visible) >= 0 {
				return true
			}
		}
	}
	return false
}
