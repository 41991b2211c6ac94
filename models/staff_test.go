package models_test

import (
	"strings"
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

func TestTheFirstOwnerIsStaff(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	_, first := modelstest.Found(t, store, "Acme")
	_, second := modelstest.Found(t, store, "Beta")
	require.True(t, first.User.Staff)
	require.False(t, second.User.Staff)
}

func TestReasons(t *testing.T) {
	t.Parallel()
	for reason, ok := range map[string]bool{"": false, " a ": false, "abc": true, strings.Repeat("ä", 500): true, strings.Repeat("ä", 501): false, "a\x00bc": false} {
		by, err := models.ByStaff(models.Actor{Name: "A"}, reason)
		require.Equal(t, ok, err == nil, reason)
		require.True(t, by.Staff)
	}
	store := modelstest.New(t)
	_, f := modelstest.Found(t, store, "Acme")
	sy, none := store.AsSystem("test"), models.Actor{UserID: f.User.ID, Staff: true}
	_, err := sy.SignOutEverywhere(t.Context(), none, f.User.ID)
	require.True(t, fault.Is(err, fault.Invalid), "the verbs ask too")
	require.True(t, fault.Is(sy.SetFlag(t.Context(), none, models.FlagAgents, false), fault.Invalid))
	require.True(t, fault.Is(sy.Note(t.Context(), none, "", models.Noted{Act: "job.run"}), fault.Invalid))
	_, err = sy.AskBackup(t.Context(), none)
	require.True(t, fault.Is(err, fault.Invalid))
}

// Two members of staff who take it from each other at once: one of them keeps it.
func TestTheLastStaffStays(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	_, a := modelstest.Found(t, store, "Acme")
	_, b := modelstest.Found(t, store, "Beta")
	sy, ctx := store.AsSystem("test"), t.Context()
	for range 5 {
		_, err := store.SQL().ExecContext(ctx, "UPDATE users SET staff = TRUE")
		require.NoError(t, err)
		var refused atomic.Int32
		var wg sync.WaitGroup
		for _, pair := range [][2]*models.Founded{{a, b}, {b, a}} {
			wg.Go(func() {
				if _, err := sy.SetStaff(ctx, staffOf(pair[0], "a quarrel"), pair[1].User.ID, false); err != nil {
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, refused.Load())
		rows, err := sy.People(ctx, models.Listing{State: "staff"})
		require.NoError(t, err)
		require.Len(t, rows, 1)
	}
}

func TestBlockingAPerson(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, a := modelstest.Found(t, store, "Acme")
	beta, b := modelstest.Found(t, store, "Beta")
	_, err := sc.Invite(t.Context(), b.User.Email, models.Member)
	require.NoError(t, err)
	sy, ctx, by := store.AsSystem("test"), t.Context(), staffOf(a, "spam")
	token, err := sy.OpenSignIn(ctx, b.User.ID, models.Client{})
	require.NoError(t, err)
	_, key, err := beta.CreateAPIKey(ctx, models.NewAPIKey{Name: "k"})
	require.NoError(t, err)
	for range 2 { // twice is once
		u, err := sy.Block(ctx, by, b.User.ID)
		require.NoError(t, err)
		require.NotNil(t, u.BlockedAt)
	}
	_, err = sy.BySignIn(ctx, token)
	require.True(t, fault.Is(err, fault.Unauthenticated))
	_, err = sy.ByAPIKey(ctx, key, "")
	require.True(t, fault.Is(err, fault.Unauthenticated))
	for _, chain := range []string{models.InstallationChain, sc.Org, beta.Org} {
		rows, err := sy.AuditEntries(ctx, chain, models.AuditFilter{Act: "person.blocked"})
		require.NoError(t, err)
		require.Len(t, rows, 1, chain)
		require.Equal(t, "spam", rows[0].Reason)
		require.Equal(t, models.ActorStaff, rows[0].ActorKind)
	}
	_, err = sy.Block(ctx, by, a.User.ID)
	require.True(t, fault.Is(err, fault.Invalid), "not oneself")
	_, err = sy.Unblock(ctx, by, b.User.ID)
	require.NoError(t, err)
	_, err = sy.BySignIn(ctx, token)
	require.True(t, fault.Is(err, fault.Unauthenticated), "they sign in afresh")
	_, err = sy.ByAPIKey(ctx, key, "")
	require.NoError(t, err)
	reports, err := sy.VerifyAudit(ctx)
	require.NoError(t, err)
	for _, r := range reports {
		require.Zero(t, r.Broken, r.Chain)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, f := modelstest.Found(t, store, "Acme")
	beta, _ := modelstest.Found(t, store, "Beta")
	sy, ctx, by := store.AsSystem("test"), t.Context(), staffOf(f, "maintenance")
	on := func(sc *models.Scope) bool {
		ok, err := sc.FlagOn(ctx, models.FlagAgents)
		require.NoError(t, err)
		return ok
	}
	yes, no := true, false
	require.True(t, on(sc))
	require.NoError(t, sy.SetFlag(ctx, by, models.FlagAgents, false))
	require.False(t, on(sc), "what this process changed holds at once")
	require.NoError(t, beta.As(by).SetFlag(ctx, models.FlagAgents, &yes))
	require.True(t, on(beta), "its own decision wins")
	require.NoError(t, sy.SetFlag(ctx, by, models.FlagAgents, true))
	require.NoError(t, beta.As(by).SetFlag(ctx, models.FlagAgents, &no))
	require.False(t, on(beta))
	require.True(t, on(sc))
	require.NoError(t, beta.As(by).SetFlag(ctx, models.FlagAgents, nil))
	require.True(t, on(beta))
	unknown, err := sc.FlagOn(ctx, "no such flag")
	require.NoError(t, err)
	require.False(t, unknown)
	require.True(t, fault.Is(sy.SetFlag(ctx, by, "no such flag", true), fault.NotFound))

	// What another process changed holds after two seconds.
	_, err = store.SQL().ExecContext(ctx, "UPDATE feature_flags SET enabled = FALSE")
	require.NoError(t, err)
	require.True(t, on(sc))
	now.Add(2 * time.Second)
	require.False(t, on(sc))

	inst := modelstest.Instance(t, sc, "one")
	s, err := sc.CreateSession(ctx, models.NewSession{InstanceID: inst.ID})
	require.NoError(t, err)
	_, _, err = sc.StartTurn(ctx, s.ID, models.Input{Text: "hello", Source: "test"})
	require.True(t, fault.Is(err, fault.Forbidden))
	require.Equal(t, "agents.off", fault.As(err).Code)
}

func TestListsOfTheOffice(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	acme, beta := populated(t, store, "Acme"), populated(t, store, "Beta")
	sy, ctx := store.AsSystem("test"), t.Context()
	orgs, err := sy.Organizations(ctx, models.Listing{})
	require.NoError(t, err)
	require.Len(t, orgs, 2)
	require.Equal(t, beta, orgs[0].ID, "newest first")
	require.Equal(t, 1, orgs[0].Members)
	require.Equal(t, 1, orgs[0].Instances)
	orgs, err = sy.Organizations(ctx, models.Listing{Before: beta})
	require.NoError(t, err)
	require.Equal(t, acme, orgs[0].ID)
	rows, err := sy.AllInstances(ctx, models.Listing{Text: acme})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, "Acme", rows[0].OrganizationName)
	require.Empty(t, rows[0].GatewayTokenSealed)
	services, err := sy.AllProviders(ctx, models.Listing{})
	require.NoError(t, err)
	require.Len(t, services, 2)
	for _, s := range services {
		require.Empty(t, s.KeySealed)
		require.Empty(t, s.KeyHint)
	}
	people, err := sy.People(ctx, models.Listing{Text: "%"})
	require.NoError(t, err)
	require.Empty(t, people, "a sign of patterns is a sign like others")
	h, err := sy.Health(ctx)
	require.NoError(t, err)
	require.Positive(t, h.Bytes)
	require.Equal(t, 2, h.Organizations)
	require.Equal(t, 2, h.Instances[models.Provisioning])
	require.Equal(t, 2, h.Unsettled)
	require.Equal(t, 8, h.OpenTurns, "of a person, of a schedule, of a trigger and of a channel, each")
	require.EqualValues(t, latest, h.Version)
}
