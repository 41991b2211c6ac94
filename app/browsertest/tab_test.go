package browsertest

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
)

// patience is how long anything may take on a machine that does much else.
const patience = time.Minute

var theBrowser struct {
	once   sync.Mutex
	ctx    context.Context
	cancel []context.CancelFunc
}

// browser is one Chromium for the whole package; each person gets a browser context of their own.
func browser(t *testing.T) context.Context {
	t.Helper()
	theBrowser.once.Lock() // tests run beside each other
	defer theBrowser.once.Unlock()
	if theBrowser.ctx != nil {
		return theBrowser.ctx
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testservices.Chromium(t)), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.WSURLReadTimeout(2*time.Minute), chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("lang", "en-GB"))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	require.NoError(t, chromedp.Run(ctx))
	theBrowser.ctx, theBrowser.cancel = ctx, []context.CancelFunc{cancel, stop}
	return ctx
}

func closeBrowser() {
	for _, cancel := range theBrowser.cancel {
		cancel()
	}
}

// tab is one tab of one person, and everything that went wrong in it.
type tab struct {
	t      *testing.T
	ctx    context.Context
	server *server
	who    cdp.BrowserContextID

	mu    sync.Mutex
	bad   []string
	fine  []string // parts of complaints that a test provokes
	doing string
}

// person opens a window in a browser context of its own: another browser, as far as the server can tell.
func person(t *testing.T, s *server) *tab {
	t.Helper()
	whole := browser(t)
	who, err := target.CreateBrowserContext().Do(cdp.WithExecutor(whole, chromedp.FromContext(whole).Browser))
	require.NoError(t, err)
	return window(t, s, who)
}

// another window of the same person.
func (b *tab) another() *tab {
	b.t.Helper()
	return window(b.t, b.server, b.who)
}

// window opens a window: tabs in the background of one are throttled.
func window(t *testing.T, s *server, who cdp.BrowserContextID) *tab {
	t.Helper()
	whole := browser(t)
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(who).WithNewWindow(true).Do(cdp.WithExecutor(whole, chromedp.FromContext(whole).Browser))
	require.NoError(t, err)
	ctx, cancel := chromedp.NewContext(whole, chromedp.WithTargetID(id))
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Run(ctx))
	b := begin(t, s, ctx)
	b.who = who
	return b
}

func begin(t *testing.T, s *server, ctx context.Context) *tab {
	t.Helper()
	b := &tab{t: t, ctx: ctx, server: s}
	chromedp.ListenTarget(ctx, b.heard)
	b.do(emulation.SetFocusEmulationEnabled(true), network.Enable(), cdplog.Enable(), runtime.Enable(), page.Enable(), size(1440, 900),
		chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(watch).Do(ctx)
			return err
		}))
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, s := range b.bad {
			if !slices.ContainsFunc(b.fine, func(part string) bool { return strings.Contains(s, part) }) {
				t.Error("the browser complains: " + s)
			}
		}
	})
	return b
}

// heard collects what a visitor's developer tools would show in red.
func (b *tab) heard(ev any) {
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		at, err := url.Parse(e.Request.URL)
		if err != nil || (at.Scheme == "http" || at.Scheme == "https" || at.Scheme == "ws") && at.Scheme+"://"+at.Host != b.server.base {
			b.complain("a request to a foreign host: " + e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			b.complain(fmt.Sprintf("HTTP %d: %s", e.Response.Status, e.Response.URL))
		}
	case *runtime.EventExceptionThrown:
		b.complain("exception: " + e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			b.complain("console:" + said(e.Args))
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.LevelWarning || e.Entry.Level == cdplog.LevelError {
			b.complain("log: " + e.Entry.Text + " " + e.Entry.URL)
		}
	}
}

// said is what a page wrote to its console.
func said(args []*runtime.RemoteObject) string {
	var words strings.Builder
	for _, a := range args {
		words.WriteString(" " + cmp.Or(a.Description, string(a.Value), string(a.Type)))
	}
	return words.String()
}

func (b *tab) complain(s string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bad = append(b.bad, s+" ("+b.doing+")")
}

// allow names what a test provokes on purpose.
func (b *tab) allow(parts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fine = append(b.fine, parts...)
}

func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Run(ctx, actions...), b.doing)
}

// open goes to a path.
func (b *tab) open(path string) {
	b.t.Helper()
	b.doing = path
	if !strings.HasPrefix(path, "http") {
		path = b.server.base + path
	}
	b.do(chromedp.Navigate(path))
}

func size(width, height int64) chromedp.Action {
	return emulation.SetDeviceMetricsOverride(width, height, 1, width < 600)
}

func theme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}})
}

