package models_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

var nine = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// planned makes a schedule that is due at nine every day.
func planned(t *testing.T, sc *models.Scope, instance string) *models.Automation {
	t.Helper()
	a, token, err := sc.CreateAutomation(t.Context(), models.NewAutomation{InstanceID: instance, Name: "Morning report", Prompt: "write the report", Kind: models.AutomationCron,
		Expression: "0 9 * * *", TimeZone: "Europe/Berlin", NextAt: &nine})
	require.NoError(t, err)
	require.True(t, token.Empty())
	return a
}

func dueRun(day int) models.Run {
	next := nine.AddDate(0, 0, day+1)
	return models.Run{Cause: models.RunDue, Due: nine.AddDate(0, 0, day), Next: &next, Text: "write the report", Source: "schedule"}
}

// Of many workers that want one due time, one has it; and the run is there together with its turn.
func TestOneRunForEachDueTime(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	a := planned(t, sc, inst.ID)
	for day := range 3 {
		var started, lost atomic.Int32
		var work sync.WaitGroup
		for range 8 {
			work.Go(func() {
				switch _, err := sc.StartRun(t.Context(), a.ID, dueRun(day)); {
				case err == nil:
					started.Add(1)
				case errors.Is(err, models.ErrNotDue):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		work.Wait()
		require.Equal(t, []int32{1, 7}, []int32{started.Load(), lost.Load()})
		finishRun(t, sc, a.ID)
	}
	runs, err := sc.Runs(t.Context(), a.ID, 10)
	require.NoError(t, err)
	require.Len(t, runs, 3)
	for n, r := range runs {
		require.Equal(t, models.RunProduced, r.State)
		require.True(t, r.DueAt.Equal(nine.AddDate(0, 0, 2-n)))
		require.Equal(t, runs[0].SessionID, r.SessionID, "one conversation")
	}
	now, err := sc.Automation(t.Context(), a.ID)
	require.NoError(t, err)
	require.True(t, now.NextAt.Equal(nine.AddDate(0, 0, 3)))
}

// finishRun ends the turn of the newest run as a worker does.
func finishRun(t *testing.T, sc *models.Scope, automation string) {
	t.Helper()
	runs, err := sc.Runs(t.Context(), automation, 1)
	require.NoError(t, err)
	lease := claim(t, sc, runs[0].TurnID, "node/1")
	_, err = sc.EndTurn(t.Context(), lease, models.TurnFinish, models.TurnEnded{})
	require.NoError(t, err)
}

func TestARunIsAnOrdinaryTurn(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	a := planned(t, sc, inst.ID)
	budget(t, sc, models.BudgetOfSchedule, a.ID, models.BudgetMessages, models.BudgetTotal, 1)
	run, err := sc.StartRun(t.Context(), a.ID, dueRun(0))
	require.NoError(t, err)
	turn, err := sc.Turn(t.Context(), run.TurnID)
	require.NoError(t, err)
	require.Equal(t, []string{a.ID, "schedule", sc.Actor.UserID, inst.ID}, []string{turn.AutomationID, turn.Source, turn.CreatedBy, turn.InstanceID})
	s, err := sc.Session(t.Context(), run.SessionID)
	require.NoError(t, err)
	require.Equal(t, []string{"Morning report", "automation"}, []string{s.Title, s.Category})

	skipped, err := sc.StartRun(t.Context(), a.ID, dueRun(1))
	require.NoError(t, err)
	require.Equal(t, models.RunSkipped, skipped.State)
	require.Equal(t, "The run of 23 November 10:00 was still under way", skipped.Reason, "in its own zone")
	_, err = sc.StartRun(t.Context(), a.ID, models.Run{Cause: models.RunNow, Due: time.Now(), Text: "x"})
	require.Equal(t, "automation.running", fault.As(err).Code)

	finishRunOf(t, sc, run.TurnID)
	failed, err := sc.StartRun(t.Context(), a.ID, dueRun(2))
	require.True(t, fault.Is(err, fault.Payment), "%v", err)
	require.Equal(t, models.RunFailed, failed.State)
	require.Contains(t, failed.Reason, "budget of this schedule")
	said := func() int {
		log, err := sc.EventsOf(t.Context(), run.SessionID, models.KindNotice)
		require.NoError(t, err)
		return len(log)
	}
	require.Equal(t, 1, said(), "the conversation is told")
	_, err = sc.StartRun(t.Context(), a.ID, dueRun(3))
	require.Error(t, err)
	require.Equal(t, 1, said(), "once, while the reason stays the same")
	last, err := sc.LastRuns(t.Context(), inst.ID)
	require.NoError(t, err)
	require.True(t, last[a.ID].DueAt.Equal(nine.AddDate(0, 0, 3)))
}

func finishRunOf(t *testing.T, sc *models.Scope, turn string) {
	t.Helper()
	lease := claim(t, sc, turn, "node/1")
	_, err := sc.EndTurn(t.Context(), lease, models.TurnFinish, models.TurnEnded{})
	require.NoError(t, err)
}

// What a turn comes to is its run's outcome, whoever ends it.
func TestOutcomesOfRuns(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	a := planned(t, sc, inst.ID)
	run, err := sc.StartRun(t.Context(), a.ID, dueRun(0))
	require.NoError(t, err)
	lease := claim(t, sc, run.TurnID, "node/1")
	_, err = sc.EndTurn(t.Context(), lease, models.TurnFail, models.TurnEnded{Reason: "the model did not answer"})
	require.NoError(t, err)
	second, err := sc.StartRun(t.Context(), a.ID, dueRun(1))
	require.NoError(t, err)
	_, err = sc.InterruptTurn(t.Context(), second.TurnID)
	require.NoError(t, err)
	runs, err := sc.Runs(t.Context(), a.ID, 10)
	require.NoError(t, err)
	for n, want := range []string{"Stopped by ", "the model did not answer"} {
		require.Equal(t, models.RunFailed, runs[n].State)
		require.Contains(t, runs[n].Reason, want)
		require.NotNil(t, runs[n].EndedAt)
	}
}

// The conversation of an automation may be deleted: the next run opens another. A clock that was set back makes no second run.
func TestRunsAfterALoss(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(nine)
	store := modelstest.NewAt(t, fake)
	sc, inst, _ := conversation(t, store)
	a := planned(t, sc, inst.ID)
	run, err := sc.StartRun(t.Context(), a.ID, dueRun(0))
	require.NoError(t, err)
	finishRun(t, sc, a.ID)
	require.NoError(t, sc.DeleteSession(t.Context(), run.SessionID))
	_, err = sc.PauseAutomation(t.Context(), a.ID)
	require.NoError(t, err)
	did, err := store.AsSystem("test").StartDue(t.Context(), nil, func(*models.Automation) (models.Run, error) { return models.Run{}, nil })
	require.NoError(t, err)
	require.Nil(t, did.Last, "a paused one is not due")
	_, err = sc.ResumeAutomation(t.Context(), a.ID, &nine) // by a clock that says it is eight
	require.NoError(t, err)
	again, err := sc.StartRun(t.Context(), a.ID, dueRun(0))
	require.NoError(t, err)
	require.Equal(t, run.ID, again.ID, "the run that was")
	next, err := sc.StartRun(t.Context(), a.ID, dueRun(1))
	require.NoError(t, err)
	require.NotEqual(t, run.SessionID, next.SessionID)
	require.Equal(t, models.RunRunning, next.State)

	r := dueRun(2)
	r.Next = nil
	finishRun(t, sc, a.ID)
	_, err = sc.StartRun(t.Context(), a.ID, r)
	require.NoError(t, err)
	over, err := sc.Automation(t.Context(), a.ID)
	require.NoError(t, err)
	require.Equal(t, models.AutomationDone, over.State)
	fake.Add(100 * 24 * time.Hour)
	require.NoError(t, store.AsSystem("test").Trim(t.Context()))
	runs, err := sc.Runs(t.Context(), a.ID, 10)
	require.NoError(t, err)
	require.Len(t, runs, 1, "what ended long ago is forgotten, what runs is not")
	require.NoError(t, sc.DeleteAutomation(t.Context(), a.ID))
	_, err = sc.Automation(t.Context(), a.ID)
	require.True(t, fault.Is(err, fault.NotFound))
}

// Whoever made it answers for it: without them, or with the key revoked, nothing runs.
func TestNothingRunsForWhoMayNot(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	owner := sc.Actor
	key, _, err := sc.CreateAPIKey(t.Context(), models.NewAPIKey{Name: "nightly"})
	require.NoError(t, err)
	owner.KeyID = key.ID
	a := planned(t, sc.As(owner), inst.ID)
	_, err = sc.RevokeAPIKey(t.Context(), key.ID)
	require.NoError(t, err)
	run, err := sc.StartRun(t.Context(), a.ID, dueRun(0))
	require.True(t, fault.Is(err, fault.Forbidden))
	require.Equal(t, "The API key that made it was revoked", run.Reason)

	gone := models.Actor{UserID: "00000000-0000-4000-8000-000000000001", Name: "Gone"}
	b := planned(t, sc.As(gone), inst.ID)
	run, err = sc.StartRun(t.Context(), b.ID, dueRun(0))
	require.True(t, fault.Is(err, fault.Forbidden))
	require.Contains(t, run.Reason, "Gone, who made it, may not")
}

// A key's rights end when it expires, those of what was made with it too.
func TestNothingRunsWithAKeyThatHasExpired(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(nine.Add(-time.Hour))
	sc, inst, _ := conversation(t, modelstest.NewAt(t, fake))
	ends := nine.Add(time.Hour)
	key, _, err := sc.CreateAPIKey(t.Context(), models.NewAPIKey{Name: "for a morning", Expires: &ends})
	require.NoError(t, err)
	maker := sc.Actor
	maker.KeyID = key.ID
	a := planned(t, sc.As(maker), inst.ID)
	fake.Add(time.Hour)
	_, err = sc.StartRun(t.Context(), a.ID, dueRun(0))
	require.NoError(t, err, "it lasts still")
	finishRun(t, sc, a.ID)
	fake.Add(24 * time.Hour)
	run, err := sc.StartRun(t.Context(), a.ID, dueRun(1))
	require.True(t, fault.Is(err, fault.Forbidden), "%v", err)
	require.Equal(t, "The API key that made it has expired", run.Reason)
}

// Who presses "Run now", tries a trigger or repeats a call answers for the run, and it is written down who did.
func TestRunningByHandIsOnesOwn(t *testing.T) {
	t.Parallel()
	sc, inst, _ := conversation(t, modelstest.New(t))
	a := planned(t, sc, inst.ID)
	nils := models.Actor{UserID: "00000000-0000-4000-8000-000000000002", KeyID: "key-of-nils", Name: "Nils"}
	run, err := sc.StartRun(t.Context(), a.ID, dueRun(0))
	require.NoError(t, err)
	turn, err := sc.Turn(t.Context(), run.TurnID)
	require.NoError(t, err)
	require.Equal(t, sc.Actor.UserID, turn.CreatedBy, "what is due is its maker's")
	for _, cause := range []models.RunCause{models.RunNow, models.RunTest, models.RunReplay} {
		run, err = sc.As(nils).StartRun(t.Context(), a.ID, models.Run{Cause: cause, Due: nine, Text: "x", Source: "schedule", Waits: true})
		require.NoError(t, err)
		turn, err = sc.Turn(t.Context(), run.TurnID)
		require.NoError(t, err)
		require.Equal(t, []string{nils.UserID, nils.KeyID}, []string{turn.CreatedBy, turn.KeyID}, cause)
		log, err := sc.AuditEntries(t.Context(), models.AuditFilter{})
		require.NoError(t, err)
		require.Equal(t, []string{"automation.run", "Nils", a.ID}, []string{log[0].Act, log[0].ActorName, log[0].TargetID})
	}
}

// Nobody's words run in the name of somebody else: who changes what an automation does, or has its secret, answers for it.
func TestWhoChangesItAnswersForIt(t *testing.T) {
	t.Parallel()
	sc, inst, _ := conversation(t, modelstest.New(t))
	ada, nils, staff := sc.Actor, models.Actor{UserID: "00000000-0000-4000-8000-000000000002", Name: "Nils"}, models.Actor{UserID: "00000000-0000-4000-8000-000000000003", Name: "Staff", Staff: true}
	byKey := ada
	byKey.KeyID = "key-of-ada"
	a := planned(t, sc.As(byKey), inst.ID)
	said := func(change func(*models.NewAutomation)) models.NewAutomation {
		row, err := sc.Automation(t.Context(), a.ID)
		require.NoError(t, err)
		n := row.Said()
		change(&n)
		return n
	}
	for _, c := range []struct {
		by     models.Actor
		change func(*models.NewAutomation)
		whose  models.Actor
	}{
		{nils, func(n *models.NewAutomation) { n.Name, n.Description = "Another name", "and what it is for" }, byKey},
		{staff, func(n *models.NewAutomation) { n.Prompt = "say staff" }, byKey},
		{nils, func(n *models.NewAutomation) { n.Prompt = "say nils" }, nils},
		{ada, func(n *models.NewAutomation) { n.Overlap = models.OverlapAllow }, ada},
		{byKey, func(n *models.NewAutomation) { n.JitterSeconds = 7 }, byKey},
		{nils, func(n *models.NewAutomation) { n.Expression = "0 10 * * *" }, nils},
	} {
		row, err := sc.As(c.by).EditAutomation(t.Context(), a.ID, said(c.change))
		require.NoError(t, err)
		require.Equal(t, []string{c.whose.UserID, c.whose.KeyID}, []string{row.CreatedBy, row.KeyID}, "%+v", c)
	}
	hook, _, err := sc.CreateAutomation(t.Context(), models.NewAutomation{InstanceID: inst.ID, Name: "On push", Prompt: "look", Kind: models.AutomationWebhook, TimeZone: "UTC"})
	require.NoError(t, err)
	hook, _, err = sc.As(nils).RotateSecret(t.Context(), hook.ID, true)
	require.NoError(t, err)
	require.Equal(t, nils.UserID, hook.CreatedBy)
	require.Equal(t, "Nils", hook.CreatedName)
	log, err := sc.AuditEntries(t.Context(), models.AuditFilter{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, "trigger.secret_changed", log[0].Act)
}

// A call starts one run, however often it comes; calls do not skip each other.
func TestCallsOfATrigger(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	a, token, err := sc.CreateAutomation(t.Context(), models.NewAutomation{InstanceID: inst.ID, Name: "On push", Prompt: "look", Kind: models.AutomationWebhook, TimeZone: "UTC"})
	require.NoError(t, err)
	require.Contains(t, token.Reveal(), models.TriggerSecretPrefix)
	row, known, err := store.AsSystem("test").Trigger(t.Context(), a.ID)
	require.NoError(t, err)
	require.Len(t, known, 1)
	require.Equal(t, token.Reveal(), known[0].Reveal())
	require.NotContains(t, string(row.SecretSealed), token.Reveal())
	call := models.Run{Cause: models.RunCall, Due: time.Now(), Delivery: "d-1", Text: "look", Source: "webhook"}
	var work sync.WaitGroup
	ids := make([]string, 6)
	for n := range ids {
		work.Go(func() {
			run, err := sc.StartRun(t.Context(), a.ID, call)
			if err != nil {
				t.Error(err)
				return
			}
			ids[n] = run.ID
		})
	}
	work.Wait()
	for _, got := range ids {
		require.Equal(t, ids[0], got)
	}
	call.Delivery = "d-2"
	other, err := sc.StartRun(t.Context(), a.ID, call)
	require.NoError(t, err)
	require.Equal(t, models.RunRunning, other.State)
	require.NotEqual(t, ids[0], other.ID)
	_, err = sc.PauseAutomation(t.Context(), a.ID)
	require.NoError(t, err)
	call.Delivery = "d-3"
	_, err = sc.StartRun(t.Context(), a.ID, call)
	require.Equal(t, "trigger.off", fault.As(err).Code)
	_, _, err = store.AsSystem("test").Trigger(t.Context(), planned(t, sc, inst.ID).ID)
	require.True(t, fault.Is(err, fault.NotFound), "a schedule is no trigger")
}

func TestAutomationsAreChecked(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	good := models.NewAutomation{InstanceID: inst.ID, Name: "n", Prompt: "p", Kind: models.AutomationCron, Expression: "0 9 * * *", TimeZone: "UTC", NextAt: &nine}
	for name, change := range map[string]func(*models.NewAutomation){
		"name": func(n *models.NewAutomation) { n.Name = " " }, "prompt": func(n *models.NewAutomation) { n.Prompt = "\n" }, "kind": func(n *models.NewAutomation) { n.Kind = "event" },
		"zone": func(n *models.NewAutomation) { n.TimeZone = "Mars" }, "no zone": func(n *models.NewAutomation) { n.TimeZone = "" }, "never": func(n *models.NewAutomation) { n.NextAt = nil },
		"a trigger with a time": func(n *models.NewAutomation) { n.Kind = models.AutomationWebhook },
	} {
		n := good
		change(&n)
		_, _, err := sc.CreateAutomation(t.Context(), n)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
	}
	good.InstanceID = "00000000-0000-4000-8000-000000000001"
	_, _, err := sc.CreateAutomation(t.Context(), good)
	require.True(t, fault.Is(err, fault.NotFound))
}
