package sandboxtest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

var limitTests = []test{
	{name: "WriteQuota", run: (*suite).writeQuota},
	{name: "OneBigFile", run: (*suite).oneBigFile},
	{name: "ManyFiles", run: (*suite).manyFiles},
	{name: "UnlinkedFiles", run: (*suite).unlinkedFiles},
	{name: "SparseFile", run: (*suite).sparseFile},
	{name: "TemporaryFiles", run: (*suite).tempFiles},
	{name: "Memory", run: (*suite).memory},
	{name: "ForkBomb", run: (*suite).forkBomb},
	{name: "Descriptors", run: (*suite).descriptors},
}

var small = sandbox.Limits{MemoryMB: 256, StorageMB: 96, Processes: 64, CPUs: 2}

func (s *suite) writeQuota(t *testing.T) {
	b, ctx := s.start(t, sandbox.Limits{MemoryMB: 256, StorageMB: 8, Processes: 64}), ctxFor(t)
	require.NoError(t, b.h.WriteFile(ctx, "a", make([]byte, 5<<20), 0))
	fails(t, b.h.WriteFile(ctx, "b", make([]byte, 5<<20), 0), fault.Full, "sandbox.disk_full")
	_, err := b.h.ReadFile(ctx, "b", 0, 0)
	fails(t, err, fault.NotFound, "sandbox.file_not_found")
	b.answers()
	require.NoError(t, b.h.Remove(ctx, "a", false))
	eventually(t, "room after a removal", func() bool { return b.h.WriteFile(ctx, "b", make([]byte, 5<<20), 0) == nil })
}

// used stays near the quota, whatever a command does.
func (b *box) within(limit int64) {
	b.t.Helper()
	u, err := b.h.Usage(ctxFor(b.t))
	require.NoError(b.t, err)
	require.Less(b.t, u.DiskBytes, limit)
}

func (s *suite) fill(t *testing.T, how string) {
	l := small
	if how == "many" {
		l.StorageMB = 48 // soon full of empty files
	}
	b := s.start(t, l)
	b.helper()
	r := b.try(sandbox.Command{Argv: []string{"./helper", "helper", "fill", how}, Timeout: 30 * time.Second})
	require.True(t, strings.Contains(r.Reason, "disk quota") || strings.Contains(r.Stdout, held), "%+v", r)
	require.NotContains(t, r.Stdout, escaped)
	b.answers()
	b.within(2 << 30)
	require.NoError(t, b.h.Remove(ctxFor(t), "fill", true))
	b.sh("echo still works > f")
}

func (s *suite) oneBigFile(t *testing.T)    { s.fill(t, "big") }
func (s *suite) manyFiles(t *testing.T)     { s.fill(t, "many") }
func (s *suite) sparseFile(t *testing.T)    { s.fill(t, "sparse") }
func (s *suite) unlinkedFiles(t *testing.T) { s.fill(t, "unlinked") }
func (s *suite) tempFiles(t *testing.T)     { s.fill(t, "tmp") }

func (s *suite) memory(t *testing.T) {
	b := s.start(t, small)
	b.helper()
	r := b.try(sandbox.Command{Argv: []string{"./helper", "helper", "memory", "1024"}, Timeout: 30 * time.Second})
	require.NotContains(t, r.Stdout, escaped)
	require.NotZero(t, r.ExitCode, "%+v", r)
	if !s.opts.PerProcessMemory {
		require.Equal(t, "out of memory", r.Reason, "%+v", r)
	}
	require.NoError(t, b.d.Start(ctxFor(t), b.ID)) // also when the daemon went with it
	require.Equal(t, "fine\n", b.sh("echo fine"))
}

func (s *suite) forkBomb(t *testing.T) {
	b := s.start(t, sandbox.Limits{MemoryMB: 1536, StorageMB: 96, Processes: 64, CPUs: 2})
	b.helper()
	done := make(chan sandbox.Result, 1)
	go func() {
		r, err := b.h.Exec(ctxFor(t), sandbox.Command{ // the loop outlives bombs that die of their own lack of threads
			Shell: "./helper helper bomb & while :; do :; done", Timeout: 2 * time.Second}, nil)
		if err != nil {
			t.Errorf("bomb: %v", err)
		}
		done <- r
	}()
	time.Sleep(500 * time.Millisecond)
	at := time.Now()
	b.answers()
	require.Less(t, time.Since(at), 5*time.Second, "the bomb starved the daemon")
	r := <-done
	if s.opts.NoPrograms && !r.TimedOut {
		// The embedded shell needs threads itself and may fall to the bomb: then only a stop ends the rest.
		require.NoError(t, b.d.Stop(ctxFor(t), b.ID))
		require.NoError(t, b.d.Start(ctxFor(t), b.ID))
	} else {
		require.True(t, r.TimedOut, "%+v", r)
		require.Positive(t, r.Killed)
	}
	eventually(t, "no process left", func() bool {
		u, err := b.h.Usage(ctxFor(t))
		return err == nil && u.Processes <= 1
	})
	require.Equal(t, "fine\n", b.sh("echo fine"))
}

func (s *suite) descriptors(t *testing.T) { s.start(t, small).attack("descriptors") }
