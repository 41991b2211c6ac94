package app_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// Before anything is saved, the page says what was understood; a sentence that means nothing is told why.
func TestASentenceIsShownBeforeItIsSaved(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	ask := func(text string, face apptest.Face, more ...string) apptest.Answer {
		q := url.Values{"text": {text}, "instance": {w.Acme.Instance.ID}}
		for n := 0; n < len(more); n += 2 {
			q.Set(more[n], more[n+1])
		}
		return w.Do(apptest.Call{Method: "GET", Path: "/automations/new?" + q.Encode(), Who: w.Acme.Member, Face: face})
	}
	a := ask("every weekday at 9 summarise my inbox", apptest.Page, "timezone", "Europe/Berlin")
	has(t, a.Body, "Summarise my inbox", "every weekday at 09:00", "Europe/Berlin", "Next runs", "Save")
	require.Equal(t, 5, strings.Count(a.Body, `<li><time`))
	part := ask("every day at 5 look", apptest.Partial)
	has(t, part.Body, "could be in the morning or in the afternoon")
	lacks(t, part.Body, "Save")
	lacks(t, part.Body, "<html")
	for _, face := range []apptest.Face{apptest.Page, apptest.Partial} { // the part that is swapped in while somebody types says it too
		has(t, ask("every day at 9 look", face, "timezone", "Mars").Body, "This is no time zone")
	}
	has(t, ask("look", apptest.Partial, "as", "trigger").Body, "when it is called", "Save")
	rows, err := w.Acme.Scope.Automations(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, rows, 2, "nothing was saved")
}

// A message that begins with a command is shown as it is understood, and becomes no turn.
func TestCommandsOfTheComposer(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for path, form := range map[string]url.Values{"/chat": {"instance": {w.Acme.Instance.ID}}, "/chat/" + w.Acme.Session.ID + "/messages": {}} {
		for text, want := range map[string]string{"/schedule every day at 9 look": "as=automate", "/Remind  in 2 hours to stretch ": "as=remind", "/trigger look": "as=trigger", "/automate\nevery day at 9\nlook": "as=automate"} {
			form.Set("message", text)
			a := w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Member, Face: apptest.Page, Form: form})
			require.Equal(t, 303, a.Status)
			to := a.Header.Get("Location")
			has(t, to, "/automations/new?", want, w.Acme.Instance.ID)
			has(t, w.Do(apptest.Call{Method: "GET", Path: to, Who: w.Acme.Member, Face: apptest.Page}).Body, "What was understood", "Save")
		}
	}
	open, err := w.Acme.Scope.OpenTurns(t.Context(), w.Acme.Session.ID)
	require.NoError(t, err)
	require.Len(t, open, 1, "the one of before")
	a := w.Do(apptest.Call{Method: "POST", Path: "/chat/" + w.Rival.Session.ID + "/messages", Who: w.Acme.Member, Face: apptest.Page, Form: url.Values{"message": {"/remind in 1 hour x"}}})
	require.Equal(t, 404, a.Status)
	a = w.Do(apptest.Call{Method: "POST", Path: "/chat/" + w.Acme.Session.ID + "/messages", Who: w.Acme.Member, Face: apptest.Page, Form: url.Values{"message": {"/scheduled is a folder"}}})
	require.Equal(t, "/chat/"+w.Acme.Session.ID, a.Header.Get("Location"), "an ordinary message")
}

// What is long is asked about by a form's body: in an address there is no room for it.
func TestALongSentence(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	long := strings.TrimSpace(strings.Repeat("Schiffslösch-Übersicht erzählen ", 220)) // 7.7 KB, thrice that in an address
	form := url.Values{"text": {"every day at 9 " + long}, "instance": {w.Acme.Instance.ID}, "timezone": {"UTC"}, "as": {"automate"}, "preview": {"1"}}
	for _, face := range []apptest.Face{apptest.Page, apptest.Partial} {
		a := w.Do(apptest.Call{Method: "POST", Path: "/automations", Who: w.Acme.Member, Face: face, Form: form})
		require.Equal(t, 200, a.Status, a.Body)
		has(t, a.Body, "What was understood", "every day at 09:00", "Save")
	}
	rows, err := w.Acme.Scope.Automations(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, rows, 2, "nothing was saved")

	for path, form := range map[string]url.Values{"/chat": {"instance": {w.Acme.Instance.ID}}, "/chat/" + w.Acme.Session.ID + "/messages": {}} {
		form.Set("message", "/schedule every day at 9 "+long)
		a := w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Member, Face: apptest.Page, Form: form})
		require.Equal(t, 422, a.Status)
		has(t, a.Body, "too long for a command", "Übersicht erzählen")
	}
}

