package text

import "unicode/utf8"

// Style is a set of what words can look like.
type Style uint8

// The styles.
const (
	Bold Style = 1 << iota
	Italic
	Strike
	Code
)

// span is words that look the same. link is an address, "" for none; bare tells that the words are the address.
type span struct {
	words string
	style Style
	link  string
	bare  bool
}

type kind uint8

const (
	prose   kind = iota
	heading      // level says which
	fenced       // one line of a block of code; all lines of one share block
	rule
)

// line is one line of a text, as short or long as the author wrote it.
type line struct {
	kind   kind
	gap    bool   // an empty line stands before it: a block begins
	quote  bool   // within a quotation; quotations are not nested
	level  int    // of a heading
	block  int    // of code: which; lines of different ones never join
	lang   string // of code
	indent string // spaces before the mark
	mark   string // of a list's item: "• ", "3. "; written as it is
	spans  []span
}

// runes counts the words of a line.
func (l *line) runes() int {
	n := 0
	for _, s := range l.spans {
		n += utf8.RuneCountInString(s.words)
	}
	return n
}

// text gives the words of a line without anything else.
func (l *line) text() string {
	if len(l.spans) == 1 {
		return l.spans[0].words
	}
	b := make([]byte, 0, 128)
	for _, s := range l.spans {
		b = append(b, s.words...)
	}
	return string(b)
}
