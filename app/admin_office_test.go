package app_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/jobs"
	"lobstead/jobs/jobstest"
	"lobstead/kit/testservices"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestAdminHealth(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	a := w.Do(get("/admin", w.Acme.Owner))
	assert.Equal(t, 200, a.Status)
	has(t, a.Body, "Database", "Lobstead test", "No worker runs", "Last backup", `aria-current="page"`)
	lacks(t, w.Do(get("/", w.Rival.Owner)).Body, `href="/admin"`)
	has(t, w.Do(get("/", w.Acme.Owner)).Body, `href="/admin"`)
}

// The queue is real: a task fails until it is archived, is run again from its page, and another one is deleted.
func TestAdminJobs(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	owner := w.Acme.Owner
	has(t, w.Do(get("/admin/jobs", owner)).Body, "critical", "default", "low", "No worker runs")
	assert.Equal(t, 422, office(w, "/admin/jobs/low", "pause", "an outage").Status, "nothing was ever put into it")
	assert.Equal(t, 404, w.Do(get("/admin/jobs/nonsense", owner)).Status)
	assert.Equal(t, 404, w.Do(get("/admin/jobs/low?state=nonsense", owner)).Status)

	failing := errors.New("the session is not there: <b>boom</b>")
	ran := make(chan string, 10)
	worker := jobstest.Work(t, w.Redis, func(p any) error {
		ran <- p.(jobs.TitleSession).Session
		return failing
	})
	require.NoError(t, w.App.Jobs.Title(t.Context(), w.Rival.ID, "s1"))
	require.Equal(t, "s1", <-ran)
	task := "/admin/jobs/low/task"
	var body string
	require.Eventually(t, func() bool {
		body = w.Do(get(task+"?id=title:s1", owner)).Body
		return strings.Contains(body, "the session is not there")
	}, waitLong, waitStep)
	has(t, body, w.Rival.ID, "&lt;b&gt;boom", "Run now", "Delete", "Retry")
	has(t, w.Do(get("/admin/jobs/low?state=retry", owner)).Body, "title:s1", "session:title")
	has(t, w.Do(get("/admin/jobs", owner)).Body, "busy")

	assert.Equal(t, 303, office(w, "/admin/jobs/low", "pause", "an outage").Status)
	noted(t, w, models.InstallationChain, "queue.paused", "an outage")
	has(t, w.Do(get("/admin/jobs/low", owner)).Body, "Paused", "Go on")
	assert.Equal(t, 303, office(w, task, "run", "the cause is mended", "id", "title:s1").Status)
	noted(t, w, w.Rival.ID, "job.run", "the cause is mended")
	require.NoError(t, w.App.Jobs.Title(t.Context(), w.Rival.ID, "s2"))
	assert.Equal(t, 303, office(w, task, "delete", "not wanted", "id", "title:s2").Status)
	noted(t, w, w.Rival.ID, "job.delete", "not wanted")
	assert.Equal(t, 404, w.Do(get(task+"?id=title:s2", owner)).Status)
	select {
	case s := <-ran:
		t.Fatalf("%s ran from a paused queue", s)
	default:
	}
	assert.Equal(t, 303, office(w, "/admin/jobs/low", "unpause", "over").Status)
	assert.Equal(t, "s1", <-ran, "run again, and the deleted one not")
	worker.Stop()
	assert.Equal(t, 404, office(w, task, "run", "the cause is mended", "id", "no such task").Status)
}

