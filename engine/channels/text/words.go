package text

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

// words gathers the spans of one block, line by line.
type words struct {
	d      *Dialect
	source []byte
	base   bool // all of it is bold
	lines  [][]span
	line   []span
}

func (w *words) start() span {
	if w.base {
		return span{style: Bold}
	}
	return span{}
}

// put adds words that look like s.
func (w *words) put(s span, text string) {
	if text == "" {
		return
	}
	s.words = text
	if s.style&Code != 0 && w.d.CodeAlone {
		s.style = Code
	}
	if n := len(w.line); n > 0 && !s.bare && !w.line[n-1].bare && w.line[n-1].style == s.style && w.line[n-1].link == s.link {
		w.line[n-1].words += text
		return
	}
	w.line = append(w.line, s)
}

// end ends a line; one without words leaves nothing.
func (w *words) end() {
	l := line{spans: w.line}
	if strings.TrimSpace(l.text()) != "" {
		w.lines = append(w.lines, w.line)
	}
	w.line = nil
}

func (w *words) done() [][]span {
	w.end()
	return w.lines
}

func (w *words) children(n ast.Node, s span) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.node(c, s)
	}
}

func (w *words) node(n ast.Node, s span) {
	switch n := n.(type) {
	case *ast.Text:
		w.put(s, unescape(n.Segment.Value(w.source)))
		if n.HardLineBreak() || n.SoftLineBreak() { // people who chat mean their line breaks
			w.end()
		}
		return
	case *ast.String:
		w.put(s, string(n.Value))
		return
	case *ast.CodeSpan:
		w.code(n, s)
		return
	case *ast.Emphasis:
		style := Italic
		if n.Level == 2 {
			style = Bold
		}
		w.emphasis(n, s, style, n.Level)
		return
	case *east.Strikethrough:
		w.emphasis(n, s, Strike, 0)
		return
	case *east.TaskCheckBox:
		mark := "☐ "
		if n.IsChecked {
			mark = "☑ "
		}
		w.put(s, mark)
	case *ast.AutoLink:
		w.auto(n, s)
		return
	case *ast.Link:
		w.link(n, string(n.Destination), s)
		return
	case *ast.Image:
		w.link(n, string(n.Destination), s)
		return
	}
	w.children(n, s)
}

// emphasis gives the words of n a style. Within a word single marks are kept where the style would be lost, and all between figures,
// where they are meant as they stand: 2*3*4, H~2~O.
func (w *words) emphasis(n ast.Node, s span, style Style, level int) {
	mark, before, after := w.marks(n, level)
	inside := word(before) || word(after)
	literal := inside && (unicode.IsDigit(before) || unicode.IsDigit(after) || mark == "~" || len(mark) == 1 && w.d.Inside&style == 0)
	if !literal {
		s.style |= style
		w.children(n, s)
		return
	}
	w.put(s, mark)
	w.children(n, s)
	w.put(s, mark)
}

// marks gives what stands around an emphasis in the source: its marks, of which a strike may have one or two, and the runes
// outside; nothing when its ends are no plain words.
func (w *words) marks(n ast.Node, level int) (mark string, before, after rune) {
	first, ok := n.FirstChild().(*ast.Text)
	last, ok2 := n.LastChild().(*ast.Text)
	if !ok || !ok2 {
		return "", 0, 0
	}
	from, to := first.Segment.Start, last.Segment.Stop
	if level == 0 {
		level = 1
		if from > 1 && w.source[from-2] == '~' {
			level = 2
		}
	}
	if from < level || to+level > len(w.source) {
		return "", 0, 0
	}
	before, _ = utf8.DecodeLastRune(w.source[:from-level])
	after, _ = utf8.DecodeRune(w.source[to+level:])
	return string(w.source[from-level : from]), before, after
}

func (w *words) code(n *ast.CodeSpan, s span) {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(w.source))
		}
	}
	s.style |= Code
	w.put(s, strings.ReplaceAll(strings.ReplaceAll(b.String(), "\n", " "), "\t", " "))
}

// auto is an address that stands by itself.
func (w *words) auto(n *ast.AutoLink, s span) {
	label := string(n.Label(w.source))
	address, ok := w.address(string(n.URL(w.source)))
	if !ok || n.AutoLinkType == ast.AutoLinkEmail || s.link != "" || s.style&Code != 0 {
		w.put(s, label)
		return
	}
	if address != label && w.d.Link != nil {
		s.link = address
		w.put(s, label)
		return
	}
	w.bare(s, address)
}

// bare puts an address that its service makes a link of. What is put after it does not join it.
func (w *words) bare(s span, address string) {
	s.link, s.bare, s.words = address, true, address
	s.style = 0
	w.line = append(w.line, s)
}

// link is a label that leads somewhere. An image leads to what it would show.
func (w *words) link(n ast.Node, to string, s span) {
	address, ok := w.address(unescape([]byte(to)))
	label := w.label(n)
	if s.link != "" || !ok {
		if label == "" {
			w.put(s, unescape([]byte(to)))
		}
		w.children(n, s)
		return
	}
	switch {
	case strings.IndexFunc(label, visible) < 0 || label == address:
		w.bare(s, address)
	case w.d.Link == nil:
		w.children(n, s)
		w.put(span{style: s.style}, " (")
		w.bare(s, address)
		w.put(span{style: s.style}, ")")
	default:
		s.link = address
		w.children(n, s)
	}
}

// label gives the words of a link.
func (w *words) label(n ast.Node) string {
	inner := &words{d: w.d, source: w.source}
	inner.children(n, span{})
	label := ""
	for _, spans := range inner.done() {
		label += (&line{spans: spans}).text()
	}
	return label
}

// address tells where a link may lead: to the web, or to a mailbox. What would take more than half a message is no link.
func (w *words) address(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || s == "" {
		return "", false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		if u.Host == "" {
			return "", false
		}
	case "mailto", "tel":
		if w.d.Link == nil {
			return "", false
		}
	default:
		return "", false
	}
	s = encode(s)
	if w.d.Size(w.d.bare(s)) > w.d.Limit/2 || len(s) > 2000 || w.d.Link != nil && w.d.Size(w.d.Link("x", s)) > w.d.Limit/2 {
		return "", false
	}
	return s, true
}

// encode leaves nothing in an address that a dialect could take for its end.
func encode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c <= ' ' || c == 0x7f || strings.IndexByte("\"<>\\^`{|}()'*", c) >= 0:
			b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
		default:
			b.WriteByte(c)
		}
	}
	return strings.ToValidUTF8(b.String(), "")
}

// unescape reads backslashes and entities in one pass, as CommonMark says.
func unescape(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && i+1 < len(b) && util.IsPunct(b[i+1]):
			i++
			out.WriteByte(b[i])
		case b[i] == '&':
			n := entity(b[i:])
			if n == 0 {
				out.WriteByte('&')
				continue
			}
			out.WriteString(clean(string(util.ResolveNumericReferences(util.ResolveEntityNames(b[i : i+n])))))
			i += n - 1
		case b[i] == '\t':
			out.WriteByte(' ')
		default:
			out.WriteByte(b[i])
		}
	}
	return strings.ReplaceAll(out.String(), "\n", " ")
}

// entity gives the length of what may be an entity at the beginning, 0 for none.
func entity(b []byte) int {
	for i := 1; i < len(b) && i < 34; i++ {
		c := b[i]
		if c == ';' {
			return i + 1
		}
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '#' {
			return 0
		}
	}
	return 0
}
