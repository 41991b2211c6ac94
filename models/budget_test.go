package models_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func budget(t testing.TB, sc *models.Scope, scope models.BudgetScope, target string, unit models.BudgetUnit, period models.BudgetPeriod, amount int64) *models.Budget {
	t.Helper()
	b, err := sc.CreateBudget(t.Context(), models.NewBudget{Scope: scope, TargetID: target, Unit: unit, Period: period, Amount: amount, WarnPercent: models.DefaultWarn})
	require.NoError(t, err)
	return b
}

func state(t testing.TB, sc *models.Scope, b *models.Budget) *models.BudgetState {
	t.Helper()
	s, err := sc.Budget(t.Context(), b.ID)
	require.NoError(t, err)
	return s
}

// honest recomputes every balance from the entries.
func honest(t testing.TB, store *models.Store) {
	t.Helper()
	reports, err := store.AsSystem("test").CheckLedger(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, reports)
	for _, r := range reports {
		require.Empty(t, r.Problems)
	}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.As(err).Code
}

// Fifty callers at once spend from three budgets that overlap, each call taking less or more than it reserved: what is
// settled is at most the limit and one call, the whole budget can be used up, and every balance is the sum of its entries.
func TestBudgetHoldsUnderParallelCalls(t *testing.T) {
	t.Parallel()
	const limit, worst, most = 10_000, 100, 130
	store := modelstest.New(t)
	sc, inst, session := conversation(t, store)
	of := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetTotal, limit)
	budget(t, sc, models.BudgetOfInstance, inst.ID, models.BudgetTokens, models.BudgetDaily, 1<<40)
	budget(t, sc, models.BudgetOfSession, session.ID, models.BudgetMoney, models.BudgetMonthly, 1<<40)
	var sum, held atomic.Int64
	var callers sync.WaitGroup
	for n := range 50 {
		callers.Go(func() {
			roll := rand.New(rand.NewPCG(uint64(n), 7))
			for {
				c := models.Charge{CallID: id.New(), Purpose: "chat", InstanceID: inst.ID, SessionID: session.ID, CostNanos: worst, InputTokens: 10}
				err := sc.Reserve(t.Context(), c)
				switch code(err) {
				case "":
				case "budget.held":
					held.Add(1)
					time.Sleep(time.Millisecond)
					continue
				case "budget.reached":
					return
				default:
					t.Error(err)
					return
				}
				c.CostNanos = 1 + roll.Int64N(most)
				if err := sc.Settle(t.Context(), c); err != nil {
					t.Error(err)
					return
				}
				sum.Add(c.CostNanos)
			}
		})
	}
	callers.Wait()
	s := state(t, sc, of)
	require.Equal(t, sum.Load(), s.Spent)
	require.Zero(t, s.Reserved)
	require.GreaterOrEqual(t, s.Spent, int64(limit), "all of it can be used")
	require.LessOrEqual(t, s.Spent, int64(limit+most), "the limit and one call")
	honest(t, store)
	t.Logf("%d of %d spent, %d tries waited for calls under way", s.Spent, limit, held.Load())
}

// The worst case that does not fit waits for calls under way; alone it is let in as long as anything is left.
func TestBudgetEdges(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, _ := modelstest.Found(t, store, "Acme")
	b := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetDaily, 100)
	reserve := func(call string, n int64) error {
		return sc.Reserve(t.Context(), models.Charge{CallID: call, CostNanos: n})
	}
	settle := func(call string, n int64) error {
		return sc.Settle(t.Context(), models.Charge{CallID: call, CostNanos: n})
	}
	require.NoError(t, reserve("a", 60))
	err := reserve("b", 41)
	require.Equal(t, "budget.held", code(err))
	require.True(t, fault.Is(err, fault.TooMany))
	require.Equal(t, now.Now().Add(time.Second), fault.As(err).RetryAt)
	require.NoError(t, reserve("c", 40), "to the last unit")
	require.NoError(t, settle("a", 60))
	require.NoError(t, settle("c", 39))
	require.NoError(t, reserve("d", 1_000), "one alone, as long as anything is left")
	require.Equal(t, "budget.held", code(reserve("e", 1)))
	require.NoError(t, settle("d", 77), "more than was left, less than was held")
	require.Equal(t, "duplicate", code(settle("d", 77)))
	s := state(t, sc, b)
	require.Equal(t, []int64{176, 0, 0}, []int64{s.Spent, s.Reserved, s.Left()})
	err = reserve("f", 1)
	require.True(t, fault.Is(err, fault.Payment))
	require.Equal(t, "budget.reached", code(err))
	require.Equal(t, time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC), fault.As(err).RetryAt)
	require.Contains(t, fault.As(err).Detail, "The organization's daily budget of $0.0000 is used up")
	require.Contains(t, fault.As(err).Hint, "11 March 2026 00:00 UTC")
	require.NoError(t, reserve("free", 0), "what costs nothing is not limited in money")
	require.NoError(t, settle("free", 0))
	_, err = sc.UpdateBudget(t.Context(), b.ID, 177, 0)
	require.NoError(t, err)
	require.NoError(t, reserve("g", 1))
	require.NoError(t, settle("g", 5), "more than was held")
	require.EqualValues(t, 181, state(t, sc, b).Spent)
	honest(t, store)
}

