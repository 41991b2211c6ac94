package markdown_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/views/markdown"
)

const button = `<button class="btn quiet small icon copy js-only"`

func TestRender(t *testing.T) {
	link := func(to, text string) string {
		return `<a href="` + to + `" rel="noopener noreferrer nofollow" target="_blank">` + text + `</a>`
	}
	for _, c := range []struct{ source, want string }{
		{"", ""},
		{"# One", "<h3>One</h3>\n"},
		{"###### Six", "<h6>Six</h6>\n"},
		{"a **b** _c_ ~~d~~ `e <f>`", "<p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e &lt;f&gt;</code></p>\n"},
		{`1 &lt; 2 &amp; \*no\* &copy; &#169; x`, "<p>1 &lt; 2 &amp; *no* © © x</p>\n"},
		{"a\nb  \nc", "<p>a\nb<br>\nc</p>\n"},
		{"- [x] a\n- [ ] b", "<ul>\n<li><input type=\"checkbox\" disabled aria-label=\"done\" checked> a</li>\n<li><input type=\"checkbox\" disabled aria-label=\"to do\"> b</li>\n</ul>\n"},
		{"3. a\n4. b", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>\n"},
		{"|a|b|\n|-|-:|\n|1<br>2|`x\\|y`|", "<div class=\"table-wrap\"><table>\n<thead>\n<tr><th>a</th><th class=\"r\">b</th></tr>\n</thead>\n<tbody>\n<tr><td>1<br>\n2</td><td class=\"r\"><code>x|y</code></td></tr>\n</tbody>\n</table></div>\n"},
		{"see http://localhost:8080/x?a=1&b=2.", "<p>see " + link("http://localhost:8080/x?a=1&amp;b=2", "http://localhost:8080/x?a=1&amp;b=2") + ".</p>\n"},
		{"(https://en.wikipedia.org/wiki/A_(b))", "<p>(" + link("https://en.wikipedia.org/wiki/A_(b)", "https://en.wikipedia.org/wiki/A_(b)") + ")</p>\n"},
		{"xhttp://a.b", "<p>xhttp://a.b</p>\n"},
		{"[a](HTTPS://b.c \"t\")", "<p>" + link("https://b.c", "a") + "</p>\n"},
		{"[a](README.md) [b](ftp://x) [c](//x.y)", "<p>a b c</p>\n"},
		{"<me@x.org> <https://x.org>", "<p>" + link("mailto:me@x.org", "me@x.org") + " " + link("https://x.org", "https://x.org") + "</p>\n"},
		{"![a cat](https://x.org/c.png)", "<p>" + link("https://x.org/c.png", "a cat") + "</p>\n"},
		{"![a cat](data:image/png;base64,AAAA) ![b](c.png)", "<p>a cat b</p>\n"},
		{"[![a](https://x.org/b.svg)](https://x.org)", "<p>" + link("https://x.org", "a") + "</p>\n"},
		{"<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"},
		{"> q\n\n---\n", "<blockquote>\n<p>q</p>\n</blockquote>\n<hr>\n"},
		{"a\x00b\xffc", "<p>a\uFFFDb\uFFFDc</p>\n"},
		{"a\u202eb", "<p>a\uFFFDb</p>\n"},
	} {
		assert.Equal(t, c.want, markdown.Render(c.source), c.source)
	}
}

func TestCodeHasItsNameItsColoursAndACopyButton(t *testing.T) {
	html := markdown.Render("```go\nfunc main() { println(\"<hi>\") } // x\n```")
	assert.Contains(t, html, `<div class="code" data-copy-from><div class="code-head"><span>Go</span>`+button)
	assert.Contains(t, html, `<pre class="chroma" data-copy-text><code><span class="kd">func</span> <span class="nf">main</span>() { <span class="nb">println</span>(<span class="s">&#34;&lt;hi&gt;&#34;</span>) } <span class="c1">// x</span>`)
	assert.NotContains(t, markdown.Render("    indented"), "code-head")
	assert.Contains(t, markdown.Render("```klingon\nx\n```"), "<span>klingon</span>")
	assert.Contains(t, markdown.Render("```src/main.py\ndef f(): pass\n```"), `<span class="kd">def</span>`)
	assert.Contains(t, markdown.Render("```go"), "<pre")
}

// Colouring never changes the text.
func TestColoursKeepTheText(t *testing.T) {
	var sources []string
	for _, pattern := range []string{"*.go", "../../static/js/*.js", "../../static/css/*.css", "../../bin/*", "../../*.json", "../../migrations/*/*"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, f := range files {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			sources = append(sources, string(b))
		}
	}
	sources = append(sources, `'`, `"`, "`", `'\`, `"\`, "'''", `'\''`, "$", "${", "<", "</", "<a", `<a b="`, "<!--", "/*", "@", "#", "[", "0x", "\\", "''", "--", "'a", "x.", "\n\n", "<a /", "</")
	for _, s := range sources {
		for _, name := range markdown.Languages() {
			html := markdown.Code("x."+name, s)
			require.Equal(t, s, textOf(t, html), name)
		}
	}
}

func TestHostileSizesEndSoon(t *testing.T) {
	for name, s := range map[string]string{
		"quotes": strings.Repeat(">", 1<<17), "lists": strings.Repeat("- ", 1<<16), "numbers": strings.Repeat("1. ", 1<<16), "brackets": strings.Repeat("[", 1<<16),
		"images": strings.Repeat("![", 1<<15), "links": strings.Repeat("[a](", 1<<15), "stars": strings.Repeat("*a ", 1<<15), "both": strings.Repeat("*a_ ", 1<<15),
		"ticks": strings.Repeat("`a", 1<<15), "tilde": strings.Repeat("~~a", 1<<15), "angle": strings.Repeat("<a", 1<<16), "br": strings.Repeat("<br ", 1<<15),
		"http": strings.Repeat("http://a", 1<<14), "entities": strings.Repeat("&#x", 1<<16), "table": strings.Repeat("|", 1<<16) + "\n" + strings.Repeat("|-", 1<<15),
		"ruler": strings.Repeat("-", 1<<17), "long": strings.Repeat("x", 1<<20), "fence": "```js\n" + strings.Repeat("`${", 1<<15), "tags": "```html\n" + strings.Repeat("<a ", 1<<15),
		"comments": "```c\n" + strings.Repeat("/*", 1<<15), "deep": strings.Repeat(">\n> ", 1<<13), "steps": stairs(1500), "refs": strings.Repeat("[a]: b\n", 1<<13),
	} {
		start := time.Now()
		html := markdown.Render(s)
		allowed(t, name, html)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s took %s", name, d)
		}
	}
}

func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", 2*i) + "- a\n")
	}
	return b.String()
}

// The sandbox daemon is the same binary: a process start pays nothing for this package.
func TestAStartIsFree(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "start")
	build := exec.Command("go", "test", "-c", "-o", bin, ".")
	require.NoError(t, build.Run())
	cmd := exec.Command(bin, "-test.run", "^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 9 || f[0] != "init" {
			continue
		}
		allocs, err := strconv.Atoi(f[len(f)-2])
		require.NoError(t, err)
		if f[1] == "lobstead/views/markdown" {
			assert.Less(t, allocs, 400, line)
		}
		assert.NotContains(t, f[1], "chroma")
	}
}

func BenchmarkRender(b *testing.B) {
	s := answer(4 << 10)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		markdown.Render(s)
	}
}

func BenchmarkCode(b *testing.B) {
	src, err := os.ReadFile("walk.go")
	require.NoError(b, err)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		markdown.Code("walk.go", string(src))
	}
}
