package email

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// blocks begin and end a line; apart ones have an empty line around them.
var blocks = map[atom.Atom]bool{atom.Div: true, atom.Tr: true, atom.Li: true, atom.Ul: true, atom.Ol: true, atom.Table: true, atom.Section: true, atom.Article: true, atom.Header: true, atom.Footer: true, atom.Hr: true, atom.Dt: true, atom.Dd: true,
	atom.P: true, atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Pre: true, atom.Blockquote: true}

var apart = map[atom.Atom]bool{atom.P: true, atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Pre: true, atom.Blockquote: true, atom.Ul: true, atom.Ol: true, atom.Table: true}

var silent = map[atom.Atom]bool{atom.Script: true, atom.Style: true, atom.Head: true, atom.Title: true, atom.Template: true, atom.Object: true, atom.Iframe: true, atom.Noscript: true, atom.Select: true, atom.Textarea: true}

// htmlText gives the words of a page. Nothing is loaded; what is quoted gets the marks of quotations.
func htmlText(s string) string {
	w := &htmlWriter{z: html.NewTokenizer(strings.NewReader(s))}
	for w.next() {
	}
	w.newline(1)
	return strings.Trim(w.out.String(), "\n")
}

type htmlWriter struct {
	z     *html.Tokenizer
	out   strings.Builder
	line  strings.Builder
	gap   int // lines to leave before the next words: 1 = begin one, 2 = an empty one
	mute  int // inside of what has no words
	quote int
	was   int // quote of the line before
	pre   int
	links []link
}

type link struct {
	to string
	at int // of the line when it began
}

func (w *htmlWriter) next() bool {
	switch w.z.Next() {
	case html.ErrorToken:
		return false
	case html.TextToken:
		if w.mute == 0 {
			w.words(string(w.z.Text()))
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		w.open(w.z.Token())
	case html.EndTagToken:
		w.close(w.z.Token().DataAtom)
	}
	return true
}

func (w *htmlWriter) open(t html.Token) {
	if silent[t.DataAtom] && t.Type == html.StartTagToken {
		w.mute++
	}
	if w.mute > 0 {
		return
	}
	w.block(t.DataAtom)
	switch t.DataAtom {
	case atom.Br:
		w.newline(1)
		w.gap = 0
	case atom.Blockquote:
		w.newline(2)
		w.quote++
	case atom.Pre:
		w.pre++
	case atom.Li:
		w.line.WriteString("- ")
	case atom.Td, atom.Th:
		if strings.TrimSpace(w.line.String()) != "" {
			w.line.WriteString(" | ")
		}
	case atom.Img:
		if alt := attr(t, "alt"); alt != "" {
			w.words(alt)
		}
	case atom.A:
		w.links = append(w.links, link{attr(t, "href"), w.line.Len()})
	}
}

func (w *htmlWriter) close(a atom.Atom) {
	if silent[a] && w.mute > 0 {
		w.mute--
		return
	}
	if w.mute > 0 {
		return
	}
	switch a {
	case atom.A:
		w.link()
	case atom.Pre:
		w.pre = max(w.pre-1, 0)
	case atom.Blockquote:
		w.newline(2)
		w.quote = max(w.quote-1, 0)
	}
	w.block(a)
}

func (w *htmlWriter) block(a atom.Atom) {
	switch {
	case apart[a]:
		w.newline(2)
	case blocks[a]:
		w.newline(1)
	}
}

// link writes behind its words where a link leads, when they do not say so.
func (w *htmlWriter) link() {
	if len(w.links) == 0 {
		return
	}
	l := w.links[len(w.links)-1]
	w.links = w.links[:len(w.links)-1]
	label := ""
	if l.at <= w.line.Len() {
		label = strings.TrimSpace(w.line.String()[l.at:])
	}
	if strings.HasPrefix(l.to, "http") && label != "" && len(l.to) < 500 && !strings.Contains(l.to, label) && label != l.to {
		w.line.WriteString(" (" + l.to + ")")
	}
}

func (w *htmlWriter) words(s string) {
	if w.pre > 0 {
		for i, l := range strings.Split(s, "\n") {
			if i > 0 {
				w.newline(1)
				w.gap = 0
			}
			w.line.WriteString(strings.TrimRight(l, "\r"))
		}
		return
	}
	s = strings.ReplaceAll(s, "\u00a0", " ")
	fields := strings.Fields(s)
	had := w.line.String()
	if len(fields) == 0 {
		if had != "" && !strings.HasSuffix(had, " ") {
			w.line.WriteByte(' ')
		}
		return
	}
	if had != "" && !strings.HasSuffix(had, " ") && strings.IndexAny(s[:1], " \t\r\n") == 0 {
		w.line.WriteByte(' ')
	}
	w.line.WriteString(strings.Join(fields, " "))
	if strings.IndexAny(s[len(s)-1:], " \t\r\n") == 0 {
		w.line.WriteByte(' ')
	}
}

// newline ends the line, and asks for gap before the next one.
func (w *htmlWriter) newline(gap int) {
	if l := strings.TrimRight(w.line.String(), " "); l != "" || gap == 1 && w.line.Len() == 0 && w.gap == 0 && w.out.Len() > 0 {
		mark := strings.Repeat("> ", w.quote)
		if w.gap == 2 && w.out.Len() > 0 {
			w.out.WriteString(strings.TrimRight(strings.Repeat("> ", min(w.quote, w.was)), " ") + "\n")
		}
		w.out.WriteString(strings.TrimRight(mark+l, " ") + "\n")
		w.gap, w.was = 0, w.quote
	}
	w.line.Reset()
	w.links = nil
	w.gap = max(w.gap, gap)
}

func attr(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}
