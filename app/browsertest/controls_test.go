package browsertest

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const field = `document.querySelector("[data-composer-input]")`

// Everything that one does with a conversation, by keyboard and mouse.
func TestChatControls(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)

	b.now("Enter and Shift-Enter")
	b.fill("[data-composer-input]", "What is 2 plus 3?")
	b.press("Enter", keyEnter, input.ModifierShift)
	b.do(input.InsertText("And 4 plus 5?"))
	require.Equal(t, "What is 2 plus 3?\nAnd 4 plus 5?", b.text(field+`.value`))
	b.press("Enter", keyEnter)
	b.until(`location.pathname.startsWith("/chat/")`)
	b.ended("1")
	require.Equal(t, "", b.text(field+`.value`))
	require.Contains(t, b.text(`document.querySelector(".me").textContent`), "2 plus 3?\nAnd")
	chat := b.text(`location.pathname`)

	b.now("recall")
	b.do(chromedp.Focus("[data-composer-input]"))
	b.press("ArrowUp", keyUp)
	require.Equal(t, "What is 2 plus 3?\nAnd 4 plus 5?", b.text(field+`.value`))
	b.fill("[data-composer-input]", "")

	b.now("Esc stops")
	b.ask("run `sleep 61`")
	b.until(`document.querySelector(".tool.run") && document.querySelector("form[data-chat-stop]")`)
	stopped := time.Now()
	b.press("Escape", keyEscape)
	b.ended("2")
	esc := time.Since(stopped)
	b.now("the Stop button")
	b.ask("run `sleep 62`")
	b.until(`document.querySelector(".tool.run") && document.querySelector("form[data-chat-stop]")`)
	stopped = time.Now()
	b.click("form[data-chat-stop] button")
	b.ended("3")
	t.Logf("a sleep of a minute was stopped by Esc in %.2f s and by the button in %.2f s", esc.Seconds(), time.Since(stopped).Seconds())
	assert.Contains(t, b.text(`[...document.querySelectorAll(".turn")].pop().innerText`), "Maren Olsen", "who stopped it")

	b.now("the queue")
	b.ask("run `sleep 63`")
	b.until(`document.querySelector(".tool.run")`)
	for n, q := range []string{"What is 1 plus 1?", "What is 2 plus 2?", "What is 3 plus 3?"} {
		b.ask(q)
		b.until(fmt.Sprintf(`document.querySelectorAll("#queue > li").length === %d`, n+1))
	}
	b.photo("chat-queue")
	require.Contains(t, b.text(`document.querySelector("#queue").innerText`), "2 plus 2?")
	b.click("#queue > li:nth-child(2) button")
	b.until(`document.querySelectorAll("#queue > li").length === 2`)
	b.click("form[data-chat-stop] button")
	b.until(idle + ` && document.querySelectorAll("#queue > li").length === 0`)
	said := b.text(`[...document.querySelectorAll(".me")].map(e => e.textContent).join("|")`)
	assert.Contains(t, said, "1 plus 1?")
	assert.Contains(t, said, "3 plus 3?")
	assert.NotContains(t, b.text(`document.querySelector("#flow").innerText`), "2 + 2 = 4")

	b.now("attachments")
	dir := t.TempDir()
	dot, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dot.png"), dot, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tides.txt"), []byte("high water at 06:12\n"), 0o600))
	b.do(chromedp.SetUploadFiles("input[data-attach]", []string{filepath.Join(dir, "dot.png"), filepath.Join(dir, "tides.txt")}))
	b.until(`document.querySelectorAll(".tray-item").length === 2`)
	b.photo("chat-attach")
	b.ask("Here are two files.")
	b.until(idle + ` && document.querySelector(".me-picture img")?.naturalWidth === 10`)
	b.ask("read uploads/tides.txt")
	b.until(idle + ` && document.querySelector("#flow").innerText.includes("high water at 06:12")`)
	require.Equal(t, "0", b.text(`document.querySelectorAll(".tray-item").length`))

	b.now("copy")
	grant := cdpbrowser.SetPermission(&cdpbrowser.PermissionDescriptor{Name: "clipboard-read"}, cdpbrowser.PermissionSettingGranted).WithBrowserContextID(b.who)
	require.NoError(t, grant.Do(cdp.WithExecutor(b.ctx, chromedp.FromContext(b.ctx).Browser)))
	b.click(".it-tools [data-copy]")
	b.until(`document.querySelector("[data-copy].done")`)
	require.NotEmpty(t, b.text(`navigator.clipboard.readText()`))

	b.now("jump to latest")
	b.ask("run `seq 1 400`")
	b.until(idle + ` && (turn => turn.textContent.includes("seq") && turn.querySelector(".turn-end"))([...document.querySelectorAll(".turn")].pop())`)
	b.until(`(f => f.scrollHeight - f.scrollTop - f.clientHeight < 48)(document.querySelector("[data-chat-flow]"))`)
	b.text(`document.querySelector("[data-chat-flow]").scrollTop = 0`)
	b.has("[data-chat-latest]")
	b.photo("chat-latest")
	b.click("[data-chat-latest]")
	b.until(`document.querySelector("[data-chat-latest]").hidden && (f => f.scrollHeight - f.scrollTop - f.clientHeight < 48)(document.querySelector("[data-chat-flow]"))`)

	b.sessions(chat)
}

