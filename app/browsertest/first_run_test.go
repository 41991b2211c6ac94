package browsertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// owner goes through the first run's form.
func owner(t *testing.T, s *server) *tab {
	t.Helper()
	b := person(t, s)
	b.open(s.setup)
	b.found()
	b.has(".suggestion")
	return b
}

const password = "a lobster in a teapot"

// found fills in the form behind the setup link and sends it.
func (b *tab) found() {
	b.t.Helper()
	b.fill("[name=name]", "Maren Olsen")
	b.fill("[name=email]", "maren@example.org")
	b.fill("[name=password]", password)
	b.fill("[name=organization]", "Harbour Lab")
	b.click("form.form [type=submit]")
}

const (
	idle    = `document.getElementById("composer-state") && !document.querySelector(".composer-stop") && !document.querySelector("#live .typing")`
	working = `document.querySelector(".composer-stop")`
)

// ended is true once so many turns have ended and none runs.
func (b *tab) ended(turns string) {
	b.t.Helper()
	b.until(idle + ` && document.querySelectorAll(".turn-end").length === ` + turns)
}

// From the printed link to a streamed answer that used a tool: three steps on pages, counted; the seconds are told.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := start(t)
	listening := time.Since(began)
	b := person(t, s)
	steps := 0
	step := func(act func()) { steps++; act() }

	opened := time.Now()
	step(func() { b.open(s.setup) })
	b.has("[name=password]")
	step(b.found)
	b.has(".suggestion")
	chat := time.Since(opened)
	asked := time.Now()
	step(func() { b.click(".suggestion") })
	b.has(".tool")
	tool := time.Since(asked)
	b.ended("1")
	answered := time.Since(asked)
	total := time.Since(opened)

	assert.LessOrEqual(t, steps, 3, "page steps")
	if b.text(`window.seen.grown`) == "0" { // the answer was there before the browser had drawn the page
		b.ask("Describe this server")
		b.ended("2")
	}
	require.NotEqual(t, "0", b.text(`window.seen.grown`), "nothing streamed")
	require.NotEqual(t, "0", b.text(`document.querySelectorAll("#flow .tool").length`), "no tool was used")
	require.Contains(t, b.text(`document.querySelector("#flow").innerText`), "README.md")
	t.Logf("1 command and %d page steps; listening after %.2f s; from the link to the chat %.2f s, a click to the first tool %.2f s and to the end of the answer %.2f s; in all %.2f s",
		steps, listening.Seconds(), chat.Seconds(), tool.Seconds(), answered.Seconds(), total.Seconds())
}

// Every page of the first release, in both themes, on a desk and on a phone.
func TestPagesAreGoodToLookAt(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := person(t, s)
	b.open(s.setup)
	b.judge("setup")
	b.found()
	b.has(".suggestion")
	b.judge("chat-new")

	b.fill("[data-composer-input]", "Run `for i in 1 2 3 4 5 6 7 8 9; do echo \"pulling trap $i\"; sleep 2; done`, then describe this server")
	b.press("Enter", keyEnter)
	b.until(`location.pathname.startsWith("/chat/") && document.querySelector(".tool.run pre[id]")?.textContent.includes("trap 2")`)
	chat := b.text(`location.pathname`)
	b.judge("chat-streaming")
	b.ended("1")
	b.fill("[data-composer-input]", "Write a file notes/harbour.md with a short poem, then read it back")
	b.press("Enter", keyEnter)
	b.ended("2")
	b.open(chat)
	b.has(".turn-end")
	time.Sleep(500 * time.Millisecond) // the stream connects
	b.still(0.001)
	b.judge("chat-done")

	for _, p := range []struct{ path, name string }{{"/", "overview"}, {"/instances", "instances"}, {"/instances/new", "instance-new"},
		{"/settings", "settings"}, {"/settings/models", "models"}, {"/settings/billing", "billing-off"}, {"/settings/sign-ins", "sign-ins"}} {
		b.open(p.path)
		time.Sleep(300 * time.Millisecond)
		b.still(0.001)
		b.judge(p.name)
	}
	b.open("/instances")
	b.click("#instance-rows a.row-link, #instance-rows a")
	b.has("#instance-head")
	b.doing = "the instance"
	time.Sleep(300 * time.Millisecond)
	b.still(0.001)
	b.judge("instance")
	b.click("[data-dialog-open=delete-instance]")
	b.has("#delete-instance-confirm")
	b.judge("instance-delete")
	b.allow("/instances/no-such-page", "404")
	b.open("/instances/no-such-page")
	b.judge("not-found")

	b.open("/")
	b.do(size(390, 844))
	b.click("[data-drawer-open]")
	time.Sleep(200 * time.Millisecond)
	b.pair("drawer-390")
	b.open(chat + "#sessions")
	b.do(size(390, 844))
	time.Sleep(200 * time.Millisecond)
	b.pair("sessions-390")

	guest := person(t, s)
	guest.open("/")
	guest.has("[name=password]")
	guest.judge("sign-in")
	guest.allow("HTTP 401", "HTTP 422", "status of 401", "status of 422")
	guest.fill("[name=email]", "maren@example.org")
	guest.fill("[name=password]", "not the password")
	guest.click("form.form [type=submit]")
	guest.until(`document.querySelector(".banner, .field-error")`)
	guest.judge("sign-in-refused")
	guest.fill("[name=email]", "maren@example.org")
	guest.fill("[name=password]", password)
	guest.click("form.form [type=submit]")
	guest.has(".side")
}

// pair takes a page in both themes at the width it has.
func (b *tab) pair(name string) {
	b.t.Helper()
	axe := axeSource(b.t)
	for _, look := range []string{"light", "dark"} {
		b.do(theme(look))
		b.settle()
		b.photo(name + "-" + look)
		b.axe(axe, name+" in "+look)
	}
	assert.Empty(b.t, b.text(wide), "%s is too wide", name)
	b.do(theme("light"), size(1440, 900))
}
