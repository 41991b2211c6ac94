package models_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// A full disk is an answer: writes say so, reads go on, and writes work again when there is room.
func TestDiskFull(t *testing.T) {
	if modelstest.Postgres() {
		t.Skip("SQLite only: Postgres's disk is its own")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("LEFT OUT: disk full: a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	fake := clock.NewFake(clock.Real.Now())
	store := modelstest.Open(t, models.Options{Dir: dir, Clock: fake})
	sc, inst, s := conversation(t, store)
	ctx, sy := t.Context(), store.AsSystem("test")
	u := owner0(t, store)
	cookie, err := sy.OpenSignIn(ctx, u, models.Client{})
	require.NoError(t, err)
	_, key, err := sc.CreateAPIKey(ctx, models.NewAPIKey{Name: "k"})
	require.NoError(t, err)
	turn := say(t, sc, s.ID, "before")
	l := claim(t, sc, turn.ID, "w")
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)

	writes := map[string]func() error{
		"message": func() error { return second2(sc.StartTurn(ctx, s.ID, models.Input{Text: string(make1(200_000))})) },
		"event": func() error {
			return second(sc.AppendTurn(ctx, l, models.TurnProgress{}, models.Notice{Text: string(make1(200_000))}))
		},
		"instance": func() error {
			return second(sc.CreateInstance(ctx, models.NewInstance{Name: "b", Region: "r", Tier: models.Pro}))
		},
		"action": func() error { return second(sc.ActOnInstance(ctx, inst.ID, models.Delete)) },
		"memory": func() error {
			return second(sc.Remember(ctx, models.NewMemory{InstanceID: inst.ID, Key: "k", Value: string(make1(7000))}))
		},
		"log":     func() error { return sc.Log(ctx, inst.ID, models.LogInfo, "x") },
		"sign-in": func() error { return second(sy.OpenSignIn(ctx, u, models.Client{})) },
		"ledger":  func() error { return sc.Reserve(ctx, models.Charge{CallID: "c"}) },
	}
	before := counts(t, store)
	for n := range 3 {
		for name, write := range writes {
			err := write()
			require.True(t, fault.Is(err, fault.Full), "%s, time %d: %v", name, n, err)
		}
	}
	require.Equal(t, before, counts(t, store), "nothing is half-written")
	fake.Add(2 * 60e9) // the use of the credentials would be noted now
	p, err := sy.BySignIn(ctx, cookie)
	require.NoError(t, err, "who is signed in can still read")
	require.Equal(t, u, p.User.ID)
	require.NoError(t, second(sy.ByAPIKey(ctx, key, "::1")))
	require.True(t, fault.Is(second(sy.ByAPIKey(ctx, secret.Of("lob_x"), "::1")), fault.Unauthenticated))
	require.NoError(t, second(sc.Instances(ctx)))
	require.NoError(t, second(sc.Overview(ctx)))
	events, err := sc.Events(ctx, s.ID, 0, 0)
	require.NoError(t, err)
	require.Len(t, events, 1)

	require.NoError(t, os.Remove(ballast))
	delete(writes, "action")
	for name, write := range writes {
		require.NoError(t, write(), name)
	}
	var verdict string
	require.NoError(t, store.SQL().QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict))
	require.Equal(t, "ok", verdict)
}

func make1(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(i*7%26)
	}
	return b
}

// fill writes until nothing fits any more, not even one page.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	for _, size := range []int{1 << 20, 1 << 12, 1} {
		for block := make([]byte, size); ; {
			if _, err = f.Write(block); err != nil {
				break
			}
		}
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
}
