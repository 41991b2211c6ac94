package agent_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/kit/dial"
	"lobstead/models"
)

// use runs tool calls one after the other in a turn and gives their results.
func use(t *testing.T, fetch *http.Client, calls ...[2]string) []models.ToolResult {
	g := newRig(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
		if n < len(calls) {
			emit(call("c"+string(rune('a'+n)), calls[n][0], calls[n][1]))
			return nil
		}
		emit(text("done"))
		return nil
	})
	g.config = func(c *agent.Config) { c.Fetch = fetch }
	g.run("a")
	require.Equal(t, models.TurnDone, g.await(g.start("go")).State)
	return of[models.ToolResult](t, g.log())
}

func TestTools(t *testing.T) {
	r := use(t, nil,
		[2]string{"write_file", `{"path":"d/a.txt","content":"alpha\nbeta\nalpha\n"}`},
		[2]string{"edit_file", `{"path":"d/a.txt","old_text":"alpha","new_text":"x"}`},
		[2]string{"edit_file", `{"path":"d/a.txt","old_text":"alpha","new_text":"gamma","replace_all":true}`},
		[2]string{"edit_file", `{"path":"d/a.txt","old_text":"nowhere","new_text":"x"}`},
		[2]string{"read_file", `{"path":"d/a.txt","offset":2,"limit":1}`},
		[2]string{"read_file", `{"path":"none.txt"}`},
		[2]string{"list_files", `{}`},
		[2]string{"search_files", `{"pattern":"^gam"}`},
		[2]string{"search_files", `{"pattern":"("}`},
		[2]string{"bash", `{"command":"fail"}`},
		[2]string{"bash", `{"command":"echo x","timeout":3}`},
		[2]string{"bash", `{"command":"echo x","timeout_seconds":100000}`},
		[2]string{"bash", `{"command":7}`},
		[2]string{"remember", `{"key":"colour","value":"green","category":"fact"}`},
		[2]string{"remember", `{"key":"","value":"green"}`},
		[2]string{"recall", `{"query":"col"}`},
		[2]string{"write_file", `{"path":"../../etc/passwd","content":"x"}`},
		[2]string{"fetch_url", `{"url":"https://example.com"}`},
	)
	for i, want := range []string{"wrote d/a.txt", "2 times", "2 places", "not in d/a.txt", "     2\tbeta\n[lines 2 to 2 of 3", "no file none.txt",
		"d/a.txt\t17 bytes", "d/a.txt:1: gamma", "missing closing", "no good\n[exit code 3]", `unknown field "timeout"`, "from 1 to 600",
		"wrong input", "remembered under colour", "key", "colour (fact): green", "outside the workspace", "switched off"} {
		require.Contains(t, r[i].Output, want)
	}
	for i, failed := range []bool{false, true, false, true, false, true, false, false, true, true, true, true, true, false, true, false, true, true} {
		require.Equal(t, failed, r[i].Error, "%d: %s", i, r[i].Output)
	}
	require.Equal(t, 2, r[2].Added)
	require.Equal(t, 2, r[2].Removed)
	require.Contains(t, r[2].Diff, "--- a/d/a.txt\n+++ b/d/a.txt\n@@ -1,3 +1,3 @@\n-alpha\n+gamma\n beta\n-alpha\n+gamma\n")
	require.Equal(t, 3, *r[9].ExitCode)
}

func TestFetchURL(t *testing.T) {
	page := `<html><head><title>The Page</title><script>evil()</script><style>p{}</style></head><body><h1>Hello &amp; welcome</h1>
		<p>Some <b>bold</b> text, <a href="https://x.example/y">a link</a>.</p><ul><li>one<li>two</ul><pre>keep   this</pre></body></html>`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(page))
		case "/big":
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte(strings.Repeat("0123456789abcdef", 1<<17)))
		case "/image":
			w.Header().Set("Content-Type", "image/png")
		default:
			http.Error(w, `not here`, 404)
		}
	}))
	defer s.Close()
	client := s.Client()
	defer client.CloseIdleConnections()
	get := func(path string) [2]string { return [2]string{"fetch_url", `{"url":"` + s.URL + path + `"}`} }
	r := use(t, client, get("/page"), get("/big"), get("/image"), get("/none"), [2]string{"fetch_url", `{"url":"file:///etc/passwd"}`})
	require.Contains(t, r[0].Output, "# Hello & welcome\n\nSome bold text, a link (https://x.example/y).\n\n- one\n- two\n\n```\nkeep   this\n```")
	require.NotContains(t, r[0].Output, "evil")
	require.True(t, r[1].Truncated)
	require.LessOrEqual(t, len(r[1].Output), 33<<10)
	require.Contains(t, r[2].Output, "image/png")
	require.Contains(t, r[3].Output, "status 404")
	require.Contains(t, r[4].Output, "http:// or https://")
	blocked := use(t, dial.New(dial.Policy{}), [2]string{"fetch_url", `{"url":"` + s.URL + `"}`})
	require.True(t, blocked[0].Error)
	require.Contains(t, blocked[0].Output, "is not allowed: loopback")
}

