package models_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestCheckInstanceName(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{
		"a": "", "agent-1": "", "-": "", "0": "", strings.Repeat("a", 50): "", "": "too_small", strings.Repeat("a", 51): "too_big",
		"A": "invalid_string", "a b": "invalid_string", "a_b": "invalid_string", "ü": "invalid_string", "a\n": "invalid_string", "\na": "invalid_string",
		"a.b": "invalid_string", "a\x00": "invalid_string", "../a": "invalid_string", strings.Repeat("ü", 50): "invalid_string", "a\xff": "invalid_string",
	} {
		var is fault.Issues
		models.CheckInstanceName(&is, name)
		if code == "" {
			require.Empty(t, is, name)
			continue
		}
		require.Equal(t, code, is[0].Code, "%q", name)
		require.Equal(t, []any{"name"}, is[0].Path)
	}
}

func TestUpdateInstance(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	ctx := t.Context()
	i := modelstest.Instance(t, sc, "one")
	require.Equal(t, [2]int64{1, 0}, [2]int64{i.Generation, i.ObservedGeneration})
	require.Equal(t, []any{models.Provisioning, models.WantRunning, 512, 1024}, []any{i.State, i.Desired, i.MemoryMB, i.StorageMB})
	name, tier, same, model := "two", models.Pro, models.Starter, "gpt"
	got, err := sc.UpdateInstance(ctx, i.ID, models.InstanceChange{Name: &name, Model: &model})
	require.NoError(t, err)
	require.Equal(t, []any{"two", "gpt", int64(1)}, []any{got.Name, got.Model, got.Generation}, "a name is no wish")
	got, err = sc.UpdateInstance(ctx, i.ID, models.InstanceChange{Tier: &same})
	require.NoError(t, err)
	require.EqualValues(t, 1, got.Generation, "the same tier is no wish")
	got, err = sc.UpdateInstance(ctx, i.ID, models.InstanceChange{Tier: &tier})
	require.NoError(t, err)
	require.Equal(t, []any{models.Pro, 2048, 10240, int64(2)}, []any{got.Tier, got.MemoryMB, got.StorageMB, got.Generation})
	bad, no := "Bad Name", models.Tier("HUGE")
	require.Len(t, fault.As(second(sc.UpdateInstance(ctx, i.ID, models.InstanceChange{Name: &bad, Tier: &no}))).Fields, 2)
	require.True(t, fault.Is(second(sc.UpdateInstance(ctx, i.ID, models.InstanceChange{})), fault.Invalid))
	require.True(t, fault.Is(second(sc.UpdateInstance(ctx, "none", models.InstanceChange{Name: &name})), fault.NotFound))
	logs, err := sc.Logs(ctx, i.ID, models.ShownLogs)
	require.NoError(t, err)
	require.Equal(t, "Tier changed to PRO by Owner of Acme", logs[0].Message, "newest first")
	require.Equal(t, "Created by Owner of Acme", logs[len(logs)-1].Message)
	require.Len(t, fault.As(second(sc.CreateInstance(ctx, models.NewInstance{}))).Fields, 3)
}

func TestInstancesAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	require.True(t, fault.Is(second(sc.DefaultInstance(t.Context())), fault.NotFound))
	a := modelstest.Instance(t, sc, "a")
	fake.Add(time.Second)
	b := modelstest.Instance(t, sc, "b")
	same := modelstest.Instance(t, sc, "b") // names are not unique; the same moment is told apart by id
	rows, err := sc.Instances(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{same.ID, b.ID, a.ID}, []string{rows[0].ID, rows[1].ID, rows[2].ID})
	def := func() string {
		i, err := sc.DefaultInstance(t.Context())
		require.NoError(t, err)
		return i.ID
	}
	require.Equal(t, a.ID, def(), "the oldest")
	require.NoError(t, second(sc.Observe(t.Context(), b.ID, models.Observed{Saw: models.SawRunning, Generation: 1})))
	require.Equal(t, b.ID, def(), "a running one first")
	require.NoError(t, second(sc.ActOnInstance(t.Context(), b.ID, models.Delete)))
	require.Equal(t, a.ID, def(), "never one that goes")
	require.NoError(t, sc.RemoveInstance(t.Context(), a.ID))
	require.NoError(t, second(sc.Instance(t.Context(), a.ID)), "only one whose deletion was asked is removed")
	require.NoError(t, sc.RemoveInstance(t.Context(), b.ID))
	require.True(t, fault.Is(second(sc.Instance(t.Context(), b.ID)), fault.NotFound))
}

