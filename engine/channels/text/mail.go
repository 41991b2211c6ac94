package text

import (
	"bytes"
	"strings"
	"sync"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"lobstead/kit/commonmark"
)

// MailLimit is the longest text of one mail, in bytes of Markdown.
const MailLimit = 200_000

// plainMail is what a mail says to programs that show no HTML: nothing in plain text is markup, so nothing is escaped.
var plainMail = &Dialect{
	Limit:   8 * MailLimit,
	Size:    func(s string) int { return len(s) },
	Plain:   func(s string, _ bool) string { return s },
	Code:    func(s string) string { return s },
	Fence:   func(_, code string) string { return "    " + strings.ReplaceAll(code, "\n", "\n    ") },
	Bare:    func(to string) string { return to },
	Bold:    around("*"),
	Heading: mailHeading,
	Quote:   quoted,
	Rule:    strings.Repeat("-", 40),
	Bullets: []string{"- "},
}

func mailHeading(level int, s string) string {
	under := "-"
	if level == 1 {
		under = "="
	}
	return s + "\n" + strings.Repeat(under, min(len([]rune(s)), 72))
}

// MailPlain writes Markdown as the plain text of a mail; "" for what has no words.
func MailPlain(markdown string) string { return strings.Join(plainMail.Split(markdown), "\n\n") }

// MailSplit cuts Markdown into the texts of mails, each Markdown again: between paragraphs where it can, and a block of code that is cut
// is closed and opened again. What has no words gives none.
func MailSplit(markdown string) []string {
	markdown = clean(markdown)
	if MailPlain(markdown) == "" {
		return nil
	}
	var out []string
	for len(markdown) > MailLimit {
		n := MailLimit
		for _, between := range []string{"\n\n", "\n", " "} {
			if at := strings.LastIndex(markdown[:MailLimit], between); at > MailLimit/2 {
				n = at + len(between)
				break
			}
		}
		piece := strings.ToValidUTF8(markdown[:n], "")
		markdown = markdown[len(piece):]
		if open := fenceLeft(piece); open != "" {
			piece = strings.TrimRight(piece, "\n") + "\n```\n"
			markdown = open + "\n" + markdown
		}
		out = append(out, piece)
	}
	if MailPlain(markdown) != "" {
		out = append(out, markdown)
	}
	return out
}

// fenceLeft gives the line that opened the block of code in which a text ends, "" for none.
func fenceLeft(s string) string {
	open := ""
	for l := range strings.Lines(s) {
		l = strings.TrimSpace(l)
		switch {
		case !strings.HasPrefix(l, "```"):
		case open == "":
			open = l
		case strings.Trim(l, "`") == "":
			open = ""
		}
	}
	return open
}

var mailHTML = sync.OnceValue(func() renderer.Renderer {
	return renderer.NewRenderer(renderer.WithNodeRenderers(
		util.Prioritized(html.NewRenderer(html.WithHardWraps()), 1000),
		util.Prioritized(extension.NewTableHTMLRenderer(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), 500),
		util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
	))
})

// MailHTML writes Markdown as the HTML of a mail. There is no raw HTML in the grammar, links lead to the web, a mailbox or a telephone only,
// and pictures are links: nothing is loaded when the mail is opened.
func MailHTML(markdown string) string {
	source := clean(markdown)
	plain := `<pre style="white-space:pre-wrap">` + tags.Replace(source) + "</pre>"
	if commonmark.Costly(source) {
		return plain
	}
	src := []byte(source)
	doc := grammar().Parse(text.NewReader(src))
	tame(doc)
	var b bytes.Buffer
	if err := mailHTML().Render(&b, src, doc); err != nil {
		return plain
	}
	return mailLooks.Replace(b.String())
}

// mailLooks gives the elements the looks that they lack in most programs. In the text itself there is no < left.
var mailLooks = strings.NewReplacer(
	"<table>", `<table border="1" cellpadding="6" style="border-collapse:collapse">`,
	"<pre>", `<pre style="white-space:pre-wrap">`,
	"<blockquote>", `<blockquote style="border-left:3px solid #bbb;margin-left:0;padding-left:12px">`,
)

// tame takes out of a tree what a mail must not have.
func tame(doc ast.Node) {
	var all []ast.Node
	_ = ast.Walk(doc, func(n ast.Node, in bool) (ast.WalkStatus, error) {
		if in {
			all = append(all, n)
		}
		return ast.WalkContinue, nil // no step fails
	})
	w := &words{d: Telegram} // any dialect with links: addresses are judged alike
	for _, n := range all {
		switch n := n.(type) {
		case *ast.Image:
			if to, ok := w.address(string(n.Destination)); ok {
				link := ast.NewLink()
				link.Destination = []byte(to)
				replace(n, link, n)
				if link.FirstChild() == nil {
					link.AppendChild(link, ast.NewString([]byte(to)))
				}
				continue
			}
			unwrap(n)
		case *ast.Link:
			to, ok := w.address(string(n.Destination))
			if !ok {
				unwrap(n)
				continue
			}
			n.Destination, n.Title = []byte(to), nil
		case *east.TaskCheckBox:
			mark := "☐ "
			if n.IsChecked {
				mark = "☑ "
			}
			replace(n, ast.NewString([]byte(mark)), nil)
		}
	}
}

// replace puts a node in another's place, with the children of from.
func replace(old, by, from ast.Node) {
	if from != nil {
		for c := from.FirstChild(); c != nil; c = from.FirstChild() {
			by.AppendChild(by, c)
		}
	}
	old.Parent().ReplaceChild(old.Parent(), old, by)
}

// unwrap leaves of a node what it holds.
func unwrap(n ast.Node) {
	p := n.Parent()
	for c := n.FirstChild(); c != nil; c = n.FirstChild() {
		p.InsertBefore(p, n, c)
	}
	p.RemoveChild(p, n)
}
