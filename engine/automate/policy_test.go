package automate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/engine/automate"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func (o *office) with(text string, options automate.Options) *models.Automation {
	o.t.Helper()
	plan, err := automate.Read(automate.Automate, text, o.desk.Now(), time.UTC)
	require.NoError(o.t, err)
	plan.Options = options
	a, _, err := o.desk.Create(o.t.Context(), o.sc, o.inst.ID, plan)
	require.NoError(o.t, err)
	return a
}

// all starts everything that is due, as the timer does until nothing is.
func (o *office) all() (n int) {
	o.t.Helper()
	for {
		more := o.sweep()
		if n += more; more == 0 {
			return n
		}
	}
}

type shown struct {
	State  models.RunState
	At     string
	Missed int
}

func (o *office) listed(a *models.Automation) []shown {
	var out []shown
	for _, r := range o.runs(a) {
		out = append(out, shown{r.State, r.DueAt.UTC().Format("15:04"), r.Missed})
	}
	return out
}

// Five hours without a worker, for each of the policies.
func TestMissedTimes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	made := map[models.MissedPolicy]*models.Automation{}
	for _, p := range []models.MissedPolicy{models.MissedSkip, models.MissedOnce, models.MissedAll} {
		made[p] = o.with("every hour look", automate.Options{Missed: p})
	}
	o.clock.Add(5*time.Hour + 30*time.Minute) // 17:30
	o.all()
	require.Equal(t, []shown{{models.RunSkipped, "13:00", 4}}, o.listed(made[models.MissedSkip]))
	require.Equal(t, []shown{{models.RunRunning, "13:00", 4}}, o.listed(made[models.MissedOnce]))
	require.Equal(t, []shown{{models.RunRunning, "17:00", 0}, {models.RunRunning, "16:00", 0}, {models.RunRunning, "15:00", 0}, {models.RunRunning, "14:00", 0}, {models.RunRunning, "13:00", 0}},
		o.listed(made[models.MissedAll]), "each is made up for, and waits for the one before")
	o.clock.Add(30 * time.Minute) // on time
	o.all()
	require.Equal(t, shown{models.RunRunning, "18:00", 0}, o.listed(made[models.MissedSkip])[0])

	// Just after a time, the times before are left out and that one runs.
	o.clock.Add(3*time.Hour + 10*time.Second) // 21:00:10
	o.all()
	require.Equal(t, []shown{{models.RunSkipped, "21:00", 0}, {models.RunSkipped, "19:00", 1}}, o.listed(made[models.MissedSkip])[:2],
		"and the one of 18:00 is still under way")

	long := o.with("every hour look", automate.Options{Missed: models.MissedAll})
	o.clock.Add(40 * time.Hour)
	o.all()
	runs := o.runs(long)
	require.Len(t, runs, 31, "the newest; the first stands for those before")
	require.Equal(t, 9, runs[30].Missed)
}

// While a run is under way, a due time waits, is left out, or runs beside it in a conversation of its own.
func TestOverlaps(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	made := map[models.Overlap]*models.Automation{}
	for _, p := range []models.Overlap{models.OverlapQueue, models.OverlapSkip, models.OverlapAllow} {
		made[p] = o.with("every hour look", automate.Options{Overlap: p})
	}
	for range 3 {
		o.clock.Add(time.Hour)
		o.all()
	}
	sessions := func(p models.Overlap) map[string]bool {
		out := map[string]bool{}
		for _, r := range o.runs(made[p]) {
			require.Equal(t, models.RunRunning, r.State)
			out[r.SessionID] = true
		}
		require.Len(t, o.runs(made[p]), 3)
		return out
	}
	require.Len(t, sessions(models.OverlapQueue), 1)
	require.Len(t, sessions(models.OverlapAllow), 3)
	require.Equal(t, []shown{{models.RunSkipped, "14:00", 1}, {models.RunRunning, "13:00", 0}}, o.listed(made[models.OverlapSkip]))
	_, err := o.desk.RunNow(t.Context(), o.sc, made[models.OverlapSkip].ID)
	require.Equal(t, "automation.running", fault.As(err).Code)
	_, err = o.desk.RunNow(t.Context(), o.sc, made[models.OverlapQueue].ID)
	require.NoError(t, err)
	o.clock.Add(3 * time.Hour) // no worker looked
	o.all()
	left := o.runs(made[models.OverlapSkip])[0]
	require.Equal(t, []any{models.RunSkipped, 4, "18:00"}, []any{left.State, left.Missed, left.UntilAt.UTC().Format("15:04")}, "what is left out ends with the last")
}