func TestReconcileLeaseAndQueue(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	ctx, sy := t.Context(), store.AsSystem("test")
	i := modelstest.Instance(t, sc, "one")
	due := func() int {
		refs, err := sy.UnsettledInstances(ctx, 10)
		require.NoError(t, err)
		return len(refs)
	}
	require.Equal(t, 1, due())
	_, err := sc.LeaseInstance(ctx, i.ID, "n1/a")
	require.NoError(t, err)
	require.Zero(t, due(), "held")
	require.ErrorIs(t, second(sc.LeaseInstance(ctx, i.ID, "n2/b")), models.ErrInstanceLease)
	require.NoError(t, second(sc.LeaseInstance(ctx, i.ID, "n1/a")), "its holder renews")
	require.NoError(t, sc.ReleaseInstance(ctx, i.ID, "n2/b"))
	require.Zero(t, due(), "nobody else releases")
	fake.Add(models.ReconcileLease)
	require.Equal(t, 1, due(), "run out")
	require.NoError(t, second(sc.LeaseInstance(ctx, i.ID, "n2/b")))
	require.ErrorIs(t, second(sc.ReportInstance(ctx, i.ID, "n1/a", models.Report{Warning: "late"})), models.ErrInstanceLease)
	require.NoError(t, sy.ReleaseNode(ctx, "n"))
	require.Zero(t, due(), "n is not n2")
	require.NoError(t, sy.ReleaseNode(ctx, "n2"))
	require.Equal(t, 1, due())
	for n, pause := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		got, err := sc.Observe(ctx, i.ID, models.Observed{Saw: models.SawFailure, Generation: 1, Reason: "no"})
		require.NoError(t, err)
		require.Equal(t, n+1, got.Attempts)
		require.Equal(t, models.Errored, got.State)
		fake.Add(pause*time.Second - time.Millisecond)
		require.Zero(t, due(), "try %d waits", n)
		fake.Add(time.Millisecond)
		require.Equal(t, 1, due(), "try %d", n)
	}
	got, err := sc.ActOnInstance(ctx, i.ID, models.Recover)
	require.NoError(t, err)
	got, err = sc.Observe(ctx, i.ID, models.Observed{Saw: models.SawFailure, Generation: got.Generation - 1, Reason: "old"})
	require.NoError(t, err)
	require.Nil(t, got.RetryAt, "a failure of an older wish holds up nothing")
	require.NoError(t, second(sc.LeaseInstance(ctx, i.ID, "n1/a")))
	step := func(name string, s models.StepState) models.InstanceStep {
		return models.InstanceStep{ID: id.New(), Name: name, State: s, StartedAt: fake.Now()}
	}
	got, err = sc.ReportInstance(ctx, i.ID, "n1/a", models.Report{Generation: 2, Release: true, Steps: []models.InstanceStep{step("a", models.StepDone), step("b", models.StepRunning)},
		Observed: &models.Observed{Saw: models.SawRunning, Generation: 2, Isolation: []models.Layer{{Name: "namespaces", Applied: true}}}})
	require.NoError(t, err)
	require.Equal(t, []any{models.Running, "", int64(2), 0}, []any{got.State, got.LeaseOwner, got.ObservedGeneration, got.Attempts})
	require.Equal(t, []models.Layer{{Name: "namespaces", Applied: true}}, got.Layers())
	require.Zero(t, due(), "settled")
	steps, err := sc.Steps(ctx, got)
	require.NoError(t, err)
	require.Len(t, steps, 2)
	live, err := sy.LiveInstances(ctx)
	require.NoError(t, err)
	require.Len(t, live, 1)
	_, err = sc.Observe(ctx, i.ID, models.Observed{Saw: models.SawFailure, Generation: 2, Reason: "died"})
	require.NoError(t, err)
	fake.Add(time.Hour)
	require.Equal(t, 1, due(), "an answered wish whose sandbox died is work again")
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	i, other := modelstest.Instance(t, sc, "one"), modelstest.Instance(t, sc, "two")
	settle := func(instance string, tokens int) {
		require.NoError(t, sc.Settle(t.Context(), models.Charge{CallID: id.New(), InstanceID: instance, InputTokens: tokens, OutputTokens: 1}))
		require.NoError(t, sc.Reserve(t.Context(), models.Charge{CallID: id.New(), InstanceID: instance, InputTokens: 1000}))
	}
	for n, c := range []struct {
		after    time.Duration
		cpu, pct float64
		calls    int
	}{{0, 5, 0, 0}, {10 * time.Second, 6, 10, 2}, {10 * time.Second, 26, 200, 0}, {10 * time.Second, 1, 0, 1}, {0, 3, 0, 0}, {-time.Hour, 9, 0, 0}} {
		fake.Add(c.after)
		for range c.calls {
			settle(i.ID, 4)
			settle(other.ID, 50)
		}
		m, err := sc.Measure(t.Context(), i.ID, models.Reading{CPUSeconds: c.cpu, MemoryBytes: 3 << 19, DiskBytes: 1 << 20, Processes: 2})
		require.NoError(t, err)
		require.InDelta(t, c.pct, m.CPUPercent, 0.001, "reading %d", n)
		require.Equal(t, []any{1.5, 1.0, 2, c.calls, 5 * c.calls}, []any{m.MemoryMB, m.DiskMB, m.Processes, m.RequestCount, m.TokenCount}, "reading %d", n)
	}
}

func TestTrimKeepsTheNewestOfEach(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	a, b := modelstest.Instance(t, sc, "one"), modelstest.Instance(t, sc, "two")
	rows := []models.InstanceLog{}
	for n := range models.KeptLogs + 5 {
		rows = append(rows, models.InstanceLog{ID: id.New(), InstanceID: a.ID, Level: models.LogInfo, Message: fmt.Sprint(n), CreatedAt: time.Now()})
	}
	require.NoError(t, store.Gorm(models.TenantContext(t.Context(), sc.Org)).CreateInBatches(&rows, 200).Error)
	require.NoError(t, store.AsSystem("test").Trim(t.Context()))
	logs, err := sc.Logs(t.Context(), a.ID, 5000)
	require.NoError(t, err)
	require.Len(t, logs, models.KeptLogs)
	require.Equal(t, fmt.Sprint(models.KeptLogs+4), logs[0].Message)
	logs, err = sc.Logs(t.Context(), b.ID, 5000)
	require.NoError(t, err)
	require.Len(t, logs, 1)
}
