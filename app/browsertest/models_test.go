package browsertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm/llmtest"
)

// What an organization says of models, and what an agent remembers: one house, page after page.
func TestModelsAndMemoryPages(t *testing.T) {
	t.Parallel()
	service := llmtest.Serve(t).List("harbour-large", "harbour-mini")
	s := start(t, "OPENAI_API_KEY=none", "OPENAI_BASE_URL="+service.URL+"/v1")
	b := owner(t, s)
	b.priced("harbour-large", map[string]int{"harbour-large": 3_000_000})

	b.now("the router")
	b.open("/settings/models")
	b.has("form[action$=routing]")
	b.judge("models-found")
	b.text(`document.querySelector("form[action$=routing] [name=ceiling]").value = "standard"`)
	b.click("form[action$=routing] [type=submit]")
	b.until(`document.querySelector("form[action$=routing] [name=ceiling] option[selected]")?.value === "standard"`)

	b.now("the catalogue")
	b.click(`#routing a[href$=catalogue]`)
	b.has("table.figures")
	b.open("/settings/models/catalogue?q=claude") // as a picture, a hundred rows say no more than twenty
	b.has("table.figures")
	b.judge("catalogue")
	b.fill("[name=q][type=search]", "no-such-model")
	b.press("Enter", keyEnter)
	b.until(`location.search.includes("no-such-model") && document.body.innerText.includes("No model has these words")`)
	b.open("/settings/models/catalogue?q=harbour")
	b.until(`document.querySelectorAll("table.figures tbody tr").length === 2`)
	require.Contains(t, b.text(`document.querySelector("table.figures").innerText`), "no price")
	b.click(`table.figures a[href*="harbour-mini"]`)
	b.has("#edit")
	b.judge("catalogue-edit")
	b.fill("#edit [name=input]", "0.10")
	b.fill("#edit [name=output]", "0.40")
	b.fill("#edit [name=reason]", "Our contract of May")
	b.click("#edit [value=save]")
	b.until(`!document.getElementById("edit") && document.querySelector("table.figures")`)
	b.open("/settings/models/catalogue?q=harbour-mini")
	require.Contains(t, b.text(`document.querySelector("table.figures").innerText`), "$0.10")

	b.now("nothing is remembered")
	b.open("/instances")
	memory := b.text(`document.querySelector("#instance-rows a[href^='/instances/']").getAttribute("href")`) + "/memory"
	b.open(memory)
	b.has("#memory-rows .state")
	b.judge("memory-empty")
	for _, m := range [][2]string{{"release-day", "Our release day is Thursday, after the tide table is out."}, {"harbour-master", "The harbour master is Ida; she wants a call before nine."}} {
		b.open(memory)
		b.fill("#new [name=key]", m[0])
		b.fill("#new [name=value]", m[1])
		b.click("#new [type=submit]")
		b.until(`document.querySelector("#memory-list")?.innerText.includes("` + m[0] + `")`)
	}

	b.now("the tray")
	const held = "c03ha99a0biccxdrdr264aw" // and three signs
	for _, key := range []string{"tray-one", "tray-two"} {
		_, err := s.database().Exec(`INSERT INTO memory_versions (id, organization_id, instance_id, tier, key, value, category, importance, confidence, act, state, source, origin, origin_note, created_at)
			SELECT ?, organization_id, id, 'semantic', ?, 'The crane is out of order until Friday, says the harbour''s page.', 'fact', 5, 0.8, 'write', 'pending', 'auto', 'web', 'harbour.example', ? FROM instances`, held+key[5:], key, time.Now().UTC())
		require.NoError(t, err)
	}
	b.open(memory)
	b.has("#version-" + held + "two")
	b.judge("memory-review")
	b.click("#version-" + held + "one [value=accept]")
	b.until(`!document.getElementById("version-` + held + `one") && document.querySelector("#memory-list").innerText.includes("tray-one")`)
	b.click("#version-" + held + "two [value=reject]")
	b.until(`!document.getElementById("review") && !!document.querySelector("#memory-list")`)
	require.NotContains(t, b.text(`document.querySelector("#memory-list").innerText`), "tray-two")

	b.now("found, forgotten, and back")
	b.fill("form[role=search] [name=q]", "cra fri")
	b.until(`document.querySelectorAll("#memory-list .line").length === 1`)
	require.Contains(t, b.text(`document.querySelector("#memory-list").innerText`), "crane")
	b.click("#memory-list form[action$=delete] button")
	b.until(`[...document.querySelectorAll("button")].some(e => e.value === "restore")`)
	b.judge("memory-deleted")
	b.click("button[value=restore]")
	b.until(`document.querySelector("#memory-list")?.innerText.includes("tray-one")`)
	b.open(memory + "/history")
	b.judge("memory-history")
	b.open(b.text(`fetch("` + memory + `").then(r => r.text()).then(h => new DOMParser().parseFromString(h, "text/html").querySelector("#memory-list a.line-name").getAttribute("href"))`))
	b.has("form")
	b.judge("memory-one")
}