func TestAutomationPages(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	post := func(path string, form url.Values) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Member, Face: apptest.Page, Form: form})
	}
	get := func(path string) string {
		a := w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Acme.Member, Face: apptest.Page})
		require.Equal(t, 200, a.Status, a.Body)
		return a.Body
	}
	sentence := func(text string) url.Values {
		return url.Values{"text": {text}, "instance": {w.Acme.Instance.ID}, "timezone": {"UTC"}, "as": {"automate"}}
	}
	a := post("/automations", sentence("every day"))
	require.Equal(t, 422, a.Status)
	has(t, a.Body, "“every day” was understood: at what time?")

	a = post("/automations", sentence("every day at 9 list the files"))
	require.Equal(t, 303, a.Status)
	page := a.Header.Get("Location")
	has(t, get(page), "List the files", "every day at 09:00, UTC", "0 9 * * *", "Next runs", "It did not run yet", "Active")

	require.Equal(t, page, post(page+"/run", url.Values{}).Header.Get("Location"))
	has(t, get(page), "Running", "by hand", "/chat/")
	require.Equal(t, 303, post(page+"/run", url.Values{}).Status)
	require.Equal(t, 1, strings.Count(get(page), `id="run-`), "one at a time")
	has(t, get("/automations"), "List the files", "Last run", "Running", w.Acme.Instance.Name, "yearly reminder")

	post(page+"/pause", url.Values{})
	body := get(page)
	has(t, body, "Paused", "Resume")
	lacks(t, body, "Next runs")
	post(page+"/resume", url.Values{})
	has(t, get(page), "Active", "Next runs")

	a = post("/automations", sentence("when an order arrives, write a letter"))
	a = w.Follow(a, w.Acme.Member)
	has(t, a.Body, "Copy the secret now", models.TriggerSecretPrefix, w.App.PublicURL+"/v1/webhooks/triggers/")
	rows, err := w.Acme.Scope.Automations(t.Context(), w.Acme.Instance.ID)
	require.NoError(t, err)
	for _, r := range rows {
		if r.Kind == models.AutomationWebhook {
			lacks(t, get("/automations/"+r.ID), "Copy the secret now")
		}
	}
	require.Equal(t, "/automations", post(page+"/delete", url.Values{}).Header.Get("Location"))
	require.Equal(t, 404, w.Do(apptest.Call{Method: "GET", Path: page, Who: w.Acme.Member, Face: apptest.Page}).Status)
}

// A run that failed is shown with its reason, on the page and in its conversation.
func TestAFailedRunIsShown(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	off := false
	require.NoError(t, w.Acme.Scope.SetFlag(t.Context(), models.FlagAgents, &off))
	a, err := w.Acme.Scope.Automation(t.Context(), w.Acme.Automation)
	require.NoError(t, err)
	run, err := w.Acme.Scope.StartRun(t.Context(), a.ID, models.Run{Cause: models.RunDue, Due: *a.NextAt, Text: a.Prompt})
	require.Error(t, err)
	for _, path := range []string{"/automations", "/automations/" + a.ID} {
		has(t, w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Acme.Member, Face: apptest.Page}).Body, "Failed", "AI agents are switched off")
	}
	chat := w.Do(apptest.Call{Method: "GET", Path: "/chat/" + run.SessionID, Who: w.Acme.Member, Face: apptest.Page})
	require.Equal(t, 200, chat.Status)
	has(t, chat.Body, "The run of "+run.DueAt.UTC().Format("2 January 15:04")+" did not start: AI agents are switched off")
	require.WithinDuration(t, time.Now(), run.CreatedAt, time.Minute)
}

// What belongs to a stopped instance says so before it is saved, and what fails again and again does not look well: the list and the page
// say it with the reason and what to do.
func TestAutomationsOfAStoppedInstance(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Running(w.Acme, "first-running")
	newest := w.Running(w.Acme, "newest")
	stop := func(id string) {
		_, err := w.Acme.Scope.ActOnInstance(t.Context(), id, models.Stop)
		require.NoError(t, err)
	}
	stop(newest.ID)
	body := w.Do(get("/automations/new", w.Acme.Member)).Body
	preferred, err := w.Acme.Scope.DefaultInstance(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, newest.ID, preferred.ID)
	require.Regexp(t, `<option value="`+preferred.ID+`" selected`, body)
	has(t, body, "newest (stopped)")
	says := "newest is stopped: nothing will run until it is started"
	has(t, w.Do(get("/automations/new?text=every+day+at+9+look&instance="+newest.ID, w.Acme.Member)).Body, says, "every day at 09:00")
	lacks(t, w.Do(get("/automations/new?text=every+day+at+9+look&instance="+preferred.ID, w.Acme.Member)).Body, says)

	page := "/automations/" + w.Acme.Automation
	lacks(t, w.Do(get(page, w.Acme.Member)).Body, "is stopped", "Failing")
	stop(w.Acme.Instance.ID)
	for range 3 {
		a := w.Do(apptest.Call{Method: "POST", Path: page + "/run", Who: w.Acme.Member, Form: url.Values{}})
		require.Equal(t, page, a.Header.Get("Location"))
		said, err := url.QueryUnescape(a.Cookie("lobstead_flash").Value)
		require.NoError(t, err)
		has(t, said, "This instance is stopped. Start it")
		lacks(t, said, "message")
	}
	has(t, w.Do(get(page, w.Acme.Member)).Body, "Failing: 3 in a row", w.Acme.Instance.Name+" is stopped: nothing will run until it is started. 3 runs failed in a row.",
		`action="/instances/`+w.Acme.Instance.ID+`/power"`, `value="start"`)
	has(t, w.Do(get("/automations", w.Acme.Member)).Body, "Failing: 3 in a row", "This instance is stopped")
	w.Exec("UPDATE instances SET desired = ? WHERE id = ?", string(models.WantRunning), w.Acme.Instance.ID)
	has(t, w.Do(get("/instances/"+w.Acme.Instance.ID, w.Acme.Member)).Body, `href="/automations?instance=`+w.Acme.Instance.ID, "Next run", ": This instance is stopped")
	has(t, w.Do(get("/instances/"+newest.ID, w.Acme.Member)).Body, "Nothing runs by itself here", "/automations/new?instance="+newest.ID)
	has(t, w.Do(get("/automations/new?text=%2A/5+%2A+%2A+%2A+%2A+check+the+site", w.Acme.Member)).Body, "every 5 minutes", "Check the site")
	has(t, w.Do(get("/automations/new?text=every+day+at+9+look&timezone=Mars/Base", w.Acme.Member)).Body, "Time zone: ")
	body = w.Do(get(page, w.Acme.Member)).Body
	has(t, body, "3 runs failed in a row. The last one: This instance is stopped.")
	lacks(t, body, `value="start"`)
}