func await(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// text evaluates an expression, which may be a promise, to a string.
func (b *tab) text(expression string) string {
	b.t.Helper()
	var out string
	b.do(chromedp.Evaluate(`Promise.resolve(`+expression+`).then(String)`, &out, await))
	return out
}

// until waits for an expression to become true; a page that is being replaced counts as not yet.
func (b *tab) until(expression string) {
	b.t.Helper()
	b.within(patience, `document.readyState !== "loading" && (`+expression+`)`)
}

func (b *tab) within(d time.Duration, expression string) {
	b.t.Helper()
	if !b.holds(d, expression) {
		var at, body string
		_ = chromedp.Run(b.ctx, chromedp.Location(&at), chromedp.Evaluate(`document.body.innerText`, &body))
		b.photo("failed-" + b.t.Name())
		b.t.Fatalf("%s: never became true: %s\nThe page %s says:\n%s", b.doing, expression, at, body)
	}
}

func (b *tab) holds(d time.Duration, expression string) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		var ok bool
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Run(ctx, chromedp.Evaluate(`!!(`+expression+`)`, &ok))
		cancel()
		if err == nil && ok {
			return true
		}
	}
	return false
}

// has waits until an element is there and can be seen.
func (b *tab) has(selector string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.getClientRects().length)`, selector))
}

// click presses the first visible element in its middle, as a person does.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.pressed(selector)()
}

// follow clicks what leads to another page, and waits for it: a reload before that would end the way there.
func (b *tab) follow(selector string) {
	b.t.Helper()
	b.text(`window.before = "1"`)
	b.click(selector)
	b.until(`!window.before && document.readyState === "complete"`)
}

// pressed puts the mouse down there; the function lets it go.
func (b *tab) pressed(selector string) (release func()) {
	b.t.Helper()
	b.has(selector)
	var at []float64
	b.do(chromedp.Evaluate(fmt.Sprintf(`(() => { const e = [...document.querySelectorAll(%q)].find(e => e.getClientRects().length);
		e.scrollIntoView({block: "nearest", behavior: "instant"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, selector), &at))
	mouse := func(kind input.MouseType) chromedp.Action {
		return input.DispatchMouseEvent(kind, at[0], at[1]).WithButton(input.Left).WithClickCount(1)
	}
	b.do(mouse(input.MousePressed))
	return func() { b.do(mouse(input.MouseReleased)) }
}

// fill replaces what stands in a field by typing.
func (b *tab) fill(selector, value string) {
	b.t.Helper()
	b.has(selector)
	b.until(fmt.Sprintf(`(e => { if (!e) return false; e.focus(); e.select(); return document.activeElement === e; })([...document.querySelectorAll(%q)].find(e => e.getClientRects().length))`, selector))
	b.do(input.InsertText(value))
}

// press sends one key as a keyboard does.
func (b *tab) press(key string, code int64, modifiers ...input.Modifier) {
	b.t.Helper()
	m := input.ModifierNone
	for _, x := range modifiers {
		m |= x
	}
	down := input.DispatchKeyEvent(input.KeyDown).WithKey(key).WithCode(key).WithWindowsVirtualKeyCode(code).WithModifiers(m)
	if key == "Enter" {
		down = down.WithText("\r")
	}
	b.do(down, input.DispatchKeyEvent(input.KeyUp).WithKey(key).WithCode(key).WithWindowsVirtualKeyCode(code).WithModifiers(m))
}

const (
	keyEnter  = 13
	keyEscape = 27
	keyUp     = 38
)

// photo keeps the page, also what lies below the fold, when pictures are wanted.
func (b *tab) photo(name string) {
	if *shots == "" {
		return
	}
	var picture []byte
	if err := chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, _, _, _, whole, err := page.GetLayoutMetrics().Do(ctx)
		if err != nil {
			return err
		}
		picture, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithClip(&page.Viewport{Width: whole.Width, Height: whole.Height, Scale: 1}).Do(ctx)
		return err
	})); err != nil {
		b.t.Log("no picture: ", err)
		return
	}
	require.NoError(b.t, os.WriteFile(filepath.Join(*shots, strings.ReplaceAll(name, "/", "-")+".png"), picture, 0o600))
}

// watch runs before each page: it counts what moves, and how an answer grows.
const watch = `(() => {
	if (window.seen) return;
	const seen = window.seen = { shift: 0, moved: [], grown: 0, tools: 0 };
	let sized = -1000; // what moves because the window got another size is no shift of the page's
	addEventListener("resize", () => { sized = performance.now(); });
	new PerformanceObserver((list) => list.getEntries().forEach((e) => {
		if (e.hadRecentInput || Math.abs(e.startTime - sized) < 200) return;
		seen.shift += e.value;
		e.sources.forEach((s) => s.node && seen.moved.push((s.node.id || s.node.className || s.node.nodeName) + " " + e.value.toFixed(4)));
	})).observe({ type: "layout-shift", buffered: true });
	let was = 0;
	new MutationObserver(() => {
		const live = document.getElementById("live");
		const now = live ? live.textContent.trim().length : 0;
		if (now > was) seen.grown++;
		was = now;
		seen.tools = Math.max(seen.tools, document.querySelectorAll(".tool").length);
	}).observe(document, { childList: true, subtree: true, characterData: true });
})()`

// now says what the test is about to do, and when, for whoever reads a failure.
func (b *tab) now(doing string) {
	b.doing = doing
	b.t.Logf("%s: %s", time.Now().Format("15:04:05.0"), doing)
}
