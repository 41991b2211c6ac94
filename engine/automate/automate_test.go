package automate_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"lobstead/engine/agent"
	"lobstead/engine/automate"
	"lobstead/kit/clock"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestMain(m *testing.M) {
	// gorm's cache of statements has a goroutine that nothing ends.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// office is a database with a clock that a test moves, and an instance.
type office struct {
	t     *testing.T
	clock *clock.Fake
	store *models.Store
	sc    *models.Scope
	inst  *models.Instance
	desk  *automate.Desk
}

var sunday = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, clock: clock.NewFake(sunday)}
	o.store = modelstest.NewAt(t, o.clock)
	o.sc, _ = modelstest.Found(t, o.store, "Acme")
	o.inst = modelstest.Instance(t, o.sc, "one")
	bus := events.Open(nil)
	t.Cleanup(bus.Close)
	o.desk = &automate.Desk{Store: o.store, Bus: bus, Turns: &agent.Turns{Store: o.store, Bus: bus}}
	return o
}

func (o *office) make(c automate.Command, text string) *models.Automation {
	o.t.Helper()
	plan, err := automate.Read(c, text, o.desk.Now(), time.UTC)
	require.NoError(o.t, err)
	a, _, err := o.desk.Create(o.t.Context(), o.sc, o.inst.ID, plan)
	require.NoError(o.t, err)
	return a
}

func (o *office) timer() *automate.Timer {
	return &automate.Timer{Desk: o.desk, Log: slog.New(slog.DiscardHandler)}
}

// sweep starts what is due and gives how many runs that were.
func (o *office) sweep() int {
	o.t.Helper()
	n, err := o.timer().Sweep(o.t.Context())
	require.NoError(o.t, err)
	return n
}

func (o *office) read(a *models.Automation) *models.Automation {
	o.t.Helper()
	a, err := o.sc.Automation(o.t.Context(), a.ID)
	require.NoError(o.t, err)
	return a
}

func (o *office) runs(a *models.Automation) []models.AutomationRun {
	o.t.Helper()
	runs, err := o.sc.Runs(o.t.Context(), a.ID, 1000)
	require.NoError(o.t, err)
	return runs
}

// Four workers that are killed at any moment: each due time has exactly one run, and each run that started one turn.
func TestFourWorkersThatAreKilled(t *testing.T) {
	o := newOffice(t)
	var all []*models.Automation
	for range 12 {
		all = append(all, o.make(automate.Recurring, "every hour look at the queue"))
	}
	const hours = 6
	for range hours {
		o.clock.Add(time.Hour)
		for range 3 {
			var work sync.WaitGroup
			for range 4 {
				ctx, kill := context.WithTimeout(t.Context(), time.Duration(rand.IntN(20))*time.Millisecond)
				work.Go(func() { defer kill(); _, _ = o.timer().Sweep(ctx) })
			}
			work.Wait()
		}
		o.sweep()
		for slices.ContainsFunc(all, func(a *models.Automation) bool { return !o.read(a).NextAt.After(o.clock.Now()) }) {
			o.sweep() // what a killed worker was about to write, its database may hold for a moment
		}
	}
	turns := 0
	for _, a := range all {
		runs, seen := o.runs(a), map[int64]bool{}
		for _, r := range runs {
			require.False(t, seen[r.DueAt.Unix()], "twice for %s", r.DueAt)
			seen[r.DueAt.Unix()] = true
			if r.TurnID != "" {
				turns++
			}
		}
		require.Len(t, runs, 2, "what is left out for one reason is one row")
		require.Equal(t, models.RunRunning, runs[1].State)
		require.Equal(t, []any{models.RunSkipped, hours - 2}, []any{runs[0].State, runs[0].Missed}, "none was lost: the first is still under way")
		require.WithinDuration(t, sunday.Add(hours*time.Hour), *runs[0].UntilAt, 0)
	}
	open := 0
	sessions, err := o.sc.Sessions(t.Context(), models.SessionFilter{})
	require.NoError(t, err)
	for _, s := range sessions {
		list, err := o.sc.OpenTurns(t.Context(), s.ID)
		require.NoError(t, err)
		open += len(list)
	}
	require.Equal(t, []int{len(all), len(all)}, []int{turns, open})
}

// A clock that jumps: what was missed runs once, nothing runs early, and nothing twice.
func TestTheClockJumps(t *testing.T) {
	o := newOffice(t)
	a := o.make(automate.Recurring, "every hour look at the queue")
	require.Zero(t, o.sweep(), "never early")
	o.clock.Add(time.Hour - time.Millisecond)
	require.Zero(t, o.sweep(), "not a millisecond")
	o.clock.Add(time.Millisecond)
	require.Equal(t, 1, o.sweep())
	o.clock.Add(-time.Hour)
	require.Zero(t, o.sweep())
	o.clock.Add(time.Hour)
	require.Zero(t, o.sweep(), "that hour had its run")
	o.clock.Add(5*time.Hour + 10*time.Minute)
	require.Equal(t, 1, o.sweep(), "what was missed runs once")
	runs := o.runs(a)
	require.Equal(t, 4, runs[0].Missed)
	now, err := o.sc.Automation(t.Context(), a.ID)
	require.NoError(t, err)
	require.Equal(t, "19:00", now.NextAt.UTC().Format("15:04"))
}

