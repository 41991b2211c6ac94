package browsertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A walk through a workspace with a real sandbox: upload in pieces, look, edit, delete and undo, and put back what a turn changed.
func TestFiles(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.now("two turns that write")
	b.ask("run `mkdir many && for n in $(seq 450); do echo $n > many/many-$n.txt; done`")
	b.until(`location.pathname.startsWith("/chat/")`)
	b.ended("1")
	b.ask("write plan.md with precious")
	b.ended("2")
	b.open("/instances")
	b.until(`document.querySelector("#instance-rows a")`)
	files := b.text(`document.querySelector("#instance-rows a").getAttribute("href")`) + "/files"

	b.now("the list")
	b.open(files)
	b.until(`document.querySelector("#file-rows").innerText.includes("plan.md")`)
	b.judge("files")

	b.now("the tree")
	b.click("#jump summary")
	b.until(`[...document.querySelectorAll("#directories a")].some((a) => a.innerText.trim() === "samples")`)
	b.judge("files-tree")
	b.open(files + "?directories=true&path=samples")
	b.until(`document.querySelector("#directories [aria-current]")?.innerText.trim() === "samples"`)
	b.open(files)

	b.now("an upload in pieces")
	big := filepath.Join(t.TempDir(), "cargo.txt")
	require.NoError(t, os.WriteFile(big, make([]byte, 20<<20), 0o644))
	b.click(".top a[href='#upload']")
	b.judge("files-upload")
	b.do(chromedp.SetUploadFiles("#upload-files", []string{big}))
	b.click(".file-upload [type=submit]")
	b.until(`document.querySelector("#file-rows").innerText.includes("cargo.txt")`)
	require.Contains(t, b.text(`document.querySelector("#file-rows").innerText`), "20 MB")

	b.now("a name that exists: both are kept, or one is replaced")
	b.allow("HTTP 409", "status of 409")
	for n, says := range []string{"Kept both: this one is plan (2).md", "Uploaded, 7 bytes"} {
		plan := filepath.Join(t.TempDir(), "plan.md")
		require.NoError(t, os.WriteFile(plan, []byte("again "+string(rune('0'+n))), 0o644))
		if n == 1 {
			b.text(`document.querySelector("input[name=exists][value=replace]").click()`)
		}
		b.do(chromedp.SetUploadFiles("#upload-files", []string{plan}))
		b.click(".file-upload [type=submit]")
		b.until(`document.querySelector("[data-upload-list]").innerText.includes("` + says + `") && !document.querySelector("[data-upload-list]").innerText.includes("20 MB")`)
		b.photo("files-exists")
	}
	b.until(`document.querySelector("#file-rows").innerText.includes("plan (2).md") && !document.querySelector("#file-rows").innerText.includes("plan (3).md")`)
	b.open(files + "/trash")
	b.until(`document.querySelector(".line-name")?.innerText === "plan.md"`)
	b.click("form[action$='/trash/restore'] button")
	b.until(`document.querySelector("#file-rows")?.innerText.includes("plan (3).md")`)
	b.click(".top a[href='#upload']")

	b.now("names that nobody would choose")
	b.allow("HTTP 400", "status of 400")
	var odd []string
	for _, name := range []string{"<img src=x onerror=alert(1)>.txt", "tab\tand\nline.txt", "fdp.\u202etxt.exe", strings.Repeat("long-", 45) + ".txt", "naïve 100% #1?.txt"} {
		odd = append(odd, filepath.Join(t.TempDir(), name))
		require.NoError(t, os.WriteFile(odd[len(odd)-1], []byte(name), 0o644))
	}
	b.do(chromedp.SetUploadFiles("#upload-files", odd))
	b.click(".file-upload [type=submit]")
	b.until(`document.querySelector("#file-rows").innerText.includes("naïve 100% #1?.txt") && document.querySelector("#file-rows").innerText.includes("long-")`)
	require.Contains(t, b.text(`document.querySelector("#file-rows").innerText`), "<img src=x onerror=alert(1)>.txt", "a name is text")
	require.Contains(t, b.text(`document.querySelector("[data-upload-list] .bad").innerText`), "control characters", "what was refused stays to be read")
	b.judge("files-names")
	b.text(`[...document.querySelectorAll(".file-list .line-name")].find((a) => a.innerText.includes("100%")).click()`)
	b.until(`document.querySelector(".code pre")?.innerText.includes("naïve 100% #1?.txt")`)

	b.now("a file")
	b.open(files + "?path=plan.md")
	b.until(`document.querySelector(".code pre").innerText.includes("again 1")`)
	b.judge("file")
	b.open(files + "?path=plan.md&edit=true")
	b.judge("file-edit")
	b.fill("#content", "a plan")
	b.click("form[action$='/save'] [type=submit]")
	b.until(`document.querySelector(".code pre")?.innerText.includes("a plan")`)

	b.now("somebody else wrote meanwhile, and two presses make one copy")
	edit := files + "?path=plan.md&edit=true"
	b.open(edit)
	other := b.another()
	other.open(edit)
	other.fill("#content", "their plan")
	other.click("form[action$='/save'] [type=submit]")
	other.until(`document.querySelector(".code pre")?.innerText.includes("their plan")`)
	b.fill("#content", "my plan")
	b.click("form[action$='/save'] [type=submit]")
	b.has(".diff-line.del")
	assert.Equal(t, "their plan/my plan", b.text(`["del", "add"].map((k) => document.querySelector(".diff-line." + k + " code").innerText).join("/")`))
	b.judge("file-conflict")
	b.text(`(e => { e.click(); e.click(); })(document.querySelector("button[name=copy]"))`)
	b.until(`document.querySelector(".code pre")?.innerText.includes("my plan")`)
	assert.Equal(t, "plan (4).md", b.text(`document.querySelector("h1").innerText`))
	b.open(files)
	b.until(`document.querySelector("#file-rows").innerText.includes("plan (4).md")`)
	assert.NotContains(t, b.text(`document.querySelector("#file-rows").innerText`), "plan (5).md")

	b.now("delete and undo")
	b.open(files)
	b.text(`document.querySelector(".file-pick[value='plan.md']").click()`)
	b.photo("files-ticked")
	b.click("form[data-files-select] .file-acts > button")
	b.until(`document.querySelector(".banner")?.innerText.includes("plan.md") && ![...document.querySelectorAll(".file-list .line-name")].some((a) => a.innerText === "plan.md")`)
	b.judge("files-undo")
	b.do(chromedp.Reload())
	b.until(`document.querySelector(".banner")?.innerText.includes("plan.md")`)
	b.open(files + "/trash")
	b.has("form[action$='/trash/restore'] button")
	b.judge("files-trash")
	b.click("form[action$='/trash/restore'] button")
	b.until(`document.querySelector("#file-rows")?.innerText.includes("plan.md")`)

	b.now("what the turn changed")
	b.open(files + "/changes")
	b.has(".line a.line-name")
	b.judge("files-changes")
	b.click(".line a.line-name")
	b.has("details.change[open] .diff")
	b.judge("files-change")
	b.click("details.change form button")
	b.until(`document.querySelector("#toasts").innerText.includes("Put back plan.md")`)
	b.open(files)
	b.until(`document.querySelector("#file-rows")`)
	assert.NotContains(t, b.text(`[...document.querySelectorAll(".file-list .line-name")].map((a) => a.innerText).join()`), "plan.md", "the turn had added it")

	b.now("a directory of many")
	names := `[...document.querySelectorAll(".file-list .line-name")].map((a) => a.innerText)`
	b.open(files + "?path=many")
	b.until(`document.querySelectorAll(".file-list .line").length === 200`)
	assert.Equal(t, "many-1.txt,many-2.txt,many-3.txt", b.text(names+`.slice(0, 3).join()`))
	b.follow(`nav[aria-label=Pages] a:last-of-type`)
	assert.Equal(t, "many-201.txt", b.text(names+`[0]`))
	b.follow(`nav[aria-label=Order] a[href*="sort=-changed"]`)
	assert.Equal(t, "true", b.text(`document.querySelector("nav[aria-label=Order] [aria-current]").innerText.includes("Changed")`))
	b.open(files + "?path=many&page=3")
	assert.Equal(t, "many-401.txt,many-450.txt", b.text(`(l => [l[0], l.at(-1)].join())(`+names+`)`))
	b.click(".file-list .line:nth-child(1) .file-pick")
	b.click(".file-list .line:nth-child(3) .file-pick")
	for _, width := range []int64{390, 1440} {
		b.do(size(width, 844))
		b.settle()
		assert.Empty(t, b.text(`(r => r.bottom > innerHeight || r.height > 120 ? "from " + r.top + " to " + r.bottom : "")(document.querySelector(".file-acts").getBoundingClientRect())`), "the acts are to be seen")
	}
	assert.Equal(t, "2 selected", b.text(`document.querySelector("[data-picked]").innerText`))
	b.menus("files-many")
	b.text(`document.querySelector(".file-acts details").open = true`)
	b.judge("files-many")
	b.text(`document.querySelector(".file-acts details").open = false`)
	b.click("[data-pick-all]")
	b.until(`document.querySelector("[data-picked]").innerText === "50 selected"`)
	b.click("[data-pick-none]")
	b.until(`!document.querySelector(".file-acts").getClientRects().length`)
	b.open(files)

	b.now("search")
	b.fill(".file-find input[type=search]", "car*.txt")
	b.until(`document.querySelector("#file-rows").innerText.includes("cargo.txt") && document.querySelectorAll(".file-list .line").length === 1`)
}
