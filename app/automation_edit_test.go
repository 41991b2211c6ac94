package app_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

func TestEditingAnAutomation(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	page := "/automations/" + w.Acme.Automation
	do := func(method, path string, status int, kv ...string) string {
		t.Helper()
		form := url.Values{}
		for n := 0; n < len(kv); n += 2 {
			form.Set(kv[n], kv[n+1])
		}
		c := apptest.Call{Method: method, Path: path, Who: w.Acme.Member, Face: apptest.Page}
		if method == "POST" {
			c.Form = form
		}
		a := w.Do(c)
		require.Equal(t, status, a.Status, "%s: %s", path, a.Body)
		return a.Body
	}
	has(t, do("GET", page+"/edit", 200), "Acme Canary confidential report", "Time zone", "Times missed while nothing ran", "{{schedule.name}}")
	body := do("POST", page, 200, "name", "New name", "prompt", "new words {{date}}", "when", "30 0 9 * * 1-5", "timezone", "Europe/Berlin", "missed", "all", "overlap", "queue", "jitter", "60", "preview", "1")
	require.Equal(t, 5, strings.Count(body, "<li><time"))
	body = do("POST", page, 422, "name", "", "prompt", "x", "when", "every day", "timezone", "UTC", "missed", "once", "overlap", "skip")
	has(t, body, "at what time?")
	has(t, do("POST", page, 422, "name", "x", "prompt", "", "when", "0 9 * * *", "timezone", "UTC", "missed", "once", "overlap", "skip", "jitter", "x"), "Whole seconds")
	has(t, do("POST", page, 422, "name", "x", "prompt", "y", "when", "* * * * *", "timezone", "UTC", "missed", "once", "overlap", "skip", "jitter", "90"), "shorter than the time between two runs")
	do("POST", page, 303, "name", "New name", "prompt", "new words {{date}}", "when", "30 0 9 * * 1-5", "timezone", "Europe/Berlin", "missed", "all", "overlap", "queue", "jitter", "60")
	has(t, do("GET", page, 200), "New name", "new words {{date}}", "30 0 9 * * 1-5", "Catch up, one by one", "Wait for it", "60 seconds")
	row, err := w.Acme.Scope.Automation(t.Context(), w.Acme.Automation)
	require.NoError(t, err)
	require.Equal(t, models.AutomationCron, row.Kind)

	trigger := "/automations/" + w.Acme.Trigger
	has(t, do("GET", trigger+"/edit", 200), "A trigger may be called from", "{{payload.a.b}}")
	has(t, do("POST", trigger, 422, "name", "x", "prompt", "y", "overlap", "queue", "allowed_from", "nonsense"), "is no network")
	do("POST", trigger, 303, "name", "x", "prompt", "say {{payload.a}}", "overlap", "allow", "allowed_from", "192.0.2.0/24", "strict", "true")
	has(t, do("GET", trigger, 200), "192.0.2.0/24", "Run beside it")

	// The console, the calls and the secret.
	has(t, do("POST", trigger+"/test", 200, "body", `{"a":"hello"}`, "preview", "1"), "say «hello»")
	has(t, do("POST", trigger+"/test", 422, "body", `nonsense`), "This is no JSON")
	do("POST", trigger+"/test", 303, "body", `{"a":"hello"}`)
	has(t, do("GET", trigger, 200), "in the console", "192.0.2.1", "Console", "Repeat")
	call := trigger + "/calls/" + w.Acme.Call
	has(t, do("GET", call, 200), "Acme Canary confidential", "192.0.2.1")
	do("POST", call+"/replay", 303)
	has(t, do("GET", trigger, 200), "by a repeated call", "an earlier run")
	do("POST", trigger+"/secret", 303, "keep", "true")
	has(t, do("GET", trigger, 200), "The old secret works until")
	do("GET", trigger+"/test", 303)
	do("POST", trigger+"/secret/old/delete", 303)
	lacks(t, do("GET", trigger, 200), "The old secret works until")
	do("POST", page+"/secret", 404)
	do("POST", page+"/test", 404, "body", "{}")

	// All of them, and those of one instance.
	do("POST", "/automations/pause?instance="+w.Acme.Instance.ID, 303)
	has(t, do("GET", "/automations", 200), "All automations of "+w.Acme.Instance.Name+" were paused", "Held back")
	do("POST", "/automations/resume?instance="+w.Acme.Instance.ID, 303)
	lacks(t, do("GET", "/automations", 200), "were paused", "Held back")
	do("POST", "/automations/pause?instance=nonsense", 404)
}

