package markdown_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/microcosm-cc/bluemonday"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"lobstead/views/markdown"
)

var tags = map[string][]string{
	"p": {"class"}, "h3": nil, "h4": nil, "h5": nil, "h6": nil, "strong": nil, "em": nil, "del": nil, "code": nil, "ul": {"dir"},
	"ol": {"start", "dir"}, "li": nil, "blockquote": nil, "table": nil, "thead": nil, "tbody": nil, "tr": nil, "td": {"class"}, "th": {"class"},
	"span": {"class"}, "div": {"class", "data-copy-from"}, "pre": {"class", "data-copy-text"}, "br": nil, "hr": nil,
	"input": {"type", "disabled", "checked", "aria-label"}, "a": {"href", "rel", "target"},
	"button": {"class", "type", "data-copy", "aria-label"}, "svg": {"class", "viewbox", "aria-hidden"},
	"path": {"d"}, "rect": {"width", "height", "x", "y", "rx", "ry"},
}

// allowed parses as a browser does and looks at every element and attribute.
func allowed(t *testing.T, source, out string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader("<!DOCTYPE html><html><head></head><body>" + out + "</body></html>"))
	require.NoError(t, err)
	for n := range doc.Descendants() {
		switch n.Type {
		case html.CommentNode:
			t.Fatalf("a comment from %.200q", source)
		case html.ElementNode:
			if n.Data == "html" || n.Data == "head" || n.Data == "body" {
				require.Empty(t, n.Attr)
				continue
			}
			names, ok := tags[n.Data]
			if !ok {
				t.Fatalf("<%s> from %.200q: %.300s", n.Data, source, out)
			}
			for _, a := range n.Attr {
				if !slices.Contains(names, strings.ToLower(a.Key)) {
					t.Fatalf("%s=%q on <%s> from %.200q", a.Key, a.Val, n.Data, source)
				}
				if a.Key == "href" && !strings.HasPrefix(a.Val, "http://") && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "mailto:") {
					t.Fatalf("href %q from %.200q", a.Val, source)
				}
			}
		}
	}
}

func textOf(t *testing.T, out string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader("<!DOCTYPE html><body><pre>\n" + out))
	require.NoError(t, err)
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}

// wraps put an attack where a reader might forget to look.
var wraps = []string{"%", "x % y", "> %", "- %", "| a |\n|---|\n| % |", "**%**", "[%](https://x)", "```\n%\n```", "```%\ncode", "`%`", "# %", "![%](https://x)", "x\n%\n", "1. - > %", "[a]: %\n\n[a]", "\t%", "<%>", "%\n\n%"}

func TestNothingHostileComesOut(t *testing.T) {
	require.Greater(t, len(attacks), 170)
	n := 0
	for _, a := range attacks {
		for _, w := range wraps {
			source := strings.ReplaceAll(w, "%", a)
			allowed(t, source, markdown.Render(source))
			var s markdown.Stream
			for _, r := range source {
				s.Write(string(r))
			}
			closed, tail := s.Flush()
			allowed(t, source, strings.Join(closed, "")+tail)
			n++
		}
	}
	require.Greater(t, n, 3000)
	whole := strings.Join(attacks, "\n")
	allowed(t, "all", markdown.Render(whole))
	for _, l := range markdown.Languages() {
		allowed(t, l, "<pre>"+markdown.Code("x."+l, whole)+"</pre>")
	}
}

// A sanitiser that others keep finds nothing to take away.
func TestBluemondayAgrees(t *testing.T) {
	p := bluemonday.NewPolicy()
	for tag, attrs := range tags {
		if attrs != nil {
			p.AllowAttrs(attrs...).OnElements(tag)
		}
		p.AllowElements(tag)
		p.AllowNoAttrs().OnElements(tag)
	}
	p.AllowAttrs("viewBox").OnElements("svg")
	p.AllowURLSchemes("http", "https", "mailto")
	count := func(s string) (n int) {
		doc, err := html.Parse(strings.NewReader(s))
		require.NoError(t, err)
		for d := range doc.Descendants() {
			n += 1 + len(d.Attr)
		}
		return n
	}
	for _, a := range append(attacks, answer(16<<10)) {
		out := markdown.Render(a)
		require.Equal(t, count(out), count(p.Sanitize(out)), a)
	}
}

func FuzzRender(f *testing.F) {
	for i, a := range attacks {
		f.Add(strings.ReplaceAll(wraps[i%len(wraps)], "%", a), 3)
	}
	f.Add(answer(2000), 7)
	f.Fuzz(func(t *testing.T, source string, step int) {
		allowed(t, source, markdown.Render(source))
		var s markdown.Stream
		step = max(1, step%64)
		var all strings.Builder
		for i := 0; i < len(source); i += step {
			s.Write(source[i:min(len(source), i+step)])
			closed, tail := s.Flush()
			all.WriteString(strings.Join(closed, ""))
			allowed(t, source, tail)
		}
		allowed(t, source, all.String())
	})
}
