package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A cache is switched on on its page, a question asked twice is answered once, and the pages say so.
func TestCacheInABrowser(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.now("the page")
	b.ask("hello")
	b.until(`location.pathname.startsWith("/chat/")`)
	b.ended("1")
	b.open("/instances")
	b.until(`document.querySelector("#instance-rows a")`)
	page := b.text(`document.querySelector("#instance-rows a").getAttribute("href")`) + "/cache"
	b.open(page)
	b.judge("cache-off")
	b.click("#cache-semantic button")
	b.until(`document.querySelector("#cache-semantic").textContent.includes("It waits for the cache")`)
	b.click("#cache-exact button")
	b.until(`document.querySelector("#cache-exact").textContent.includes("Switch off")`)

	b.now("what is refused")
	b.text(`document.querySelector("#life_hours").form.noValidate = true`)
	b.allow("422")
	b.fill("#life_hours", "1000")
	b.click("[aria-labelledby=bounds-title] [type=submit]")
	b.until(`document.querySelector("#life_hours-error")`)
	assert.Equal(t, "1000", b.text(`document.querySelector("#life_hours").value`), "what was typed stays")
	b.judge("cache-refused")

	b.now("the same question twice")
	for range 2 {
		b.open("/chat/" + b.text(`fetch("/api/agent/sessions", {method: "POST"}).then(async r => (await r.json()).session.id)`))
		b.ask("what can you do")
		b.ended("1")
	}
	b.until(`document.querySelector(".turn-end").textContent.includes("from the cache")`)
	b.judge("chat-cached")
	b.click(".turn-end a")
	b.until(`location.pathname.startsWith("/turns/")`)
	b.until(`document.body.textContent.includes("Answered from the cache")`)
	b.judge("turn-cached")
	b.open("/usage")
	b.has(".usage-notes")
	b.judge("usage-cached")
	b.open(page)
	b.judge("cache-used")
	b.click("[action$='/cache/empty'] button")
	b.until(`document.querySelector(".tiles .tile")?.textContent.includes("0")`)
}
