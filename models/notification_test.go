package models_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/models"
	"lobstead/models/modelstest"
)

const lettersAt = "https://cloud.example.org"

// office is an organization that has a mail server, with an owner, an admin and a member.
type office struct {
	t               *testing.T
	clock           *clock.Fake
	store           *models.Store
	sy              *models.System
	owner, ada, mel *models.Scope
	inst            *models.Instance
	melPlace        string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, clock: clock.NewFake(time.Date(2026, 3, 10, 12, 10, 0, 0, time.UTC))}
	o.store = modelstest.NewAs(t, models.Options{Clock: o.clock, Letters: lettersAt, Public: lettersAt})
	o.owner, o.inst, _ = conversation(t, o.store)
	_, o.ada = joined(t, o.store, o.owner, "ada@example.com", models.Admin)
	place, mel := joined(t, o.store, o.owner, "mel@example.com", models.Member)
	o.mel, o.melPlace = mel, place.Membership.ID
	o.sy = o.store.AsSystem("test")
	return o
}

func (o *office) automation(by *models.Scope) *models.Automation {
	o.t.Helper()
	next := o.clock.Now().Add(time.Hour)
	a, _, err := by.CreateAutomation(o.t.Context(), models.NewAutomation{InstanceID: o.inst.ID, Name: "Nightly report", Prompt: "report", Kind: models.AutomationCron,
		Expression: "0 9 * * *", TimeZone: "UTC", NextAt: &next})
	require.NoError(o.t, err)
	return a
}

// fails runs an automation, and lets the run fail.
func (o *office) fails(by *models.Scope, a *models.Automation, why string) {
	o.t.Helper()
	run, err := by.StartRun(o.t.Context(), a.ID, models.Run{Cause: models.RunNow, Due: o.clock.Now(), Text: "report", Source: "automation"})
	require.NoError(o.t, err)
	o.end(by, run.TurnID, why)
}

func (o *office) end(by *models.Scope, turnID, why string) {
	o.t.Helper()
	_, err := by.EndTurn(o.t.Context(), claim(o.t, by, turnID, "w"), models.TurnFail, models.TurnEnded{Reason: why, Code: "llm.down"})
	require.NoError(o.t, err)
}

func (o *office) told(who *models.Scope) []models.Notification {
	o.t.Helper()
	rows, err := who.Notifications(o.t.Context(), false, "", 100)
	require.NoError(o.t, err)
	return rows
}

// mailed writes the letters that are due, and gives the new ones by address.
func (o *office) mailed() map[string][]string {
	o.t.Helper()
	require.NoError(o.t, o.sy.WriteNotifications(o.t.Context()))
	rows, err := o.sy.AllDeliveries(o.t.Context(), models.DeliveryFilter{State: models.DeliveryPending, Kind: models.MailDelivery})
	require.NoError(o.t, err)
	out := map[string][]string{}
	for _, r := range rows {
		d, err := o.sy.DeliveryByID(o.t.Context(), r.ID)
		require.NoError(o.t, err)
		out[d.Destination] = append(out[d.Destination], d.Content())
		c, err := o.sy.ClaimDelivery(o.t.Context(), d.ID, "w", models.DeliveryKinds)
		if err != nil { // it waits for its minute, or behind another one
			continue
		}
		_, err = o.sy.SettleDelivery(o.t.Context(), c, models.Attempt{Sent: true})
		require.NoError(o.t, err)
	}
	return out
}

// Failures of one automation are one row that counts, and one letter an hour at most.
func TestFailedRunsAreCountedNotRepeated(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a := o.automation(o.mel)
	for range 3 {
		o.fails(o.mel, a, "The model did not answer")
	}
	rows := o.told(o.mel)
	require.Len(t, rows, 1)
	require.Equal(t, 3, rows[0].Count)
	require.Equal(t, models.NoteRunFailed, rows[0].Kind)
	require.Equal(t, "/automations/"+a.ID, rows[0].Link)
	require.Equal(t, "The model did not answer", rows[0].Text)
	require.Empty(t, o.told(o.owner), "who made it is there to hear it")
	require.Empty(t, o.mailed(), "who is looking has read it within the minute")
	o.clock.Add(time.Minute)
	got := o.mailed()
	require.Len(t, got["mel@example.com"], 1)
	for _, want := range []string{"Nightly report", "(3 times)", "The model did not answer", lettersAt + "/notifications/" + rows[0].ID, lettersAt + "/notifications/preferences"} {
		require.Contains(t, got["mel@example.com"][0], want)
	}
	for range 5 {
		o.clock.Add(5 * time.Minute)
		o.fails(o.mel, a, "again")
		require.Empty(t, o.mailed(), "an hour has not gone by")
	}
	o.clock.Add(40 * time.Minute)
	require.Contains(t, o.mailed()["mel@example.com"][0], "(8 times)")
	require.Empty(t, o.mailed())

	// Read, and it happens again: another row, and the hour still holds.
	require.NoError(t, o.mel.ReadAllNotifications(t.Context()))
	o.fails(o.mel, a, "again")
	require.Len(t, o.told(o.mel), 2)
	require.Equal(t, 1, o.told(o.mel)[0].Count)
	o.clock.Add(10 * time.Minute)
	require.Empty(t, o.mailed())
	o.clock.Add(time.Hour)
	require.Len(t, o.mailed()["mel@example.com"], 1)
	o.fails(o.mel, a, "again")
	require.NoError(t, o.mel.ReadAllNotifications(t.Context()))
	o.clock.Add(2 * time.Hour)
	require.Empty(t, o.mailed(), "what was read goes into no letter")
}

