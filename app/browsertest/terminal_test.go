package browsertest

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shownRows is what the terminal shows, as text.
const shownRows = `[...document.querySelectorAll(".xterm-rows > div")].map((r) => r.innerText).join("\n")`

// types writes into the terminal as a keyboard does: each key is one event down, which says what it writes, and one up.
func (b *tab) types(text string) {
	b.t.Helper()
	b.do(chromedp.Focus(".xterm-helper-textarea", chromedp.ByQuery), chromedp.ActionFunc(func(ctx context.Context) error {
		for _, r := range text {
			key, code, writes, held := string(r), int64(0), string(r), input.ModifierNone
			switch r {
			case '\r':
				key, code = "Enter", 13
			case '\x03':
				key, code, writes, held = "c", 67, "", input.ModifierCtrl
			}
			down := input.DispatchKeyEvent(input.KeyDown).WithKey(key).WithWindowsVirtualKeyCode(code).WithText(writes).WithModifiers(held)
			if err := down.Do(ctx); err != nil {
				return err
			}
			if err := input.DispatchKeyEvent(input.KeyUp).WithKey(key).WithWindowsVirtualKeyCode(code).WithModifiers(held).Do(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (b *tab) reads(words string) {
	b.t.Helper()
	b.until(shownRows + `.replace(/\u00a0/g, " ").includes(` + strconv.Quote(words) + `)`)
}

// A shell in a real sandbox: type, colours, resize, Ctrl+C, reload, leave by keyboard, close; on a desk and on a phone.
func TestTerminal(t *testing.T) {
	s := start(t)
	b := owner(t, s)
	b.now("a running instance")
	b.ask("write plan.md with precious")
	b.until(`location.pathname.startsWith("/chat/")`)
	b.ended("1")
	b.open("/instances")
	b.until(`document.querySelector("#instance-rows a")`)
	at := b.text(`document.querySelector("#instance-rows a").getAttribute("href")`)
	b.open(at)
	b.follow(`.tabs a[href$="/terminal"]`)

	b.now("typing")
	b.until(`document.querySelector("[data-terminal-is=open]")`)
	b.reads("$")
	b.types("echo h\"\"i\r")
	b.reads("\nhi")
	b.types("mkdir -p harbour; ls --color\r")
	b.reads("plan.md")
	b.until(`document.querySelector(".xterm-rows [class*=xterm-fg-]")`)
	b.types("printf '\\033[38;2;200;80;40mtrue colour\\033[0m\\n'\r")
	b.until(`[...document.querySelectorAll(".xterm-rows span")].some((e) => e.style.color && e.innerText.includes("true colour"))`)
	b.judge("terminal")

	b.now("another size")
	asked := 0
	columns := func() int { // as programs are told
		asked++
		b.types(fmt.Sprintf("clear; echo si\"\"ze%d $(stty size)\r", asked))
		said := fmt.Sprintf(`/size%d \d+ (\d+)/.exec(`+shownRows+`.replace(/\u00a0/g, " "))`, asked)
		b.until(said)
		n, err := strconv.Atoi(b.text(said + `[1]`))
		require.NoError(t, err)
		return n
	}
	wide := columns()
	b.do(size(900, 700))
	b.until(`innerWidth === 900`)
	narrow := columns()
	assert.Less(t, narrow, wide, "what is typed at once finds the new size")
	b.do(size(1440, 900))
	b.until(`document.querySelector(".xterm-screen").clientWidth > 1000`)
	assert.Greater(t, columns(), narrow)

	b.now("Ctrl+C")
	b.types("clear; echo sl\"\"eeping; sleep 100\r")
	b.reads("sleeping")
	b.click("[data-terminal-do=copy]") // the phone's row is hidden here
	b.types("\x03")
	b.types("echo aw\"\"ake\r")
	b.reads("awake")

	b.now("a reload keeps the shell")
	b.types("mine=treasure; clear\r")
	b.open(at + "/terminal")
	b.until(`document.querySelector("[data-terminal-is=open]")`)
	b.types("echo still $mine\r")
	b.reads("still treasure")

	b.now("leaving by keyboard")
	b.text(`document.querySelector(".xterm-helper-textarea").focus(), document.querySelector(".xterm-helper-textarea").dispatchEvent(new KeyboardEvent("keydown", {code: "KeyL", key: "L", keyCode: 76, ctrlKey: true, shiftKey: true, bubbles: true, cancelable: true})), ""`)
	b.until(`document.activeElement.dataset.terminalDo === "copy"`)

	b.now("for a screen reader")
	b.click("[data-terminal-do=reader]")
	b.until(`document.querySelector(".xterm-accessibility")`)
	b.judge("terminal-reader")
	b.click("[data-terminal-do=reader]")

	b.now("close, and a new shell")
	b.click("[data-terminal-do=close]")
	b.until(`document.querySelector("[data-terminal-is=exit]")`)
	assert.Contains(t, b.text(`document.querySelector("[data-terminal-state]").innerText`), "The shell ended")
	b.photo("terminal-ended")
	b.click("[data-terminal-again]")
	b.until(`document.querySelector("[data-terminal-is=open]")`)
	b.types("echo and $mine.\r")
	b.reads("and .")

	b.now("stopped while it is open")
	b.text(`(fetch("` + at + `/power", {method: "POST", body: new URLSearchParams({action: "stop"}), keepalive: true}), "")`) // nobody waits: the page goes by itself
	b.until(`document.querySelector("main")?.innerText.includes("No terminal right now")`)
	b.judge("terminal-stopped")
	b.click("form[action$='/power'] button")
	b.until(`document.querySelector("[data-terminal-is=open]")`)

	b.open("/settings/audit")
	b.until(`document.querySelector("main").innerText.includes("terminal.closed") || document.querySelector("main").innerText.toLowerCase().includes("terminal")`)
}