func TestAdminFlags(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	has(t, w.Do(get("/admin/flags", w.Acme.Owner)).Body, "AI agents enabled", "Every organization follows the installation")
	say := func(o *apptest.Org) int {
		return w.Do(apptest.Call{Method: "POST", Path: "/chat/" + o.Session.ID + "/messages", Who: o.Owner, Form: url.Values{"message": {"hello"}}}).Status
	}
	assert.Equal(t, 303, office(w, "/admin/organizations/"+w.Acme.ID+"/flags", "on", "they paid", "flag", "agents").Status)
	assert.Equal(t, 303, office(w, "/admin/flags", "off", "maintenance", "flag", "agents").Status)
	noted(t, w, models.InstallationChain, "flag.changed", "maintenance")
	assert.Equal(t, 403, say(w.Rival))
	assert.Equal(t, 303, say(w.Acme), "its own decision wins")
	has(t, w.Do(get("/admin/flags", w.Acme.Owner)).Body, w.Acme.Name, "Switch on")
	assert.Equal(t, 303, office(w, "/admin/flags", "on", "done", "flag", "agents").Status)
	assert.Equal(t, 303, say(w.Rival))
	assert.Equal(t, 404, office(w, "/admin/flags", "off", "maintenance", "flag", "nonsense").Status)
}

func TestAdminPlans(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	has(t, w.Do(get("/admin/plans", w.Acme.Owner)).Body, "STARTER", "PRO", "BUSINESS", "$")
	assert.Equal(t, 404, w.Do(get("/admin/plans/GOLD", w.Acme.Owner)).Status)
	has(t, w.Do(get("/admin/plans/PRO", w.Acme.Owner)).Body, "Price a month")
	assert.Equal(t, 303, office(w, "/admin/plans/PRO", "save", "a new price", "price_month_cents", "3123", "instances", "77", "cpus", "2.5").Status)
	noted(t, w, models.InstallationChain, "plan.changed", "a new price")
	has(t, w.Do(get("/admin/plans", w.Acme.Owner)).Body, "$31.23", "77", "2.5")
	for name, bad := range map[string]string{"instances": "many", "cpus": "-1", "memory_mb": "1"} {
		a := office(w, "/admin/plans/PRO", "save", "a new price", name, bad)
		assert.Equal(t, 422, a.Status, name)
		has(t, a.Body, `id="plan-`+name+`-error"`, `value="`+bad+`"`)
	}
	assert.Equal(t, 404, office(w, "/admin/plans/GOLD", "save", "a new price", "instances", "1").Status)
}

func TestAdminModels(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	body := w.Do(get("/admin/models", w.Acme.Owner)).Body
	has(t, body, w.Acme.Provider.Model, w.Rival.Provider.Model, "Default")
	lacks(t, body, apptest.GoodKey, apptest.GoodKey[len(apptest.GoodKey)-4:]+"<")
	has(t, w.Do(get("/admin/models?q=nothing-like-that", w.Acme.Owner)).Body, "No model service found")
}

func TestAdminAudit(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	owner := w.Acme.Owner
	require.Equal(t, 303, office(w, "/admin/organizations/"+w.Rival.ID, "plan", "a <deal>", "plan", "PRO").Status)
	require.Equal(t, 303, office(w, "/admin/users/"+w.Rival.Member.UserID, "sign_out", "lost a laptop").Status)
	body := w.Do(get("/admin/audit", owner)).Body
	has(t, body, "Person signed out", "lost a laptop", owner.Name)
	lacks(t, body, "plan changed")
	rival := "/admin/audit?chain=" + w.Rival.ID
	has(t, w.Do(get(rival, owner)).Body, "Organization plan changed", "a &lt;deal&gt;", "plan: BUSINESS → PRO", w.Rival.Name)
	has(t, w.Do(get(rival+"&act=key.", owner)).Body, "Key created")
	lacks(t, w.Do(get(rival+"&act=key.", owner)).Body, "plan changed")
	has(t, w.Do(get(rival+"&until=2001-01-01", owner)).Body, "No entry")
	assert.Equal(t, 404, w.Do(get("/admin/audit?chain=nonsense", owner)).Status)

	a := w.Do(get("/admin/audit/export?chain="+w.Rival.ID, owner))
	assert.Equal(t, "application/jsonl", a.Header.Get("Content-Type"))
	assert.Contains(t, a.Header.Get("Content-Disposition"), "attachment")
	rows := entries(t, w, w.Rival.ID)
	lines := strings.Split(strings.TrimSpace(a.Body), "\n")
	require.Len(t, lines, len(rows))
	for i, line := range lines {
		var e struct {
			Seq    int64
			Hash   string
			Before map[string]any
		}
		require.NoError(t, json.Unmarshal([]byte(line), &e), line)
		assert.Equal(t, rows[i].Hash, e.Hash)
		assert.Equal(t, rows[i].Seq, e.Seq)
	}
	empty := w.Do(get("/admin/audit/export?chain="+w.Rival.ID+"&until=2001-01-01", owner))
	assert.Equal(t, 200, empty.Status)
	assert.Empty(t, empty.Body)

	has(t, w.Do(get("/admin/audit?verify=1", owner)).Body, "Every chain is whole", w.Rival.Name)
	w.Exec("UPDATE audit_entries SET reason = 'another' WHERE chain = ? AND act = 'organization.plan_changed'", w.Rival.ID)
	has(t, w.Do(get("/admin/audit?verify=1", owner)).Body, "1 chain was changed", "Broken at entry")
}

