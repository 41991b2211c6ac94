package markdown_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/views/markdown"
)

// blocks are what models write.
var blocks = []string{
	"## What I found\n\n", "The export switched to `latin-1` on the **18th**, so the reader stops at the first accented name. See [the log](https://example.org/log?x=1&y=2) and _compare_.\n\n",
	"- first point\n- second point with `code`\n  - nested one\n  - nested two\n- third\n\n", "1. one\n2. two\n\n   more of two\n3. three\n\n",
	"```python\nimport csv\n\ndef read(path: str, enc=\"utf-8\"):\n    # detect first\n    with open(path, encoding=enc) as f:\n        yield from csv.DictReader(f)\n```\n\n",
	"| file | lines | note |\n|------|------:|------|\n| `a.go` | 120 | **new** |\n| `b.go` | 88 | edited |\n\n", "> A quote, over\n> two lines.\n\n", "---\n\n",
	"```sh\n$ ls -la | grep \"x\" && echo $HOME\n```\n\n", "Text directly before code:\n```json\n{\"a\": [1, 2.5, true]}\n```\nand directly after. Grüße, 世界 🎉.\n\n", "### A tight heading\nwith text below\n- and a list\n\n",
	"* star item\n\n  with a second paragraph\n\n* another\n\n", "- [x] done\n- [ ] open\n\n    indented in the item\n\n", "    code by indentation\n\n    goes on\n\n",
	"~~~~\n```\nnot the end\n```\n~~~~\n\n", "- **Bold** lead\n\n      code in an item\n\n- next\n", "A line\nand another\n", "\n\n", "| a |\n|---|\n| b |\n", "Setext\n======\n", "> - list in a quote\n> - more\n\n",
	"- a\n  ```\n  x\n\n  y\n  ```\n- b\n\n", "![pic](https://example.org/p.png)\n\n", "10. ten\n11. eleven\n\n    under eleven\n\n",
	"1. Run this:\n\n   ```sh\n   make run\n\n   # done\n   ```\n\n2. Then that.\n\n",
}

// answer is a text as models write them, of about n bytes.
func answer(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		b.WriteString(blocks[i%len(blocks)])
	}
	return b.String()
}

// pieces of documents, for random ones.
var pieces = []string{
	"word word", "\n", "\n", "\n\n", "- item", "* star", "1. one", "10) ten", "  - nested", "   text", "    code", "\t", "# h", "####", "```", "```go", "~~~", "````", "   ```", "  ```", "> quote", ">", "---", "===", "***",
	"| a | b |\n|---|---|\n| 1 | 2 |", "**bold", "`x`", "[a](https://b.c)", "![i](https://b.c/d)", "<br>", "<div>", "\\", "&amp;", "https://x.org/a_b", "- [ ] todo", "é世🎉", " ", "      ", "-", "+", "1.", "*", "#x", "- ```\n  in\n  ```", "- a\n\n      code", "\r\n",
}

func document(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(30) {
		b.WriteString(pieces[r.IntN(len(pieces))])
		if r.IntN(2) == 0 {
			b.WriteString("\n")
		}
	}
	return b.String()
}

func streamed(source string, r *rand.Rand) string {
	var s markdown.Stream
	var out strings.Builder
	tail := ""
	for source != "" {
		n := min(len(source), 1+r.IntN(9))
		s.Write(source[:n])
		source = source[n:]
		if r.IntN(2) == 0 || source == "" {
			var closed []string
			closed, tail = s.Flush()
			out.WriteString(strings.Join(closed, ""))
		}
	}
	return out.String() + tail
}

