package browsertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plain gives the conversation as it must be equal however it came about: without what counts time, what scripts add
// for comfort, and what a person opened.
const plain = `(root) => {
	const col = root.querySelector(".flow-col").cloneNode(true);
	col.querySelectorAll("[data-since]").forEach(e => e.textContent = "");
	col.querySelectorAll("time").forEach(e => { e.textContent = ""; e.removeAttribute("title"); e.removeAttribute("data-zoned"); });
	col.querySelectorAll(".code").forEach(e => { const pre = e.querySelector("pre"); if (pre && !e.matches(".tool *")) e.replaceWith(pre); });
	col.querySelectorAll("#live").forEach(live => { // the words so far, however they were cut into pieces
		live.querySelectorAll(".live-block").forEach(b => { b.textContent = b.textContent.replace(/\s+/g, " ").trim(); });
	});
	col.querySelectorAll("*").forEach(e => { ["tabindex", "style", "data-watched", "data-live-op", "aria-busy"].forEach(a => e.removeAttribute(a));
		[...e.classList].filter(c => c.startsWith("htmx")).forEach(c => e.classList.remove(c)); });
	return col.innerHTML.replace(/ class=""/g, "").replace(/\s+/g, " ").replace(/> </g, "><").replace(/></g, ">\n<");
}`

func (b *tab) conversation() string {
	b.t.Helper()
	return b.text(`(` + plain + `)(document)`)
}

// served is the conversation as the server writes it now; what the stream brought must be the same.
func (b *tab) served() string {
	b.t.Helper()
	return b.text(`fetch(location.href, {headers: {accept: "text/html"}}).then(r => r.text()).then(t => (` + plain + `)(new DOMParser().parseFromString(t, "text/html")))`)
}

// same waits until two views agree: both move while a turn runs.
func same(t *testing.T, when string, one, two func() string) {
	t.Helper()
	t.Helper()
	var a, b, first string
	began := time.Now()
	for time.Since(began) < 10*time.Second {
		before := one()
		b = two()
		a = one()
		if a == b || before == b {
			if d := time.Since(began); d > time.Second && first != "" {
				t.Logf("%s: agreed after %.1f s; at first: %s", when, d.Seconds(), first)
			}
			return
		}
		if first == "" {
			first = difference(a, b)
		}
	}
	assert.Equal(t, b, a, when)
}

// difference is the first line in which two views are not the same.
func difference(a, b string) string {
	one, two := strings.Split(a, "\n"), strings.Split(b, "\n")
	for n := range min(len(one), len(two)) {
		if one[n] != two[n] {
			return one[n] + " and " + two[n]
		}
	}
	return fmt.Sprintf("%d and %d lines", len(one), len(two))
}

// once asserts that nothing stands twice: ids are unique, and each line of output is there once at most.
func (b *tab) once(lines int, word string) {
	b.t.Helper()
	assert.Empty(b.t, b.text(`(() => { const n = {}; document.querySelectorAll("[id]").forEach(e => n[e.id] = (n[e.id] || 0) + 1);
		return Object.keys(n).filter(k => n[k] > 1).join(" "); })()`), "ids that stand twice")
	for i := 1; i <= lines; i++ {
		n := b.text(fmt.Sprintf(`Math.max(0, ...[...document.querySelectorAll(".tool-body > pre")].map(p => p.textContent.split("\n").filter(l => l === %q).length))`, fmt.Sprintf("%s %d", word, i)))
		assert.Contains(b.t, []string{"0", "1"}, n, "%s %d", word, i)
	}
}

func (b *tab) ask(text string) {
	b.t.Helper()
	b.fill("[data-composer-input]", text)
	b.press("Enter", keyEnter)
}

// What a page shows live is what a reload shows, at any moment of a turn, in any tab, and across a power cut.
func TestLiveEqualsReload(t *testing.T) {
	t.Parallel()
	s := start(t)
	live := owner(t, s)
	live.doing = "a turn that is watched"
	watcher, fresh := live.another(), live.another()
	live.ask("Run `for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.4; done`, then describe this server")
	live.until(`location.pathname.startsWith("/chat/")`)
	path := live.text(`location.pathname`)
	live.text(`window.mark = "first"`)
	watcher.open(path)
	watcher.has("#flow")
	reloads := 0
	for n := 1; n <= 12 && !live.holds(10*time.Millisecond, `document.querySelector(".turn-end")`); n++ {
		fresh.open(path)
		fresh.has(".me")
		reloads++
		same(t, fmt.Sprintf("reload %d in mid-turn", n), live.conversation, fresh.conversation)
		live.once(8, "line")
		fresh.once(8, "line")
		time.Sleep(200 * time.Millisecond)
	}
	live.ended("1")
	t.Logf("%d reloads in mid-turn", reloads)
	watcher.ended("1")
	same(t, "at the end", live.conversation, live.served)
	same(t, "the second tab at the end", watcher.conversation, live.served)
	live.once(8, "line")
	require.Contains(t, live.conversation(), "line 8")
	require.Equal(t, "first", live.text(`window.mark`), "the page was reloaded")
	live.still(0.1)

	live.doing, watcher.doing = "a power cut", "a power cut"
	live.allow("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
	watcher.allow("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
	live.ask("Run `for i in 1 2 3 4 5 6; do echo wave $i; sleep 0.5; done`, then list the files")
	live.until(`[...document.querySelectorAll(".tool.run pre")].some(p => p.textContent.includes("wave 2"))`)
	s.kill()
	cut := time.Now()
	s.restart()
	restarted := time.Since(cut)
	live.until(idle + ` && document.querySelectorAll(".turn-end").length === 2`)
	t.Logf("restarted after %.1f s, the page shows the turn's end after %.1f s: %s", restarted.Seconds(), time.Since(cut).Seconds(),
		strings.TrimSpace(live.text(`[...document.querySelectorAll(".turn")].pop().innerText.slice(-200)`)))
	watcher.ended("2")
	same(t, "after the power cut", live.conversation, live.served)
	same(t, "the second tab after the power cut", watcher.conversation, live.served)
	live.once(6, "wave")
	require.Equal(t, "first", live.text(`window.mark`), "the page was reloaded")
	assert.Equal(t, "true", live.text(`document.getElementById("offline").hidden`), "it says that it is reconnecting")

	live.ask("What is 6 times 7?")
	live.ended("3")
	watcher.ended("3")
	same(t, "the next turn", live.conversation, live.served)
}
