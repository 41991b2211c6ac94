package browsertest

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
)

const axeRun = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations
	.filter(v => ["serious", "critical"].includes(v.impact))
	.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + " — " + n.failureSummary)).join("\n"))`

// wide is what sticks out of a phone: the page, or a part of it that should not scroll sideways.
const wide = `(() => { const w = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= w) return "";
	return document.documentElement.scrollWidth + " px: " + [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > w + 1)
		.slice(0, 5).map(e => e.id || e.className || e.nodeName).join(", "); })()`

// judge looks at a page in both themes and at three widths: pictures, axe-core, and nothing wider than the screen.
func (b *tab) judge(name string) {
	b.t.Helper()
	axe := axeSource(b.t)
	b.doing = name
	for _, look := range []string{"light", "dark"} {
		b.do(theme(look), size(1440, 900))
		b.settle()
		b.photo(fmt.Sprintf("%s-%s-1440", name, look))
		b.axe(axe, name+" in "+look)
		b.do(size(390, 844))
		b.settle()
		b.photo(fmt.Sprintf("%s-%s-390", name, look))
		if look == "light" { // what differs at this width is the layout, and that is the same in both
			assert.Empty(b.t, b.text(wide), "%s is too wide at 390", name)
			b.axe(axe, name+" on a phone")
			b.do(size(360, 740))
			b.settle()
			assert.Empty(b.t, b.text(wide), "%s is too wide at 360", name)
		}
	}
	b.do(theme("light"), size(1440, 900))
	b.settle()
}

// menus opens every menu of a page, wide and on a phone: none makes the page wider, and what stands in one stays in it.
func (b *tab) menus(name string) {
	b.t.Helper()
	for _, width := range []int64{390, 1440} {
		b.do(size(width, 900))
		b.settle()
		assert.Empty(b.t, b.text(`(async () => {
			const list = [...document.querySelectorAll(".main details[data-menu]")].filter(m => m.getClientRects().length), bad = [];
			if (!list.length) return "no menu";
			for (const m of list) {
				m.open = true;
				m.querySelectorAll("details").forEach(d => { d.open = true; });
				const panel = m.querySelector(".menu-panel"), w = document.documentElement.clientWidth;
				let wrong = "";
				for (let n = 0; n < 20 && (n < 2 || wrong); n++) {
					await new Promise(r => setTimeout(() => requestAnimationFrame(r), 30));
					const r = panel.getBoundingClientRect();
					wrong = r.left < 0 || r.right > w || document.documentElement.scrollWidth > innerWidth ? ": from " + r.left + " to " + r.right : "";
				}
				if (wrong) bad.push(m.innerText + wrong);
				if (panel.scrollWidth > panel.clientWidth) bad.push(m.innerText + ": wider than its panel");
				m.open = false;
			}
			return bad.join("; ");
		})()`), "%s: menus at %d", name, width)
	}
}

// settle lets styles and fonts come to rest.
func (b *tab) settle() {
	b.t.Helper()
	b.text(`document.fonts.ready.then(() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r))))`)
	if *shots != "" {
		time.Sleep(250 * time.Millisecond)
	}
}

func (b *tab) axe(source, where string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Minute)
	defer cancel()
	var found string
	var loaded bool
	require.NoError(b.t, chromedp.Run(ctx, chromedp.Evaluate(`!!window.axe`, &loaded)))
	if !loaded {
		require.NoError(b.t, chromedp.Run(ctx, chromedp.Evaluate(source, nil)))
	}
	// A change of theme passes through colours of both: what is found must stand still to count.
	for try := range 4 {
		time.Sleep(time.Duration(try) * 300 * time.Millisecond)
		require.NoError(b.t, chromedp.Run(ctx, chromedp.Evaluate(axeRun, &found, await)), where)
		if found == "" {
			break
		}
	}
	assert.Empty(b.t, found, where)
}

// still asserts that nothing moved since the page began: not when its stream connected, and little while words came.
func (b *tab) still(most float64) {
	b.t.Helper()
	assert.Empty(b.t, b.text(fmt.Sprintf(`window.seen.shift > %v ? window.seen.shift + ": " + window.seen.moved.join(", ") : ""`, most)), "the layout of %s shifts", b.doing)
}

func axeSource(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(testservices.Axe(t))
	require.NoError(t, err)
	return string(b)
}
