package browsertest

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/stretchr/testify/require"
)

const (
	paletteOpen = `document.querySelector("#palette").open`
	chosen      = `document.querySelector("#palette-list [aria-selected=true]")`
)

// answered waits until the palette shows what fits the words, with one of it chosen where there is any.
func (b *tab) answered(words string) {
	b.t.Helper()
	b.until(paletteOpen + ` && document.querySelector("#palette-list").dataset.query === "` + words + `" &&
		!!document.querySelector("#palette-list [role=option]") === !!` + chosen + ` && document.querySelector("#palette-status").textContent === document.querySelector("#palette-list").dataset.note`)
}

// act presses Enter and waits for the page to which the act leads.
func (b *tab) act() {
	b.t.Helper()
	b.text(`window.before = "1"`)
	b.press("Enter", keyEnter)
	b.until(`!window.before && document.readyState === "complete" && !!window.lobstead`)
}

// Search everything and act, by keyboard alone.
func TestPalette(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	axe := axeSource(t)

	b.now("opening by the keyboard, from inside a field too")
	b.open("/instances")
	b.until(`[...document.querySelectorAll("#instance-rows a")].some(a => a.textContent === "first-agent")`)
	b.press("k", 'K', input.ModifierCtrl)
	b.answered("")
	require.Equal(t, "palette-input", b.text(`document.activeElement.id`))
	require.Equal(t, "true", b.text(`document.querySelector("#palette-input").getAttribute("aria-expanded")`))
	for _, look := range []string{"light", "dark"} {
		b.do(theme(look), size(1440, 900))
		b.settle()
		b.photo("palette-" + look + "-1440")
		b.axe(axe, "the palette in "+look)
		b.do(size(390, 844))
		b.settle()
		b.photo("palette-" + look + "-390")
		require.Empty(t, b.text(wide), "the palette is too wide")
	}
	b.do(theme("light"), size(1440, 900))

	b.now("arrows go round, Escape and the same keys close")
	first := b.text(chosen + `.id`)
	require.Equal(t, first, b.text(`document.querySelector("#palette-input").getAttribute("aria-activedescendant")`))
	b.press("ArrowDown", 40)
	require.NotEqual(t, first, b.text(chosen+`.id`))
	b.press("ArrowUp", keyUp)
	require.Equal(t, first, b.text(chosen+`.id`))
	b.press("ArrowUp", keyUp)
	require.Equal(t, "true", b.text(chosen+` === [...document.querySelectorAll("#palette-list [role=option]")].pop()`))
	for range 5 {
		b.press("Tab", 9)
		require.Equal(t, "true", b.text(`!document.activeElement.closest(".frame")`), "the focus left the palette")
	}
	b.press("Escape", keyEscape)
	b.until(`!` + paletteOpen)
	b.do(input.InsertText(""))
	for range 15 { // in quick succession the keys still have the field when it opens again
		b.press("k", 'K', input.ModifierCtrl)
		b.answered("")
		b.press("k", 'K', input.ModifierCtrl)
		b.until(`!` + paletteOpen)
	}

	b.now("Enter stops an instance")
	b.press("k", 'K', input.ModifierCtrl)
	b.answered("")
	b.fill("#palette-input", "stop first")
	b.answered("stop first")
	require.Contains(t, b.text(chosen+`.textContent`), "Stop first-agent")
	b.photo("palette-stop")
	b.axe(axe, "the palette with results")
	b.act()
	b.has("#instance-head")
	b.until(head("Stopped"))

	b.now("Enter before the results came")
	b.press("k", 'K', input.ModifierCtrl)
	b.until(paletteOpen)
	b.fill("#palette-input", "start first")
	b.act()
	b.until(head("Running"))

	b.now("nothing found")
	b.press("k", 'K', input.ModifierCtrl)
	b.answered("")
	b.fill("#palette-input", "no such words anywhere")
	b.answered("no such words anywhere")
	b.until(`document.querySelector("#palette-status").textContent.includes("Nothing here")`)
	b.axe(axe, "the empty palette")
	b.press("Enter", keyEnter)
	require.Equal(t, "true", b.text(paletteOpen), "Enter does nothing without a result")
	b.fill("#palette-input", "dark theme")
	b.answered("dark theme")
	b.act()
	b.until(`document.documentElement.dataset.theme === "dark" && ` + head("Running"))

	b.now("a phone: from the drawer, by touch")
	b.do(size(390, 844))
	b.settle()
	b.until(`document.querySelector("#side").getBoundingClientRect().right <= 0`) // it slides away from where the button will be
	b.click("[data-drawer-open]")
	b.until(`document.querySelector("#side").getBoundingClientRect().left === 0`)
	b.click("[data-palette-open]")
	b.answered("")
	require.Equal(t, "false", b.text(`document.querySelector("#side").classList.contains("open")`))
	b.fill("#palette-input", "models")
	b.answered("models")
	b.click("#palette-list [role=option]")
	b.until(`location.pathname === "/settings/models"`)
}

// Without scripts the button is a link to a page with the same field and the same forms.
func TestSearchWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.open("/search?q=first")
	b.judge("search")
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open("/")
	b.click(".side-find")
	b.fill(".main [name=q]", "stop first-agent")
	b.press("Enter", keyEnter)
	b.until(`location.search.includes("stop") && document.readyState === "complete" && document.querySelectorAll(".hits .hit").length === 1`)
	b.follow(".hits .hit")
	b.reloadUntil(head("Stopped"))
}

// The API reference: readable by anybody, in both themes, on a phone, without scripts.
func TestAPIReference(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := person(t, s)
	b.open("/docs")
	b.has("#instances-create")
	b.judge("docs")
	b.text(`document.querySelectorAll("details").forEach(d => { d.open = true; })`)
	b.judge("docs-unfolded")
	b.open("/docs#team-invite")
	b.photo("docs-operation")
	b.press("/", 191)
	require.Equal(t, "q", b.text(`document.activeElement.name`))
	b.do(input.InsertText("restart"))
	b.press("Enter", keyEnter)
	b.until(`location.search === "?q=restart"`)
	b.has("#instances-act")
	require.Equal(t, "1", b.text(`document.querySelectorAll(".op").length`))
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open("/docs")
	b.click("a[href='#chat-send']")
	b.click("#chat-send .fold > summary")
	b.has("#chat-send .fold .tree")
}