// A run that cannot even start is told as well, and one of who left reaches the owner.
// A schedule that fails each minute for three days, as while its budget is used up, is no flood: a letter, a message and a notification for
// programs come ever more seldom, with the count. Programs hear of each run, and of how many failed before it.
func TestAFailingScheduleIsNoFlood(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, _, err := o.owner.CreateWebhook(t.Context(), models.WebhookForm{Name: "all", URL: "https://example.org/all", Active: true, Events: []string{"run.failed", "notification.created"}})
	require.NoError(t, err)
	o.linked(o.mel, models.TelegramChannel, "555")
	require.NoError(t, o.sy.ChooseNotifications(t.Context(), o.mel.Actor.UserID, []models.NotificationChoice{{Kind: models.NoteRunFailed, Mail: true, Webhook: true, Channel: models.TelegramChannel, Digest: models.DigestOnce}}))
	a := o.automation(o.mel)
	letters, failed := []int{}, 0
	const every = 30 * time.Minute // as one of each minute, in less time
	for minutes := time.Duration(0); minutes < 72*time.Hour; minutes += every {
		o.fails(o.mel, a, "The budget is used up")
		failed++
		o.clock.Add(every)
		for range o.mailed()["mel@example.com"] {
			letters = append(letters, int((minutes + every).Hours()))
		}
	}
	require.Equal(t, []int{0, 1, 3, 6, 12, 24, 48, 72}, letters, "hours, of three days")
	require.Len(t, o.messages(), len(letters))
	require.Len(t, o.told(o.mel), 1)
	require.Equal(t, failed, o.told(o.mel)[0].Count)
	sent := map[string][]string{}
	for before := ""; ; {
		rows, err := o.owner.Deliveries(t.Context(), models.DeliveryFilter{Kind: models.WebhookDelivery, Before: before, Limit: 100})
		require.NoError(t, err)
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			sent[r.Event] = append(sent[r.Event], r.ID)
		}
		before = rows[len(rows)-1].ID
	}
	require.Len(t, sent["run.failed"], failed, "each is one that may be counted")
	require.Len(t, sent["notification.created"], 8, "the first hour, the second, the next two, four, eight, and what is left of the day; two more days")
	last, err := o.owner.Delivery(t.Context(), sent["run.failed"][0])
	require.NoError(t, err)
	require.Contains(t, last.Payload, `"failures":`+strconv.Itoa(failed))
}

func TestFailedRunsAlwaysReachSomebody(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a := o.automation(o.mel)
	_, err := o.owner.RemoveMember(t.Context(), o.melPlace)
	require.NoError(t, err)
	next := o.clock.Now().Add(24 * time.Hour)
	o.clock.Add(time.Hour)
	due := *a.NextAt
	_, err = o.store.In(o.owner.Org).StartRun(t.Context(), a.ID, models.Run{Cause: models.RunDue, Due: due, Next: &next, Text: "report", Source: "automation"})
	require.Error(t, err, "its maker may not use instances here any more")
	require.Len(t, o.told(o.owner), 1)
	require.Contains(t, o.told(o.owner)[0].Text, "may not use instances")
	require.Empty(t, o.told(o.ada))
	require.Empty(t, o.told(o.mel))
	o.clock.Add(time.Minute)
	require.Len(t, o.mailed()["acme@example.com"], 1)

	// The mail server refuses the letter: that stands on the page of who would have had it, and goes by no letter.
	o.clock.Add(2 * time.Hour)
	mine := o.automation(o.owner)
	o.fails(o.owner, mine, "no")
	o.clock.Add(time.Minute)
	require.NoError(t, o.sy.WriteNotifications(t.Context()))
	ids, err := o.sy.DueDeliveries(t.Context(), models.DeliveryKinds, 10)
	require.NoError(t, err)
	require.Len(t, ids, 1)
	c, err := o.sy.ClaimDelivery(t.Context(), ids[0], "w", models.DeliveryKinds)
	require.NoError(t, err)
	_, err = o.sy.SettleDelivery(t.Context(), c, models.Attempt{Permanent: true, Error: "mail.refused: 10.0.0.5", Response: "550 no such mailbox"})
	require.NoError(t, err)
	for _, who := range []*models.Scope{o.owner, o.ada} {
		n := o.told(who)[0]
		require.Equal(t, models.NoteDeliveryDead, n.Kind)
		require.Equal(t, "/deliveries/"+ids[0], n.Link)
		require.Nil(t, n.MailAt)
	}
	o.clock.Add(time.Hour)
	require.Empty(t, o.mailed())
}

