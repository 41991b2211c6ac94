package browsertest

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/require"

	"lobstead/engine/llm/llmtest"
)

// From a message to why it was answered so: the turn, what it saw, its grade, another model's answer, the conversation and the
// advice. The turn ran with the built-in model; a service is connected after.
func TestInspector(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.now("a turn with tools")
	b.ask("run `printf '<script>alert(1)</script>\\n%s\\n' *; ls /nowhere`")
	b.until(`location.pathname.startsWith("/chat/")`)
	b.ended("1")
	b.ask("What is 2 plus 3?")
	b.ended("2")
	b.open(b.text(`location.pathname`))

	b.now("the turn")
	b.click(".turn-end a[href^='/turns/']")
	b.until(`document.querySelector("#timeline .happened-line")`)
	turn := b.text(`location.pathname`)
	require.Contains(t, b.text(`document.querySelector("#again").innerText`), "No model service is connected")

	b.now("a service is connected")
	service := llmtest.Serve(t).List("gpt-4.1-mini", "gpt-4.1")
	require.Equal(t, "200", b.text(`fetch("/settings/models", {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"},
		body: new URLSearchParams({kind: "openai", base_url: "`+service.URL+`/v1", key: "sk-canary-0123456789abcdef", model: "gpt-4.1-mini"})}).then(r => r.status)`))
	b.open(turn)
	b.has("#again select")
	b.has("#analysis form")
	asked := len(service.Calls())
	b.now("run again")
	b.click("#again [type=submit]")
	b.has(".beside-half")
	require.Contains(t, b.text(`document.querySelector(".beside").innerText`), "Hello from")
	b.now("analysis")
	b.click("#analysis [type=submit]")
	b.has(".opinion")
	require.Len(t, service.Calls(), asked+2)
	b.now("grade")
	b.click("#grade .seg-item:nth-child(4)")
	b.fill("#grade textarea", "It found the files.")
	b.click("#grade [type=submit]")
	b.until(`document.querySelector("#toasts")?.textContent.includes("Grade saved") && document.querySelector("#grade [role=status]")`)
	b.text(`document.querySelectorAll(".tool-facts").forEach(d => d.open = true)`)
	b.judge("turn")
	require.Contains(t, b.text(`document.querySelector("#timeline").innerText`), "<script>alert(1)</script>")

	b.now("the exact context")
	b.open(turn + "/steps/2")
	require.Contains(t, b.text(`document.querySelector("main").innerText`), "Exactly what was sent")
	b.judge("turn-context")

	b.now("the conversation")
	b.open(turn)
	b.click("a[href$='/insights']")
	b.has("#turns-title")
	b.judge("insights")
	b.now("recommendations")
	b.click("a[href='/recommendations']")
	b.has("#advice-title")
	b.judge("recommendations")
	b.open("/recommendations?period=24h")
	b.click("#analysis [type=submit]")
	b.has(".opinion")

	b.now("without JavaScript")
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open(turn)
	b.click("#grade .seg-item:nth-child(2)")
	b.follow("#grade [type=submit]")
	b.reloadUntil(`document.querySelector("#grade input[value='2'][checked]")`)
	b.allow("404")
	b.open("/turns/c000000000000000000000000")
	b.reloadUntil(`document.querySelector(".state-code")`)
}