// A spread start is never early, within its bound, and the same for every worker.
func TestJitter(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	seen := map[time.Duration]bool{}
	for range 20 {
		a := o.with("every hour look", automate.Options{Jitter: 600})
		require.Equal(t, "13:00", a.NextAt.UTC().Format("15:04"), "people are shown the time that was asked for")
		share := a.FireAt.Sub(*a.NextAt)
		require.GreaterOrEqual(t, share, time.Duration(0))
		require.Less(t, share, 10*time.Minute)
		seen[share] = true
	}
	require.Greater(t, len(seen), 10)
	o.clock.Add(time.Hour)
	at0 := o.all()
	o.clock.Add(10 * time.Minute)
	require.Equal(t, 20, at0+o.all())
	_, err := automate.Read(automate.Automate, "every 5 minutes look", sunday, time.UTC)
	require.NoError(t, err)
	p, err := automate.At("look", "*/5 * * * *", sunday, time.UTC)
	require.NoError(t, err)
	p.Jitter = 300
	_, _, err = o.desk.Create(t.Context(), o.sc, o.inst.ID, p)
	require.True(t, fault.Is(err, fault.Invalid), "a run could begin after the next one: %v", err)
}

// Everything held back: nothing runs, what waits ends, and afterwards it goes on from then.
func TestHoldingAllBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	hourly, once := o.with("every hour look", automate.Options{Overlap: models.OverlapQueue}), o.with("tomorrow at 9 look", automate.Options{})
	soon := o.with("today at 14:00 look", automate.Options{})
	call := o.with("when a form comes look", automate.Options{})
	o.clock.Add(time.Hour)
	require.Equal(t, 1, o.all())
	require.NoError(t, o.desk.Hold(t.Context(), o.sc, o.inst.ID))
	require.NoError(t, o.desk.Hold(t.Context(), o.sc, ""))
	require.Equal(t, []shown{{models.RunSkipped, "13:00", 0}}, o.listed(hourly), "it had not begun")
	o.clock.Add(90 * time.Minute) // 14:30
	require.Zero(t, o.all())
	_, err := o.sc.StartRun(t.Context(), call.ID, models.Run{Cause: models.RunCall, Due: o.desk.Now(), Text: "x", Source: "webhook"})
	require.Equal(t, "trigger.off", fault.As(err).Code)
	made := o.with("every hour look", automate.Options{})
	require.Nil(t, made.NextAt, "one that is made meanwhile waits too")
	_, err = o.desk.Pause(t.Context(), o.sc, made.ID)
	require.NoError(t, err)
	resumed, err := o.desk.Resume(t.Context(), o.sc, made.ID)
	require.NoError(t, err)
	require.Nil(t, resumed.NextAt)
	holds, err := o.sc.AutomationHolds(t.Context())
	require.NoError(t, err)
	require.Len(t, holds, 2)
	require.NoError(t, o.desk.Release(t.Context(), o.sc, ""))
	row, err := o.sc.Automation(t.Context(), hourly.ID)
	require.NoError(t, err)
	require.Nil(t, row.NextAt, "its instance is still held")
	require.NoError(t, o.desk.Release(t.Context(), o.sc, o.inst.ID))
	for a, want := range map[*models.Automation]string{hourly: "22 15:00", once: "23 09:00", made: "22 15:00"} {
		row, err := o.sc.Automation(t.Context(), a.ID)
		require.NoError(t, err)
		require.Equal(t, want, row.NextAt.UTC().Format("02 15:04"))
	}
	require.Equal(t, []shown{{models.RunSkipped, "14:00", 0}}, o.listed(soon))
	over, err := o.sc.Automation(t.Context(), soon.ID)
	require.NoError(t, err)
	require.Equal(t, models.AutomationDone, over.State)
	require.Zero(t, o.all(), "nothing of before")
	o.clock.Add(30 * time.Minute)
	require.Equal(t, 2, o.all())
}