// A refused call leaves nothing behind, not even in the budgets that would have let it in.
func TestRefusalIsWhole(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, session := conversation(t, store)
	open := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetTokens, models.BudgetMonthly, 1000)
	budget(t, sc, models.BudgetOfInstance, inst.ID, models.BudgetTokens, models.BudgetMonthly, 0)
	err := sc.Reserve(t.Context(), models.Charge{CallID: "x", InstanceID: inst.ID, SessionID: session.ID, InputTokens: 5})
	require.Equal(t, "budget.reached", code(err))
	require.Contains(t, fault.As(err).Detail, "The monthly budget of this instance of 0 tokens")
	require.Zero(t, state(t, sc, open).Reserved)
	honest(t, store)
	require.NoError(t, sc.Reserve(t.Context(), models.Charge{CallID: "x", InputTokens: 5}), "the id is free")
	require.EqualValues(t, 5, state(t, sc, open).Reserved)
	honest(t, store)
}

// Each scope counts its own and nothing else, in each unit.
func TestBudgetScopes(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, session := conversation(t, store)
	key, _, err := sc.CreateAPIKey(t.Context(), models.NewAPIKey{Name: "key"})
	require.NoError(t, err)
	targets := map[models.BudgetScope]string{models.BudgetOfOrganization: "", models.BudgetOfMember: sc.Actor.UserID, models.BudgetOfKey: key.ID,
		models.BudgetOfInstance: inst.ID, models.BudgetOfSession: session.ID, models.BudgetOfSchedule: planned(t, sc, inst.ID).ID}
	require.Len(t, targets, len(models.BudgetScopes))
	mine := models.Charge{MemberID: sc.Actor.UserID, KeyID: key.ID, ScheduleID: targets[models.BudgetOfSchedule], InstanceID: inst.ID, SessionID: session.ID, InputTokens: 3, OutputTokens: 4, CostNanos: 9}
	for scope, target := range targets {
		for unit, used := range map[models.BudgetUnit]int64{models.BudgetMoney: 9, models.BudgetTokens: 7} {
			b := budget(t, sc, scope, target, unit, models.BudgetTotal, 1000)
			before := state(t, sc, b).Spent
			own, other := mine, models.Charge{CallID: id.New(), MemberID: "m", KeyID: "k", InstanceID: "i", SessionID: "s", InputTokens: 3, OutputTokens: 4, CostNanos: 9}
			own.CallID = id.New()
			for _, c := range []models.Charge{own, other} {
				require.NoError(t, sc.Reserve(t.Context(), c))
				require.NoError(t, sc.Settle(t.Context(), c))
			}
			if scope == models.BudgetOfOrganization {
				used *= 2
			}
			require.Equal(t, before+used, state(t, sc, b).Spent, "%s in %s", scope, unit)
		}
	}
	all, err := sc.BudgetsOf(t.Context(), mine)
	require.NoError(t, err)
	require.Len(t, all, 12)
	others, err := sc.BudgetsOf(t.Context(), models.Charge{InstanceID: "i"})
	require.NoError(t, err)
	require.Len(t, others, 2)
	honest(t, store)
}

