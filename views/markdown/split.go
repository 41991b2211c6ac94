package markdown

import "bytes"

// longList is from when on a list is given out in pieces. Until the whole text is rendered each piece is a list of its
// own; numbers go on, since a list says where it starts.
const longList = 2 << 10

// splitter finds where the first block of a growing text has closed for good. It looks at each line once and is
// cautious: what it does not know for sure stays open, which costs time and never correctness.
type splitter struct {
	at    int   // start of the next line to look at
	list  []int // columns of the content of the open list's items, outermost first; nil outside a list
	other bool  // the open block is one that blank lines do not end: code by indentation
	some  bool  // the open block has a line
	blank bool  // the line before was blank
	// an open fence
	mark   byte
	width  int
	indent int
	body   int // where its text begins
	item   int // column of the list item that holds it
	info   string
}

// next gives the length of the first closed block, or 0. The caller takes it off the front before the next call.
func (s *splitter) next(text []byte) int {
	for s.at < len(text) {
		line, end := text[s.at:], -1
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line, end = line[:n], s.at+n+1
		} else if !s.begun(line) {
			return 0
		}
		if cut, here := s.line(bytes.TrimRight(line, "\r"), end); cut {
			return s.cut(here)
		}
		if end < 0 {
			return 0
		}
		s.at = end
	}
	return 0
}

// begun tells whether the start of an unfinished line shows already that a new paragraph begins.
func (s *splitter) begun(line []byte) bool {
	return s.mark == 0 && s.blank && s.some && len(line) > 0 && letter(line[0])
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0xc3 }

// cut resets for the block that follows.
func (s *splitter) cut(here int) int {
	*s = splitter{}
	return here
}

// line looks at one line, which ends at end (-1: not yet). It says whether the text before the line, or with it, is closed.
func (s *splitter) line(line []byte, end int) (bool, int) {
	indent, rest := indentation(line)
	if s.mark != 0 {
		switch {
		case s.closes(indent, rest):
			top := s.list == nil
			s.mark = 0
			return top, end
		case s.item == 0 || len(rest) == 0 || indent >= s.item:
			return false, 0
		}
		s.mark = 0 // the item ended, and its fence with it
	}
	if len(rest) == 0 {
		s.blank = true
		if s.some && s.list == nil && !s.other && end >= 0 {
			return true, end
		}
		return false, 0
	}
	mark := marker(rest)
	opens := fenceOpen(rest)
	if s.at > longList && indent == 0 && mark > 0 && len(s.list) > 0 && end >= 0 {
		return true, s.at
	}
	if s.some && indent == 0 && s.interrupts(rest, mark, opens) {
		return true, s.at
	}
	if s.some && end < 0 {
		return false, 0
	}
	s.take(indent, rest, mark, opens, end)
	return s.heading(indent, rest), end
}

// interrupts tells whether a line at the left edge begins a new block whatever is open.
func (s *splitter) interrupts(rest []byte, mark, opens int) bool {
	if atx(rest) || opens > 0 || s.list != nil && (rest[0] == '>' || ruler(rest)) {
		return true
	}
	return s.blank && mark == 0 && (s.list != nil || s.other)
}

func (s *splitter) heading(indent int, rest []byte) bool {
	return indent == 0 && s.list == nil && atx(rest)
}

// take adds a line to the open block.
func (s *splitter) take(indent int, rest []byte, mark, opens, end int) {
	for len(s.list) > 1 && s.list[len(s.list)-1] > indent {
		s.list = s.list[:len(s.list)-1]
	}
	if mark > 0 && indent < 40 {
		if len(s.list) > 0 && s.list[len(s.list)-1] > indent {
			s.list = s.list[:len(s.list)-1]
		}
		s.list = append(s.list, indent+mark)
		if inner := rest[min(mark, len(rest)):]; fenceOpen(inner) > 0 {
			rest, opens, indent = inner, fenceOpen(inner), indent+mark
		}
	} else if s.list == nil && indent >= 4 {
		s.other = true
	}
	if opens > 0 {
		s.openFence(indent, rest, opens, end)
	}
	s.some, s.blank = true, false
}

func (s *splitter) openFence(indent int, rest []byte, width, end int) {
	item := 0
	for _, c := range s.list {
		if c <= indent {
			item = c
		}
	}
	if indent-item > 3 {
		return
	}
	s.mark, s.width, s.indent, s.body, s.item = rest[0], width, indent, end, item
	s.info = string(bytes.TrimSpace(rest[width:]))
}

// closes tells whether a line ends the open fence.
func (s *splitter) closes(indent int, rest []byte) bool {
	if indent-s.item > 3 || indent < s.item || len(rest) < s.width {
		return false
	}
	n := 0
	for n < len(rest) && rest[n] == s.mark {
		n++
	}
	return n >= s.width && len(bytes.TrimSpace(rest[n:])) == 0
}

// fence gives the text of an open fence that is the whole open block, and its info string.
func (s *splitter) fence(text []byte) (body int, info string, ok bool) {
	if s.mark == 0 || s.list != nil || s.indent != 0 || s.body <= 0 || s.body > len(text) {
		return 0, "", false
	}
	return s.body, s.info, true
}

// unclosed takes off an unfinished last line that ends the open fence, so that it is never shown as code.
func (s *splitter) unclosed(body []byte) []byte {
	last := bytes.LastIndexByte(body, '\n') + 1
	if indent, rest := indentation(body[last:]); s.closes(indent, rest) {
		return body[:last]
	}
	return body
}

// indentation measures the white space before a line's text in columns.
func indentation(line []byte) (int, []byte) {
	n := 0
	for i, c := range line {
		switch c {
		case ' ':
			n++
		case '\t':
			n += 4 - n%4
		default:
			return n, line[i:]
		}
	}
	return n, nil
}

// marker gives the width of a list marker with its space, 0 for none.
func marker(rest []byte) int {
	i := 0
	switch c := rest[0]; {
	case c == '-' || c == '*' || c == '+':
		i = 1
	case c >= '0' && c <= '9':
		for i < len(rest) && i < 9 && rest[i] >= '0' && rest[i] <= '9' {
			i++
		}
		if i == len(rest) || rest[i] != '.' && rest[i] != ')' {
			return 0
		}
		i++
	default:
		return 0
	}
	if i == len(rest) {
		return i + 1
	}
	if rest[i] != ' ' && rest[i] != '\t' {
		return 0
	}
	n, text := indentation(rest[i:])
	if len(text) == 0 || n > 4 {
		n = 1
	}
	return i + n
}

// fenceOpen gives the length of the run that opens a fence, 0 for none.
func fenceOpen(rest []byte) int {
	if len(rest) < 3 || rest[0] != '`' && rest[0] != '~' {
		return 0
	}
	n := 0
	for n < len(rest) && rest[n] == rest[0] {
		n++
	}
	if n < 3 || rest[0] == '`' && bytes.IndexByte(rest[n:], '`') >= 0 {
		return 0
	}
	return n
}

func ruler(rest []byte) bool {
	c, n := rest[0], 0
	if c != '-' && c != '*' && c != '_' {
		return false
	}
	for _, r := range rest {
		switch r {
		case c:
			n++
		case ' ', '\t':
		default:
			return false
		}
	}
	return n >= 3
}

func atx(rest []byte) bool {
	n := 0
	for n < len(rest) && rest[n] == '#' {
		n++
	}
	return n > 0 && n < 7 && (n == len(rest) || rest[n] == ' ' || rest[n] == '\t')
}
