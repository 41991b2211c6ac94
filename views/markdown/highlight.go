package markdown

import "strings"

// language says how the text of one is read. The zero value colours nothing.
type language struct {
	label  string
	line   []string    // what begins a comment that ends with the line
	block  [][2]string // what begins and ends the others
	quotes string      // of strings that end with the line; an escape is a backslash
	long   []string    // of strings that go over lines, longest first
	raw    string      // quotes of strings without escapes
	words  func() map[string]string
	fold   bool // key words in any case
	marks  string
	scan   func(*painter) // reads it all by itself
}

// The marks of a language.
const (
	markDollar  = "$" // $name is a variable
	markAt      = "@" // @name is a decorator
	markHash    = "#" // #include and the like
	markKeys    = ":" // a name or string before a colon is a key
	markAssign  = "=" // a name before an equals sign at the line's start is a key
	markRune    = "'" // 'x' is a character and 'x a lifetime
	markHyphen  = "-" // names may hold hyphens
	markSection = "[" // [x] at the line's start is a section
)

func (l *language) has(mark string) bool { return strings.Contains(l.marks, mark) }

// maxPaint is how much of one block is coloured; the rest is shown plain.
const maxPaint = 64 << 10

// painter writes coloured text. Every byte of src goes out once, in order: at is how far that is.
type painter struct {
	l   *language
	src string
	b   []byte
	at  int // written so far
	i   int // read so far

	safe, done int // a line's start in src from which reading can go on by itself, and how long b was there
}

func (l *language) highlight(b []byte, src string) []byte {
	if l == nil {
		return escape(b, src)
	}
	rest := ""
	if len(src) > maxPaint {
		cut := strings.LastIndexByte(src[:maxPaint], '\n') + 1
		src, rest = src[:cut], src[cut:]
	}
	p := painter{l: l, src: src, b: b}
	p.paintAll()
	return escape(p.b, rest)
}

func (p *painter) paintAll() {
	if p.l.scan != nil {
		p.l.scan(p)
	} else {
		p.program()
	}
	p.plain(len(p.src))
}

// mark notes that the line which begins here can be read without what stands before.
func (p *painter) mark() {
	if p.i > 0 && p.src[p.i-1] == '\n' {
		p.plain(p.i)
		p.safe, p.done = p.i, len(p.b)
	}
}

// plain writes up to end without a colour.
func (p *painter) plain(end int) {
	if end > p.at {
		p.b = escape(p.b, p.src[p.at:end])
		p.at = end
	}
	p.i = max(p.i, end)
}

// paint writes from..end in a class, what lies before it plain.
func (p *painter) paint(class string, from, end int) {
	p.plain(from)
	if end > from {
		p.b = append(append(append(p.b, `<span class="`...), class...), `">`...)
		p.b = escape(p.b, p.src[from:end])
		p.b = append(p.b, "</span>"...)
		p.at = end
	}
	p.i = max(p.i, end)
}

// program reads what looks like most languages do: comments, strings, numbers, words.
func (p *painter) program() {
	for p.i < len(p.src) {
		p.mark()
		c := p.src[p.i]
		switch {
		case c == ' ' || c == '\n' || c == '\t':
			p.i++
		case p.comment(), p.text():
		case c >= '0' && c <= '9':
			end := p.number()
			p.paint("m", p.i, end)
		case nameStart(c):
			p.name()
		case c == '$' && p.l.has(markDollar):
			p.variable()
		case c == '@' && p.l.has(markAt) && p.i+1 < len(p.src) && nameStart(p.src[p.i+1]):
			p.paint("nd", p.i, p.nameEnd(p.i+1))
		case c == '#' && p.l.has(markHash) && p.lineStart():
			p.paint("cp", p.i, p.nameEnd(p.i+1))
		case c == '[' && p.l.has(markSection) && p.lineStart():
			p.paint("nn", p.i, p.lineEnd())
		default:
			p.i++
		}
	}
}

func (p *painter) has(s string) bool { return strings.HasPrefix(p.src[p.i:], s) }

func (p *painter) lineEnd() int {
	if n := strings.IndexByte(p.src[p.i:], '\n'); n >= 0 {
		return p.i + n
	}
	return len(p.src)
}

// lineStart tells whether only white space stands before the cursor in its line.
func (p *painter) lineStart() bool {
	return strings.TrimLeft(p.src[strings.LastIndexByte(p.src[:p.i], '\n')+1:p.i], " \t-") == ""
}

func (p *painter) comment() bool {
	for _, s := range p.l.line {
		if p.has(s) && (s != "#" || p.i == 0 || strings.IndexByte(" \t\n;", p.src[p.i-1]) >= 0) {
			p.paint("c1", p.i, p.lineEnd())
			return true
		}
	}
	for _, s := range p.l.block {
		if p.has(s[0]) {
			p.paint("cm", p.i, p.after(p.i+len(s[0]), s[1]))
			return true
		}
	}
	return false
}

// after gives the place behind the next end, or the text's end.
func (p *painter) after(from int, end string) int {
	if n := strings.Index(p.src[from:], end); n >= 0 {
		return from + n + len(end)
	}
	return len(p.src)
}

func (p *painter) text() bool {
	for _, q := range p.l.long {
		if p.has(q) {
			p.paint("s", p.i, p.closing(p.i+len(q), q, true))
			return true
		}
	}
	c := p.src[p.i]
	if strings.IndexByte(p.l.raw, c) >= 0 {
		p.paint("s", p.i, p.after(p.i+1, string(c)))
		return true
	}
	if strings.IndexByte(p.l.quotes, c) < 0 {
		return false
	}
	if c == '\'' && p.l.has(markRune) {
		return p.rune()
	}
	end := p.closing(p.i+1, string(c), false)
	class := "s"
	if p.l.has(markKeys) && strings.HasPrefix(strings.TrimLeft(p.src[end:], " "), ":") {
		class = "nt"
	}
	p.paint(class, p.i, end)
	return true
}

// closing finds the end of a string with escapes; one that stays open ends with its line, or with the text if long.
func (p *painter) closing(from int, quote string, long bool) int {
	for i := from; i < len(p.src); i++ {
		switch c := p.src[i]; {
		case c == '\\':
			i++
		case c == '\n' && !long:
			return i
		case c == quote[0] && strings.HasPrefix(p.src[i:], quote):
			return i + len(quote)
		}
	}
	return len(p.src)
}

// rune is a character in single quotes; a lone quote is something else (a lifetime, a transposition).
func (p *painter) rune() bool {
	rest := p.src[p.i+1:]
	end := strings.IndexByte(rest[:min(len(rest), 12)], '\'')
	if end == 0 && strings.HasPrefix(rest, "''") {
		end = 1
	}
	if end > 0 && rest[0] == '\\' && rest[:end] == `\` { // '\''
		end++
	}
	if end <= 0 || end >= len(rest) || rest[0] != '\\' && len([]rune(rest[:end])) != 1 {
		return false
	}
	p.paint("s", p.i, p.i+end+2)
	return true
}