// What the stream gave out is what the whole text gives, however it was cut.
func TestStreamGivesWhatRenderGives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	require.Equal(t, markdown.Render(answer(6000)), streamed(answer(6000), r))
	for range 3000 {
		var source strings.Builder
		for range r.IntN(12) {
			source.WriteString(blocks[r.IntN(len(blocks))])
		}
		require.Equal(t, markdown.Render(source.String()), streamed(source.String(), r), source.String())
	}
	other := 0
	for range 20000 { // the text of nobody: now and then right only when the whole is rendered
		source := document(r)
		if markdown.Render(source) != streamed(source, r) {
			other++
			if testing.Verbose() {
				t.Logf("%q", source)
			}
		}
	}
	require.Less(t, other, 400)
}

func TestStreamShowsAnOpenFenceAsCode(t *testing.T) {
	var s markdown.Stream
	s.Write("Look:\n\n```go\nfunc main() {\n\n// \xe4\xb8")
	closed, tail := s.Flush()
	require.Equal(t, []string{"<p>Look:</p>\n"}, closed)
	require.Contains(t, tail, `<span class="kd">func</span>`)
	require.NotContains(t, tail, "\uFFFD")
	s.Write("\x96\n```\nAfter")
	closed, tail = s.Flush()
	require.Len(t, closed, 1)
	require.Contains(t, closed[0], "世")
	require.Equal(t, "<p>After</p>\n", tail)
	closed, tail = s.Flush()
	require.Empty(t, closed)
	require.Equal(t, "<p>After</p>\n", tail)
}

// The open block stays small: a paragraph is closed as soon as the next one begins.
func TestStreamClosesEarly(t *testing.T) {
	var s markdown.Stream
	s.Write("one\n\nt")
	closed, tail := s.Flush()
	require.Equal(t, []string{"<p>one</p>\n"}, closed)
	require.Equal(t, "<p>t</p>\n", tail)
	s = markdown.Stream{}
	s.Write("- a\n- b\n\nt")
	closed, _ = s.Flush()
	require.Len(t, closed, 1)
}

// 4-byte deltas, shown after every fifth: what 20 patches a second of a fast model are.
func BenchmarkStream(b *testing.B) {
	for _, size := range []int{4 << 10, 16 << 10, 64 << 10} {
		for name, text := range map[string]string{"mixed": answer(size), "fence": "```go\n" + strings.Repeat("\tif err := f(x, \"y\"); err != nil { return 1 }\n", size/46), "list": strings.Repeat("- a list item with `code` and **bold** words\n", size/45)} {
			b.Run(fmt.Sprintf("%s/%dKB", name, size>>10), func(b *testing.B) {
				b.ReportAllocs()
				defer cpu(b)()
				for b.Loop() {
					var s markdown.Stream
					for i := 0; i < len(text); i += 4 {
						s.Write(text[i:min(len(text), i+4)])
						if i%20 == 0 {
							s.Flush()
						}
					}
				}
			})
		}
	}
}

// cpu reports what an operation really took, on a machine where others work too.
func cpu(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := used()
	return func() { b.ReportMetric(float64(used()-start)/float64(b.N)/1e3, "cpu-µs/op") }
}

// What is painted line by line is what is painted at once.
func TestOpenFenceIsPaintedOnceAndRight(t *testing.T) {
	for _, name := range append(markdown.Languages(), "none") {
		src, err := os.ReadFile("stream_test.go")
		require.NoError(t, err)
		source := "````" + name + "\n" + string(src[:6000]) + strings.Join(attacks[:40], "\n") + "\n/* open\n\"\"\" x\n<!-- y\n"
		var s markdown.Stream
		tail := ""
		for i := 0; i < len(source); i += 97 {
			s.Write(source[i:min(len(source), i+97)])
			_, tail = s.Flush()
		}
		require.Equal(t, markdown.Render(source), tail, name)
	}
}

func TestALongListGoesOutInPieces(t *testing.T) {
	var s markdown.Stream
	closed := 0
	for i := range 500 {
		s.Write(fmt.Sprintf("%d. item with some words\n", i+1))
		c, tail := s.Flush()
		closed += len(c)
		require.Less(t, len(tail), 6000)
	}
	require.Greater(t, closed, 3)
}
