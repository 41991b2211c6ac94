package chat_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"lobstead/models"
	"lobstead/views/chat"
)

var at = time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC)

func event(seq int64, turn string, d models.EventData) models.Event {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	e := models.Event{ID: fmt.Sprint(seq), SessionID: "s1", Seq: seq, Kind: d.EventKind(), Data: string(b), CreatedAt: at}
	if turn != "" {
		e.TurnID = &turn
	}
	return e
}

// history is a random log as the engine writes them: turns one after the other, messages queued in between, several
// calls at once, call ids that occur in several turns.
func history(r *rand.Rand) []models.Event {
	var out []models.Event
	add := func(turn string, d models.EventData) { out = append(out, event(int64(len(out)+1), turn, d)) }
	turns, begun := 1+r.IntN(5), 0
	begin := func() {
		begun++
		add(fmt.Sprint("t", begun), models.UserMessage{Text: fmt.Sprint("question ", begun), Source: "page"})
	}
	for n := 1; n <= turns; n++ {
		turn, named := fmt.Sprint("t", n), 0
		if begun < n {
			begin()
		}
		for range r.IntN(4) {
			if r.IntN(3) == 0 {
				add(turn, models.Thinking{Text: "hm", Millis: 2000})
			}
			add(turn, models.AssistantMessage{Text: "I **look**.\n\n```go\nx := 1\n```"})
			calls := r.IntN(3)
			for range calls {
				named++
				add(turn, models.ToolCall{CallID: fmt.Sprint("c/é \"<", named), Tool: []string{"bash", "edit_file", "write_file", "mystery"}[r.IntN(4)], Input: json.RawMessage(`{"command":"ls","path":"a.go","content":"package a"}`)})
			}
			last := out[len(out)-calls:]
			for _, e := range last {
				c, _ := models.Decode[models.ToolCall](e)
				if begun < turns && r.IntN(6) == 0 {
					begin()
				}
				if r.IntN(8) == 0 {
					add("", models.Notice{Level: models.LogWarn, Text: "restarted"})
				}
				code := r.IntN(2)
				add(turn, models.ToolResult{CallID: c.CallID, Tool: c.Tool, Output: "out", ExitCode: &code, Error: code == 1, Millis: 5, Diff: "@@ -1 +1 @@\n-a\n+b\n"})
			}
		}
		add(turn, models.AssistantMessage{Text: "Done.", Final: true})
		if n < turns || r.IntN(2) == 0 {
			add(turn, models.TurnEnded{State: models.TurnDone, Provider: "offline", Model: "offline", InputTokens: 5})
		}
	}
	return out
}

func parse(t *testing.T, s string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(`<!DOCTYPE html><body><div id="flow">` + s + `</div>`))
	require.NoError(t, err)
	return byID(doc, "flow")
}

func byID(n *html.Node, id string) *html.Node {
	for d := range n.Descendants() {
		for _, a := range d.Attr {
			if a.Key == "id" && a.Val == id {
				return d
			}
		}
	}
	return nil
}

func take(n *html.Node, key string) (v string) {
	for i, a := range n.Attr {
		if a.Key == key {
			n.Attr = append(n.Attr[:i:i], n.Attr[i+1:]...)
			return a.Val
		}
	}
	return ""
}

// apply does what live.js does.
func apply(t *testing.T, flow *html.Node, patches string) {
	t.Helper()
	root := &html.Node{Type: html.ElementNode, Data: "div", Attr: []html.Attribute{{Key: "id", Val: "root"}}}
	parent := flow.Parent
	parent.RemoveChild(flow)
	root.AppendChild(flow)
	holder := parse(t, patches)
	for c := holder.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.ElementNode {
			holder.RemoveChild(c)
			place(t, root, c)
		}
		c = next
	}
	root.RemoveChild(flow)
	parent.AppendChild(flow)
}