// All automations of an organization are paused and resumed by who edits its settings; those of one instance by who uses it. Whose they
// are, and who else could change it, is told; the audit log has it, and a page offers nobody what they may not do.
func TestWhoPausesAllAutomations(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	do := func(who *apptest.Person, path string, want int) {
		t.Helper()
		a := w.Do(apptest.Call{Method: "POST", Path: path, Who: who, Form: url.Values{}})
		require.Equal(t, want, a.Status, a.Body)
	}
	shown := func(who *apptest.Person) string { return w.Do(get("/automations", who)).Body }
	told := func(who *apptest.Person) int {
		return w.Count("SELECT count(*) FROM notifications WHERE kind = 'automations_held' AND user_id = (SELECT id FROM users WHERE email = ?)", who.Email)
	}
	one := "?instance=" + w.Acme.Instance.ID
	do(w.Acme.Member, "/automations/pause", 403)
	lacks(t, shown(w.Acme.Member), "All automations…")
	has(t, shown(w.Acme.Member), "/automations/pause"+one)
	require.Zero(t, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'automations.paused'"))
	do(w.Acme.Member, "/automations/pause"+one, 303)
	do(w.Acme.Member, "/automations/resume"+one, 303)
	require.Zero(t, told(w.Acme.Member), "who did it knows")
	require.Equal(t, 1, told(w.Acme.Owner))

	has(t, shown(w.Acme.Admin), "All automations…")
	do(w.Acme.Admin, "/automations/pause", 303)
	require.Zero(t, told(w.Acme.Admin)-1, "of the member's alone")
	require.Equal(t, 2, told(w.Acme.Owner))
	has(t, w.Do(get("/notifications", w.Acme.Owner)).Body, "All automations of", "were paused")
	has(t, shown(w.Acme.Member), "All automations were paused", "An owner or an admin resumes them")
	lacks(t, shown(w.Acme.Member), `action="/automations/resume"`)
	has(t, shown(w.Acme.Admin), `action="/automations/resume"`)
	do(w.Acme.Member, "/automations/resume", 403)
	do(w.Acme.Owner, "/automations/resume", 303)
	require.Equal(t, 2, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'automations.paused'"))
	require.Equal(t, 2, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'automations.resumed'"))
}

// Two forms of one automation: who saves last is told of what the other saved, keeps what was typed, and writes over it only when they
// mean it. Runs and a new secret are no change of it, and a call without a stamp is of whatever is there.
func TestTwoEditOneAutomation(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	page := "/automations/" + w.Acme.Automation
	stamp := func() string {
		found := regexp.MustCompile(`name="stamp" value="([0-9a-f]+)"`).FindStringSubmatch(w.Do(get(page+"/edit", w.Acme.Member)).Body)
		require.Len(t, found, 2)
		return found[1]
	}
	save := func(stamp, name, prompt string) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: page, Who: w.Acme.Member, Form: url.Values{"stamp": {stamp}, "name": {name}, "prompt": {prompt}, "when": {"every day at 9"},
			"timezone": {"UTC"}, "missed": {"once"}, "overlap": {"skip"}, "jitter": {"0"}}})
	}
	require.Equal(t, 303, save(stamp(), "First", "as it was").Status)
	first := stamp()
	require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: page + "/run", Who: w.Acme.Member, Form: url.Values{}}).Status)
	require.Equal(t, first, stamp(), "a run is no change")
	require.Equal(t, 303, save(first, "First", "the words of B").Status)

	a := save(first, "The name of A", "as it was")
	require.Equal(t, 409, a.Status)
	has(t, a.Body, "Somebody changed it while you did", "the words of B", `value="The name of A"`, "as it was</textarea>", stamp())
	row, err := w.Acme.Scope.Automation(t.Context(), w.Acme.Automation)
	require.NoError(t, err)
	require.Equal(t, []string{"First", "the words of B"}, []string{row.Name, row.Prompt})
	require.Equal(t, 303, save(stamp(), "The name of A", "the words of both").Status, "it is meant now")
	require.Equal(t, 303, save("", "No stamp", "as it is").Status)
}

// Who edits somebody else's is told that it will be theirs, and then it is.
func TestWhoEditsItAnswersForIt(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	path := "/automations/" + w.Acme.Trigger
	w.Exec("UPDATE automations SET created_by = (SELECT id FROM users WHERE email = ?), created_name = 'Olga' WHERE id = ?", w.Acme.Owner.Email, w.Acme.Trigger)
	edit := func(who *apptest.Person) string { return w.Do(get(path+"/edit", who)).Body }
	lacks(t, edit(w.Acme.Owner), "answers for it now")
	page := edit(w.Acme.Member)
	has(t, page, "Olga answers for it now", "your rights and budgets")
	form := url.Values{"stamp": {regexp.MustCompile(`name="stamp" value="([^"]*)"`).FindStringSubmatch(page)[1]}, "name": {"Harbour"}, "prompt": {"look at the sea"}, "overlap": {"queue"}}
	saved := w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Member, Form: form})
	require.Equal(t, 303, saved.Status, saved.Body)
	lacks(t, edit(w.Acme.Member), "answers for it now")
	has(t, edit(w.Acme.Owner), "answers for it now")
}
