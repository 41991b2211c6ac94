package text_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/text"
)

const letter = "# Report\n\nAll **good**, ~~bad~~ and `a<b>`.\n\n- one\n  - two\n- [x] done\n- [ ] open\n\n1. first\n\n> said\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```go\nif a < b {}\n```\n\n" +
	"See [here](https://example.com/x?a=1&b=2), https://example.org and ![a picture](https://evil.example/p.gif)."

func TestAMailIsPlainAndHTML(t *testing.T) {
	t.Parallel()
	plain := text.MailPlain(letter)
	for _, want := range []string{"Report\n======", "All *good*, bad and a<b>.", "- one\n  - two", "    if a < b {}", "> said", "here (https://example.com/x?a=1&b=2)"} {
		require.Contains(t, plain, want)
	}
	html := text.MailHTML(letter)
	for _, want := range []string{"<h1>Report</h1>", "<strong>good</strong>", "<del>bad</del>", "<code>a&lt;b&gt;</code>", "<ul>", "<ol>", "☑ done", "☐ open", "<blockquote style=", `<table border="1"`, "if a &lt; b {}",
		`<a href="https://example.com/x?a=1&amp;b=2">here</a>`, `<a href="https://evil.example/p.gif">a picture</a>`} {
		require.Contains(t, html, want)
	}
	require.NotContains(t, html, "<img")
}

func TestNothingInAMailRuns(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java&Tab;script:alert(1))", "[x](&#106;avascript:alert(1))",
		"![x](javascript:alert(1))", "![x](data:text/html,<script>)", "[x](data:text/html;base64,PHNj)", "<javascript:alert(1)>", "[x](file:///etc/passwd)", "[x](report.pdf)", "![](https://evil.example/p.gif)",
		"[x](https://x/\"onmouseover=\"alert(1))", "`<script>`", "```\"><script>\nx\n```", "| <script>x</script> | b |\n|--|--|\n| <img src=x> | c |", "# <iframe>", "[<img src=x>](https://x)", "[![x](javascript:alert(1))](https://y)", "[![x](https://a)](javascript:1)"} {
		html := text.MailHTML(s)
		low := strings.ToLower(html)
		for _, bad := range []string{"<script", "<img", "<iframe", "<!--", `href="javascript`, `href="java`, `href="data`, `href="file`, `href="report`, `"onmouse`} {
			require.NotContains(t, low, bad, s)
		}
	}
}

func TestALongMailIsCut(t *testing.T) {
	t.Parallel()
	require.Empty(t, text.MailSplit(" \n\n"))
	require.Equal(t, []string{"short"}, text.MailSplit("short"))
	code := "Look:\n\n```go\n" + strings.Repeat("fmt.Println(\"ä line\")\n", 20_000) + "```\n\nThat is all."
	pieces := text.MailSplit(code)
	require.Greater(t, len(pieces), 2)
	lines := 0
	for _, p := range pieces {
		require.LessOrEqual(t, len(p), text.MailLimit+16)
		require.Zero(t, strings.Count(p, "```")%2, "each piece closes what it opens")
		lines += strings.Count(p, "ä line")
	}
	require.Equal(t, 20_000, lines)
	require.Contains(t, pieces[len(pieces)-1], "That is all.")
	solid := strings.Repeat("ü", 3*text.MailLimit)
	require.Equal(t, solid, strings.Join(text.MailSplit(solid), ""))
}

func FuzzMailHTML(f *testing.F) {
	f.Add(letter)
	f.Add("[![x](javascript:alert(1))](https://y) <b>")
	f.Fuzz(func(t *testing.T, s string) {
		html := text.MailHTML(s)
		for _, bad := range []string{"<script", "<img", "<input", `href="javascript:`, `href="data:`, "<!--"} {
			require.NotContains(t, html, bad)
		}
		_ = text.MailPlain(s)
	})
}