func TestLongOutputKeepsHeadAndTail(t *testing.T) {
	g := newRig(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
		if n == 0 {
			emit(call("c", "bash", `{"command":"echo BEGIN`+strings.Repeat("é", 200_000)+`END"}`))
			return nil
		}
		emit(text("done"))
		return nil
	})
	g.run("a")
	g.await(g.start("go"))
	r := of[models.ToolResult](t, g.log())[0]
	require.True(t, r.Truncated)
	require.True(t, strings.HasPrefix(r.Output, "BEGIN"))
	require.True(t, strings.HasSuffix(r.Output, "END\n"))
	require.LessOrEqual(t, len(r.Output), 32<<10)
	require.True(t, utf8.ValidString(r.Output))
}

func TestRegistryTakesMore(t *testing.T) {
	r := agent.Builtin(nil)
	n := len(r.Names())
	extra := agent.Tool{Name: "extra", Schema: json.RawMessage(`{"type":"object"}`), Run: func(context.Context, *agent.Call) (models.ToolResult, error) { panic("a defect") }}
	r.Add(extra)
	r.Add(extra)
	require.Len(t, r.Names(), n+1)
	require.Panics(t, func() { r.Add(agent.Tool{Name: "broken", Schema: json.RawMessage(`[`)}) })
	for _, s := range r.Schemas() {
		require.True(t, json.Valid(s.Schema), s.Name)
	}
	g := newRig(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
		if n == 0 {
			emit(call("c", "extra", `{}`))
			return nil
		}
		emit(text("done"))
		return nil
	})
	g.config = func(c *agent.Config) { c.Tools = r }
	g.run("a")
	require.Equal(t, models.TurnDone, g.await(g.start("go")).State)
	require.Contains(t, of[models.ToolResult](t, g.log())[0].Output, "defect")
}

// Applying a diff to the old text gives the new one.
func TestDiffIsRight(t *testing.T) {
	line := rapid.SampledFrom([]string{"a\n", "b\n", "c\n", "\n", "long line\n"})
	rapid.Check(t, func(rt *rapid.T) {
		before := strings.Join(rapid.SliceOfN(line, 0, 30).Draw(rt, "before"), "") + rapid.SampledFrom([]string{"", "end"}).Draw(rt, "tail")
		after := strings.Join(rapid.SliceOfN(line, 0, 30).Draw(rt, "after"), "") + rapid.SampledFrom([]string{"", "end"}).Draw(rt, "tail")
		diff, added, removed := agent.UnifiedDiff("f", before, after)
		if before == after {
			require.Empty(rt, diff)
			return
		}
		got, plus, minus := apply(rt, before, diff)
		require.Equal(rt, after, got)
		require.Equal(rt, []int{added, removed}, []int{plus, minus})
	})
}

func apply(t require.TestingT, before, diff string) (out string, plus, minus int) {
	old := strings.SplitAfter(before, "\n")
	at := 0
	lines := strings.SplitAfter(diff, "\n")[2:]
	for i, l := range lines {
		if l == "" || strings.HasPrefix(l, `\`) {
			continue
		}
		body := l[1:]
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], `\`) {
			body = strings.TrimSuffix(body, "\n")
		}
		switch l[0] {
		case '@':
			var from, n int
			_, err := sscan(l, &from, &n)
			require.NoError(t, err)
			if n > 0 {
				from--
			}
			for ; at < from; at++ {
				out += old[at]
			}
		case ' ', '-':
			require.Equal(t, old[at], body)
			at++
			if l[0] == ' ' {
				out += body
			} else {
				minus++
			}
		case '+':
			out += body
			plus++
		}
	}
	return out + strings.Join(old[at:], ""), plus, minus
}

func TestClipMiddle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.String().Draw(rt, "s")
		limit := rapid.IntRange(1, 200).Draw(rt, "limit")
		out, cut := agent.ClipMiddle(s, limit)
		require.Equal(rt, len(s) > limit, cut)
		require.True(rt, utf8.ValidString(out))
		require.LessOrEqual(rt, len(out), limit+60)
	})
}

func FuzzReadable(f *testing.F) {
	f.Add("<p>x<script><p>y")
	f.Fuzz(func(_ *testing.T, s string) { _ = agent.Readable(s) })
}