// The timer follows hints and the clock, and a restarted one finds what waits.
func TestTheTimerStartsWhatIsDue(t *testing.T) {
	o := newOffice(t)
	o.desk.Store = modelstest.New(t) // by the real clock
	o.store = o.desk.Store
	o.sc, _ = modelstest.Found(t, o.store, "Beta")
	o.inst = modelstest.Instance(t, o.sc, "two")
	o.desk.Turns.Store = o.store
	soon := time.Now().Add(-time.Hour).UTC().Truncate(time.Millisecond)
	waits, _, err := o.sc.CreateAutomation(t.Context(), models.NewAutomation{InstanceID: o.inst.ID, Name: "n", Prompt: "p", Kind: models.AutomationOnce, StartsAt: &soon, NextAt: &soon, TimeZone: "UTC"})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { o.timer().Run(ctx) })
	require.Eventually(t, func() bool { return len(o.runs(waits)) == 1 }, 20*time.Second, 5*time.Millisecond)
	over, err := o.sc.Automation(t.Context(), waits.ID)
	require.NoError(t, err)
	require.Equal(t, models.AutomationDone, over.State)
	_, err = o.desk.Resume(t.Context(), o.sc, waits.ID)
	require.Equal(t, "automation.over", fault.As(err).Code)
	stop()
	work.Wait()
}

func TestPauseResumeRunNow(t *testing.T) {
	o := newOffice(t)
	a := o.make(automate.Recurring, "every hour look at the queue")
	_, err := o.desk.Pause(t.Context(), o.sc, a.ID)
	require.NoError(t, err)
	o.clock.Add(3 * time.Hour)
	require.Zero(t, o.sweep())
	_, err = o.desk.Pause(t.Context(), o.sc, a.ID)
	require.True(t, fault.Is(err, fault.Conflict))
	back, err := o.desk.Resume(t.Context(), o.sc, a.ID)
	require.NoError(t, err)
	require.Equal(t, "16:00", back.NextAt.UTC().Format("15:04"), "from now on, nothing of before")
	run, err := o.desk.RunNow(t.Context(), o.sc, a.ID)
	require.NoError(t, err)
	require.Equal(t, models.RunNow, run.Cause)
	_, err = o.desk.RunNow(t.Context(), o.sc, a.ID)
	require.Equal(t, "automation.running", fault.As(err).Code)
	require.NoError(t, o.desk.Delete(t.Context(), o.sc, a.ID))
	o.clock.Add(3 * time.Hour)
	require.Zero(t, o.sweep())
}

// A row keeps a schedule so that it comes back as it was.
func TestSchedulesSurviveTheirRow(t *testing.T) {
	o := newOffice(t)
	for _, text := range []string{"every weekday at 9 x", "every 45 minutes x", "every other day at 9 x", "tomorrow at 5pm x"} {
		plan, err := automate.Read(automate.Automate, text, o.desk.Now(), time.UTC)
		require.NoError(t, err)
		row, err := o.sc.Automation(t.Context(), o.make(automate.Automate, text).ID)
		require.NoError(t, err)
		s, err := automate.Schedule(row)
		require.NoError(t, err)
		require.Equal(t, plan.Schedule.Runs(sunday, 5), s.Runs(sunday, 5), text)
		require.Equal(t, plan.Outlook(sunday), automate.Look(row), text)
	}
}

func TestPlans(t *testing.T) {
	read := func(c automate.Command, text string) automate.Plan {
		p, err := automate.Read(c, text, sunday, time.UTC)
		require.NoError(t, err, text)
		return p
	}
	p := read(automate.Recurring, "every day at 9, summarise what was said in the three channels of the harbour office and send it.")
	require.Equal(t, "Summarise what was said in the three channels of the harbour …", p.Name)
	require.Equal(t, 30, p.PerMonth(sunday))
	require.Equal(t, 720, read(automate.Recurring, "every hour look").PerMonth(sunday))
	require.Zero(t, read(automate.Remind, "tomorrow at 9 call").PerMonth(sunday))
	require.Zero(t, read(automate.Trigger, "look").PerMonth(sunday))
	require.True(t, read(automate.Automate, "Whenever a form is sent, answer it").Webhook)
	require.False(t, read(automate.Automate, "every day at 9 look").Webhook)
	require.Equal(t, strings.Repeat("X", 1)+strings.Repeat("x", 59)+"…", read(automate.Recurring, "every day at 9 "+strings.Repeat("x", 200)).Name)
	for c, text := range map[automate.Command]string{automate.Trigger: "tomorrow at 9 look", automate.Remind: "stretch", automate.Recurring: "every day at 9 !!", automate.Automate: "do it"} {
		_, err := automate.Read(c, text, sunday, time.UTC)
		require.True(t, fault.Is(err, fault.Unclear), "%s %s: %v", c, text, err)
	}
}
