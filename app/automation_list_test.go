package app_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// Schedules, reminders, triggers and channels stand in one list, narrowed by the address: as a page, as a partial and for programs.
func TestAutomationList(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Exec("DELETE FROM automations WHERE organization_id = ?", w.Acme.ID)
	second := w.Do(api("POST", "/api/instances", w.Acme.Owner, `{"name":"second","region":"local","tier":"STARTER"}`)).Map()["id"].(string)
	add := func(who *apptest.Person, instance, as, text string) string {
		a := w.Do(apptest.Call{Method: "POST", Path: "/automations", Who: who, Form: url.Values{"text": {text}, "instance": {instance}, "timezone": {"UTC"}, "as": {as}}})
		require.Contains(t, []int{201, 303}, a.Status, a.Body)
		if a.Status == 303 {
			return strings.TrimPrefix(a.Header.Get("Location"), "/automations/")
		}
		_, rest, _ := strings.Cut(a.Body, "/v1/webhooks/triggers/")
		return rest[:26]
	}
	daily := add(w.Acme.Member, w.Acme.Instance.ID, "automate", "every day at 9 list the files")
	once := add(w.Acme.Owner, second, "remind", "in 2 hours to stretch")
	called := add(w.Acme.Owner, w.Acme.Instance.ID, "trigger", "look at the pull request")
	require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/automations/" + once + "/pause", Who: w.Acme.Owner, Form: url.Values{}}).Status)
	require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/automations/" + daily + "/run", Who: w.Acme.Member, Form: url.Values{}}).Status)
	w.Exec("UPDATE automation_runs SET state = 'failed', reason = 'no model answered' WHERE automation_id = ?", daily)
	w.Exec("UPDATE channels SET state = 'failed', last_error = 'the token was revoked', created_by = ?, created_name = 'Olga' WHERE id = ?", w.Acme.Owner.UserID, w.Acme.Channel)

	for query, want := range map[string][]string{
		"":                                {daily, called, once, w.Acme.Channel}, // what is due first, then what is called, then what is held back
		"?kind=schedule":                  {daily},
		"?kind=reminder":                  {once},
		"?kind=trigger":                   {called},
		"?kind=channel":                   {w.Acme.Channel},
		"?state=paused":                   {once},
		"?state=failed":                   {w.Acme.Channel},
		"?state=active":                   {daily, called},
		"?outcome=failed":                 {daily},
		"?outcome=none":                   {called, once, w.Acme.Channel},
		"?instance=" + second:             {once},
		"?owner=" + w.Acme.Member.UserID:  {daily},
		"?q=PULL":                         {called},
		"?q=second":                       {once},
		"?q=olga&kind=channel":            {w.Acme.Channel},
		"?q=nothing+is+like+this":         {},
		"?kind=nonsense":                  {},
		"?page=99":                        {daily, called, once, w.Acme.Channel},
		"?page=-1":                        {daily, called, once, w.Acme.Channel},
		"?instance=" + w.Rival.Session.ID: {},
	} {
		answer := w.Do(api("GET", "/api/automations"+query, w.Acme.Owner, nil)).Map()
		got := []string{}
		for _, row := range answer["automations"].([]any) {
			got = append(got, row.(map[string]any)["id"].(string))
		}
		require.Equal(t, want, got, query)
		require.EqualValues(t, len(want), answer["total"], query)
		for _, face := range []apptest.Face{apptest.Page, apptest.Partial} {
			body := w.Do(apptest.Call{Method: "GET", Path: "/automations" + query, Who: w.Acme.Owner, Face: face}).Body
			require.Equal(t, face == apptest.Page, strings.Contains(body, "<html"), query)
			for _, id := range []string{daily, once, called, w.Acme.Channel} {
				require.Equal(t, slices.Contains(want, id), strings.Contains(body, `id="automation-`+id+`"`), "%s %s", query, id)
			}
			if len(want) == 0 {
				has(t, body, "Nothing fits")
			}
		}
	}
	first := w.Do(api("GET", "/api/automations", w.Acme.Owner, nil)).Map()["automations"].([]any)
	row, channel := first[0].(map[string]any), first[3].(map[string]any)
	require.Equal(t, []any{"schedule", "active", "failed", "no model answered", "every day at 09:00", "List the files", 1.0}, []any{row["kind"], row["state"], row["lastOutcome"], row["lastReason"], row["when"], row["name"], row["failures"]})
	require.NotNil(t, row["nextRunAt"])
	require.Equal(t, []any{"channel", "failed", "the token was revoked", nil, "Olga"}, []any{channel["kind"], channel["state"], channel["lastReason"], channel["nextRunAt"], channel["ownerName"]})
	body := w.Do(get("/automations", w.Acme.Owner)).Body
	has(t, body, "the token was revoked", "/instances/"+w.Acme.Instance.ID+"/channels/telegram", `data-live-at="/live/automations"`, "no model answered")
	lacks(t, w.Do(get("/automations?kind=channel", w.Acme.Owner)).Body, `data-live-at="/live/automations"`)
	part := w.Do(apptest.Call{Method: "GET", Path: "/automations?q=pull&kind=&state=&page=7", Who: w.Acme.Owner, Face: apptest.Partial})
	require.Equal(t, "/automations?q=pull", part.Header.Get("HX-Replace-Url"))
	lacks(t, w.Do(get("/automations", w.Rival.Owner)).Body, w.Acme.Channel, daily)
}

// A long list comes in pages, and its stream has the page that is shown.
func TestAutomationListPages(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for n := range 60 {
		_, _, err := w.Acme.Scope.CreateAutomation(t.Context(), models.NewAutomation{InstanceID: w.Acme.Instance.ID, Name: fmt.Sprintf("number %02d", n), Prompt: "x", Kind: models.AutomationWebhook, TimeZone: "UTC"})
		require.NoError(t, err)
	}
	one := w.Do(get("/automations?q=number&kind=trigger", w.Acme.Owner)).Body
	has(t, one, "1–50 of 60", `href="/automations?kind=trigger&amp;page=2&amp;q=number"`, "number 03")
	lacks(t, one, "number 59")
	two := w.Do(get("/automations?q=number&kind=trigger&page=2", w.Acme.Owner)).Body
	has(t, two, "51–60 of 60", "number 59", `data-live-at="/live/automations?kind=trigger&amp;page=2&amp;q=number"`)
	require.Len(t, w.Do(api("GET", "/api/automations?page=2&q=number", w.Acme.Owner, nil)).Map()["automations"], 10)

	// What is due first moves no line: a list that changes live is pressed upon.
	for name, in := range map[string]time.Duration{"order A": 3 * time.Hour, "order B": time.Hour, "order C": 2 * time.Hour} {
		next := time.Now().Add(in)
		_, _, err := w.Acme.Scope.CreateAutomation(t.Context(), models.NewAutomation{InstanceID: w.Acme.Instance.ID, Name: name, Prompt: "x", Kind: models.AutomationCron, Expression: "0 9 * * *", TimeZone: "UTC", NextAt: &next})
		require.NoError(t, err)
	}
	require.Regexp(t, `(?s)>order A<.*>order B<.*>order C<`, w.Do(get("/automations?q=order", w.Acme.Owner)).Body)
}