// What is changed counts from then on; what is not keeps its next time.
func TestEdits(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a := o.make(automate.Recurring, "every 45 minutes look")
	o.clock.Add(20 * time.Minute)
	name, prompt := "Look again", "look twice"
	changed, err := o.desk.Edit(t.Context(), o.sc, a.ID, automate.Change{Name: &name, Prompt: &prompt})
	require.NoError(t, err)
	require.Equal(t, []string{name, prompt}, []string{changed.Name, changed.Prompt})
	require.True(t, changed.NextAt.Equal(*a.NextAt))
	plan, err := automate.At(prompt, "30 */10 * * * *", o.desk.Now(), time.UTC)
	require.NoError(t, err)
	overlap, jitter := models.OverlapQueue, 30
	changed, err = o.desk.Edit(t.Context(), o.sc, a.ID, automate.Change{Schedule: &plan.Schedule, Overlap: &overlap, Jitter: &jitter})
	require.NoError(t, err)
	require.Equal(t, "12:20:30", changed.NextAt.UTC().Format("15:04:05"), "six fields begin with the second")
	require.Equal(t, models.OverlapQueue, changed.Overlap)
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	changed, err = o.desk.Edit(t.Context(), o.sc, a.ID, automate.Change{Zone: berlin})
	require.NoError(t, err)
	require.Equal(t, "Europe/Berlin", changed.TimeZone)
	off := false
	changed, err = o.desk.Edit(t.Context(), o.sc, a.ID, automate.Change{Enabled: &off})
	require.NoError(t, err)
	require.Equal(t, models.AutomationPaused, changed.State)
	require.Nil(t, changed.NextAt)
	changed, err = o.desk.Edit(t.Context(), o.sc, a.ID, automate.Change{Schedule: &plan.Schedule})
	require.NoError(t, err)
	require.Nil(t, changed.NextAt, "a paused one stays so")

	once := o.make(automate.Remind, "in 1 hour stretch")
	o.clock.Add(2 * time.Hour)
	require.Equal(t, 1, o.all())
	again, err := o.desk.Edit(t.Context(), o.sc, once.ID, automate.Change{Name: &name})
	require.NoError(t, err)
	require.Equal(t, models.AutomationDone, again.State)
	later, err := automate.At("x", "2026-12-24 17:00", o.desk.Now(), time.UTC)
	require.NoError(t, err)
	again, err = o.desk.Edit(t.Context(), o.sc, once.ID, automate.Change{Schedule: &later.Schedule})
	require.NoError(t, err)
	require.Equal(t, models.AutomationActive, again.State, "it goes on")
	empty := " "
	_, err = o.desk.Edit(t.Context(), o.sc, once.ID, automate.Change{Prompt: &empty})
	require.True(t, fault.Is(err, fault.Invalid))
}

// Whatever the clock and the workers do: no due time of any policy runs twice, none runs early, and each one that has come is
// run, stood for, or listed as left out.
func TestPoliciesUnderAnyClock(t *testing.T) {
	o := newOffice(t)
	rapid.Check(t, func(rt *rapid.T) {
		begun := o.clock.Now()
		policy := rapid.SampledFrom([]models.MissedPolicy{models.MissedSkip, models.MissedOnce, models.MissedAll}).Draw(rt, "missed")
		overlap := rapid.SampledFrom([]models.Overlap{models.OverlapQueue, models.OverlapSkip, models.OverlapAllow}).Draw(rt, "overlap")
		a := o.with("every hour look", automate.Options{Missed: policy, Overlap: overlap})
		furthest := o.clock.Now()
		for range rapid.IntRange(1, 6).Draw(rt, "jumps") {
			o.clock.Add(time.Duration(rapid.IntRange(-300, 600).Draw(rt, "minutes")) * time.Minute)
			if o.clock.Now().After(furthest) {
				furthest = o.clock.Now()
			}
			o.all()
		}
		covered, times := 0, map[int64]bool{}
		for _, r := range o.runs(a) {
			require.False(t, times[r.DueAt.Unix()], "twice: %s", r.DueAt)
			times[r.DueAt.Unix()] = true
			require.False(t, r.DueAt.After(furthest), "early: %s", r.DueAt)
			covered += 1 + r.Missed
		}
		require.Equal(t, int(furthest.Truncate(time.Hour).Sub(begun.Truncate(time.Hour))/time.Hour), covered, "each hour once: %v", o.listed(a))
		require.NoError(t, o.desk.Delete(t.Context(), o.sc, a.ID))
	})
}