func TestUnpricedModelNeedsNoPriceUnlessMoneyIsLimited(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	free := models.Charge{CallID: "1", Model: "mystery", InputTokens: 10, Unpriced: true}
	tokens := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetTokens, models.BudgetTotal, 15)
	require.NoError(t, sc.Reserve(t.Context(), free))
	require.NoError(t, sc.Settle(t.Context(), free))
	require.EqualValues(t, 10, state(t, sc, tokens).Spent)
	budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetTotal, models.Dollar)
	free.CallID = "2"
	err := sc.Reserve(t.Context(), free)
	require.Equal(t, "budget.unpriced", code(err))
	require.True(t, fault.Is(err, fault.Payment))
	require.Contains(t, fault.As(err).Detail, "mystery")
	honest(t, store)
}

// A budget that is set in the middle of a period counts what the period has seen, and what is under way.
func TestNewBudgetKnowsThePast(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 3, 31, 23, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, _ := modelstest.Found(t, store, "Acme")
	spend := func(call string, n int64) {
		require.NoError(t, sc.Reserve(t.Context(), models.Charge{CallID: call, CostNanos: n}))
		require.NoError(t, sc.Settle(t.Context(), models.Charge{CallID: call, CostNanos: n}))
	}
	spend("march", 1)
	require.NoError(t, sc.Reserve(t.Context(), models.Charge{CallID: "over midnight", CostNanos: 10}))
	now.Add(2 * time.Hour)
	spend("april", 100)
	require.NoError(t, sc.Reserve(t.Context(), models.Charge{CallID: "under way", CostNanos: 1000}))
	month := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetMonthly, 1_000_000)
	total := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetTotal, 1_000_000)
	require.Equal(t, []int64{100, 1000}, []int64{state(t, sc, month).Spent, state(t, sc, month).Reserved})
	require.Equal(t, []int64{101, 1010}, []int64{state(t, sc, total).Spent, state(t, sc, total).Reserved})
	honest(t, store)
	for _, call := range []string{"over midnight", "under way"} {
		require.NoError(t, sc.Settle(t.Context(), models.Charge{CallID: call, CostNanos: 7}))
	}
	require.Equal(t, []int64{107, 0}, []int64{state(t, sc, month).Spent, state(t, sc, month).Reserved}, "a call counts where it began")
	require.Equal(t, []int64{115, 0}, []int64{state(t, sc, total).Spent, state(t, sc, total).Reserved})
	honest(t, store)
}

