package browsertest

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// From an invitation to the loss of access, in two browsers.
func TestTeamLivesAndLeaves(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.doing = "inviting"
	b.open("/settings/team")
	b.fill("#invite [name=email]", "guest@example.com")
	b.click("#invite [type=submit]")
	b.has(".secret code")
	link := b.text(`document.querySelector(".secret code").textContent`)
	require.Contains(t, link, "/join?token=")
	b.judge("team-invited")

	guest := person(t, s)
	guest.doing = "accepting"
	guest.open(link[strings.Index(link, "/join"):])
	guest.judge("join")
	guest.fill("[name=name]", "Gerda Guest")
	guest.fill("[name=password]", "a password for the guest")
	guest.click("form.form [type=submit]")
	guest.until(`location.pathname === "/"`)
	guest.open("/settings/team")
	require.NotContains(t, guest.text(`document.querySelector("main").innerText`), "Withdraw")
	guest.judge("team-member")

	b.doing = "a new role"
	b.open("/settings/team")
	b.click(`li:has(.line-name) details.menu > summary`)
	b.text(`document.querySelectorAll("details.menu-ask").forEach(d => { d.open = true })`)
	b.judge("team-menu")
	b.text(`[...document.querySelectorAll("form[action$='/role'] button")][0].click()`)
	b.until(`document.querySelector(".lines").innerText.includes("Admin")`)
	guest.doing = "an admin now"
	guest.open("/settings/keys")
	guest.has("#new [name=name]")
	guest.open("/settings/roles")
	guest.judge("roles")

	b.doing = "a key"
	b.open("/settings/keys")
	b.fill("#new [name=name]", "laptop")
	b.click("#new [type=submit]")
	b.has(".secret code")
	key := b.text(`document.querySelector(".secret code").textContent`)
	b.judge("key-made")
	out, err := exec.Command("curl", "-s", "-H", "Authorization: Bearer "+key, s.base+"/api/instances").Output()
	if err != nil { // no curl on this machine
		req, rerr := http.NewRequest("GET", s.base+"/api/instances", nil)
		require.NoError(t, rerr)
		req.Header.Set("Authorization", "Bearer "+key)
		resp, rerr := http.DefaultClient.Do(req)
		require.NoError(t, rerr)
		defer func() { _ = resp.Body.Close() }()
		rows := []map[string]any{}
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&rows))
		require.Len(t, rows, 1)
	} else {
		require.Contains(t, string(out), `"name":"first-agent"`)
	}
	b.open("/search?q=a")
	b.judge("search")
	b.open("/organizations")
	b.judge("organizations")
	b.open("/settings/audit")
	b.until(`document.querySelector("main").innerText.includes("Key created")`)
	b.judge("audit")

	guest.doing = "watching while being removed"
	guest.open("/instances")
	guest.until(`document.querySelectorAll("#instance-rows tr").length === 1`)
	b.doing = "removing"
	b.open("/settings/team")
	b.click(`li:has(.line-name) details.menu > summary`)
	began := time.Now()
	b.text(`document.querySelector(".lines form[action$='/delete'] button").click()`)
	guest.until(`location.pathname === "/organizations"`)
	t.Logf("the page was gone after %.2f s", time.Since(began).Seconds())
	guest.judge("no-organization")
	guest.fill("[name=name]", "Own things")
	guest.click("form.form [type=submit]")
	guest.until(`location.pathname === "/" && document.querySelector(".org-name").textContent === "Own things"`)
}

// An organization ends only by its name, and takes its sandbox along.
func TestOrganizationEnds(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.open("/settings")
	b.judge("settings")
	b.open("/settings/delete")
	b.judge("organization-delete")
	name := b.text(`document.querySelector(".org-name").textContent`)
	b.fill("[name=confirm]", name)
	b.click("form.form [type=submit]")
	b.until(`location.pathname === "/organizations"`)
	require.Contains(t, b.text(`document.querySelector("main").innerText`), "You belong to no organization")
	b.allow("403", "404")
	require.Equal(t, "403", b.text(`fetch("/api/instances").then(r => String(r.status))`))
}
