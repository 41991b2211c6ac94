package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"lobstead/models"
)

// start is when everything here happens; the gallery shows the same pictures on every day.
var start = time.Now().UTC().Truncate(time.Minute).Add(-20 * time.Minute)

// log builds crafted events.
type log struct {
	events []models.Event
	turn   *string
	turns  int
}

func (l *log) add(d models.EventData) {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	n := int64(len(l.events) + 1)
	l.events = append(l.events, models.Event{ID: fmt.Sprint("e", n), SessionID: "s1", TurnID: l.turn, Seq: n, Kind: d.EventKind(), Data: string(b),
		CreatedAt: start.Add(time.Duration(n) * time.Second)})
}

func (l *log) say(text string, files ...models.AttachmentNote) {
	l.turns++
	t := fmt.Sprintf("t%d", l.turns)
	l.turn = &t
	l.add(models.UserMessage{Text: text, Attachments: files, Source: "page", By: "Ada"})
}

func (l *log) think(text string, millis int64) { l.add(models.Thinking{Text: text, Millis: millis}) }

func (l *log) call(id, tool string, input map[string]any) {
	b, _ := json.Marshal(input)
	l.add(models.ToolCall{CallID: id, Tool: tool, Input: b})
}

func (l *log) tool(tool string, input map[string]any, r models.ToolResult) {
	id := fmt.Sprint("c", len(l.events))
	l.call(id, tool, input)
	r.CallID, r.Tool = id, tool
	if r.Millis == 0 {
		r.Millis = 40
	}
	l.add(r)
}

func (l *log) answer(text string) {
	l.add(models.AssistantMessage{Text: text, Provider: "anthropic", Model: "claude-sonnet", Final: true})
}

func (l *log) end(e models.TurnEnded) {
	if e.State == "" {
		e.State = models.TurnDone
	}
	if e.Provider == "" {
		e.Provider, e.Model, e.InputTokens, e.OutputTokens, e.CostNanos, e.Millis = "anthropic", "claude-sonnet", 4200, 612, 18_600_000, 11_200
	}
	l.add(e)
	l.turn = nil
}

const fixed = `The export switched to ` + "`latin-1`" + ` on the 18th, so the reader stops at the first accented name. I made the reader detect the encoding and fall back with a warning:

` + "```python" + `
enc = detect(head) or "utf-8"  # what the file says of itself
with open(path, encoding=enc, errors="strict") as f:
    yield from csv.DictReader(f)
` + "```" + `

| batch | rows | encoding | result |
|------:|-----:|----------|--------|
| 410 | 18,190 | utf-8 | imported |
| 411 | 18,201 | utf-8 | imported |
| 412 | 18,420 | latin-1 | **imported after the fix** |

What I did **not** touch:

- the schedule in ` + "`cron.yml`" + `
- the retry limit: *three* is fine
  - but a second notification would help
- [x] tests pass
- [ ] somebody tells the export team ([their page](https://example.org/exports))`

const reader = "@@ -12,6 +12,9 @@ def rows(path):\n     head = peek(path)\n-    with open(path) as f:\n+    enc = detect(head) or \"utf-8\"\n+    if enc != \"utf-8\":\n+        log.warning(\"%s is %s\", path, enc)\n+    with open(path, encoding=enc, errors=\"strict\") as f:\n         yield from csv.DictReader(f)\n \n"

func one(n int) *int { return &n }

