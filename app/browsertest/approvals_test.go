package browsertest

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const badge = `document.getElementById("approvals-count")`

// A rule asks, a call waits in the chat, in the inbox and in every tab, and a person decides in one of them.
func TestChatWithApproval(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.now("nothing waits yet")
	b.open("/approvals")
	b.has("#waiting .state")
	b.judge("approvals-empty")
	require.Equal(t, "true", b.text(badge+`.hidden`))

	b.now("a rule")
	b.open("/instances")
	policy := b.text(`document.querySelector("#instance-rows a[href^='/instances/']").getAttribute("href")`) + "/policy"
	b.open(policy)
	b.has("#try")
	b.fill("[name=pattern]", "echo harbour*")
	b.fill("[name=reason]", "Harbour work needs a look")
	b.text(`document.getElementById("verdict").value = "ask"`)
	b.click("form[action$='/policy'] [type=submit]")
	b.has("li[id^=rule-]")
	b.fill("#try-input", `{"command": "cd x && git push"}`)
	b.click("#try form [type=submit]")
	b.until(`document.querySelectorAll("#try .line").length === 2`)
	require.Contains(t, b.text(`document.querySelector("#try .lines").innerText`), "outward after untrusted content")
	b.fill("#try-input", `{"command": "echo harbour; ls"}`)
	b.click("#try form [type=submit]")
	b.has("li[id^=rule-].met")
	b.judge("policy")

	b.now("a call waits")
	b.open("/chat?new=1")
	b.ask("run `echo harbour`")
	b.until(`location.pathname.startsWith("/chat/")`)
	b.has(".tool.ask")
	chat := b.text(`location.pathname`)
	b.until(badge + ` && !` + badge + `.hidden && ` + badge + `.textContent === "1"`)
	require.Equal(t, "echo harbour", b.text(`document.querySelector(".ask-input").textContent`))
	watcher, inbox := b.another(), b.another()
	watcher.open(chat)
	watcher.has(".tool.ask button")
	inbox.open("/approvals")
	inbox.has("#waiting .ask-line")
	require.Contains(t, inbox.text(`document.getElementById("waiting").innerText`), "Harbour work needs a look")
	same(t, "while it waits", b.conversation, b.served)
	b.judge("chat-approval")
	inbox.judge("approvals")

	b.now("approved for the conversation")
	b.text(`document.querySelector(".tool.ask [name=lasts]").value = "session"`)
	b.click(".tool.ask form[action$=approve] button")
	b.ended("1")
	watcher.ended("1")
	require.Contains(t, watcher.text(`document.querySelector("#flow").innerText`), "Approved by Maren Olsen, in this conversation")
	b.until(badge + `.hidden`)
	inbox.until(`document.querySelector("#waiting .state") && document.querySelector("#decided .line")`)
	same(t, "after the decision", b.conversation, b.served)
	same(t, "another tab", watcher.conversation, b.served)
	b.ask("run `echo harbour`")
	b.ended("2")
	require.Equal(t, "0", b.text(`document.querySelectorAll(".tool.ask").length`), "it was granted")

	b.now("denied from the inbox, with a reason")
	b.ask("run `echo harbour bells`")
	b.has(".tool.ask")
	b.until(`document.querySelector(".sess[aria-current]").innerText.includes("waits for approval")`)
	note := "#waiting form[action$=deny] input[name=note]"
	inbox.fill(note, "Not at")
	watcher.open("/chat?new=1")
	watcher.ask("run `echo harbour fog`")
	watcher.has(".tool.ask")
	inbox.until(`document.querySelectorAll("#waiting .ask-line").length === 2`)
	require.Equal(t, "Not at", inbox.text(`document.activeElement.name === "note" && document.activeElement.value`), "what is typed stays while the list changes")
	inbox.do(input.InsertText(" night"))
	release := inbox.pressed("#waiting form[action$=deny] button")
	watcher.click(".tool.ask form[action$=deny] button")
	inbox.until(`document.querySelectorAll("#waiting .ask-line").length === 1`)
	release()
	b.ended("3")
	require.Contains(t, b.text(`[...document.querySelectorAll(".turn")].pop().innerText`), "Denied by Maren Olsen: Not at night")
	inbox.until(`document.querySelectorAll("#decided .line").length === 3`)
	inbox.judge("approvals-decided")

	b.now("a power cut while a call waits")
	b.allow("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
	watcher.allow("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
	inbox.allow("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
	b.ask("run `echo harbour lights`")
	b.has(".tool.ask")
	s.kill()
	s.restart()
	b.open(chat)
	b.click(".tool.ask form[action$=approve] button")
	b.within(30*time.Second, idle+` && document.querySelectorAll(".turn-end").length === 4`)
	assert.Contains(t, b.text(`[...document.querySelectorAll(".turn")].pop().innerText`), "harbour lights")

	b.now("the grant is taken back")
	b.open(policy)
	b.click("#grants form button")
	b.until(`document.getElementById("grants").innerText.includes("Nothing is granted")`)
}