func TestAdminBackups(t *testing.T) {
	t.Parallel()
	if modelstest.Postgres() {
		testservices.Program(t, "pg_dump")
	}
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	owner, system := w.Acme.Owner, w.Store.AsSystem("test")
	has(t, w.Do(get("/admin/backups", owner)).Body, "No backup yet")
	require.Equal(t, 303, office(w, "/admin/backups", "make", "before the upgrade").Status)
	noted(t, w, models.InstallationChain, "backup.asked", "before the upgrade")
	rows, err := system.Backups(t.Context())
	require.NoError(t, err)
	at := "/admin/backups/" + rows[0].ID
	has(t, w.Do(get("/admin/backups", owner)).Body, "Waiting for a worker", "every 2s")
	assert.Equal(t, 422, office(w, at, "rehearse", "to be sure").Status, "it is not made yet")
	assert.Equal(t, 422, office(w, at+"/download", "download", "off site").Status)
	_, err = w.App.Inspector.Task(jobs.Default, "backup:"+rows[0].ID)
	require.NoError(t, err, "the job is in the queue")

	require.NoError(t, system.MakeBackup(t.Context(), rows[0].ID))
	b, err := system.Backup(t.Context(), rows[0].ID)
	require.NoError(t, err)
	require.Empty(t, b.Problem)
	body := w.Do(get("/admin/backups", owner)).Body
	has(t, body, "Made", b.File)
	lacks(t, body, "every 2s")
	a := office(w, at+"/download", "download", "off site")
	assert.Equal(t, 200, a.Status)
	assert.Equal(t, int(b.Bytes), len(a.Body))
	assert.Contains(t, a.Header.Get("Content-Disposition"), b.File)
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	noted(t, w, models.InstallationChain, "backup.downloaded", "off site")
	a = office(w, at+"/download", "download", "")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, sayWhy)

	require.Equal(t, 303, office(w, at, "rehearse", "to be sure").Status)
	noted(t, w, models.InstallationChain, "backup.rehearsed", "to be sure")
	assert.Equal(t, 422, office(w, at, "rehearse", "to be sure").Status, "one at a time")
	require.NoError(t, system.RehearseBackup(t.Context(), b.ID))
	has(t, w.Do(get(at, owner)).Body, "Rehearsed", "as in the manifest", "this program can start on it")
	require.Equal(t, 303, office(w, at, "delete", "it is old").Status)
	noted(t, w, models.InstallationChain, "backup.deleted", "it is old")
	assert.Equal(t, 404, w.Do(get(at, owner)).Status)
	left, err := os.ReadDir(filepath.Join(w.Dir, "backups"))
	require.NoError(t, err)
	assert.Empty(t, left, "neither the copy nor its manifest")
}