// nightly is the conversation of the mock, and more.
func nightly() []models.Event {
	l := &log{}
	l.say("The nightly sync has failed three times. Find out why and fix it if it is safe.", models.AttachmentNote{ID: "a1", Name: "sync.log", MediaType: "text/plain", Size: 18_400})
	l.think("The log should tell. Let me look at its **end** first, then at the reader.", 3_100)
	l.tool("bash", map[string]any{"command": "tail -n 4 logs/sync.log"}, models.ToolResult{Output: "02:00:01 start  batch=412\n02:00:03 open   orders.csv\n02:00:03 \x1b[31merror\x1b[0m  invalid byte 0xE9 at row 18,204 (expected UTF-8)\n02:00:03 stop   exit=1\n", ExitCode: one(0)})
	l.tool("read_file", map[string]any{"path": "sync/reader.py"}, models.ToolResult{Output: "     1\timport csv\n     2\t\n     3\tdef rows(path):\n", Millis: 8})
	l.tool("edit_file", map[string]any{"path": "sync/reader.py", "old_text": "x", "new_text": "y"}, models.ToolResult{Output: "edited", Diff: reader, Added: 4, Removed: 1, Millis: 12})
	l.tool("bash", map[string]any{"command": "python -m pytest -q tests/test_reader.py"}, models.ToolResult{Output: "F.                                                     [100%]\nE   AssertionError: expected 18204 rows, got 18203\n1 failed, 1 passed in 0.31s\n", ExitCode: one(1), Error: true, Millis: 1240})
	l.answer(fixed)
	l.end(models.TurnEnded{})
	return l.events
}

// kinds shows every kind of entry and tool, and its ends.
func kinds() []models.Event {
	l := &log{}
	l.add(models.Notice{Level: models.LogInfo, Text: "The instance was restarted"})
	l.say("Hello 👋\n\nTwo lines,\nkept as they are. <script>alert(1)</script> & \"quotes\"", models.AttachmentNote{ID: "a2", Name: "whiteboard.png", MediaType: "image/png", Size: 64_000}, models.AttachmentNote{ID: "a3", Name: "a very long name of a report that goes on and on and does not end.pdf", MediaType: "application/pdf", Size: 3 << 20})
	l.add(models.Thinking{Redacted: true, Signature: "x", Millis: 12_000})
	l.tool("list_files", map[string]any{}, models.ToolResult{Output: "README.md\t1.2 KB\nsync/\nlogs/"})
	l.tool("search_files", map[string]any{"pattern": "TODO|FIXME", "path": "sync"}, models.ToolResult{Output: "sync/reader.py:14: # TODO: detect"})
	l.tool("fetch_url", map[string]any{"url": "https://example.org/docs/api/v2/?page=1"}, models.ToolResult{Output: "# API v2\n\nEverything about it.", Millis: 830})
	l.tool("remember", map[string]any{"key": "orders.csv", "value": "comes from the Paris warehouse"}, models.ToolResult{Output: "saved"})
	l.tool("recall", map[string]any{}, models.ToolResult{Output: "orders.csv (fact): comes from the Paris warehouse"})
	l.tool("write_file", map[string]any{"path": "hello.go", "content": "package main\n\nimport \"fmt\"\n\n// main greets.\nfunc main() {\n\tfmt.Println(\"Hello, 世界\", 42)\n}\n"}, models.ToolResult{Output: "written", Added: 8, Diff: ""})
	l.tool("bash", map[string]any{"command": "set -e\nfor f in logs/*.log; do\n  gzip -9 \"$f\"\ndone\nls -la logs"}, models.ToolResult{Output: strings.Repeat("-rw-r--r-- 1 agent agent 18400 Nov 18 02:00 sync-2026-11-18.log.gz and more words so that the line is long\n", 400), Truncated: true, ExitCode: one(0), Millis: 64_000})
	l.tool("deploy_to_moon", map[string]any{"rocket": "heavy", "crew": []string{"Ada", "Grace"}}, models.ToolResult{Output: "there is no tool \"deploy_to_moon\"", Error: true})
	l.tool("bash", map[string]any{"command": "sleep 600"}, models.ToolResult{Output: "[interrupted: somebody pressed Stop]", Error: true, Interrupted: true, Killed: 2, Millis: 8_300})
	l.end(models.TurnEnded{State: models.TurnInterrupted, Reason: "Stopped by Ada", Code: "interrupted", Provider: "anthropic", Model: "claude-sonnet", InputTokens: 900, OutputTokens: 80, Millis: 80_000, Killed: 2})
	l.say("Run `uname -a`")
	l.tool("bash", map[string]any{"command": "uname -a"}, models.ToolResult{Output: "Linux sandbox 6.8.0 x86_64 GNU/Linux", ExitCode: one(0), Millis: 4})
	l.add(models.AssistantMessage{Text: "This machine runs **Linux 6.8** on x86-64.", Provider: "offline", Model: "offline", Final: true})
	l.end(models.TurnEnded{Provider: "offline", Model: "offline", InputTokens: 120, OutputTokens: 30, Millis: 46})
	l.add(models.Compacted{Through: 20, Events: 20, Before: 96_400, After: 4_100, Summary: "Ada asked why the nightly sync fails. The cause is the **encoding** of `orders.csv`."})
	l.say("مرحبا، كيف يعمل هذا؟ Explain in Arabic.")
	l.answer("يعمل النظام على **خادمك** الخاص.\n\n- النقطة الأولى مع `code`\n- النقطة الثانية\n\nAnd one English paragraph, which reads from the left.")
	l.end(models.TurnEnded{})
	l.say("And now?")
	l.add(models.AssistantMessage{Text: "I was about to", Cut: true, Provider: "anthropic", Model: "claude-sonnet"})
	l.add(models.Notice{Level: models.LogWarn, Text: "The provider asked to slow down; tried again after 2 s"})
	l.end(models.TurnEnded{State: models.TurnFailed, Reason: "The provider refused the key (401): invalid x-api-key", Code: "provider.key", Provider: "anthropic", Model: "claude-sonnet", Millis: 900})
	return l.events
}

