package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
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

var (
	shots = flag.String("shots", "", "directory that receives a picture of every page in both themes and widths")
	only  = flag.String("only", "", "pages to look at: a part of their address")
)

// browser opens Chromium on a fresh gallery; the test is skipped where there is none.
func browser(t *testing.T) (context.Context, string, chan string) {
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
	server := httptest.NewServer(Handler())
	t.Cleanup(server.Close)
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(bin), chromedp.NoSandbox, chromedp.DisableGPU)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 9*time.Minute)
	t.Cleanup(cancel)
	said := make(chan string, 1000)
	chromedp.ListenTarget(ctx, func(ev any) {
		if e, ok := ev.(*cdplog.EventEntryAdded); ok {
			said <- e.Entry.Text + " " + e.Entry.URL
		}
	})
	require.NoError(t, chromedp.Run(ctx, cdplog.Enable()))
	return ctx, server.URL, said
}

func size(width, height int64) chromedp.Action {
	return emulation.SetDeviceMetricsOverride(width, height, 1, width < 600)
}

func await(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// axe-core finds nothing serious on any page, in both themes; the policy stops nothing; nothing is wider than a phone.
func TestPagesHoldInTheBrowser(t *testing.T) {
	axe, err := os.ReadFile("../../../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skip("needs axe-core: run npm install")
	}
	ctx, base, said := browser(t)
	for _, p := range paths() {
		if !strings.Contains(p, *only) {
			continue
		}
		for _, theme := range []string{"light", "dark"} {
			var wide, narrow string
			var overflow int
			require.NoError(t, chromedp.Run(ctx,
				size(1440, 900),
				chromedp.Navigate(base+p+"?theme="+theme),
				chromedp.Sleep(150*time.Millisecond),
				picture(p, theme, 1440),
				chromedp.Evaluate(string(axe), nil),
				chromedp.Evaluate(axeRun, &wide, await),
				size(390, 844),
				chromedp.Sleep(80*time.Millisecond),
				picture(p, theme, 390),
				size(360, 780),
				chromedp.Evaluate(`document.documentElement.scrollWidth - innerWidth`, &overflow),
			), p)
			if theme == "light" { // colours are judged above; what differs here is the layout
				require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(axeRun, &narrow, await)), p)
			}
			assert.Empty(t, wide+narrow, "%s in %s", p, theme)
			assert.LessOrEqual(t, overflow, 0, "%s is wider than 360 px", p)
		}
	}
	for len(said) > 0 {
		s := <-said
		require.NotContains(t, s, "Content Security Policy")
		require.NotContains(t, s, "Refused")
	}
}

const axeRun = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations
	.filter(v => ["serious", "critical"].includes(v.impact) || v.id == "heading-order")
	.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + " — " + n.failureSummary)).join("\n"))`

func picture(p, theme string, width int64) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		if *shots == "" {
			return nil
		}
		time.Sleep(150 * time.Millisecond) // let things come to rest
		var b []byte
		if err := chromedp.FullScreenshot(&b, 100).Do(ctx); err != nil {
			return err
		}
		name := strings.ReplaceAll(strings.Trim(p, "/"), "/", "-")
		return os.WriteFile(filepath.Join(*shots, fmt.Sprintf("%s-%s-%d.png", name, theme, width)), b, 0o644)
	})
}

// The search field narrows the list while one types, and the address keeps it.
func TestTheListFiltersWhileTyping(t *testing.T) {
	ctx, base, _ := browser(t)
	var rows int
	var at, focus string
	require.NoError(t, chromedp.Run(ctx,
		chromedp.Navigate(base+"/instances"),
		chromedp.WaitVisible("#instance-rows"),
		chromedp.Focus("#instance-search"),
		chromedp.SendKeys("#instance-search", "crawler"),
		chromedp.Sleep(600*time.Millisecond),
		chromedp.Evaluate(`document.querySelectorAll("#instance-rows tr").length`, &rows),
		chromedp.Evaluate(`location.search`, &at),
		chromedp.Evaluate(`document.activeElement.id`, &focus),
	))
	require.Equal(t, 6, rows, at)
	require.Equal(t, "?q=crawler", at)
	require.Equal(t, "instance-search", focus)
}
