package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A skill is switched off and on on its page, and a rebuild by the API keeps what the agent has: with real sandboxes.
func TestSkillsAndRebuild(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.now("something to keep")
	b.ask("write keep.txt with precious")
	b.until(`location.pathname.startsWith("/chat/")`)
	b.ended("1")
	chat := b.text(`location.pathname`)
	b.ask("remember that the harbour is blue")
	b.ended("2")

	b.now("the page of skills")
	b.open("/instances")
	b.until(`document.querySelector("#instance-rows a")`)
	instance := b.text(`document.querySelector("#instance-rows a").getAttribute("href")`)
	b.open(instance + "/skills")
	b.judge("skills")
	b.click("#skill-shell button")
	b.until(`document.querySelector("#skill-shell").textContent.includes("Switch on")`)
	b.text(`document.querySelector("#config-web form").noValidate = true`)
	b.allow("422")
	b.fill("#allowed_hosts", "https://example.com/page")
	b.click("#config-web [type=submit]")
	b.until(`document.querySelector("#allowed_hosts-error")`)
	b.judge("skills-refused")
	b.open(chat)
	b.ask("run `echo forty-two`")
	b.ended("3")
	assert.Contains(t, b.text(`[...document.querySelectorAll(".turn")].pop().innerText`), "no bash tool", "it is not even offered")
	b.photo("chat-skill-off")
	b.open(instance + "/skills")
	b.click("#skill-shell button")
	b.until(`document.querySelector("#skill-shell").textContent.includes("Switch off")`)

	b.now("a rebuild")
	require.Equal(t, "200 provisioning", b.text(`fetch("/api/agent/update", {method: "POST", body: JSON.stringify({serverTier: "standard", serverRegion: "eu-north"})})
		.then(async r => r.status + " " + (await r.json()).agent.status)`))
	b.open(instance)
	b.until(head("Running"))
	b.judge("instance-settings")
	assert.Contains(t, b.text(`document.querySelector("#instance-facts").innerText`), "eu-north")
	b.open(chat)
	b.ask("read keep.txt")
	b.ended("4")
	assert.Contains(t, b.text(`[...document.querySelectorAll(".turn")].pop().innerText`), "precious", "files stay")
	b.ask("recall harbour")
	b.ended("5")
	assert.Contains(t, b.text(`[...document.querySelectorAll(".turn")].pop().innerText`), "blue", "memories stay")
}
