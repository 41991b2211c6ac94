package models_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// What has expired goes, a bounded number at a time; what can still be used stays.
func TestTrimForgetsWhatHasExpired(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sy, ctx := store.AsSystem("test"), t.Context()
	db := store.Gorm(models.SystemContext(ctx, "test"))
	_, err := sy.NewSetupLink(ctx)
	require.NoError(t, err)
	sc, f := modelstest.Found(t, store, "Acme")
	count := func(model any) (n int64) {
		require.NoError(t, db.Model(model).Count(&n).Error)
		return n
	}
	open := func() secret.String {
		token, err := sy.OpenSignIn(ctx, f.User.ID, models.Client{})
		require.NoError(t, err)
		return token
	}
	open()
	require.NoError(t, sy.Spend(ctx, "old", fake.Now().Add(time.Minute)))
	_, err = sc.Invite(ctx, "a@example.com", models.Member)
	require.NoError(t, err)
	require.NoError(t, sy.Trim(ctx))
	require.Equal(t, []int64{1, 1, 1, 1}, []int64{count(&models.SignIn{}), count(&models.SetupLink{}), count(&models.SpentToken{}), count(&models.Invitation{})},
		"nothing has expired")

	fake.Add(models.SignInLife + time.Minute)
	token := open()
	require.NoError(t, sy.Spend(ctx, "new", fake.Now().Add(time.Minute)))
	require.NoError(t, sy.Trim(ctx))
	require.Equal(t, []int64{1, 0, 1}, []int64{count(&models.SignIn{}), count(&models.SetupLink{}), count(&models.SpentToken{})})
	require.NoError(t, second(sy.BySignIn(ctx, token)))
	require.True(t, fault.Is(sy.Spend(ctx, "new", fake.Now().Add(time.Minute)), fault.Conflict))
	require.EqualValues(t, 1, count(&models.Invitation{}), "an expired invitation is shown for a while")
	fake.Add(models.InvitationLife)
	require.NoError(t, sy.Trim(ctx))
	require.Zero(t, count(&models.Invitation{}))

	rows := []models.SpentToken{}
	for n := range models.TrimBatch + 5 {
		rows = append(rows, models.SpentToken{TokenHash: fmt.Sprint(n), ExpiresAt: fake.Now().Add(-time.Hour)})
	}
	require.NoError(t, db.CreateInBatches(&rows, 500).Error)
	require.NoError(t, sy.Trim(ctx))
	require.EqualValues(t, 5, count(&models.SpentToken{}), "the next call takes the rest")
}

// Calls of programs are kept as long as their report goes back.
func TestTrimForgetsOldGatewayCalls(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	note := func() {
		sc.NoteGatewayCall(t.Context(), models.GatewayCall{ID: id.New(), Door: "openai-api", Requested: "auto", Model: "m"})
		_, err := sc.GatewayCalls(t.Context(), models.GatewayCallFilter{Limit: 1}) // it is written when one is read
		require.NoError(t, err)
	}
	left := func() int {
		require.NoError(t, store.AsSystem("test").Trim(t.Context()))
		rows, err := sc.GatewayCalls(t.Context(), models.GatewayCallFilter{Limit: 10})
		require.NoError(t, err)
		return len(rows)
	}
	note()
	fake.Add(90 * 24 * time.Hour)
	note()
	require.Equal(t, 2, left(), "a report over ninety days still reads it")
	fake.Add(25 * time.Hour)
	require.Equal(t, 1, left())
}
