package browsertest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A sentence becomes a schedule after it was shown what is understood; it runs by hand; a trigger's secret is shown once.
func TestAutomations(t *testing.T) {
	s := start(t)
	b := owner(t, s)
	b.now("nothing runs by itself yet")
	b.open("/automations")
	b.until(`document.querySelector(".state")`)
	b.judge("automations-empty")

	b.now("a sentence that means nothing")
	b.open("/automations/new")
	b.judge("automation-new")
	b.fill("#text", "every day at 5 list the files")
	b.until(`document.querySelector("#unclear")?.textContent.includes("could be in the morning")`)
	b.judge("automation-unclear")

	b.now("one that is understood")
	b.fill("#text", "every weekday at 9 list the files")
	b.until(`document.querySelectorAll("#next-runs li").length === 5`)
	assert.Contains(t, b.text(`document.querySelector("#understood").innerText`), "every weekday at 09:00")
	b.judge("automation-understood")
	b.click("#understood [type=submit]")
	b.until(`location.pathname.length > "/automations/new".length && document.querySelector("#runs")`)
	page := b.text(`location.pathname`)
	b.judge("automation-fresh")

	b.now("it runs by hand")
	b.click(`form[action$="/run"] button`)
	b.until(`document.querySelector("#runs .line")`)
	for end := time.Now().Add(patience); !strings.Contains(b.text(`document.querySelector("#runs .line").innerText`), "Produced"); b.open(page) {
		require.True(t, time.Now().Before(end), "the run does not end")
	}
	b.judge("automation-ran")
	b.open(b.text(`document.querySelector("#runs .line-end a").getAttribute("href")`))
	b.until(`document.querySelector(".turn")`)
	b.photo("automation-conversation")

	b.now("a command in a chat")
	b.ask("/remind in 2 hours to stretch")
	b.until(`location.pathname === "/automations/new" && document.querySelectorAll("#next-runs li").length === 1`)
	b.judge("automation-command")

	b.now("a trigger")
	b.open("/automations/new?as=trigger&text=look+at+the+pull+request")
	b.click("#understood [type=submit]")
	b.until(`document.querySelector("#secret")`)
	b.judge("automation-trigger")

	b.now("both in the list")
	b.open("/automations")
	b.until(`document.querySelectorAll("#automations > li").length === 2`)
	b.judge("automations")
	b.open(page)
	b.click(`.top .menu > summary`)
	b.click(`.top form[action$="/pause"] button`)
	b.until(`document.querySelector(".top").innerText.includes("Paused")`)
	b.judge("automation-paused")
}
