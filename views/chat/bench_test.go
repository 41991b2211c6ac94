package chat_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"lobstead/models"
	"lobstead/views/chat"
)

// month is a session as a month of work leaves it: n events, every eighth an answer with code.
func month(n int) []models.Event {
	var out []models.Event
	zero := 0
	for i := 0; len(out) < n; i++ {
		turn := fmt.Sprint("t", i)
		add := func(d models.EventData) { out = append(out, event(int64(len(out)+1), turn, d)) }
		add(models.UserMessage{Text: "What does the module do, and can it be shorter?", Source: "page"})
		add(models.Thinking{Text: "Let me **see** what it does.", Millis: 1200})
		add(models.ToolCall{CallID: "a", Tool: "read_file", Input: json.RawMessage(`{"path":"src/module.py"}`)})
		add(models.ToolResult{CallID: "a", Tool: "read_file", Output: strings.Repeat("def f(x):\n    return x + 1\n", 40), Millis: 4})
		add(models.ToolCall{CallID: "b", Tool: "edit_file", Input: json.RawMessage(`{"path":"src/module.py","old_text":"a","new_text":"b"}`)})
		add(models.ToolResult{CallID: "b", Tool: "edit_file", Diff: "@@ -1,3 +1,3 @@\n def f(x):\n-    return x+1\n+    return x + 1\n \n", Added: 1, Removed: 1, Millis: 9, ExitCode: &zero})
		add(models.AssistantMessage{Text: "It **reads** the file and adds one, as `f` says.\n\n- short\n- clear\n\n```python\ndef f(x):\n    return x + 1\n```\n\nThat is all there is to say about [it](https://example.org).", Final: true})
		add(models.TurnEnded{State: models.TurnDone, Model: "claude-sonnet", InputTokens: 4000, OutputTokens: 300, CostNanos: 18_000_000, Millis: 9000})
	}
	return out[:n]
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

func BenchmarkEvents(b *testing.B) {
	for _, n := range []int{200, 1000} {
		list := month(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				_ = chat.Events(list).Render(b.Context(), io.Discard)
			}
		})
	}
}

func BenchmarkShow(b *testing.B) {
	p := chat.ShowProps{Session: &models.Session{ID: "s1"}, Instance: &models.Instance{ID: "i1"}, Events: month(200)}
	for range 50 {
		p.Sessions.Sessions = append(p.Sessions.Sessions, models.Session{ID: "s", Title: "A conversation about something", UpdatedAt: at})
	}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		_ = chat.Show(p).Render(b.Context(), io.Discard)
	}
}

func BenchmarkLivePatch(b *testing.B) {
	block := chat.LiveBlock{Key: "text/1", Closed: []string{"<p>one</p>", "<p>two</p>"}, Tail: "<p>and the end of it</p>"}
	b.ReportAllocs()
	for b.Loop() {
		chat.LivePatch("t1", block, 2)
	}
}
