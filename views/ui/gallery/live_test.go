package main

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// A stream that hangs up is opened again with the cursor; what was already there is not added twice.
func TestTheStreamResumesFromItsCursor(t *testing.T) {
	ctx, base, _ := browser(t)
	var text string
	var count int
	require.NoError(t, chromedp.Run(ctx, size(1440, 900), chromedp.Navigate(base+"/chat"),
		chromedp.WaitVisible("#live-2"),
		chromedp.Text("#live-2", &text),
		chromedp.Evaluate(`document.querySelectorAll("#live-target > *").length`, &count)))
	require.Equal(t, "connection 2, after 201", text)
	require.Equal(t, 2, count, "live-1 once, live-2 once")
}

// A patch keeps what the person opened and where the cursor stands.
func TestAPatchKeepsFocusAndOpenCards(t *testing.T) {
	ctx, base, _ := browser(t)
	var open bool
	var focus, value string
	require.NoError(t, chromedp.Run(ctx, size(1440, 900), chromedp.Navigate(base+"/chat"),
		chromedp.Click("#call-2 > summary"),
		chromedp.Evaluate(`const t = document.createElement("div"); t.innerHTML = '<div id="x"><input name="a" value="old"></div>';
			document.querySelector("#turns").append(t); t.querySelector("input").focus(); t.querySelector("input").value = "typed";
			lobstead.live.apply('<div id="x"><input name="a" value="new"><b>more</b></div><details class="tool" id="call-2"><summary>again</summary></details>')`, nil),
		chromedp.Evaluate(`document.querySelector("#call-2").open`, &open),
		chromedp.Evaluate(`document.activeElement.name || ""`, &focus),
		chromedp.Evaluate(`document.querySelector("#x input").value`, &value)))
	require.True(t, open)
	require.Equal(t, "a", focus)
	require.Equal(t, "typed", value)
}

// enter is the key as a keyboard sends it; SendKeys would add a character that the page has already refused.
var enter = chromedp.ActionFunc(func(ctx context.Context) error {
	if err := input.DispatchKeyEvent(input.KeyRawDown).WithKey("Enter").WithWindowsVirtualKeyCode(13).Do(ctx); err != nil {
		return err
	}
	return input.DispatchKeyEvent(input.KeyUp).WithKey("Enter").WithWindowsVirtualKeyCode(13).Do(ctx)
})

// Enter sends, the message appears once, and a refused one comes back into the composer with a toast.
func TestTheComposerSendsAndRestores(t *testing.T) {
	ctx, base, _ := browser(t)
	var left, sent, toast, recalled string
	const field = "[data-composer-input]"
	require.NoError(t, chromedp.Run(ctx, size(1440, 900), chromedp.Navigate(base+"/chat"),
		chromedp.SendKeys(field, "hello there"), enter,
		chromedp.WaitVisible("#live-target ~ .turn .me", chromedp.ByQuery),
		chromedp.Text("#live-target ~ .turn .me", &sent, chromedp.ByQuery),
		chromedp.SendKeys(field, kb.ArrowUp), chromedp.Value(field, &recalled),
		chromedp.Evaluate(`document.querySelector("[data-composer-input]").value = ""`, nil), chromedp.SendKeys(field, "fail"), enter,
		chromedp.WaitVisible(".toast.bad"), picture("/toast", "light", 1440), chromedp.Text(".toast.bad [data-toast-text]", &toast), chromedp.Value(field, &left)))
	require.Equal(t, "hello there", sent)
	require.Equal(t, "hello there", recalled)
	require.Equal(t, "fail", left)
	require.Contains(t, toast, "The instance is stopped.")
}

// The dialog opens from its link, arms its button by the typed name, and closes by Esc; "?" shows the catalogue.
func TestDialogsAndShortcuts(t *testing.T) {
	ctx, base, _ := browser(t)
	var before, after, open, sheet, theme string
	const button = `String(document.querySelector("#delete [type=submit]").disabled)`
	require.NoError(t, chromedp.Run(ctx, size(1440, 900), chromedp.Navigate(base+"/instances"),
		chromedp.Click("details[data-menu] > summary.btn"), chromedp.Click("[data-dialog-open=delete]"),
		chromedp.WaitVisible("#delete"), chromedp.Evaluate(button, &before),
		picture("/dialog", "light", 1440), chromedp.SendKeys("#delete-confirm", "support-triage"), chromedp.Evaluate(button, &after),
		chromedp.KeyEvent(kb.Escape), chromedp.Sleep(100*time.Millisecond),
		chromedp.Evaluate(`String(document.querySelector("#delete").open)`, &open),
		chromedp.KeyEvent("?"), chromedp.WaitVisible("#shortcuts"),
		picture("/shortcuts", "light", 1440), chromedp.Text("#shortcuts", &sheet), chromedp.KeyEvent(kb.Escape),
		chromedp.Click(".person"), picture("/person", "light", 1440), chromedp.Click(`.side [data-theme-form] [value=dark]`),
		chromedp.Evaluate(`document.documentElement.dataset.theme + " " + document.cookie`, &theme)))
	require.Equal(t, "true", before)
	require.Equal(t, "false", after)
	require.Equal(t, "false", open)
	require.Contains(t, sheet, "New chat")
	require.Equal(t, "dark theme=dark", theme)
}

// The drawer opens on a phone, holds the focus and closes by Esc.
func TestTheDrawerOnAPhone(t *testing.T) {
	ctx, base, _ := browser(t)
	var open, closed bool
	require.NoError(t, chromedp.Run(ctx, size(390, 844), chromedp.Navigate(base+"/"),
		chromedp.Click("[data-drawer-open]"), chromedp.Sleep(250*time.Millisecond), picture("/drawer", "light", 390),
		chromedp.Evaluate(`document.getElementById("main").inert && document.getElementById("side").getBoundingClientRect().left === 0`, &open),
		chromedp.KeyEvent(kb.Escape), chromedp.Sleep(250*time.Millisecond),
		chromedp.Evaluate(`!document.getElementById("main").inert && document.getElementById("side").getBoundingClientRect().right <= 0`, &closed)))
	require.True(t, open)
	require.True(t, closed)
}