// Everybody chooses for themselves: no letter, together by the hour, or each morning of the organization's zone.
func TestChoicesOfNotifications(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	choose := func(who *models.Scope, c models.NotificationChoice) {
		require.NoError(t, o.sy.ChooseNotifications(t.Context(), who.Actor.UserID, []models.NotificationChoice{c}))
	}
	choose(o.mel, models.NotificationChoice{Kind: models.NoteRunFailed, Mail: true, Digest: models.DigestHourly})
	choose(o.ada, models.NotificationChoice{Kind: models.NoteRunFailed, Mail: true, Digest: models.DigestDaily})
	choose(o.owner, models.NotificationChoice{Kind: models.NoteRunFailed, Digest: models.DigestOnce})
	require.NoError(t, o.owner.SetTimeZone(t.Context(), "Europe/Berlin"))
	require.Error(t, o.sy.ChooseNotifications(t.Context(), o.mel.Actor.UserID, []models.NotificationChoice{{Kind: models.NoteRunFailed, Digest: "weekly"}}))
	require.Error(t, o.sy.ChooseNotifications(t.Context(), o.mel.Actor.UserID, []models.NotificationChoice{{Kind: "nonsense", Digest: models.DigestOnce}}))
	one, two := o.automation(o.mel), o.automation(o.mel)
	o.fails(o.mel, one, "x")
	o.fails(o.mel, two, "x")
	o.fails(o.ada, o.automation(o.ada), "x")
	o.fails(o.owner, o.automation(o.owner), "x")
	require.Len(t, o.told(o.owner), 1)
	o.clock.Add(49 * time.Minute)
	require.Empty(t, o.mailed())
	o.clock.Add(time.Minute) // 13:00
	got := o.mailed()
	require.Len(t, got, 1)
	require.Len(t, got["mel@example.com"], 1, "both in one letter")
	require.Contains(t, got["mel@example.com"][0], "Subject: 2 notifications from Acme")
	o.clock.Add(17*time.Hour + 59*time.Minute) // 06:59 UTC, 07:59 in Berlin
	require.Empty(t, o.mailed())
	o.clock.Add(time.Minute)
	require.Len(t, o.mailed()["ada@example.com"], 1)

	chosen, err := o.sy.NotificationChoices(t.Context(), o.ada.Actor.UserID)
	require.NoError(t, err)
	require.Len(t, chosen, len(models.NotificationKinds))
	require.Equal(t, models.DigestDaily, chosen[0].Digest)
	require.NoError(t, o.sy.SetLetters(t.Context(), o.mel.Actor.UserID, false))
	o.fails(o.mel, one, "x")
	o.clock.Add(48 * time.Hour)
	require.Empty(t, o.mailed(), "the one switch holds for all kinds")
}

// A call that waits is told to who may decide, by letter at once or in their digest, and is over when it is decided.
func TestApprovalsAreNotified(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	require.NoError(t, o.sy.ChooseNotifications(t.Context(), o.ada.Actor.UserID, []models.NotificationChoice{{Kind: models.NoteApproval, Mail: true, Digest: models.DigestHourly}}))
	s, err := o.mel.CreateSession(t.Context(), models.NewSession{InstanceID: o.inst.ID})
	require.NoError(t, err)
	turn := say(t, o.mel, s.ID, "go")
	a := waiting(t, o.mel, turn, `{}`)
	for _, who := range []*models.Scope{o.owner, o.ada, o.mel} {
		rows := o.told(who)
		require.Len(t, rows, 1)
		require.Equal(t, "one wants to run bash", rows[0].Title)
		require.Equal(t, "/approvals", rows[0].Link)
		require.Equal(t, who == o.ada, rows[0].MailAt != nil, "the letter that says more is the others'")
	}
	_, err = o.owner.Resolve(t.Context(), a.ID, models.Resolution{})
	require.NoError(t, err)
	for _, who := range []*models.Scope{o.owner, o.ada, o.mel} {
		require.NotNil(t, o.told(who)[0].ReadAt)
	}
	o.clock.Add(2 * time.Hour)
	require.Empty(t, o.mailed())
}