// More than one batch is due at one second, over two organizations: what is ordinary begins together, what meets a rule has its
// own answer, and each due time has one run.
func TestManyAtOneSecond(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	other, _ := modelstest.Found(t, o.store, "Beta")
	inst := modelstest.Instance(t, other, "two")
	due := sunday.Add(time.Hour)
	put := func(sc *models.Scope, instance string, n int, overlap models.Overlap) (out []*models.Automation) {
		for range n {
			a, _, err := sc.CreateAutomation(t.Context(), models.NewAutomation{InstanceID: instance, Name: "n", Prompt: "look at {{time}}", Kind: models.AutomationCron, Expression: "0 * * * *",
				TimeZone: "UTC", NextAt: &due, Overlap: overlap})
			require.NoError(t, err)
			out = append(out, a)
		}
		return out
	}
	const many = models.MostDue - 10
	plain := put(o.sc, o.inst.ID, many, models.OverlapQueue)
	beside := put(o.sc, o.inst.ID, 5, models.OverlapAllow)
	left := put(o.sc, o.inst.ID, 5, models.OverlapSkip)
	counted := put(other, inst.ID, 6, models.OverlapQueue)
	_, err := other.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetMessages, Period: models.BudgetTotal, Amount: 4})
	require.NoError(t, err)
	o.clock.Add(time.Hour)
	require.Equal(t, many+16, o.sweep())
	o.clock.Add(time.Hour)
	require.Equal(t, many+16, o.sweep())

	shown := func(sc *models.Scope, list []*models.Automation) map[models.RunState]int {
		out := map[models.RunState]int{}
		for _, a := range list {
			runs, err := sc.Runs(t.Context(), a.ID, 10)
			require.NoError(t, err)
			require.Len(t, runs, 2)
			for _, r := range runs {
				out[r.State]++
			}
			now, err := sc.Automation(t.Context(), a.ID)
			require.NoError(t, err)
			require.Equal(t, []any{models.AutomationActive, "15:00"}, []any{now.State, now.NextAt.UTC().Format("15:04")})
		}
		return out
	}
	require.Equal(t, map[models.RunState]int{models.RunRunning: 2 * many}, shown(o.sc, plain))
	require.Equal(t, map[models.RunState]int{models.RunRunning: 10}, shown(o.sc, beside))
	require.Equal(t, map[models.RunState]int{models.RunRunning: 5, models.RunSkipped: 5}, shown(o.sc, left))
	require.Equal(t, map[models.RunState]int{models.RunRunning: 4, models.RunFailed: 8}, shown(other, counted), "four messages, and no more")

	runs := o.runs(plain[0])
	log, err := o.sc.Events(t.Context(), runs[0].SessionID, 0, 0)
	require.NoError(t, err)
	require.Len(t, log, 2)
	for n, e := range log {
		said, err := models.Decode[models.UserMessage](e)
		require.NoError(t, err)
		require.Equal(t, []any{int64(n + 1), "look at " + []string{"13", "14"}[n] + ":00:00", "n"}, []any{e.Seq, said.Text, said.By})
	}
	s, err := o.sc.Session(t.Context(), runs[0].SessionID)
	require.NoError(t, err)
	require.Equal(t, []any{int64(2), 2, "automation"}, []any{s.LastSeq, s.MessageCount, s.Category})
	apart := o.runs(beside[0])
	require.NotEqual(t, apart[0].SessionID, apart[1].SessionID, "each in a conversation of its own")
	now, err := o.sc.Automation(t.Context(), beside[0].ID)
	require.NoError(t, err)
	require.Equal(t, apart[1].SessionID, now.SessionID, "the first stays the automation's")
	place, err := o.sc.Turn(t.Context(), runs[0].TurnID)
	require.NoError(t, err)
	require.Equal(t, []any{o.inst.ID, plain[0].ID, models.TurnQueued, int64(2), automate.ScheduleSource}, []any{place.InstanceID, place.AutomationID, place.State, place.InputSeq, place.Source})
}