func place(t *testing.T, root, el *html.Node) {
	op := take(el, "data-live-op")
	id := ""
	for _, a := range el.Attr {
		if a.Key == "id" {
			id = a.Val
		}
	}
	require.NotEmpty(t, id)
	if old := byID(root, id); old != nil {
		if op != "remove" {
			old.Parent.InsertBefore(el, old)
		}
		old.Parent.RemoveChild(old)
		return
	}
	target := byID(root, strings.TrimPrefix(op, "append:"))
	require.NotNil(t, target, "%s has no place %q", id, op)
	target.AppendChild(el)
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if err := html.Render(&b, c); err != nil {
			panic(err)
		}
	}
	return b.String()
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, c.Render(t.Context(), &b))
	return b.String()
}

// However the log is cut into patches, the page becomes what it would be after a reload.
func TestPatchesGiveThePageThatAReloadGives(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		log := history(r)
		want := parse(t, render(t, chat.Events(log)))
		cut := r.IntN(len(log) + 1)
		flow := parse(t, render(t, chat.Events(log[:cut])))
		for cut < len(log) {
			n := min(len(log), cut+1+r.IntN(5))
			seen := log[:n]
			patch := chat.Patches(log[cut:n], func(id string) *models.ToolCall { return latest(seen, id) })
			apply(t, flow, patch)
			if r.IntN(4) == 0 { // a stream that comes back may repeat a finished card
				apply(t, flow, chat.Patches(only(log[cut:n], models.KindResult), func(id string) *models.ToolCall { return latest(seen, id) }))
			}
			cut = n
		}
		require.Equal(t, text(want), text(flow))
	}
}

func only(list []models.Event, kind models.EventKind) (out []models.Event) {
	for _, e := range list {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

func latest(log []models.Event, id string) (found *models.ToolCall) {
	for _, e := range log {
		if c, err := models.Decode[models.ToolCall](e); err == nil && c.CallID == id {
			found = &c
		}
	}
	return found
}

// Every id of a page is there once.
func TestIDsAreUnique(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		seen := map[string]bool{}
		for d := range parse(t, render(t, chat.Events(history(r)))).Descendants() {
			for _, a := range d.Attr {
				if a.Key == "id" {
					require.False(t, seen[a.Val], a.Val)
					require.NotContains(t, a.Val, "/")
					seen[a.Val] = true
				}
			}
		}
	}
}

func TestAResultWithoutItsCallHasACardOfItsOwn(t *testing.T) {
	one := 1
	list := []models.Event{event(9, "t1", models.ToolResult{CallID: "c9", Tool: "bash", Output: "boom", Error: true, ExitCode: &one})}
	out := render(t, chat.Events(list))
	require.Contains(t, out, `id="ev-9"`)
	require.Contains(t, out, "boom")
	require.Contains(t, out, "exit 1")
	require.Contains(t, chat.Patches(list, nil), `data-live-op="append:turn-t1"`)
}

// What is earlier and what is shown fit together, wherever the window was cut.
func TestWindowsFitTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		log := history(r)
		shown := log[r.IntN(len(log)):]
		p := chat.ShowProps{Session: &models.Session{ID: "s1"}, Instance: &models.Instance{ID: "i1"}, Events: shown}
		page := render(t, chat.Show(p))
		first := int64(1)
		if _, rest, ok := strings.Cut(page, "/events?before="); ok {
			_, _ = fmt.Sscan(strings.FieldsFunc(rest, func(r rune) bool { return r < '0' || r > '9' })[0], &first)
		}
		earlier := render(t, chat.Earlier("s1", log[:first-1]))
		for _, e := range log {
			if e.Kind == models.KindResult {
				continue
			}
			id := fmt.Sprintf(`id="ev-%d"`, e.Seq)
			require.Equal(t, 1, strings.Count(page, id)+strings.Count(earlier, id), "%s of %d, from %d", id, len(log), first)
		}
		require.NotContains(t, earlier, "Running", "no card waits for a result that is on the page already")
	}
}
