package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// several makes instances in every state, one of them on its way out.
func several(t *testing.T, store *models.Store, sc *models.Scope) map[string]*models.Instance {
	t.Helper()
	out := map[string]*models.Instance{}
	for _, s := range []models.InstanceState{models.Provisioning, models.Running, models.Stopped, models.Errored} {
		out[string(s)] = inState(t, store, sc, s)
	}
	_, err := sc.ActOnInstance(t.Context(), out["RUNNING"].ID, models.Restart)
	require.NoError(t, err)
	gone := inState(t, store, sc, models.Running)
	_, err = sc.ActOnInstance(t.Context(), gone.ID, models.Delete)
	require.NoError(t, err)
	out["gone"] = gone
	stopped := inState(t, store, sc, models.Running)
	_, err = sc.ActOnInstance(t.Context(), stopped.ID, models.Stop)
	require.NoError(t, err)
	out["stopping"] = stopped
	for name := range out {
		out[name], err = sc.Instance(t.Context(), out[name].ID)
		require.NoError(t, err)
	}
	return out
}

func TestSuspendAndResume(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	other, _ := modelstest.Found(t, store, "Beta")
	ctx := t.Context()
	theirs := modelstest.Instance(t, other, "theirs")
	before := several(t, store, sc)
	s, err := sc.CreateSession(ctx, models.NewSession{InstanceID: before["RUNNING"].ID})
	require.NoError(t, err)
	running, queued := say(t, sc, s.ID, "x"), say(t, sc, s.ID, "y")
	claim(t, sc, running.ID, "w")
	rows, err := sc.As(models.Actor{Name: "Stripe"}).Suspend(ctx, "the subscription was cancelled")
	require.NoError(t, err)
	require.Len(t, rows, len(before)-1)
	o, err := sc.Organization(ctx)
	require.NoError(t, err)
	require.NotNil(t, o.SuspendedAt)
	require.Equal(t, []any{"the subscription was cancelled", models.SuspendedByBilling}, []any{o.SuspendedReason, o.SuspendedBy})
	for name, was := range before {
		i, err := sc.Instance(ctx, was.ID)
		require.NoError(t, err)
		if name == "gone" {
			require.Equal(t, was.Generation, i.Generation, "its deletion goes on")
			continue
		}
		require.Equal(t, models.Suspended, i.State, name)
		require.Equal(t, was.Desired, i.Desired, "what was wanted is kept")
		require.Equal(t, was.Generation+1, i.Generation)
		require.Equal(t, "The organization is suspended: the subscription was cancelled", i.Reason)
		require.Nil(t, i.RetryAt)
		for _, a := range []models.Action{models.Start, models.Stop, models.Restart} {
			require.Equal(t, "Cannot "+string(a)+" instance in SUSPENDED state", fault.As(second(sc.ActOnInstance(ctx, i.ID, a))).Detail)
		}
	}
	turn, err := sc.Turn(ctx, running.ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnInterrupting, turn.State)
	turn, err = sc.Turn(ctx, queued.ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnQueued, turn.State, "its worker refuses it")
	_, _, err = sc.StartTurn(ctx, s.ID, models.Input{Text: "z"})
	require.Equal(t, []any{fault.Payment, "organization.suspended", "This organization is suspended: the subscription was cancelled"},
		[]any{fault.As(err).Kind, fault.As(err).Code, fault.As(err).Detail})
	err = second(sc.CreateInstance(ctx, models.NewInstance{Name: "x", Region: "local", Tier: models.Starter}))
	require.Equal(t, "organization.suspended", fault.As(err).Code)
	require.Equal(t, "organization.suspended", fault.As(second(sc.Knowing(o).CreateInstance(ctx, models.NewInstance{Name: "x", Region: "local", Tier: models.Starter}))).Code)
	i, err := other.Instance(ctx, theirs.ID)
	require.NoError(t, err)
	require.Equal(t, models.Provisioning, i.State, "another organization's")
	rows, err = sc.Suspend(ctx, "the subscription was cancelled")
	require.NoError(t, err)
	require.Empty(t, rows, "once is enough")
	rows, err = sc.Resume(ctx)
	require.NoError(t, err)
	require.Len(t, rows, len(before)-1)
	for name, was := range before {
		i, err := sc.Instance(ctx, was.ID)
		require.NoError(t, err)
		switch {
		case name == "gone":
			require.Equal(t, models.Running, i.State)
			continue
		case was.Desired == models.WantRunning:
			require.Equal(t, models.Provisioning, i.State, name)
		default:
			require.Equal(t, models.Stopped, i.State, name)
		}
		require.Equal(t, was.Desired, i.Desired)
		require.Empty(t, i.Reason)
	}
	rows, err = sc.Resume(ctx)
	require.NoError(t, err)
	require.Empty(t, rows)
	o, err = sc.Organization(ctx)
	require.NoError(t, err)
	require.Nil(t, o.SuspendedAt)
	require.Empty(t, o.SuspendedReason+string(o.SuspendedBy))
	modelstest.Instance(t, sc, "again")
	acts := []string{}
	entries, err := sc.AuditEntries(ctx, models.AuditFilter{Act: "organization."})
	require.NoError(t, err)
	for _, e := range entries {
		acts = append(acts, e.Act)
	}
	require.Subset(t, acts, []string{"organization.suspended", "organization.resumed"})
	require.Len(t, entries, 2)
}

