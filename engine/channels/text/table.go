package text

import (
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
)

// narrow is how many characters of a line fit on a telephone in a block of code.
const narrow = 42

// table writes a narrow table in columns, as a block of code, and a wide one row by row, for no service has tables.
func (r *reader) table(n *east.Table) {
	var rows [][][]span
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells [][]span
		for c := row.FirstChild(); c != nil; c = c.NextSibling() {
			cells = append(cells, r.cell(c))
		}
		rows = append(rows, cells)
	}
	if len(rows) == 0 {
		return
	}
	widths, linked := measure(rows)
	total := -2
	for _, w := range widths {
		total += w + 2
	}
	if total <= narrow && !linked && len(rows) > 1 {
		if r.mark != "" {
			r.add(line{})
			r.gap = true
		}
		r.fence("", columns(rows, widths, n.Alignments))
		return
	}
	r.rows(rows)
}

// cell gives the spans of a cell: one line.
func (r *reader) cell(n ast.Node) []span {
	w := &words{d: r.d, source: r.source}
	w.children(n, span{})
	var all []span
	for i, l := range w.done() {
		if i > 0 {
			all = append(all, span{words: " "})
		}
		all = append(all, l...)
	}
	return all
}

func cellText(c []span) string { return strings.TrimSpace((&line{spans: c}).text()) }

// measure gives the widths of columns, and whether a cell holds a link, which a block of code cannot.
func measure(rows [][][]span) (widths []int, linked bool) {
	for _, cells := range rows {
		for i, c := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cellText(c)))
			for _, s := range c {
				linked = linked || s.link != ""
			}
		}
	}
	return widths, linked
}

func columns(rows [][][]span, widths []int, align []east.Alignment) string {
	var b strings.Builder
	for n, cells := range rows {
		l := ""
		for i, c := range cells {
			text := cellText(c)
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if i > 0 {
				l += "  "
			}
			if i < len(align) && align[i] == east.AlignRight {
				l += pad + text
			} else {
				l += text + pad
			}
		}
		b.WriteString(strings.TrimRight(l, " ") + "\n")
		if n == 0 {
			for i, w := range widths {
				if i > 0 {
					b.WriteString("  ")
				}
				b.WriteString(strings.Repeat("─", w))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// rows writes each row as its first cell with the others under it, each after its column's name.
func (r *reader) rows(rows [][][]span) {
	head := rows[0]
	if len(rows) == 1 {
		for _, c := range head {
			r.full("", c, Bold)
		}
		return
	}
	for _, cells := range rows[1:] {
		for i, c := range cells {
			switch {
			case i == 0:
				r.gap = true
				r.full("", c, Bold)
			case cellText(c) != "":
				name := ""
				if i < len(head) {
					name = cellText(head[i])
				}
				if name != "" {
					c = append([]span{{words: name + ": "}}, c...)
				}
				r.full(r.d.Bullets[0], c, 0)
			}
		}
	}
}

// full adds a line that has words.
func (r *reader) full(mark string, c []span, style Style) {
	if cellText(c) == "" {
		return
	}
	spans := make([]span, len(c))
	for i, s := range c {
		if !s.bare {
			s.style |= style
		}
		spans[i] = s
	}
	indent := r.indent
	if r.mark == "" {
		r.mark = mark
	}
	r.add(line{spans: spans})
	r.indent, r.mark = indent, ""
}