// A message of a person that fails is theirs to hear; a program has had its answer.
func TestFailedMessagesAreTold(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	s, err := o.mel.CreateSession(t.Context(), models.NewSession{InstanceID: o.inst.ID})
	require.NoError(t, err)
	key := o.mel.Actor
	key.KeyID = "c0000000000000000000000000"
	o.end(o.mel, say(t, o.mel.As(key), s.ID, "by a program").ID, "x")
	require.Empty(t, o.told(o.mel))
	o.end(o.mel, say(t, o.mel, s.ID, "by hand").ID, "The model did not answer")
	require.Len(t, o.told(o.mel), 1)
	require.Empty(t, o.told(o.owner))
	n, err := o.mel.UnreadNotifications(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = o.owner.ReadNotification(t.Context(), o.told(o.mel)[0].ID)
	require.Error(t, err, "another person's is not there")
	require.Error(t, o.owner.UnreadNotification(t.Context(), o.told(o.mel)[0].ID))
	require.NoError(t, o.owner.SawSession(t.Context(), s.ID))
	require.Nil(t, o.told(o.mel)[0].ReadAt)
	require.NoError(t, o.mel.SawSession(t.Context(), s.ID))
	require.NotNil(t, o.told(o.mel)[0].ReadAt)
}

// Each thing that happens writes one delivery for each endpoint that wants it, and none for the others.
func TestEventsOfWebhooks(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	other := modelstest.Instance(t, o.owner, "other")
	add := func(name, instance string, active bool, events ...string) string {
		e, _, err := o.owner.CreateWebhook(t.Context(), models.WebhookForm{Name: name, URL: "https://example.org/" + name, InstanceID: instance, Active: active, Events: events})
		require.NoError(t, err)
		return e.ID
	}
	all := add("all", "", true, models.WebhookEventNames()...)
	add("off", "", false, models.WebhookEventNames()...)
	add("elsewhere", other.ID, true, models.WebhookEventNames()...)
	answers := add("answers", o.inst.ID, true, "message.completed")
	require.NoError(t, o.sy.ChooseNotifications(t.Context(), o.mel.Actor.UserID, []models.NotificationChoice{{Kind: models.NoteRunFailed, Webhook: true, Digest: models.DigestOnce}}))

	s, err := o.mel.CreateSession(t.Context(), models.NewSession{InstanceID: o.inst.ID})
	require.NoError(t, err)
	_, err = o.mel.EndTurn(t.Context(), claim(t, o.mel, say(t, o.mel, s.ID, "hello").ID, "w"), models.TurnFinish, models.TurnEnded{}, models.AssistantMessage{Text: "Good <day>", Final: true})
	require.NoError(t, err)
	o.end(o.mel, say(t, o.mel, s.ID, "hello").ID, "no model")
	waiting(t, o.mel, say(t, o.mel, s.ID, "go"), `{"command":"the secret"}`)
	o.fails(o.mel, o.automation(o.mel), "no model")
	_, err = o.owner.Observe(t.Context(), o.inst.ID, models.Observed{Saw: models.SawFailure, Generation: o.inst.Generation, Reason: "no disk"})
	require.NoError(t, err)
	_, err = o.owner.Observe(t.Context(), o.inst.ID, models.Observed{Saw: models.SawFailure, Generation: o.inst.Generation, Reason: "no disk"})
	require.NoError(t, err, "it is in ERROR already")
	b, err := o.owner.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetTokens, Period: models.BudgetTotal, Amount: 1})
	require.NoError(t, err)
	for range 3 {
		fresh, err := o.mel.CreateSession(t.Context(), models.NewSession{InstanceID: other.ID})
		require.NoError(t, err)
		require.NoError(t, o.mel.ParkTurn(t.Context(), claim(t, o.mel, say(t, o.mel, fresh.ID, "go").ID, "w"), *b, nil, nil, models.Notice{Text: "parked"}))
	}
	got := map[string][]string{}
	rows, err := o.owner.Deliveries(t.Context(), models.DeliveryFilter{Kind: models.WebhookDelivery, Limit: 100})
	require.NoError(t, err)
	for i := len(rows) - 1; i >= 0; i-- {
		got[rows[i].TargetID] = append(got[rows[i].TargetID], rows[i].Event)
		d, err := o.owner.Delivery(t.Context(), rows[i].ID)
		require.NoError(t, err)
		require.NotContains(t, d.Payload, "the secret")
		if d.Event == "message.completed" {
			require.Contains(t, d.Content(), `"text": "Good <day>"`)
		}
	}
	require.Equal(t, "message.completed message.failed approval.requested run.failed notification.created message.failed agent.error budget.reached", strings.Join(got[all], " "))
	require.Equal(t, []string{"message.completed"}, got[answers])
	require.Len(t, got, 3)
}

