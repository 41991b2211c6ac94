package browsertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func head(words string) string {
	return `document.querySelector("#instance-head")?.textContent.includes("` + words + `")`
}

// An instance from its form to its end, seen from two windows.
func TestInstancePages(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	list := b.another()
	list.open("/instances")
	list.until(`document.querySelectorAll("#instance-rows tr").length === 1`)

	b.doing = "a wrong name"
	b.open("/instances/new")
	b.text(`document.querySelector("form.form").noValidate = true`) // the server's answer, not the browser's
	b.allow("422", "400")
	b.fill("[name=name]", "Crawler One!")
	b.click("form.form [type=submit]")
	b.until(`document.querySelector("#name-error")`)
	require.Equal(t, "Crawler One!", b.text(`document.querySelector("[name=name]").value`), "what was typed is kept")
	b.photo("instance-new-refused")

	b.doing = "a new instance"
	b.fill("[name=name]", "crawler-1")
	b.click("form.form [type=submit]")
	b.has("#instance-head")
	at := b.text(`location.pathname`)
	b.until(head("Running"))
	b.until(`document.querySelectorAll("#instance-step-list > li").length > 1`)
	list.until(`[...document.querySelectorAll("#instance-rows tr")].some(r => r.textContent.includes("crawler-1") && r.textContent.includes("Running"))`)
	b.text(`window.mark = "first"`)

	b.doing = "power"
	watcher := b.another()
	watcher.open(at)
	watcher.until(head("Running"))
	began := time.Now()
	b.click("#instance-head [value=stop], #instance-head [value=STOP]")
	watcher.until(head("Stopped"))
	t.Logf("the second window saw the stop after %.2f s", time.Since(began).Seconds())
	b.until(head("Stopped"))
	list.until(`[...document.querySelectorAll("#instance-rows tr")].some(r => r.textContent.includes("crawler-1") && r.textContent.includes("Stopped"))`)
	b.photo("instance-stopped")
	b.click("#instance-head [value=start], #instance-head [value=START]")
	watcher.until(head("Running"))
	b.until(head("Running"))
	b.click("#instance-head [value=restart], #instance-head [value=RESTART]")
	b.until(`document.querySelector("#instance-log").textContent.toLowerCase().includes("restart")`)
	b.until(head("Running"))
	require.Equal(t, "first", b.text(`window.mark`), "the page was reloaded")

	b.doing = "rename and tier"
	b.fill("#settings [name=name]", "crawler-2")
	b.click("#settings label:has([value=PRO])")
	b.click("#settings [type=submit]")
	b.until(head("crawler-2"))
	b.until(head("Running"))
	require.Equal(t, "true", b.text(`document.querySelector("#settings [value=PRO]").checked`))
	watcher.until(head("crawler-2"))
	list.until(`document.querySelector("#instance-rows").textContent.includes("crawler-2")`)

	watcher.allow("404") // its page is asked for again when the instance is gone
	for _, name := range []string{"crawler-2", "first-agent"} {
		b.doing = "deleting " + name
		b.open("/instances")
		b.until(`[...document.querySelectorAll("#instance-rows a")].some(a => a.textContent === "` + name + `")`)
		b.text(`[...document.querySelectorAll("#instance-rows a")].find(a => a.textContent === "` + name + `").click()`)
		b.click("#danger [data-dialog-open]")
		b.fill("#delete-instance-confirm", name+"x")
		require.Equal(t, "true", b.text(`document.querySelector("#delete-instance [type=submit]").disabled`))
		b.fill("#delete-instance-confirm", name)
		b.click("#delete-instance [type=submit]")
		b.until(`location.pathname === "/instances" && !document.querySelector("#instance-rows")?.textContent.includes("` + name + `")`)
	}
	list.until(`document.querySelector("#instance-list").innerText.includes("No instance yet")`)
	b.doing = "nothing left"
	b.open("/instances")
	b.has(".empty, .state")
	require.Contains(t, b.text(`document.querySelector("main").innerText`), "No instance yet")
	b.judge("instances-empty")
	require.Equal(t, "201", b.text(`fetch("/api/instances", {method: "POST", body: JSON.stringify({name: "again", region: "local", tier: "STARTER"})}).then(r => String(r.status))`))
	b.until(`document.querySelectorAll("#instance-rows tr[id]").length === 1`)
	list.until(`document.querySelectorAll("#instance-rows tr[id]").length === 1`)
}

// An agent is told what it is for, paused while messages wait, and resumed; what it was told can be put back.
func TestAgentPage(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.open("/instances")
	b.until(`document.querySelector("#instance-rows a")`)
	at := b.text(`document.querySelector("#instance-rows a").getAttribute("href")`)
	b.open(at)
	b.until(`document.querySelector("#instance-head").innerText.includes("Running")`)

	b.now("what it is for")
	b.fill("#description", "Answers the harbour office")
	b.fill("#system_prompt", "Be brief, and name your sources.")
	b.click("#profile .form [type=submit]")
	b.until(`document.querySelector("#toasts").innerText.includes("from the next message on")`)
	b.fill("#system_prompt", "Talk like a pirate.")
	b.click("#profile .form [type=submit]")
	b.until(`document.querySelector("#system_prompt").value.includes("pirate") && document.querySelector("#instructions-before")?.textContent.includes("name your sources")`)
	b.click("#instructions-before summary")
	b.judge("instance-profile")
	b.click("#instructions-before form button")
	b.until(`document.querySelector("#system_prompt").value === "Be brief, and name your sources."`)

	b.now("paused, and a message waits")
	b.open(at)
	b.click(`#instance-head button[value=pause]`)
	b.until(`document.querySelector("#waiting")?.innerText.includes("No message waits")`)
	other := b.another()
	other.open("/chat?new=1")
	other.ask("hello")
	b.until(`document.querySelector("#waiting")?.innerText.includes("1 message waits")`)
	b.judge("instance-paused")
	other.until(`location.pathname.startsWith("/chat/")`)
	other.judge("chat-paused")
	list := b.another()
	list.open("/instances")
	list.until(`document.querySelector("#instance-rows").innerText.includes("Paused")`)
	list.judge("instances-paused")

	b.now("resumed where one writes, and it is answered")
	other.click(`[data-waits] button`)
	other.until(`!document.querySelector("[data-waits]")`)
	b.until(`!document.querySelector("#waiting") && document.querySelector("#instance-head").innerText.includes("Running")`)
	other.ended("1")
}
