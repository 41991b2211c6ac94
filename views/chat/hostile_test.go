package chat_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"lobstead/models"
	"lobstead/views/chat"
	"lobstead/views/layout"
)

const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>' onclick='x javascript:alert(1) </textarea></pre></details>` + "\x1b[31m\u202e"

// safe looks at every element: nothing that runs, no style, no handler, no address but our own and the web's.
func safe(t *testing.T, out string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(out))
	require.NoError(t, err)
	for d := range doc.Descendants() {
		if d.Type != html.ElementNode {
			continue
		}
		switch d.Data {
		case "iframe", "object", "embed", "base", "style":
			t.Fatalf("<%s>", d.Data)
		case "script":
			src := ""
			for _, a := range d.Attr {
				if a.Key == "src" {
					src = a.Val
				}
			}
			assert.True(t, strings.HasPrefix(src, "/static/"), "a script: %q", src)
		}
		for _, a := range d.Attr {
			assert.False(t, strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(a.Key, "hx-on"), "%s on <%s>", a.Key, d.Data)
			if a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction" {
				assert.Regexp(t, `^($|/|#|https?://|about:invalid)`, a.Val)
			}
		}
	}
}

func hostileEvents() []models.Event {
	raw, _ := json.Marshal(map[string]string{"command": evil + "\n" + evil, "path": evil, "content": evil, "url": evil, "key": evil, "value": evil, "query": evil, "pattern": evil})
	out := []models.Event{}
	add := func(d models.EventData) { out = append(out, event(int64(len(out)+1), evil, d)) }
	add(models.UserMessage{Text: evil, Source: evil, By: evil, Attachments: []models.AttachmentNote{{ID: evil, Name: evil, MediaType: "image/png"}, {ID: evil, Name: evil, MediaType: evil, Size: -1}}})
	add(models.Thinking{Text: evil, Millis: -5})
	for _, tool := range []string{"bash", "read_file", "write_file", "edit_file", "list_files", "search_files", "fetch_url", "remember", "recall", evil, ""} {
		add(models.ToolCall{CallID: tool + evil, Tool: tool, Input: raw})
		add(models.ToolResult{CallID: tool + evil, Tool: tool, Output: evil, Diff: "@@ " + evil + "\n+" + evil, Error: tool == "bash", Millis: -1, Killed: 1})
	}
	for _, input := range []string{`null`, `[]`, `"x"`, `{"path":1}`} {
		add(models.ToolCall{CallID: input, Tool: "bash", Input: json.RawMessage(input)})
	}
	add(models.AssistantMessage{Text: evil, Model: evil, Provider: evil, Final: true, Cut: true})
	add(models.Notice{Level: models.LogLevel(evil), Text: evil})
	add(models.Compacted{Summary: evil, Through: -1})
	add(models.TurnEnded{State: models.TurnFailed, Reason: evil, Code: evil, Model: evil, Provider: evil, InputTokens: -4})
	add(models.TurnEnded{State: models.TurnState(evil)})
	out = append(out, models.Event{Seq: 99, Kind: models.EventKind(evil), Data: evil}, models.Event{Seq: 100, Kind: models.KindCall, Data: "{"}, models.Event{Seq: 101, Kind: models.KindResult, Data: ""})
	return out
}

func TestHostileWordsEverywhere(t *testing.T) {
	i := &models.Instance{ID: evil, Name: evil, State: models.InstanceState(evil), MemoryMB: -1}
	s := models.Session{ID: evil, Title: evil, Category: evil, Icon: evil, Status: evil, InstanceID: evil}
	turn := models.Turn{ID: evil, State: models.TurnRunning}
	p := chat.ShowProps{
		Frame:    layout.FrameProps{Title: evil, OrgName: evil, UserName: evil, LiveURL: evil},
		Sessions: chat.SessionListProps{Sessions: []models.Session{s, s}, Current: evil, Search: evil, Category: evil, Archived: true, Names: map[string]string{evil: evil}},
		Session:  &s, Instance: i, Instances: []models.Instance{*i, *i}, Events: hostileEvents(), Open: []models.Turn{turn, {ID: "q" + evil}},
		Rail:     chat.RailProps{SessionID: evil, Instance: i, Isolation: evil, Model: evil, MemoryMB: 5, Files: []chat.FileTouched{{Path: evil}, {Path: evil, Added: 1}, {Path: evil, Read: true}}, Memories: []models.Memory{{Key: evil, Value: evil}}, Tokens: 1, CostNanos: 1},
		Composer: chat.ComposerProps{Action: evil, SessionID: evil, InstanceID: evil, Placeholder: evil, Text: evil, Error: evil, Running: &turn, Queue: []chat.Queued{{TurnID: evil, Text: evil}}, Model: evil, Stopped: true},
		Live:     render(t, chat.Live(chat.LiveTurn{TurnID: evil, Blocks: []chat.LiveBlock{{Key: "text/" + evil}, {Key: evil}}})),
	}
	p.Composer.Action = "/chat/" + evil
	safe(t, render(t, chat.Show(p)))
	safe(t, render(t, chat.Delete(p)))
	p.Session = nil
	p.Events, p.Open = nil, nil
	safe(t, render(t, chat.Show(p)))
	safe(t, chat.Patches(hostileEvents(), nil))
	safe(t, render(t, chat.Earlier(evil, hostileEvents())))
	for _, e := range hostileEvents() {
		safe(t, render(t, chat.Event(e)))
	}
	safe(t, chat.LivePatch(evil, chat.LiveBlock{Key: "output/" + evil, Closed: []string{evil}, Tail: evil}, 0))
	safe(t, chat.LiveGone(evil, evil))
}