// prose shows what markdown can.
func prose() []models.Event {
	l := &log{}
	l.say("Show me everything that you can format.")
	l.answer("# A first heading\n\nText with **bold**, *italic*, ~~gone~~, `code` and a [link](https://example.org). " + strings.Repeat("A long sentence flows on and breaks where the column ends. ", 4) +
		"\n\n## A second heading\n\n> A quote that somebody said,\n> over two lines.\n\n1. first\n2. second\n   1. nested\n   2. again\n3. third\n\n### A third heading\n\n```ts\nexport async function load(id: string): Promise<Item[]> {\n  const r = await fetch(`/api/items/${id}`); // one line that is very long indeed and scrolls inside its own box, not the page\n  if (!r.ok) throw new Error(\"no\");\n  return r.json() as Item[];\n}\n```\n\n```diff\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n```\n\n```yaml\nname: sync\non:\n  schedule: \"0 2 * * *\"   # nightly\nretries: 3\n```\n\n```\nno language at all\n```\n\n---\n\n| left | right | centre | a long column that needs room | another one |\n|:-----|------:|:------:|---|---|\n| a | 1 | x | " + strings.Repeat("words ", 12) + "| y |\n| b | 22 | y | short | z |\n\n![A diagram](https://example.org/d.png) is a link, never loaded.\n\nhttps://localhost:8080/status, aVeryLongWordWithoutAnyBreak" + strings.Repeat("AndOn", 30))
	l.end(models.TurnEnded{})
	return l.events
}

// long is a session of n events, as a month of work leaves it.
func long(n int) []models.Event {
	l := &log{}
	for i := 0; len(l.events) < n; i++ {
		l.say(fmt.Sprintf("Question %d: what does the module do, and can it be shorter?", i))
		l.think("Let me see.", 900)
		l.tool("read_file", map[string]any{"path": fmt.Sprintf("src/module_%d.py", i)}, models.ToolResult{Output: strings.Repeat("def f(x):\n    return x + 1\n", 20)})
		l.tool("bash", map[string]any{"command": "wc -l src/*.py"}, models.ToolResult{Output: strings.Repeat("  120 src/module.py\n", 12), ExitCode: one(0)})
		l.tool("edit_file", map[string]any{"path": "src/module.py", "old_text": "a", "new_text": "b"}, models.ToolResult{Diff: reader, Added: 4, Removed: 1})
		l.answer("It **reads** the file and adds one.\n\n- short\n- clear\n\n```python\ndef f(x):\n    return x + 1\n```\n\nThat is all there is to say about it.")
		l.end(models.TurnEnded{})
	}
	return l.events[:n]
}