// sessions renames, pins, finds, archives and deletes the conversation.
func (b *tab) sessions(chat string) {
	t := b.t
	t.Helper()
	b.now("search in tool output")
	b.fill(".chat-find [name=q]", "high water")
	b.until(`document.querySelectorAll("#session-rows .sess").length === 1`)
	b.fill(".chat-find [name=q]", "no such words anywhere")
	b.until(`document.querySelector("#session-rows .chat-none")`)

	b.now("rename")
	b.open(chat)
	b.click(".conv-actions .menu > summary")
	b.photo("chat-menu")
	b.click(".rename > summary")
	b.fill(".rename-form [name=title]", "Tides & traps")
	b.click(".rename-form [type=submit]")
	b.until(`document.querySelector("#chat-head h1").textContent === "Tides & traps" && document.querySelector("#session-rows").textContent.includes("Tides & traps")`)
	b.now("pin")
	b.click(".conv-actions .menu > summary")
	b.click(".conv-actions [name=pinned]")
	b.until(`document.querySelector(".chat-group")?.textContent === "Pinned"`)
	b.now("archive")
	b.click(".conv-actions .menu > summary")
	b.click(".conv-actions [name=status]")
	b.until(`!location.pathname.startsWith("/chat/") && document.querySelector("#session-rows .chat-none")`)
	b.open(chat)
	b.click(".conv-actions .menu > summary")
	b.click(".conv-actions [name=status]")
	b.until(`document.querySelectorAll("#session-rows .sess").length === 1`)
	b.now("delete")
	b.click(".conv-actions .menu > summary")
	b.click(".conv-actions .menu-panel a[href$='/delete']")
	b.has(".lost")
	b.photo("chat-delete")
	b.click("form.form [type=submit]")
	b.has(".suggestion")
	b.allow("404")
	b.open(chat)
	b.until(`document.querySelector(".state-code")?.textContent === "Error 404"`)
}

// Without JavaScript everything is a link or a form.
func TestWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := person(t, s)
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open(s.setup)
	b.found()
	b.has(".suggestion")
	b.follow(".suggestion")
	b.reloadUntil(`document.querySelector(".turn-end")`)
	require.NotEqual(t, "0", b.text(`document.querySelectorAll("#flow .tool").length`))
	b.photo("no-js-chat")

	b.now("a message by the form")
	b.fill("[data-composer-input]", "run `sleep 64`")
	b.follow(".composer-send")
	b.reloadUntil(`document.querySelector("form[data-chat-stop]")`)
	b.follow("form[data-chat-stop] button")
	b.reloadUntil(idle + ` && document.querySelectorAll(".turn-end").length === 2`)

	b.now("a new instance")
	b.open("/instances/new")
	b.fill("[name=name]", "by-hand")
	b.follow("form.form [type=submit]")
	b.reloadUntil(`document.querySelector("#instance-head")?.textContent.includes("Running")`)
	b.follow("#instance-head [value=stop], #instance-head [value=STOP]")
	b.reloadUntil(`document.querySelector("#instance-head")?.textContent.includes("Stopped")`)
	b.now("deleting it")
	b.click("#danger a")
	b.fill("[name=confirm]", "by-hand")
	b.follow("form.form [type=submit]")
	b.reloadUntil(`location.pathname === "/instances" && !document.querySelector("#instance-rows").textContent.includes("by-hand")`)
	b.open("/settings")
	b.click(".person")
	b.click("form[action='/sign-out'] button")
	b.has("[name=password]")
}

// reloadUntil is what somebody without scripts does.
func (b *tab) reloadUntil(expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if b.holds(150*time.Millisecond, expression) {
			return
		}
		_ = chromedp.Run(b.ctx, chromedp.Reload()) // a page that is just being left cannot be loaded again
	}
	b.within(time.Second, expression)
}
