package agent

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// readable gives the text of a page as plain Markdown: headings, lists and links stay, scripts and frames go.
func readable(page string) string {
	w := pageText{z: html.NewTokenizer(strings.NewReader(page))}
	w.z.SetMaxBuf(maxPage)
	for w.next() {
	}
	return tidyText(w.b.String())
}

type pageText struct {
	z     *html.Tokenizer
	b     strings.Builder
	skip  atom.Atom // inside an element that is not shown
	depth int       // of the same element inside it
	pre   int
	href  []string
}

var hidden = map[atom.Atom]bool{atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Svg: true,
	atom.Iframe: true, atom.Object: true, atom.Select: true, atom.Textarea: true}

var lineStart = map[atom.Atom]string{
	atom.P: "\n\n", atom.Div: "\n", atom.Section: "\n\n", atom.Article: "\n\n", atom.Main: "\n\n", atom.Header: "\n\n", atom.Footer: "\n\n",
	atom.Nav: "\n\n", atom.Aside: "\n\n", atom.Table: "\n\n", atom.Tr: "\n", atom.Td: " | ", atom.Th: " | ", atom.Ul: "\n", atom.Ol: "\n",
	atom.Li: "\n- ", atom.Br: "\n", atom.Hr: "\n\n---\n\n", atom.Blockquote: "\n\n> ", atom.Pre: "\n\n```\n", atom.Dt: "\n\n", atom.Dd: "\n  ",
	atom.H1: "\n\n# ", atom.H2: "\n\n## ", atom.H3: "\n\n### ", atom.H4: "\n\n#### ", atom.H5: "\n\n##### ", atom.H6: "\n\n###### ",
	atom.Title: "\n\n# ", atom.Figure: "\n\n", atom.Figcaption: "\n", atom.Option: "\n",
}

var lineEnd = map[atom.Atom]string{
	atom.P: "\n\n", atom.Div: "\n", atom.Pre: "\n```\n\n", atom.Table: "\n\n", atom.Ul: "\n", atom.Ol: "\n", atom.Blockquote: "\n\n", atom.Title: "\n\n",
	atom.H1: "\n\n", atom.H2: "\n\n", atom.H3: "\n\n", atom.H4: "\n\n", atom.H5: "\n\n", atom.H6: "\n\n",
}

func (w *pageText) next() bool {
	kind := w.z.Next()
	switch kind {
	case html.ErrorToken:
		return false
	case html.TextToken:
		if w.skip == 0 {
			w.text(html.UnescapeString(string(w.z.Raw())))
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		w.open(kind == html.SelfClosingTagToken)
	case html.EndTagToken:
		name, _ := w.z.TagName()
		w.close(atom.Lookup(name))
	}
	return true
}

func (w *pageText) text(s string) {
	if w.pre > 0 {
		w.b.WriteString(s)
		return
	}
	fields := strings.Join(strings.Fields(s), " ")
	if fields == "" {
		w.b.WriteByte(' ')
		return
	}
	if strings.ContainsAny(s[:1], " \t\r\n") {
		w.b.WriteByte(' ')
	}
	w.b.WriteString(fields)
	if strings.ContainsAny(s[len(s)-1:], " \t\r\n") {
		w.b.WriteByte(' ')
	}
}

func (w *pageText) open(closed bool) {
	name, attrs := w.z.TagName()
	tag := atom.Lookup(name)
	if w.skip != 0 {
		if tag == w.skip && !closed {
			w.depth++
		}
		return
	}
	if hidden[tag] {
		if !closed {
			w.skip, w.depth = tag, 1
		}
		return
	}
	w.b.WriteString(lineStart[tag])
	switch tag {
	case atom.Pre:
		w.pre++
	case atom.A:
		w.href = append(w.href, w.attr(attrs, "href"))
	case atom.Img:
		if alt := strings.TrimSpace(w.attr(attrs, "alt")); alt != "" {
			w.b.WriteString("[image: " + alt + "]")
		}
	}
}

func (w *pageText) attr(more bool, name string) string {
	for more {
		var key, value []byte
		if key, value, more = w.z.TagAttr(); string(key) == name {
			return string(value)
		}
	}
	return ""
}

func (w *pageText) close(tag atom.Atom) {
	if w.skip != 0 {
		if tag == w.skip {
			if w.depth--; w.depth == 0 {
				w.skip = 0
			}
		}
		return
	}
	switch tag {
	case atom.Pre:
		w.pre = max(w.pre-1, 0)
	case atom.A:
		if n := len(w.href); n > 0 {
			if h := w.href[n-1]; strings.HasPrefix(h, "http://") || strings.HasPrefix(h, "https://") {
				w.b.WriteString(" (" + h + ")")
			}
			w.href = w.href[:n-1]
		}
	}
	w.b.WriteString(lineEnd[tag])
}

// tidyText removes blanks at line ends and more than one empty line in a row.
func tidyText(s string) string {
	var b strings.Builder
	empty := 0
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, " \t\r\n")
		if strings.TrimSpace(line) == "" {
			empty++
			continue
		}
		if b.Len() > 0 {
			b.WriteString(strings.Repeat("\n", 1+min(empty, 1)))
		}
		empty = 0
		b.WriteString(line)
	}
	return b.String()
}
