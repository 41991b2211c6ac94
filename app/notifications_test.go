package app_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// What somebody is told stands on their page and at the bell of every page, live, and is theirs alone.
func TestNotifications(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	owner := w.Acme.Owner
	count := func(who *apptest.Person) string {
		body := w.Do(get("/settings/team", who)).Body
		at := strings.Index(body, `id="notifications-count"`)
		require.Positive(t, at)
		text := body[at : at+60]
		return strings.TrimRight(text[strings.Index(text, ">")+1:strings.Index(text, "<")], " ")
	}
	begin := count(owner)
	require.Equal(t, "1", begin, "an approval waits")
	require.Equal(t, "0", count(w.Acme.Member))
	list := w.Open("/live/notifications", owner)
	list.Until("Mark all as read")
	other := w.Open("/live/overview", owner)
	other.Until("overview-tiles")
	_, err := w.Acme.Scope.Observe(t.Context(), w.Acme.Instance.ID, models.Observed{Saw: models.SawFailure, Generation: w.Acme.Instance.Generation, Reason: "no <disk>"})
	require.NoError(t, err)
	list.Until("no &lt;disk&gt;")
	other.Until(`id="notifications-count">2<`)
	body := w.Do(get("/notifications", owner)).Body
	has(t, body, w.Acme.Instance.Name+" is in ERROR", "wants to run bash", `aria-current="page"`)
	lacks(t, w.Do(get("/notifications", w.Acme.Member)).Body, "is in ERROR")
	lacks(t, w.Do(get("/notifications", w.Rival.Owner)).Body, "no &lt;disk&gt;")

	rows, err := w.Acme.Scope.Notifications(t.Context(), true, "", 10)
	require.NoError(t, err)
	at := "/notifications/" + rows[0].ID
	for _, who := range []*apptest.Person{w.Acme.Member, w.Acme.Admin, w.Rival.Owner} {
		assert.Equal(t, 404, w.Do(get(at, who)).Status, "another person's does not exist")
		assert.Equal(t, 404, w.Do(apptest.Call{Method: "POST", Path: at + "/read", Who: who, Form: url.Values{"read": {"false"}}}).Status)
	}
	a := w.Do(get(at, owner))
	assert.Equal(t, 303, a.Status)
	assert.Equal(t, "/instances/"+w.Acme.Instance.ID, a.Header.Get("Location"))
	assert.Equal(t, "1", count(owner))
	other.Until(`id="notifications-count">1<`)
	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: at + "/read", Who: owner, Form: url.Values{"read": {"false"}}}).Status)
	assert.Equal(t, "2", count(owner))
	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/notifications/read", Who: owner, Form: url.Values{}}).Status)
	assert.Equal(t, "0", count(owner))
	has(t, w.Do(get("/notifications?unread=true", owner)).Body, "Nothing is unread")
	api := asKey(w, owner, "GET", "/api/notifications", nil).Map()
	assert.Equal(t, float64(0), api["unread"])
	assert.Len(t, api["notifications"], 2)
	assert.Equal(t, 404, asKey(w, owner, "GET", "/api/notifications?before="+w.Rival.Notification, nil).Status)
}

// A person chooses their ways; what is not sent stays as it was.
func TestNotificationPreferences(t *testing.T) {
	t.Parallel()
	w, _ := mailing(t)
	owner := w.Acme.Owner
	has(t, w.Do(get("/notifications/preferences", owner)).Body, "A run of an automation of yours failed", "hourly, together", "None does so far")
	form := url.Values{"digest_run_failed": {"daily"}, "mail_run_failed": {"true"}, "digest_agent_error": {"once"}, "webhook_agent_error": {"true"}}
	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/notifications/preferences", Who: owner, Form: form}).Status)
	chosen, err := w.Store.AsSystem("test").NotificationChoices(t.Context(), owner.UserID)
	require.NoError(t, err)
	for _, c := range chosen {
		switch c.Kind {
		case models.NoteRunFailed:
			assert.True(t, c.Mail && !c.Webhook && c.Digest == models.DigestDaily)
		case models.NoteAgentError:
			assert.True(t, !c.Mail && c.Webhook && c.Digest == models.DigestOnce)
		case models.NoteMessageFailed:
			assert.True(t, c.Mail && c.Digest == models.DigestHourly)
		default:
			assert.True(t, c.Mail && !c.Webhook)
		}
	}
	a := w.Do(apptest.Call{Method: "POST", Path: "/notifications/preferences", Who: owner, Form: url.Values{"digest_run_failed": {"weekly"}}})
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "weekly")
	w.Exec("UPDATE users SET no_letters = TRUE WHERE id = ?", owner.UserID)
	has(t, w.Do(get("/notifications/preferences", owner)).Body, "You have switched all emails off")
}
