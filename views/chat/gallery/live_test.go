package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/views/chat"
	"lobstead/views/markdown"
)

const (
	field = "[data-composer-input]"
	// what the flow shows, without what the clock changes
	shown = `(() => { const f = document.getElementById("flow").cloneNode(true);
		f.querySelectorAll("time, [data-since]").forEach(e => e.remove());
		f.querySelectorAll("[tabindex]").forEach(e => e.removeAttribute("tabindex"));
		return f.innerHTML.trim(); })()`
)

// step is one entry of the log, pushed as the product does.
func (s *server) step(add func(l *log)) {
	s.mu.Lock()
	from := len(s.log.events)
	add(s.log)
	events := append([]models.Event(nil), s.log.events...)
	s.mu.Unlock()
	s.push(chat.Patches(events[from:], func(id string) *models.ToolCall {
		for i := len(events) - 1; i >= 0; i-- {
			if c, err := models.Decode[models.ToolCall](events[i]); err == nil && c.CallID == id {
				return &c
			}
		}
		return nil
	}))
}

var empty = chromedp.Evaluate(`document.querySelector("`+field+`").value = ""`, nil)

func waits(js string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var ok bool
		for range 1600 {
			if err := chromedp.Evaluate(js, &ok).Do(ctx); err != nil {
				return err
			}
			if ok {
				return nil
			}
			time.Sleep(25 * time.Millisecond)
		}
		return fmt.Errorf("never: %s", js)
	})
}

func does(f func()) chromedp.Action {
	return chromedp.ActionFunc(func(context.Context) error { f(); return nil })
}

