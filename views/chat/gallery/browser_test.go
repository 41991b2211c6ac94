package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var shots = flag.String("shots", "", "directory that receives a picture of every page in both themes and widths")

// browser opens Chromium on a fresh server; the test is skipped where there is none.
func browser(t *testing.T) (context.Context, string, *server, func() []string) {
	t.Helper()
	bin := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			bin = p
			break
		}
	}
	if bin == "" || testing.Short() {
		t.Skip("needs Chromium")
	}
	s := newServer()
	server := httptest.NewServer(s)
	t.Cleanup(server.CloseClientConnections)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(2*time.Minute))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	said := make(chan string, 1000)
	chromedp.ListenTarget(ctx, func(ev any) {
		switch e := ev.(type) {
		case *cdplog.EventEntryAdded:
			said <- e.Entry.Text + " " + e.Entry.URL
		case *runtime.EventExceptionThrown:
			said <- "exception: " + e.ExceptionDetails.Error()
		}
	})
	require.NoError(t, chromedp.Run(ctx, cdplog.Enable(), runtime.Enable()))
	return ctx, server.URL, s, func() (all []string) {
		for len(said) > 0 {
			all = append(all, <-said)
		}
		return all
	}
}

func size(width, height int64) chromedp.Action {
	return emulation.SetDeviceMetricsOverride(width, height, 1, width < 600)
}

func paths() []string {
	var all []string
	for p := range pages {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

// axe-core finds nothing serious on any page, in both themes; the policy stops nothing; nothing is wider than a phone.
func TestPagesHoldInTheBrowser(t *testing.T) {
	axe, err := os.ReadFile("../../../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skip("needs axe-core: run npm install")
	}
	ctx, base, _, said := browser(t)
	for _, p := range paths() {
		for _, theme := range []string{"light", "dark"} {
			var wide, narrow string
			var overflow int
			require.NoError(t, chromedp.Run(ctx,
				size(1440, 900),
				chromedp.Navigate(base+p+"?theme="+theme),
				chromedp.Sleep(250*time.Millisecond),
				picture1(p, theme, 1440),
				tall(p, theme),
				chromedp.Evaluate(string(axe), nil),
				chromedp.Evaluate(axeRun, &wide, awaitPromise),
				size(390, 844),
				chromedp.Sleep(100*time.Millisecond),
				picture1(p, theme, 390),
				size(360, 780),
				chromedp.Evaluate(`Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll(".flow, .dock, .conv-head")].map(e => e.scrollWidth - e.clientWidth))`, &overflow),
				chromedp.Evaluate(axeRun, &narrow, awaitPromise),
			), p)
			assert.Empty(t, wide, "%s in %s", p, theme)
			assert.Empty(t, narrow, "%s in %s, narrow", p, theme)
			assert.LessOrEqual(t, overflow, 0, "%s is wider than 360 px", p)
		}
	}
	for _, s := range said() {
		require.NotContains(t, s, "Content Security Policy")
		require.NotContains(t, s, "Refused")
		require.NotContains(t, s, "exception")
	}
}

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

const axeRun = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations
	.filter(v => ["serious", "critical"].includes(v.impact))
	.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + " — " + n.failureSummary)).join("\n"))`

// tall is the whole conversation in one picture.
func tall(p, theme string) chromedp.Action {
	if *shots == "" || theme == "dark" {
		return chromedp.Tasks{}
	}
	unfold := chromedp.Evaluate(`(document.querySelector("[data-chat-tools]") || document.body).click()`, nil)
	return chromedp.Tasks{size(1440, 2600), picture1(p, theme, 2600), unfold, picture1(p+"-unfolded", theme, 2600), unfold, size(1440, 900)}
}

func picture1(p, theme string, width int64) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		if *shots == "" {
			return nil
		}
		time.Sleep(250 * time.Millisecond) // let things come to rest
		var b []byte
		if err := chromedp.CaptureScreenshot(&b).Do(ctx); err != nil {
			return err
		}
		name := strings.ReplaceAll(strings.Trim(p, "/"), "/", "-")
		return os.WriteFile(filepath.Join(*shots, fmt.Sprintf("%s-%s-%d.png", name, theme, width)), b, 0o600)
	})
}
