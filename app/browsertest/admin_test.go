package browsertest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A walk through the back office: every page in both themes, and the acts that a member of staff needs first.
func TestBackOffice(t *testing.T) {
	t.Parallel()
	s := start(t, "SMTP_URL=smtp://127.0.0.1:1", "MAIL_FROM=no-reply@example.org") // nobody answers there
	b := owner(t, s)
	b.click(".suggestion")
	b.until(`location.pathname.startsWith("/chat/")`)
	b.ended("1")

	b.now("a letter")
	b.open("/settings/team")
	b.fill("#invite [name=email]", "guest@example.com")
	b.click("#invite [type=submit]")
	b.until(`document.querySelector("#invited")?.textContent.includes("Tried again")`)
	b.judge("team-letter")

	b.open("/")
	b.click(`.side a[href="/admin"]`)
	b.until(`document.querySelector("[aria-label=Admin] [aria-current]")?.textContent.trim() === "Health"`)
	for _, p := range []struct{ tab, name string }{{"/admin", "admin-health"}, {"/admin/users", "admin-users"}, {"/admin/organizations", "admin-organizations"},
		{"/admin/instances", "admin-instances"}, {"/admin/jobs", "admin-jobs"}, {"/admin/deliveries", "admin-deliveries"}, {"/admin/flags", "admin-flags"}, {"/admin/plans", "admin-plans"}, {"/admin/plans/PRO", "admin-plan"}, {"/admin/models", "admin-models"},
		{"/admin/audit?verify=1", "admin-audit"}, {"/admin/backups", "admin-backups"}} {
		b.open(p.tab)
		b.has("[aria-label=Admin] [aria-current]")
		b.judge(p.name)
	}

	b.now("the organization")
	b.open("/admin/organizations")
	b.click("a.row-link")
	b.has("#plan")
	b.judge("admin-organization")
	b.allow("422")
	b.text(`document.querySelector("#plan").noValidate = true`) // the server's answer, not the browser's
	b.click("#plan [type=submit]")
	b.until(`document.querySelector("#plan-reason-error")?.textContent.includes("Say why")`)
	b.text(`document.querySelector("#plan select").value = "PRO"`)
	b.fill("#plan-reason", "a deal by mail")
	b.click("#plan [type=submit]")
	b.until(`document.querySelector("#toasts")?.textContent.includes("The plan was changed")`)
	b.now("agents off")
	b.fill("#flag-agents-reason", "an abuse report")
	b.click("#flag-agents [value=off]")
	b.until(`document.querySelector("#flag-agents [value=follow]")`)
	b.open("/settings/audit")
	b.until(`document.body.innerText.includes("an abuse report") && document.body.innerText.includes("a deal by mail")`)
	b.allow("403")
	b.open("/chat?new=1")
	b.ask("Are you there?")
	b.until(`document.querySelector("#toasts")?.textContent.includes("switched off") || document.body.innerText.includes("switched off")`)

	b.now("the instance")
	b.open("/admin/instances")
	b.click("a.row-link")
	b.has("#instance-reason")
	b.judge("admin-instance")
	b.fill("#instance-reason", "it looked stuck")
	b.click("#instance [value=reconcile]")
	b.until(`document.querySelector("#toasts")?.textContent.includes("A worker looks at it now")`)

	b.now("the letter")
	b.open("/admin/deliveries")
	b.click("a.row-link")
	b.has("#delivery-reason")
	b.judge("admin-delivery")
	b.fill("#delivery-reason", "asked by mistake")
	b.click("#delivery [value=drop]")
	b.until(`document.querySelector("main").textContent.includes("nothing can be done with it")`)

	b.now("the queue")
	b.open("/admin/jobs")
	b.click("a.row-link")
	b.has("#queue-reason")
	b.judge("admin-queue")
	b.open("/admin/jobs/low?state=completed")
	b.click("a.row-link")
	b.until(`document.querySelector("#payload-title")`)
	b.judge("admin-task")

	b.now("oneself")
	b.open("/admin/users")
	b.click("a.row-link")
	b.has("#user-reason")
	b.judge("admin-user")
	require.Equal(t, "false", b.text(`!!document.querySelector("#user [value=block]")`))

	b.backup()
}

// backup makes a copy by the worker, watches it come, rehearses it and looks at what lies on the disk.
func (b *tab) backup() {
	t := b.t
	t.Helper()
	b.now("a backup")
	b.open("/admin/backups")
	b.fill("#backup-reason", "before the upgrade")
	b.click("#backup [value=make]")
	b.until(`document.querySelector("#backups")?.textContent.includes("Made")`)
	b.click("#backups a.row-link")
	b.has("#backup-state")
	b.fill("#backup-reason", "to be sure of it")
	b.click("#backup [value=rehearse]")
	b.until(`document.querySelector("#backup-state")?.textContent.includes("this program can start on it")`)
	assert.Equal(t, "false", b.text(`document.querySelector("#backup-state").textContent.includes("Failed")`))
	b.judge("admin-backup")
	copies, err := filepath.Glob(filepath.Join(b.server.data, "backups", "*.db"))
	require.NoError(t, err)
	require.Len(t, copies, 1)
	text, err := os.ReadFile(copies[0] + ".json")
	require.NoError(t, err)
	require.True(t, json.Valid(text))
}
