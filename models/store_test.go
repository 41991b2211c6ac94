package models_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestTranslate(t *testing.T) {
	t.Parallel()
	pg := func(code string) error { return fmt.Errorf("while: %w", &pgconn.PgError{Code: code}) }
	own := fault.New(fault.TooMany, "x", "x")
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"missing": {gorm.ErrRecordNotFound, fault.NotFound}, "duplicate": {pg("23505"), fault.Conflict}, "parent": {pg("23503"), fault.NotFound},
		"full": {pg("53100"), fault.Full}, "NUL": {pg("22021"), fault.Invalid}, "JSON NUL": {pg("22P05"), fault.Invalid},
		"connection": {pg("08006"), fault.Unavailable}, "too many": {pg("53300"), fault.Unavailable}, "shutdown": {pg("57P01"), fault.Unavailable},
		"starting": {pg("57P03"), fault.Unavailable}, "deadlock": {pg("40P01"), fault.Unavailable}, "serialize": {pg("40001"), fault.Unavailable},
		"bad conn": {driver.ErrBadConn, fault.Unavailable}, "cut": {fmt.Errorf("x: %w", io.ErrUnexpectedEOF), fault.Unavailable},
		"refused": {&net.OpError{Op: "dial", Err: errors.New("refused")}, fault.Unavailable}, "check": {pg("23514"), fault.Internal},
		"syntax": {pg("42601"), fault.Internal}, "cancelled": {context.Canceled, fault.Internal}, "tenant": {models.ErrNoTenant, fault.Internal},
		"own": {fmt.Errorf("x: %w", own), fault.TooMany},
	} {
		got := models.Translate(c.err)
		require.Equal(t, c.kind, fault.KindOf(got), name)
		require.ErrorIs(t, got, c.err, name)
	}
	require.NoError(t, models.Translate(nil))
}

// A moment comes back as it was written, in UTC, to the millisecond, on both databases.
func TestTimesRoundTrip(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 3, 29, 1, 59, 59, 999_000_000, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	for _, at := range []time.Time{fake.Now(), time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 23, 59, 59, 1_000_000, time.UTC),
		time.Date(1999, 1, 1, 0, 0, 0, 500_000_000, time.UTC), time.Date(2026, 10, 25, 1, 30, 0, 120_000_000, time.UTC)} {
		fake.Add(at.Sub(fake.Now()))
		made := modelstest.Instance(t, sc, "i")
		got, err := sc.Instance(t.Context(), made.ID)
		require.NoError(t, err)
		require.True(t, at.Equal(got.CreatedAt), "%v %v", at, got.CreatedAt)
		_, offset := got.CreatedAt.Zone()
		require.Zero(t, offset)
		require.Equal(t, made, got, "what a verb gives is what is stored")
	}
}

// SQLite keeps times as text: they must sort and compare as moments, in whatever zone a caller has them.
func TestTimesCompare(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, _ := modelstest.Found(t, store, "Acme")
	start := fake.Now()
	want := []string{}
	for range 25 { // 0, 90, 180 … milliseconds: with one, two, three and no digits behind the point
		want = append([]string{modelstest.Instance(t, sc, "i").ID}, want...)
		fake.Add(90 * time.Millisecond)
	}
	rows, err := sc.Instances(t.Context())
	require.NoError(t, err)
	for i, r := range rows {
		require.Equal(t, want[i], r.ID)
	}
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 14*3600), time.FixedZone("", -12*3600)} {
		var n int64
		require.NoError(t, store.Gorm(models.TenantContext(t.Context(), sc.Org)).Model(&models.Instance{}).
			Where("created_at >= ?", start.Add(time.Second).In(zone)).Count(&n).Error)
		require.EqualValues(t, 13, n)
	}
}

func TestOverview(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	populated(t, store, "Other")
	sc, _, s := conversation(t, store)
	fake.Add(-26 * time.Hour)
	old := claim(t, sc, say(t, sc, s.ID, "old").ID, "w")
	require.NoError(t, second(sc.EndTurn(t.Context(), old, models.TurnFail, models.TurnEnded{Reason: "r"})))
	stuck := say(t, sc, s.ID, "old but open")
	fake.Add(25 * time.Hour)
	require.NoError(t, second(sc.InterruptTurn(t.Context(), say(t, sc, s.ID, "recent").ID)))
	fake.Add(time.Hour)
	o, err := sc.Overview(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[models.InstanceState]int{models.Provisioning: 1}, o.ByState)
	require.Equal(t, []int{1, 1, 1, 3, 0}, []int{o.OpenTurns, o.Turns24h, o.Sessions, o.Messages, o.Providers})
	require.Equal(t, 1, o.TurnsByHour[22])
	require.Len(t, o.Failures, 1)
	require.Equal(t, old.TurnID, o.Failures[0].ID)
	require.Equal(t, models.TurnQueued, stuck.State)
	n, err := sc.MessagesThisMonth(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, n)
}