// key is a key as a keyboard sends it.
func key(name string, code int64, mod input.Modifier) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for _, kind := range []input.KeyType{input.KeyDown, input.KeyUp} {
			k := input.DispatchKeyEvent(kind).WithKey(name).WithWindowsVirtualKeyCode(code).WithModifiers(mod)
			if kind == input.KeyDown && mod != 0 {
				k = k.WithText("\r")
			}
			if err := k.Do(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// A turn that streams over connections that break again and again ends as the page that a reload gives.
func TestALiveTurnBecomesThePageThatAReloadGives(t *testing.T) {
	ctx, base, s, said := browser(t)
	s.drop = true // hang up after every fifth patch
	answer := "Look **here**:\n\n- one\n- two\n\n```go\nx := 1\n```\n\nAnd the end."
	var before, after, words string
	require.NoError(t, chromedp.Run(ctx, size(1440, 900), chromedp.Navigate(base+"/chat/s1"), waits(`!!document.getElementById("flow")`),
		does(func() {
			s.step(func(l *log) { l.say("What is here?") })
			s.push(html(chat.Live(chat.LiveTurn{TurnID: "t1"})))
			s.step(func(l *log) { l.call("c/1", "bash", map[string]any{"command": "ls"}) })
			s.push(chat.LivePatch("t1", chat.LiveBlock{Key: "output/c/1", Tail: "a\n"}, 0))
			s.push(chat.LivePatch("t1", chat.LiveBlock{Key: "output/c/1", Tail: "a\nb <i>\n"}, 0))
		}),
		waits(`(document.querySelector("details.run pre[id^=out]") || {}).textContent === "a\nb <i>\n"`),
		does(func() {
			s.step(func(l *log) {
				l.add(models.ToolResult{CallID: "c/1", Tool: "bash", Output: "a\nb\n", Millis: 5})
			})
			stream(s, answer)
		}),
		waits(`(document.querySelector(".live .tail") || {}).textContent === "And the end.\n"`),
		chromedp.Evaluate(`document.querySelector(".live-block").innerText`, &words),
		does(func() {
			s.push(chat.LiveGone("t1", "text/2"))
			s.step(func(l *log) { l.answer(answer) })
			s.step(func(l *log) { l.end(models.TurnEnded{}) })
			s.push(html(chat.Live(chat.LiveTurn{})))
		}),
		waits(`!!document.querySelector(".turn-end") && !document.querySelector(".live-block") && !document.querySelector("details.run")`),
		chromedp.Evaluate(shown, &before),
		chromedp.Reload(), waits(`!!document.querySelector(".turn-end")`), chromedp.Evaluate(shown, &after)))
	require.Contains(t, words, "Look here:")
	require.Contains(t, words, "x := 1")
	require.Equal(t, after, before)
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Greater(t, s.streams, 3, "the stream was cut again and again")
	require.NotContains(t, said(), "exception")
}

// stream gives an answer in small pieces, as blocks that close and a tail that is replaced.
func stream(s *server, text string) {
	var md markdown.Stream
	var closed []string
	for i := 0; i < len(text); i += 9 {
		md.Write(text[i:min(len(text), i+9)])
		more, tail := md.Flush()
		from := len(closed)
		closed = append(closed, more...)
		s.push(chat.LivePatch("t1", chat.LiveBlock{Key: "text/2", Closed: closed, Tail: tail}, from))
	}
}

// Enter sends, Shift-Enter breaks, ↑ recalls; a refused message comes back; a patch disturbs nothing that is typed.
func TestTheComposer(t *testing.T) {
	ctx, base, s, _ := browser(t)
	var two, left, recalled, typed, focus string
	running := models.Turn{ID: "t1", State: models.TurnRunning}
	state := chat.ComposerProps{Running: &running, Queue: []chat.Queued{{TurnID: "t9", Text: "wait"}}}
	require.NoError(t, chromedp.Run(ctx, size(1440, 900), chromedp.Navigate(base+"/chat/s1"), chromedp.WaitVisible(field),
		chromedp.Click(field), chromedp.SendKeys(field, "one"), key("Enter", 13, input.ModifierShift), chromedp.SendKeys(field, "two"),
		chromedp.Value(field, &two), key("Enter", 13, 0),
		waits(`(document.querySelector(".me") || {}).textContent === "one\ntwo"`),
		chromedp.Click(field), key("ArrowUp", 38, 0), chromedp.Value(field, &recalled),
		empty, chromedp.SendKeys(field, "refuse"), key("Enter", 13, 0),
		chromedp.WaitVisible(".toast.bad"), waits(`document.querySelector("`+field+`").value === "refuse"`), chromedp.Value(field, &left),
		empty, chromedp.SendKeys(field, "half a sen"),
		does(func() { s.push(html(chat.ComposerState(state))) }), chromedp.WaitVisible("#queued-t9"),
		chromedp.SendKeys(field, "tence"), chromedp.Value(field, &typed),
		chromedp.Evaluate(`document.activeElement.name || ""`, &focus),
		chromedp.Click("#queued-t9 button"), chromedp.Sleep(200*time.Millisecond), key("Escape", 27, 0), chromedp.Sleep(300*time.Millisecond)))
	require.Equal(t, "one\ntwo", two)
	require.Equal(t, "one\ntwo", recalled)
	require.Equal(t, "refuse", left)
	require.Equal(t, "half a sentence", typed)
	require.Equal(t, "message", focus)
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Equal(t, []string{"one\ntwo", "stop t9", "stop t1"}, s.posted)
}

// Files are shown before they are sent, can be taken away, and go out with the message.
func TestAttachments(t *testing.T) {
	ctx, base, s, _ := browser(t)
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.png"), filepath.Join(dir, "b.txt")
	require.NoError(t, os.WriteFile(a, picture(), 0o600))
	require.NoError(t, os.WriteFile(b, []byte("text"), 0o600))
	var items int
	require.NoError(t, chromedp.Run(ctx, size(1440, 900), chromedp.Navigate(base+"/chat/s1"), chromedp.WaitVisible(field),
		chromedp.SetUploadFiles("input[name=files]", []string{a, b}), waits(`document.querySelectorAll(".tray-item").length === 2`),
		chromedp.Evaluate(`document.querySelectorAll(".tray-item img").length`, &items), picture1("/attached", "light", 1440),
		chromedp.Click(`.tray-item:nth-child(2) [data-tray-remove]`), waits(`document.querySelectorAll(".tray-item").length === 1`),
		chromedp.SendKeys(field, "look"), key("Enter", 13, 0), waits(`!!document.querySelector(".me")`), waits(`document.querySelectorAll(".tray-item").length === 0`)))
	require.Equal(t, 1, items, "a picture has a preview")
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Equal(t, []string{"a.png"}, s.files)
}

// The flow follows its end only while the reader is there; the pill leads back; earlier entries do not move the page.
func TestScrolling(t *testing.T) {
	ctx, base, s, _ := browser(t)
	s.log.events = long(1000)
	const end = `(() => { const f = document.querySelector("[data-chat-flow]"); return f.scrollHeight - f.scrollTop - f.clientHeight < 4 })()`
	const top = `Math.round(document.querySelector(".turn").getBoundingClientRect().top)`
	var before, after, turns, more, earlier int
	require.NoError(t, chromedp.Run(ctx, size(1440, 900), chromedp.Navigate(base+"/chat/s1"), waits(end),
		does(func() { s.step(func(l *log) { l.turns = 5000; l.say("news") }) }), waits(`document.querySelector(".turn:last-child .me").textContent === "news"`), waits(end),
		waits(`document.querySelector("[data-chat-latest]").hidden`),
		chromedp.Evaluate(`document.querySelector("[data-chat-flow]").scrollTop = 0`, nil), chromedp.Sleep(150*time.Millisecond),
		does(func() { s.step(func(l *log) { l.answer("more of it") }) }), waits(`!document.querySelector("[data-chat-latest]").hidden`),
		picture1("/pill", "light", 1440), chromedp.Click("[data-chat-latest]"), waits(end), waits(`document.querySelector("[data-chat-latest]").hidden`)))
	// A page of a window: the older part comes by a click.
	require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(base+"/chat/long"), waits(end),
		chromedp.Evaluate(`document.querySelectorAll(".turn").length`, &turns),
		chromedp.Evaluate(`document.querySelector("[data-chat-flow]").scrollTop = 0; document.querySelector(".turn").id = "mark"; window.was = document.querySelectorAll(".ev").length`, &earlier),
		chromedp.Sleep(100*time.Millisecond), chromedp.Evaluate(top, &before),
		chromedp.Click("#earlier a"), waits(`document.querySelectorAll(".ev").length > window.was`), chromedp.Sleep(200*time.Millisecond),
		chromedp.Evaluate(`Math.round(document.getElementById("mark").getBoundingClientRect().top)`, &after),
		chromedp.Evaluate(`document.querySelectorAll(".turn").length`, &more)))
	require.Greater(t, more, turns)
	require.InDelta(t, before, after, 40)
}

// The list opens over the conversation on a phone, and details at the side, without a script.
func TestOnAPhone(t *testing.T) {
	ctx, base, _, _ := browser(t)
	var list, rail, closed bool
	require.NoError(t, chromedp.Run(ctx, size(390, 844), chromedp.Navigate(base+"/chat"), chromedp.WaitVisible(field),
		chromedp.Click(`a[href="#sessions"]`), chromedp.Sleep(250*time.Millisecond), picture1("/sessions", "light", 390),
		chromedp.Evaluate(`document.getElementById("sessions").getBoundingClientRect().width > 300`, &list),
		chromedp.Click(".chat-list-close"), chromedp.Sleep(150*time.Millisecond),
		chromedp.Evaluate(`document.getElementById("sessions").getBoundingClientRect().width === 0`, &closed),
		chromedp.Click(".rail-switch"), chromedp.Sleep(150*time.Millisecond), picture1("/rail", "light", 390),
		chromedp.Evaluate(`document.getElementById("rail").getBoundingClientRect().width > 200`, &rail)))
	require.True(t, list)
	require.True(t, closed)
	require.True(t, rail)
}
