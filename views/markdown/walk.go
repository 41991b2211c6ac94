package markdown

import (
	"strconv"

	"github.com/yuin/goldmark/ast"
	ext "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer/html"
)

// maxDepth is how far elements nest; deeper ones give their content only.
const maxDepth = 24

// walker writes the tree. It is also goldmark's BufWriter, so that escapes and entities in text are goldmark's affair.
type walker struct {
	source []byte
	b      []byte
	linked bool   // inside <a>
	auto   string // for lists of a text that is partly written from right to left: the bullets go with the words
}

func (w *walker) Available() int                    { return cap(w.b) - len(w.b) }
func (w *walker) Buffered() int                     { return len(w.b) }
func (w *walker) Flush() error                      { return nil }
func (w *walker) WriteByte(c byte) error            { w.b = append(w.b, c); return nil }
func (w *walker) WriteRune(r rune) (int, error)     { w.b = append(w.b, string(r)...); return 0, nil }
func (w *walker) Write(p []byte) (int, error)       { w.b = append(w.b, p...); return len(p), nil }
func (w *walker) WriteString(s string) (int, error) { w.b = append(w.b, s...); return len(s), nil }

func (w *walker) raw(s string)  { w.b = append(w.b, s...) }
func (w *walker) text(s string) { w.b = escape(w.b, s) }

func (w *walker) children(n ast.Node, depth int) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.node(c, depth+1)
	}
}

func (w *walker) in(open, end string, n ast.Node, depth int) {
	if depth > maxDepth {
		w.children(n, depth)
		return
	}
	w.raw(open)
	w.children(n, depth)
	w.raw(end)
}

// node writes one node. What is not listed gives its content only.
func (w *walker) node(n ast.Node, depth int) {
	switch n := n.(type) {
	case *ast.Text:
		w.words(n)
	case *ast.String:
		w.text(string(n.Value))
	case *ast.Paragraph:
		w.in("<p>", "</p>\n", n, depth)
	case *ast.TextBlock:
		w.children(n, depth)
		if n.NextSibling() != nil {
			w.raw("\n")
		}
	case *ast.Heading:
		level := strconv.Itoa(min(n.Level+2, 6)) // the page has its own h1 and h2
		w.in("<h"+level+">", "</h"+level+">\n", n, depth)
	case *ast.Emphasis:
		if n.Level == 2 {
			w.in("<strong>", "</strong>", n, depth)
		} else {
			w.in("<em>", "</em>", n, depth)
		}
	case *ast.CodeSpan:
		w.codeSpan(n)
	case *ast.FencedCodeBlock:
		w.b = code(w.b, string(n.Language(w.source)), w.lines(n))
	case *ast.CodeBlock:
		w.b = code(w.b, "", w.lines(n))
	case *ast.List:
		w.list(n, depth)
	case *ast.ListItem:
		w.in("<li>", "</li>\n", n, depth)
	case *ast.Blockquote:
		w.in("<blockquote>\n", "</blockquote>\n", n, depth)
	case *ast.ThematicBreak:
		w.raw("<hr>\n")
	case *ast.LinkReferenceDefinition:
	case *ast.Link:
		w.link(n, string(n.Destination), depth)
	case *ast.AutoLink:
		w.autoLink(n)
	case *ast.Image:
		w.image(n, depth)
	case *ext.Strikethrough:
		w.in("<del>", "</del>", n, depth)
	case *ext.TaskCheckBox:
		w.taskBox(n.IsChecked)
	case *ext.Table:
		w.table(n, depth)
	default:
		w.children(n, depth)
	}
}

func (w *walker) words(n *ast.Text) {
	s := n.Segment.Value(w.source)
	if n.IsRaw() {
		w.text(string(s))
	} else {
		html.DefaultWriter.Write(w, s)
	}
	switch {
	case n.HardLineBreak():
		w.raw("<br>\n")
	case n.SoftLineBreak():
		w.raw("\n")
	}
}

func (w *walker) codeSpan(n ast.Node) {
	w.raw("<code>")
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			s := string(t.Segment.Value(w.source))
			if l := len(s); l > 0 && s[l-1] == '\n' {
				s = s[:l-1] + " "
			}
			w.text(s)
		}
	}
	w.raw("</code>")
}

func (w *walker) lines(n ast.Node) string {
	lines := n.Lines()
	if lines.Len() == 1 {
		at := lines.At(0)
		return string(at.Value(w.source))
	}
	var b []byte
	for i := range lines.Len() {
		at := lines.At(i)
		b = append(b, at.Value(w.source)...)
	}
	return string(b)
}

func (w *walker) list(n *ast.List, depth int) {
	switch {
	case !n.IsOrdered():
		w.in("<ul"+w.auto+">\n", "</ul>\n", n, depth)
	case n.Start == 1:
		w.in("<ol"+w.auto+">\n", "</ol>\n", n, depth)
	default:
		w.in(`<ol start="`+strconv.Itoa(n.Start)+`"`+w.auto+">\n", "</ol>\n", n, depth)
	}
}

func (w *walker) taskBox(done bool) {
	if done {
		w.raw(`<input type="checkbox" disabled aria-label="done" checked> `)
	} else {
		w.raw(`<input type="checkbox" disabled aria-label="to do"> `)
	}
}

func (w *walker) table(n *ext.Table, depth int) {
	if depth > maxDepth {
		w.children(n, depth)
		return
	}
	w.raw("<div class=\"table-wrap\"><table>\n")
	body := false
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		cell, end := "td", "</tr>\n"
		if _, head := row.(*ext.TableHeader); head {
			w.raw("<thead>\n")
			cell, end = "th", "</tr>\n</thead>\n"
		} else if !body {
			w.raw("<tbody>\n")
			body = true
		}
		w.raw("<tr>")
		for c := row.FirstChild(); c != nil; c = c.NextSibling() {
			align := ext.AlignNone
			if t, ok := c.(*ext.TableCell); ok {
				align = t.Alignment
			}
			w.cell(c, cell, align, depth+2)
		}
		w.raw(end)
	}
	if body {
		w.raw("</tbody>\n")
	}
	w.raw("</table></div>\n")
}

func (w *walker) cell(n ast.Node, tag string, align ext.Alignment, depth int) {
	w.raw("<" + tag)
	switch align {
	case ext.AlignRight:
		w.raw(` class="r"`)
	case ext.AlignCenter:
		w.raw(` class="c"`)
	}
	w.raw(">")
	w.children(n, depth)
	w.raw("</" + tag + ">")
}
