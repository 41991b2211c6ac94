package main

import (
	"strconv"
	"time"

	"lobstead/views/ui"
)

// row is a table row with every string ready: the handler's work, not the template's.
type row struct {
	Name, Href, Where, Model, Memory, Next, Cost string
	State                                        ui.Badge
	Bar                                          ui.Bar
}

func rows(n int) []row {
	now := time.Now()
	base := []row{
		{"support-triage", "/instances", "us-east-1 · PRO · namespaces + landlock", "auto → claude-sonnet", "0.8 / 2 GB", "in 12 min", "$1.92", ui.Badge{Kind: ui.OK, Text: "Running", Reason: "answering", Since: now.Add(-8 * time.Second)}, ui.Bar{Used: 38, Limit: 100}},
		{"release-notes", "/instances", "eu-central · STARTER · container", "gpt-5.6-mini", "440 / 512 MB", "09:00 tomorrow", "$0.31", ui.Badge{Kind: ui.OK, Text: "Running", Reason: "idle", Since: now.Add(-4 * time.Minute)}, ui.Bar{Used: 86, Limit: 100}},
		{"data-sync", "/instances", "us-east-1 · STARTER · namespaces + landlock", "auto", "112 / 512 MB", "—", "$0.08", ui.Badge{Kind: ui.Warn, Text: "Waiting for approval", Since: now.Add(-48 * time.Minute)}, ui.Bar{Used: 22, Limit: 100}},
		{"crawler", "/instances", "ap-south · PRO · container", "claude-haiku", "2.0 / 2 GB", "paused", "$1.11", ui.Badge{Kind: ui.Bad, Text: "Error", Reason: "disk full", Since: now.Add(-3 * time.Minute), Href: "/instances"}, ui.Bar{Used: 98, Limit: 100}},
		{"nightly-build", "/instances", "us-east-1 · STARTER", "offline", "—", "—", "$0.00", ui.Badge{Kind: ui.Busy, Text: "Starting", Reason: "workspace", Since: now.Add(-2 * time.Second)}, ui.Bar{}},
		{"sandbox-demo", "/instances", "us-east-1 · STARTER", "offline", "—", "—", "$0.00", ui.Badge{Kind: ui.Off, Text: "Stopped", Reason: "by you", Since: now.Add(-26 * time.Hour)}, ui.Bar{}},
	}
	out := make([]row, n)
	for i := range out {
		out[i] = base[i%len(base)]
		if i >= len(base) {
			out[i].Name += "-" + strconv.Itoa(i)
		}
	}
	return out
}

var (
	turns   = ui.Spark{Label: "Turns an hour, last 24 hours", Values: []float64{9, 13, 11, 19, 25, 17, 15, 29, 37, 33, 45, 39, 31, 35}}
	latency = ui.Spark{Label: "First token in milliseconds, last 24 hours", Accent: true, Values: []float64{420, 400, 440, 380, 400, 500, 420, 400, 380, 400, 380, 360, 380, 380}}
)

func steps() []ui.Step {
	return []ui.Step{
		{ID: "step-1", State: ui.StepDone, Text: "Reserve a place", Took: 4 * time.Millisecond},
		{ID: "step-2", State: ui.StepDone, Text: "Make the workspace", Took: 31 * time.Millisecond},
		{ID: "step-3", State: ui.StepDone, Text: "Isolate: namespaces, landlock, seccomp", Took: 12 * time.Millisecond, Note: "cgroup memory is not available here; the limit is kept by rlimit."},
		{ID: "step-4", State: ui.StepRun, Text: "Start the daemon"},
		{ID: "step-5", State: ui.StepWait, Text: "Say hello"},
		{ID: "step-6", State: ui.StepFail, Text: "Pull the image", Took: 1240 * time.Millisecond, Note: "The registry refused the name. Check the image in the settings of this instance."},
	}
}

func logLines() []ui.LogLine {
	at := time.Now().Add(-time.Minute)
	return []ui.LogLine{
		{ID: "l1", At: at, Kind: ui.Off, Text: "sandbox ready in 47 ms"},
		{ID: "l2", At: at.Add(time.Second), Text: "open orders.csv, batch=412"},
		{ID: "l3", At: at.Add(2 * time.Second), Kind: ui.Warn, Text: "encoding is not UTF-8, trying latin-1"},
		{ID: "l4", At: at.Add(3 * time.Second), Kind: ui.Bad, Text: "error: invalid byte 0xE9 at row 18,204 of a very long line that has to wrap somewhere because a log never scrolls sideways"},
	}
}

func change() []ui.DiffLine {
	return []ui.DiffLine{
		{Op: '@', Text: "@@ -12,4 +12,5 @@ def read(path):"},
		{Op: ' ', Old: 12, New: 12, Text: "    head = peek(path)"},
		{Op: '-', Old: 13, Text: "    with open(path) as f:"},
		{Op: '+', New: 13, Text: "    enc = detect(head) or \"utf-8\""},
		{Op: '+', New: 14, Text: "    with open(path, encoding=enc, errors=\"strict\") as f:"},
		{Op: ' ', Old: 14, New: 15, Text: "        yield from csv.DictReader(f)"},
	}
}