func TestNothingAtAll(t *testing.T) {
	empty := models.Session{}
	for _, c := range map[string]templ.Component{
		"show": chat.Show(chat.ShowProps{}), "session": chat.Show(chat.ShowProps{Session: &empty}), "delete": chat.Delete(chat.ShowProps{Session: &empty}),
		"new": chat.Show(chat.ShowProps{Instance: &models.Instance{}}), "head": chat.Head(chat.ShowProps{}), "list": chat.SessionList(chat.SessionListProps{}),
		"row": chat.SessionRow(empty, chat.SessionListProps{}), "rail": chat.Rail(chat.RailProps{}), "composer": chat.Composer(chat.ComposerProps{}),
		"state": chat.ComposerState(chat.ComposerProps{}), "events": chat.Events(nil), "live": chat.Live(chat.LiveTurn{}), "event": chat.Event(models.Event{}), "earlier": chat.Earlier("", nil),
	} {
		safe(t, render(t, c))
	}
	require.Empty(t, chat.Patches(nil, nil))
}

// Every piece that the stream replaces has its id.
func TestPatchablePiecesHaveTheirIDs(t *testing.T) {
	s := &models.Session{ID: "s1"}
	p := chat.ShowProps{Session: s, Instance: &models.Instance{ID: "i1"}, Composer: chat.ComposerProps{InstanceID: "i1"}}
	page := render(t, chat.Show(p))
	for _, id := range []string{"sessions", "chat-head", "flow", "live", "composer", "composer-state", "queue", "meter", "rail"} {
		assert.Equal(t, 1, strings.Count(page, `id="`+id+`"`), id)
	}
	form := page[strings.Index(page, "data-composer "):]
	form = form[:strings.Index(form, "</form>")]
	assert.NotContains(t, form, `id="composer-state"`, "a patch must not touch what is typed")
	for _, field := range []string{`name="message"`, `name="files"`, `name="instance"`} {
		assert.Contains(t, form, field)
	}
}

func TestTitles(t *testing.T) {
	for _, c := range []struct{ tool, input, want string }{
		{"bash", `{"command":"ls -la"}`, "Ran</b> <code>ls -la</code>"},
		{"bash", `{"command":"cd x\nls"}`, "<code>cd x …</code>"},
		{"read_file", `{"path":"README.md"}`, "Read</b> <code>README.md</code>"},
		{"edit_file", `{"path":"main.go"}`, `Edited</b> <code>main.go</code> <span class="num changed"><span class="plus">+4</span> <span class="minus">−1</span></span>`},
		{"list_files", `{}`, "Listed files</b> <span"},
		{"list_files", `{"path":"src"}`, "Listed files</b> <code>src</code>"},
		{"search_files", `{"pattern":"x","path":"src"}`, `Searched for</b> <code>x</code> <span class="tool-more">in src</span>`},
		{"fetch_url", `{"url":"https://example.org/a/b/?c=d"}`, "Fetched</b> <code>example.org/a/b</code>"},
		{"remember", `{"key":"colour","value":"teal"}`, "Remembered</b> <code>colour</code>"},
		{"recall", `{}`, `Recalled</b> <span class="tool-more">everything</span>`},
		{"moon", `{}`, "Used</b> <code>moon</code>"},
	} {
		r := models.ToolResult{CallID: "c", Tool: c.tool, Millis: 1200}
		if c.tool == "edit_file" {
			r.Added, r.Removed = 4, 1
		}
		out := render(t, chat.Events([]models.Event{event(1, "t", models.ToolCall{CallID: "c", Tool: c.tool, Input: json.RawMessage(c.input)}), event(2, "t", r)}))
		assert.Contains(t, out, c.want, c.tool)
		assert.Contains(t, out, "1.2 s")
	}
}

// A command reads as it runs: signs that turn the reading direction are taken out of titles and output.
func TestNothingReadsBackwards(t *testing.T) {
	in, _ := json.Marshal(map[string]string{"command": "echo \u202eevil"})
	out := render(t, chat.Events([]models.Event{event(1, "t", models.ToolCall{CallID: "c", Tool: "bash", Input: in}),
		event(2, "t", models.ToolResult{CallID: "c", Tool: "bash", Output: "a\u2066b\x1b[31mred\x1b[0m\rlast\x1b]0;title\x07\x08"})}))
	require.NotContains(t, out, "\u202e")
	require.NotContains(t, out, "\u2066")
	require.Contains(t, out, "<pre>last</pre>")
}