// What is wrong with an endpoint is said at once, and the configuration of an instance is made endpoints of its own.
func TestWebhookForms(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	good := models.WebhookForm{Name: "hook", URL: "https://example.org/h", Events: []string{"agent.error"}, Active: true}
	for _, address := range []string{"", "example.org", "ftp://example.org", "https://", "https://u:p@example.org", "https://example.org/#x", "http://127.0.0.1:80", "http://[::1]/", "http://10.1.2.3/",
		"http://169.254.169.254/latest", "http://localhost/", "https://" + strings.Repeat("a", 2000)} {
		f := good
		f.URL = address
		_, _, err := o.owner.CreateWebhook(t.Context(), f)
		require.ErrorContains(t, err, "invalid", address)
	}
	inside := good
	inside.URL, inside.Private = "http://10.1.2.3/h", true
	_, _, err := o.owner.CreateWebhook(t.Context(), inside)
	require.NoError(t, err, "an operator says so")
	inside.URL = "http://169.254.169.254/"
	_, _, err = o.owner.CreateWebhook(t.Context(), inside)
	require.Error(t, err, "not even then")
	for _, events := range [][]string{nil, {"nonsense"}, {"webhook.test"}} {
		f := good
		f.Events = events
		_, _, err := o.owner.CreateWebhook(t.Context(), f)
		require.ErrorContains(t, err, "invalid")
	}

	set := func(addresses map[models.WebhookEvent]string) {
		_, err := o.owner.UpdateInstance(t.Context(), o.inst.ID, models.InstanceChange{Agent: &models.Equipment{Webhooks: addresses}})
		require.NoError(t, err)
		have, err := o.owner.InstanceWebhooks(t.Context(), o.inst.ID)
		require.NoError(t, err)
		for e, a := range addresses {
			if a == "" {
				delete(addresses, e)
			}
		}
		require.Equal(t, addresses, have)
	}
	set(map[models.WebhookEvent]string{models.MessageCompleted: "https://a.example/x", models.MessageFailed: "https://a.example/x", models.AgentError: "https://b.example/y"})
	rows, err := o.owner.Webhooks(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 3)
	set(map[models.WebhookEvent]string{models.MessageCompleted: "https://a.example/x", models.AgentError: "", models.MessageFailed: ""})
	again, err := o.owner.Webhooks(t.Context())
	require.NoError(t, err)
	require.Len(t, again, 2)
	require.Equal(t, rows[1].ID, again[1].ID, "it keeps its secret")
	name := "of both or of none"
	_, err = o.owner.UpdateInstance(t.Context(), o.inst.ID, models.InstanceChange{Agent: &models.Equipment{Profile: models.ProfileChange{Title: &name},
		Webhooks: map[models.WebhookEvent]string{models.MessageCompleted: "https://c.example/x", models.AgentError: "http://10.0.0.1/"}}})
	require.ErrorContains(t, err, "invalid")
	profile, err := o.owner.AgentProfile(t.Context(), o.inst.ID)
	require.NoError(t, err)
	require.Empty(t, profile.Title)
	_, err = o.owner.UpdateInstance(t.Context(), o.inst.ID, models.InstanceChange{Agent: &models.Equipment{Webhooks: map[models.WebhookEvent]string{models.AgentError: "https://b.example/y"}}})
	require.NoError(t, err)
	kept, err := o.owner.InstanceWebhooks(t.Context(), o.inst.ID)
	require.NoError(t, err)
	require.Equal(t, map[models.WebhookEvent]string{models.MessageCompleted: "https://a.example/x", models.AgentError: "https://b.example/y"}, kept, "what is not named stays")
	set(map[models.WebhookEvent]string{models.MessageCompleted: "", models.AgentError: ""})
}
