package text

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"lobstead/kit/commonmark"
)

// reader turns goldmark's tree into lines.
type reader struct {
	d      *Dialect
	source []byte
	lines  []line
	gap    bool // before the next line
	quote  bool
	depth  int    // of lists, 0 = in none
	indent string // of the next line
	mark   string // of the next line, used up by it
	blocks int
}

// read gives the lines of a text.
func read(d *Dialect, markdown string) []line {
	source := clean(markdown)
	r := &reader{d: d}
	if commonmark.Costly(source) {
		for l := range strings.SplitSeq(source, "\n") {
			if l = strings.TrimRight(l, " \t"); l == "" {
				r.gap = true
				continue
			}
			r.add(line{spans: []span{{words: l}}})
		}
		return r.lines
	}
	r.source = []byte(source)
	r.children(grammar().Parse(text.NewReader(r.source)))
	return r.lines
}

// add takes the next line, with what was said about it before.
func (r *reader) add(l line) {
	l.gap, l.quote, l.indent, l.mark = r.gap && len(r.lines) > 0, r.quote, r.indent, r.mark
	r.lines = append(r.lines, l)
	if r.mark != "" {
		r.indent += strings.Repeat(" ", len([]rune(r.mark)))
		r.mark = ""
	}
	r.gap = false
}

func (r *reader) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		r.block(c)
	}
}

func (r *reader) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.List:
		r.list(n)
		return
	case *ast.TextBlock: // of a tight list
		r.prose(n, 0)
		return
	}
	r.gap = r.gap || r.mark == ""
	switch n := n.(type) {
	case *ast.Heading:
		r.prose(n, n.Level)
	case *ast.Blockquote:
		was := r.quote
		r.quote = true
		r.children(n)
		r.quote = was
	case *ast.FencedCodeBlock:
		r.code(n, language(string(n.Language(r.source))))
	case *ast.CodeBlock:
		r.code(n, "")
	case *ast.ThematicBreak:
		r.add(line{kind: rule})
	case *east.Table:
		r.table(n)
	case *ast.Paragraph:
		r.prose(n, 0)
	default:
		r.children(n)
	}
	r.gap = true
}

// prose adds the lines of what holds words.
func (r *reader) prose(n ast.Node, level int) {
	w := &words{d: r.d, source: r.source, base: level > 0 && r.d.Heading == nil}
	w.children(n, w.start())
	for _, spans := range w.done() {
		l := line{spans: spans}
		if level > 0 {
			l.kind, l.level = heading, level
		}
		r.add(l)
	}
}

func (r *reader) list(n *ast.List) {
	wasIndent, wasMark := r.indent, r.mark
	if r.mark != "" { // an item that begins with a list has a line of its own
		r.add(line{})
		wasIndent, wasMark = r.indent, ""
	}
	if r.depth == 0 || !n.IsTight {
		r.gap = true
	}
	r.depth++
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		r.indent, r.mark = wasIndent, r.bullet()
		if n.IsOrdered() {
			r.mark = strconv.Itoa(number) + ". "
			number++
		}
		r.children(item)
		if r.mark != "" {
			r.add(line{})
		}
		r.gap = !n.IsTight
	}
	r.depth--
	r.indent, r.mark, r.gap = wasIndent, wasMark, r.depth == 0
}

// bullet gives the mark of the list's depth. Far down there is no more room to the left.
func (r *reader) bullet() string {
	if len(r.indent) > 12 {
		r.indent = r.indent[:12]
	}
	return r.d.Bullets[min(r.depth, len(r.d.Bullets))-1]
}

// code adds the lines of a block of code: at the left edge and outside of quotations, where every service reads it as such.
func (r *reader) code(n ast.Node, lang string) {
	if r.mark != "" {
		r.add(line{})
		r.gap = true
	}
	var b strings.Builder
	for i := range n.Lines().Len() {
		s := n.Lines().At(i)
		b.Write(s.Value(r.source))
	}
	r.fence(lang, b.String())
}

func (r *reader) fence(lang, code string) {
	code = strings.TrimRight(code, "\n \t")
	for strings.HasPrefix(code, "\n") {
		code = code[1:]
	}
	if strings.IndexFunc(code, visible) < 0 {
		return
	}
	r.blocks++
	indent, quote := r.indent, r.quote
	r.indent, r.quote = "", false
	for l := range strings.SplitSeq(code, "\n") {
		r.add(line{kind: fenced, block: r.blocks, lang: lang, spans: []span{{words: strings.ReplaceAll(l, "\t", "    ")}}})
	}
	r.indent, r.quote = indent, quote
}

// language keeps a name that every service can hold.
func language(s string) string {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("+-#._", c) < 0 {
			return ""
		}
	}
	if len(s) > 24 {
		return ""
	}
	return s
}
