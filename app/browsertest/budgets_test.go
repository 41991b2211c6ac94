package browsertest

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/require"

	"lobstead/engine/llm/llmtest"
)

// priced writes prices of models past the program, in micro-dollars for a million tokens, and which one answers; the
// program has seen them when it returns.
func (b *tab) priced(answers string, input map[string]int) {
	s := b.server
	s.t.Helper()
	db := s.database()
	for model, price := range input {
		_, err := db.Exec(`INSERT INTO catalogue_edits (id, provider, model, tier, input, output, context, created_at) VALUES (?, 'openai-compatible', ?, '', ?, ?, 200000, ?)`,
			model, model, price, 5*price, time.Now().UTC())
		require.NoError(s.t, err)
	}
	_, err := db.Exec(`UPDATE instances SET model = ?`, answers)
	require.NoError(s.t, err)
	b.open("/settings/models/catalogue?q=" + answers)
	b.reloadUntil(`document.querySelector("table.figures")?.innerText.includes("$")`)
}

const paused = `document.querySelector("#composer-state .paused")`

// A budget is used up in the middle of a day's work: the page says so, and each of the three ways out leads on.
func TestBudgetPausesAndResumes(t *testing.T) {
	t.Parallel()
	model := llmtest.Serve(t).List("harbour-large", "harbour-mini").On("", llmtest.Fault{Usage: &[2]int{1000, 2000}})
	s := start(t, "OPENAI_API_KEY=none", "OPENAI_BASE_URL="+model.URL+"/v1", "SMTP_URL=smtp://127.0.0.1:9", "MAIL_FROM=no-reply@example.org")
	letters := func(state string) string { // they leave a minute later: none does here
		var n string
		require.NoError(t, s.database().QueryRow(`SELECT count(*) FROM deliveries WHERE about_kind = 'budget' AND state = ?`, state).Scan(&n))
		return n
	}
	b := owner(t, s)
	b.priced("harbour-large", map[string]int{"harbour-large": 3_000_000, "harbour-mini": 0})
	b.now("a budget")
	b.open("/settings/budgets")
	b.has("#new form")
	b.judge("budgets-empty")
	b.fill("#new [name=amount]", "0.01")
	b.click("#new form [type=submit]")
	b.has("li[id^=budget-]")
	inbox := b.another()
	inbox.open("/approvals")
	inbox.has("#waiting .state")

	b.now("used up")
	b.open("/chat?new=1")
	b.ask("How deep is the harbour?")
	b.until(`location.pathname.startsWith("/chat/")`)
	b.ended("1")
	first := b.text(`location.pathname`)
	b.ask("And at low water?")
	b.has("#composer-state .paused")
	require.Contains(t, b.text(paused+`.innerText`), "is used up")
	b.until(`document.querySelector(".sess[aria-current]").innerText.includes("paused")`)
	b.until(badge + ` && ` + badge + `.textContent === "1"`)
	inbox.has("#waiting .paused")
	require.Equal(t, "1", letters("pending"), "the owner is told")
	b.judge("chat-paused")
	inbox.judge("approvals-paused")
	b.open("/settings/budgets")
	b.has("#waiting")
	b.judge("budgets-used-up")

	b.now("more")
	b.open(first)
	b.fill("#composer-state [name=amount]", "0.05")
	b.click("#composer-state form[action*=budgets] button")
	b.until(`location.pathname === "` + first + `"`)
	b.ended("2")
	require.Equal(t, "null", b.text(paused))
	inbox.until(`document.querySelector("#waiting .state")`)
	require.Equal(t, []string{"0", "1"}, []string{letters("pending"), letters("dropped")}, "and not, when it is mended before")
	b.open("/settings")
	b.has("#you input[name=letters][checked]")
	b.judge("settings-letters")
	b.click("#you input[name=letters]")
	b.click("#you form [type=submit]")
	b.has("#you input[name=letters]:not([checked])")

	b.now("stopped, without scripts")
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.open("/chat?new=1")
	b.fill("[data-composer-input]", "What is the tide tomorrow?")
	b.click("form[data-composer] [type=submit]")
	b.until(`location.pathname.startsWith("/chat/") && location.pathname !== "` + first + `"`)
	b.reloadUntil(paused)
	b.photo("chat-paused-no-script")
	b.click("#composer-state .paused form[action$=stop] button")
	b.until(`!` + paused + ` && document.querySelectorAll(".turn-end").length === 1`)
	require.Contains(t, b.text(`document.querySelector(".turn").innerText`), "Maren Olsen", "who stopped it")
	b.do(emulation.SetScriptExecutionDisabled(false))

	b.now("a cheaper model, from the inbox")
	b.open("/chat?new=1")
	b.ask("How many boats are out?")
	b.has("#composer-state .paused")
	third := b.text(`location.pathname`)
	inbox.has("#waiting .paused form[action$=continue]")
	inbox.text(`document.querySelector("#waiting .paused [name=model]").value = "harbour-mini"`)
	inbox.click("#waiting .paused form[action$=continue] button")
	inbox.until(`location.pathname === "/approvals" && document.querySelector("#waiting .state")`)
	require.Equal(t, third, b.text(`location.pathname`))
	b.ended("1")
	require.Contains(t, b.text(`document.querySelector("#flow").innerText`), "Hello from harbour-mini")
	require.Equal(t, "null", b.text(paused))
	require.Equal(t, "0", letters("pending"), "the owner wants none")
}