// Budgets come, go and change, and zones too, while calls run: no sum is ever off.
func TestBudgetsChangeUnderLoad(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	var work sync.WaitGroup
	var done atomic.Bool
	for range 8 {
		work.Go(func() {
			for !done.Load() {
				c := models.Charge{CallID: id.New(), InstanceID: inst.ID, CostNanos: 5, InputTokens: 2}
				if err := sc.Reserve(t.Context(), c); err != nil {
					t.Error(err)
					return
				}
				c.CostNanos = 3
				if err := sc.Settle(t.Context(), c); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 12 {
		b := budget(t, sc, models.BudgetOfInstance, inst.ID, models.BudgetMoney, models.BudgetPeriods[n%3], 1<<40)
		budget(t, sc, models.BudgetOfOrganization, "", models.BudgetTokens, models.BudgetDaily, 1<<40)
		require.NoError(t, sc.SetTimeZone(t.Context(), []string{"Asia/Tokyo", "UTC", "America/New_York"}[n%3]))
		honest(t, store)
		list, err := sc.Budgets(t.Context())
		require.NoError(t, err)
		for _, s := range list {
			_, err := sc.DeleteBudget(t.Context(), s.ID)
			require.NoError(t, err)
		}
		_ = b
	}
	keep := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetTotal, 1<<40)
	done.Store(true)
	work.Wait()
	require.Zero(t, state(t, sc, keep).Reserved)
	honest(t, store)
}

func TestBudgetIsChecked(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	other, otherInst, _ := func() (*models.Scope, *models.Instance, error) {
		o, _ := modelstest.Found(t, store, "Beta")
		return o, modelstest.Instance(t, o, "two"), nil
	}()
	good := models.NewBudget{Scope: models.BudgetOfInstance, TargetID: inst.ID, Unit: models.BudgetMoney, Period: models.BudgetDaily, Amount: 5, WarnPercent: 80}
	for name, change := range map[string]func(*models.NewBudget){
		"scope": func(n *models.NewBudget) { n.Scope = "galaxy" },
		"unit":  func(n *models.NewBudget) { n.Unit = "beer" }, "period": func(n *models.NewBudget) { n.Period = "week" },
		"target": func(n *models.NewBudget) { n.TargetID = "" }, "negative": func(n *models.NewBudget) { n.Amount = -1 },
		"huge": func(n *models.NewBudget) { n.Amount = models.MaxBudget + 1 }, "warn": func(n *models.NewBudget) { n.WarnPercent = 101 },
		"warn below": func(n *models.NewBudget) { n.WarnPercent = -1 },
	} {
		n := good
		change(&n)
		_, err := sc.CreateBudget(t.Context(), n)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
	}
	foreign := good
	foreign.TargetID = otherInst.ID
	_, err := sc.CreateBudget(t.Context(), foreign)
	require.True(t, fault.Is(err, fault.NotFound))
	b, err := sc.CreateBudget(t.Context(), good)
	require.NoError(t, err)
	_, err = sc.CreateBudget(t.Context(), good)
	require.Equal(t, "budget.exists", code(err))
	for _, try := range []func() error{
		func() error { _, err := other.Budget(t.Context(), b.ID); return err },
		func() error { _, err := other.UpdateBudget(t.Context(), b.ID, 1, 1); return err },
		func() error { _, err := other.DeleteBudget(t.Context(), b.ID); return err },
	} {
		require.True(t, fault.Is(try(), fault.NotFound))
	}
	_, err = sc.UpdateBudget(t.Context(), b.ID, 7, 50)
	require.NoError(t, err)
	require.NoError(t, sc.SetTimeZone(t.Context(), "Europe/Berlin"))
	require.True(t, fault.Is(sc.SetTimeZone(t.Context(), "Mars/Olympus"), fault.Invalid))
	_, err = sc.DeleteBudget(t.Context(), b.ID)
	require.NoError(t, err)
	entries, err := sc.AuditEntries(t.Context(), models.AuditFilter{})
	require.NoError(t, err)
	acts := []string{}
	for _, e := range entries {
		acts = append(acts, e.Act)
	}
	require.Equal(t, []string{"budget.deleted", "organization.time_zone", "budget.changed", "budget.created"}, acts[:4])
	require.Contains(t, entries[2].Before, `"amount":5`)
	require.Contains(t, entries[2].After, `"amount":7`)
	require.Contains(t, entries[2].TargetName, "daily budget in money of instance one")
}

// Days and months begin where the organization is, whatever its clocks do.
func TestBudgetPeriods(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return v.UTC()
	}
	for _, c := range []struct {
		zone       string
		period     models.BudgetPeriod
		now        string
		start, end string
	}{
		{"UTC", models.BudgetDaily, "2026-03-10T12:00:00Z", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"},
		{"UTC", models.BudgetMonthly, "2024-02-29T23:59:59Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
		{"UTC", models.BudgetMonthly, "2026-12-31T23:59:59Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"Asia/Tokyo", models.BudgetDaily, "2026-03-10T15:00:00Z", "2026-03-10T15:00:00Z", "2026-03-11T15:00:00Z"},
		{"Asia/Kathmandu", models.BudgetDaily, "2026-03-10T18:14:59Z", "2026-03-09T18:15:00Z", "2026-03-10T18:15:00Z"},
		{"Europe/Berlin", models.BudgetDaily, "2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // 23 hours
		{"Europe/Berlin", models.BudgetDaily, "2026-10-25T10:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}, // 25 hours
		{"Europe/Berlin", models.BudgetMonthly, "2026-03-31T22:30:00Z", "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"},
		{"America/Sao_Paulo", models.BudgetDaily, "2018-11-04T04:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}, // no midnight
		{"America/Sao_Paulo", models.BudgetDaily, "2018-11-04T02:59:59Z", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"},
		{"America/Sao_Paulo", models.BudgetDaily, "2018-02-18T02:30:00Z", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"}, // 23:30 twice
		{"America/Havana", models.BudgetDaily, "2026-11-01T05:30:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},    // 00:30 twice
		{"America/New_York", models.BudgetTotal, "2026-11-01T05:30:00Z", "1970-01-01T00:00:00Z", ""},
	} {
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		start, end := models.PeriodAround(c.period, at(c.now), zone)
		require.Equal(t, at(c.start), start, "%s %s", c.zone, c.now)
		if c.end == "" {
			require.True(t, end.IsZero())
		} else {
			require.Equal(t, at(c.end), end, "%s %s", c.zone, c.now)
		}
	}
	for _, name := range []string{"Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "Asia/Beirut"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		_, before := models.PeriodAround(models.BudgetDaily, at("2010-01-01T12:00:00Z"), zone)
		for range 366 * 9 { // every day begins where the one before ended, and holds its own start
			start, end := models.PeriodAround(models.BudgetDaily, before, zone)
			require.Equal(t, before, start, name)
			require.True(t, end.After(start), name)
			again, _ := models.PeriodAround(models.BudgetDaily, end.Add(-time.Millisecond), zone)
			require.Equal(t, start, again, name)
			before = end
		}
	}
}

// A period that begins opens a fresh balance; one call over midnight counts where it began.
func TestBudgetRollsOver(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 10, 24, 21, 59, 0, 0, time.UTC)) // 23:59 in Berlin, before the clocks change
	store := modelstest.NewAt(t, now)
	sc, _ := modelstest.Found(t, store, "Acme")
	require.NoError(t, sc.SetTimeZone(t.Context(), "Europe/Berlin"))
	day := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetDaily, 10)
	total := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetTotal, 1000)
	call := func(name string, n int64) error {
		if err := sc.Reserve(t.Context(), models.Charge{CallID: name, CostNanos: n}); err != nil {
			return err
		}
		return sc.Settle(t.Context(), models.Charge{CallID: name, CostNanos: n})
	}
	require.NoError(t, call("a", 6))
	require.NoError(t, sc.Reserve(t.Context(), models.Charge{CallID: "over midnight", CostNanos: 4}))
	err := call("b", 1)
	require.Equal(t, "budget.held", code(err))
	now.Add(time.Minute)
	require.Zero(t, state(t, sc, day).Spent, "a new day")
	require.NoError(t, sc.Settle(t.Context(), models.Charge{CallID: "over midnight", CostNanos: 4}))
	require.Zero(t, state(t, sc, day).Spent)
	require.NoError(t, call("c", 10))
	err = call("d", 1)
	require.Equal(t, time.Date(2026, 10, 25, 23, 0, 0, 0, time.UTC), fault.As(err).RetryAt, "the day has 25 hours")
	now.Add(3 * time.Hour)
	_, err = sc.UpdateBudget(t.Context(), day.ID, 15, 0)
	require.NoError(t, err)
	require.NoError(t, call("raised", 5))
	now.Add(21*time.Hour + 59*time.Minute)
	require.Equal(t, "budget.reached", code(call("d", 1)))
	now.Add(time.Minute)
	require.NoError(t, call("d", 1))
	require.EqualValues(t, 26, state(t, sc, total).Spent)
	require.EqualValues(t, 1, state(t, sc, day).Spent)
	require.NoError(t, sc.SetTimeZone(t.Context(), "UTC"))
	require.EqualValues(t, 6, state(t, sc, day).Spent, "by UTC that was the same day")
	require.NoError(t, call("e", 9))
	require.Equal(t, "budget.reached", code(call("f", 1)))
	honest(t, store)
}

// A hundred callers meet the first moment of a day together: one balance is opened.
func TestRollOverInParallel(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 3, 10, 23, 59, 59, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, _ := modelstest.Found(t, store, "Acme")
	b := budget(t, sc, models.BudgetOfOrganization, "", models.BudgetTokens, models.BudgetDaily, 1000)
	now.Add(time.Second)
	var work sync.WaitGroup
	for n := range 100 {
		work.Go(func() {
			c := models.Charge{CallID: fmt.Sprint(n), InputTokens: 3}
			if err := sc.Reserve(t.Context(), c); err != nil {
				t.Error(err)
			} else if err := sc.Settle(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	require.EqualValues(t, 300, state(t, sc, b).Spent)
	honest(t, store)
}

func TestMessageBudgets(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, inst, session := conversation(t, store)
	say(t, sc, session.ID, "before")
	b := budget(t, sc, models.BudgetOfInstance, inst.ID, models.BudgetMessages, models.BudgetDaily, 10)
	var ok, refused atomic.Int64
	var work sync.WaitGroup
	for n := range 20 {
		work.Go(func() {
			_, _, err := sc.StartTurn(t.Context(), session.ID, models.Input{Text: fmt.Sprint(n), Source: "test"})
			switch code(err) {
			case "":
				ok.Add(1)
			case "budget.reached":
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	work.Wait()
	require.Equal(t, []int64{9, 11}, []int64{ok.Load(), refused.Load()}, "the one before counts")
	s := state(t, sc, b)
	require.EqualValues(t, 10, s.Spent)
	require.True(t, s.Reached())
	open, err := sc.OpenTurns(t.Context(), session.ID)
	require.NoError(t, err)
	require.Len(t, open, 10, "a refused message leaves nothing")
	_, _, err = sc.StartTurn(t.Context(), session.ID, models.Input{Text: "x"})
	require.True(t, fault.Is(err, fault.Payment))
	require.Contains(t, fault.As(err).Detail, "10 messages")
	require.Equal(t, time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC), fault.As(err).RetryAt)
	for _, turn := range open {
		_, err := sc.InterruptTurn(t.Context(), turn.ID)
		require.NoError(t, err)
	}
	require.NoError(t, sc.DeleteSession(t.Context(), session.ID))
	honest(t, store)
	require.EqualValues(t, 10, state(t, sc, b).Spent, "what was said counts, also when it is deleted")
	now.Add(12 * time.Hour)
	again, err := sc.CreateSession(t.Context(), models.NewSession{InstanceID: inst.ID})
	require.NoError(t, err)
	say(t, sc, again.ID, "a new day")
	honest(t, store)
}

// The check is worth something: it sees a balance, a hold and a call that somebody tampered with.
func TestCheckLedgerFindsWhatIsOff(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]string{
		"spent":    "UPDATE budget_balances SET spent = spent + 1",
		"reserved": "UPDATE budget_balances SET reserved = reserved + 1",
		"call":     "DELETE FROM reservations",
		"entry":    "DELETE FROM ledger_entries WHERE kind = 'settle'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := modelstest.New(t)
			sc, _ := modelstest.Found(t, store, "Acme")
			budget(t, sc, models.BudgetOfOrganization, "", models.BudgetMoney, models.BudgetMonthly, 100)
			require.NoError(t, sc.Reserve(t.Context(), models.Charge{CallID: "a", CostNanos: 5}))
			require.NoError(t, sc.Settle(t.Context(), models.Charge{CallID: "a", CostNanos: 5}))
			require.NoError(t, sc.Reserve(t.Context(), models.Charge{CallID: "b", CostNanos: 5}))
			honest(t, store)
			_, err := store.SQL().ExecContext(t.Context(), harm)
			require.NoError(t, err)
			reports, err := store.AsSystem("test").CheckLedger(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, reports[0].Problems)
		})
	}
}

func TestFormatAmount(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"$0.00": models.BudgetMoney.FormatAmount(0), "$5.00": models.BudgetMoney.FormatAmount(5 * models.Dollar), "$0.0123": models.BudgetMoney.FormatAmount(12_300_000),
		"$1.50": models.BudgetMoney.FormatAmount(3 * models.Dollar / 2), "$12,345.68": models.BudgetMoney.FormatAmount(12_345_678_000_000),
		"1 token": models.BudgetTokens.FormatAmount(1), "1,200,000 tokens": models.BudgetTokens.FormatAmount(1_200_000), "3 messages": models.BudgetMessages.FormatAmount(3),
		"$2.00": models.BudgetMoney.FormatAmount(1_999_999_999),
	} {
		require.Equal(t, want, got)
	}
	require.False(t, strings.Contains(models.BudgetTokens.FormatAmount(999), ","))
}
