package markdown

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

const linkEnd = `" rel="noopener noreferrer nofollow" target="_blank">`

// address gives an address that a link may have: http, https or mailto, absolute, without anything that an attribute
// or a browser could read differently.
func address(raw string) (string, bool) {
	s := string(util.UnescapePunctuations(util.ResolveNumericReferences(util.ResolveEntityNames([]byte(raw)))))
	s = strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(s), " ", "%20"), "`", "%60")
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '\\' || r == '\uFFFD' || odd(r) }) {
		return "", false
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok {
		return "", false
	}
	switch scheme = strings.ToLower(scheme); scheme {
	case "http", "https":
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || u.User != nil || !strings.HasPrefix(rest, "//") {
			return "", false
		}
	case "mailto":
		if rest == "" {
			return "", false
		}
	default:
		return "", false
	}
	return scheme + ":" + rest, true
}

// link writes a link whose words are n's children; they stand alone when the address is not one.
func (w *walker) link(n ast.Node, raw string, depth int) {
	to, ok := address(raw)
	if !ok || w.linked || depth > maxDepth {
		w.children(n, depth)
		return
	}
	w.open(to)
	w.children(n, depth)
	w.close()
}

func (w *walker) open(to string) {
	w.raw(`<a href="`)
	w.text(to)
	w.raw(linkEnd)
	w.linked = true
}

func (w *walker) close() {
	w.raw("</a>")
	w.linked = false
}

func (w *walker) autoLink(n *ast.AutoLink) {
	label, raw := string(n.Label(w.source)), string(n.URL(w.source))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(raw), "mailto:") {
		raw = "mailto:" + raw
	}
	to, ok := address(raw)
	if !ok || w.linked {
		w.text(label)
		return
	}
	w.open(to)
	w.text(label)
	w.close()
}

// image never loads: the address could tell its owner that, when and from where somebody read this, and carry what
// the conversation holds. A web image becomes a link, any other its description.
func (w *walker) image(n *ast.Image, depth int) {
	to, ok := address(string(n.Destination))
	if !ok || w.linked || strings.HasPrefix(to, "mailto:") {
		w.children(n, depth)
		return
	}
	w.open(to)
	if n.HasChildren() {
		w.children(n, depth)
	} else {
		w.text(to)
	}
	w.close()
}

// breakParser reads <br>, the only HTML in the grammar: table cells have no other line break.
type breakParser struct{}

func (breakParser) Trigger() []byte { return []byte{'<'} }

func (breakParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	if len(line) < 4 || !bytes.EqualFold(line[:3], []byte("<br")) {
		return nil
	}
	end := bytes.IndexByte(line, '>')
	if end < 0 || len(bytes.Trim(line[3:end], " /")) > 0 {
		return nil
	}
	block.Advance(end + 1)
	t := ast.NewText()
	t.SetHardLineBreak(true)
	return t
}

// addressParser links bare http addresses, localhost and ports included. Goldmark asks it where a word begins: at the
// start of a line (the trigger is a space then, too) or at the space or sign before the word.
type addressParser struct{}

func (addressParser) Trigger() []byte { return []byte(" (\"':=,;|>{") }

func (addressParser) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	before := 0
	if line[0] != 'h' {
		if nameByte(line[0]) {
			return nil
		}
		before, line = 1, line[1:]
	}
	var start int
	switch {
	case bytes.HasPrefix(line, []byte("https://")):
		start = 8
	case bytes.HasPrefix(line, []byte("http://")):
		start = 7
	default:
		return nil
	}
	if pc.IsInLinkLabel() {
		return nil
	}
	end := start
	for end < len(line) && addressByte(line[end]) {
		end++
	}
	end = trimAddress(line[:end])
	if end <= start {
		return nil
	}
	if before > 0 {
		ast.MergeOrAppendTextSegment(parent, segment.WithStop(segment.Start+1))
	}
	block.Advance(before + end)
	from := segment.Start + before
	return ast.NewAutoLink(ast.AutoLinkURL, ast.NewTextSegment(text.NewSegment(from, from+end)))
}

func addressByte(c byte) bool {
	return c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '`' && c != '"' && c != '|' && c != '\\' && c != '{' && c != '}' && c != '*' || c >= 0x80
}

// trimAddress leaves out what ends the sentence rather than the address: points, and brackets that were not opened in it.
func trimAddress(s []byte) int {
	end := len(s)
	for end > 0 {
		switch c := s[end-1]; c {
		case '.', ',', ';', ':', '!', '?', '\'', '_', '~':
		case ')', ']':
			opened := byte('(')
			if c == ']' {
				opened = '['
			}
			if bytes.Count(s[:end], []byte{opened}) >= bytes.Count(s[:end], []byte{c}) {
				return end
			}
		default:
			return end
		}
		end--
	}
	return end
}