// Who began a suspension ends it, and staff goes over billing.
func TestStaffAndBillingSuspend(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	i := modelstest.Instance(t, sc, "one")
	ctx, by := t.Context(), sc.As(staff)
	stands := func(reason string) {
		t.Helper()
		o, err := sc.Organization(ctx)
		require.NoError(t, err)
		require.Equal(t, reason, o.SuspendedReason)
		require.Equal(t, reason != "", o.SuspendedAt != nil)
		i, err := sc.Instance(ctx, i.ID)
		require.NoError(t, err)
		require.Equal(t, reason != "", i.State == models.Suspended)
		if reason != "" {
			require.Equal(t, "The organization is suspended: "+reason, i.Reason)
		}
	}
	do := func(_ []models.Instance, err error) { t.Helper(); require.NoError(t, err) }
	do(sc.Suspend(ctx, "unpaid"))
	stands("unpaid")
	do(by.Suspend(ctx, "abuse"))
	stands("abuse")
	do(sc.Suspend(ctx, "unpaid"))
	stands("abuse")
	do(sc.Resume(ctx))
	stands("abuse")
	err := second(sc.CreateInstance(ctx, models.NewInstance{Name: "x", Region: "local", Tier: models.Starter}))
	require.Equal(t, fault.Forbidden, fault.As(err).Kind)
	do(by.Resume(ctx))
	stands("")
	do(sc.Suspend(ctx, "unpaid"))
	do(sc.Suspend(ctx, "cancelled"))
	stands("cancelled")
	do(by.Resume(ctx))
	stands("")
}

// A creation that read the organization a moment before its suspension is caught up with.
func TestStragglersAreSuspended(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, f := modelstest.Found(t, store, "Acme")
	ctx, sy := t.Context(), store.AsSystem("test")
	rows, err := sy.SuspendStragglers(ctx)
	require.NoError(t, err)
	require.Empty(t, rows)
	_, err = sc.Suspend(ctx, "unpaid")
	require.NoError(t, err)
	late, err := sc.Knowing(&f.Organization).CreateInstance(ctx, models.NewInstance{Name: "late", Region: "local", Tier: models.Starter})
	require.NoError(t, err)
	rows, err = sy.SuspendStragglers(ctx)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	i, err := sc.Instance(ctx, late.ID)
	require.NoError(t, err)
	require.Equal(t, models.Suspended, i.State)
}
