package sandboxtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

var lifeTests = []test{
	{name: "Unknown", run: (*suite).unknown},
	{name: "Idempotent", run: (*suite).idempotent},
	{name: "BadID", run: (*suite).badID},
	{name: "StartsAtOnce", run: (*suite).startsAtOnce},
	{name: "Observe", run: (*suite).observe},
	{name: "FilesSurvive", run: (*suite).filesSurvive},
	{name: "KilledDuringExec", run: (*suite).killedDuringExec},
	{name: "OddFilesAreDestroyed", run: (*suite).oddFiles},
	{name: "CloseStops", run: (*suite).closeStops},
	{name: "StopWithBusyProcesses", run: (*suite).stopBusy},
}

func (s *suite) unknown(t *testing.T) {
	d, ctx := s.new(t), ctxFor(t)
	o, err := d.Observe(ctx, "nobody")
	require.NoError(t, err)
	require.Equal(t, sandbox.Absent, o.State)
	require.NoError(t, d.Stop(ctx, "nobody"))
	require.NoError(t, d.Destroy(ctx, "nobody"))
	fails(t, d.Start(ctx, "nobody"), fault.NotFound, "sandbox.not_found")
	_, err = d.Hands(ctx, "nobody")
	fails(t, err, fault.NotFound, "sandbox.not_found")
	ids, err := d.List(ctx)
	require.NoError(t, err)
	require.Empty(t, ids)
}

func (s *suite) badID(t *testing.T) {
	d, ctx := s.new(t), ctxFor(t)
	for _, id := range []string{"", ".", "..", "../x", "a/b", "a\x00b", "-x", string(make([]byte, 200))} {
		fails(t, d.Ensure(ctx, sandbox.Spec{ID: id}), fault.Invalid, "sandbox.id")
		fails(t, d.Destroy(ctx, id), fault.Invalid, "sandbox.id")
	}
}

func (s *suite) idempotent(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.sh("echo one > f")
	for range 2 {
		require.NoError(t, b.d.Ensure(ctx, b.Spec))
		require.NoError(t, b.d.Start(ctx, b.ID))
	}
	b.answers() // the same daemon
	ids, err := b.d.List(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{b.ID}, ids)
	for range 2 {
		require.NoError(t, b.d.Stop(ctx, b.ID))
	}
	fails(t, b.h.Ping(ctx), fault.Unavailable, "sandbox.gone")
	_, err = b.d.Hands(ctx, b.ID)
	fails(t, err, fault.Unavailable, "sandbox.gone")
	for range 2 {
		require.NoError(t, b.d.Destroy(ctx, b.ID))
	}
	o, err := b.d.Observe(ctx, b.ID)
	require.NoError(t, err)
	require.Equal(t, sandbox.Absent, o.State)
}

func (s *suite) startsAtOnce(t *testing.T) {
	d, ctx := s.new(t), ctxFor(t)
	require.NoError(t, d.Ensure(ctx, sandbox.Spec{ID: "same", Limits: ample}))
	t.Cleanup(func() { require.NoError(t, d.Destroy(context.Background(), "same")) })
	var wg sync.WaitGroup
	since := make([]time.Time, 8)
	for i := range since {
		wg.Go(func() {
			if err := d.Start(ctx, "same"); err != nil {
				t.Errorf("start %d: %v", i, err)
			}
			o, err := d.Observe(ctx, "same")
			if err != nil || o.State != sandbox.Running {
				t.Errorf("observe %d: %v %v", i, o.State, err)
			}
			since[i] = o.Since
		})
	}
	wg.Wait()
	for _, at := range since {
		require.Equal(t, since[0], at, "a second sandbox was started")
	}
}

func (s *suite) observe(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.sh("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo 0123456789 > f")
	o, err := b.d.Observe(ctx, b.ID)
	require.NoError(t, err)
	require.Equal(t, sandbox.Running, o.State)
	require.NotEmpty(t, o.Isolation)
	for _, l := range o.Isolation {
		require.NotEmpty(t, l.Name)
		require.True(t, l.Applied || l.Detail != "", "%s is missing without a reason", l.Name)
	}
	require.Positive(t, o.Usage.CPUSeconds)
	require.Positive(t, o.Usage.MemoryBytes)
	require.Positive(t, o.Usage.Processes)
	eventually(t, "the file counts", func() bool {
		o, err := b.d.Observe(ctx, b.ID)
		return err == nil && o.Usage.DiskBytes > 0
	})
	require.WithinDuration(t, time.Now(), o.Since, time.Minute)
	require.NoError(t, b.d.Stop(ctx, b.ID))
	o, err = b.d.Observe(ctx, b.ID)
	require.NoError(t, err)
	require.Equal(t, sandbox.Stopped, o.State)
	require.Empty(t, o.Reason, "someone stopped it")
}

func (s *suite) filesSurvive(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.sh("echo kept > f")
	require.NoError(t, b.d.Stop(ctx, b.ID))
	require.NoError(t, b.d.Start(ctx, b.ID))
	f, err := b.h.ReadFile(ctx, "f", 0, 0) // the handle finds the new daemon
	require.NoError(t, err)
	require.Equal(t, "kept\n", string(f.Data))
	require.NoError(t, b.d.Destroy(ctx, b.ID))
	require.NoError(t, b.d.Ensure(ctx, b.Spec))
	require.NoError(t, b.d.Start(ctx, b.ID))
	_, err = b.h.ReadFile(ctx, "f", 0, 0)
	fails(t, err, fault.NotFound, "sandbox.file_not_found")
}

func (s *suite) killedDuringExec(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.sh("echo kept > f")
	begun, ended := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		_, err := b.h.Exec(ctx, sandbox.Command{Shell: "echo go; sleep 30"}, func(sandbox.Output) { once.Do(func() { close(begun) }) })
		ended <- err
	}()
	<-begun
	at := time.Now()
	require.NoError(t, b.d.Stop(ctx, b.ID))
	fails(t, <-ended, fault.Unavailable, "sandbox.gone")
	require.Less(t, time.Since(at), 3*time.Second)
	require.NoError(t, b.d.Start(ctx, b.ID))
	require.Equal(t, "kept\n", b.sh("cat f"))
}

func (s *suite) oddFiles(t *testing.T) {
	b, ctx := s.start(t, sandbox.Limits{MemoryMB: 512, Processes: 64}), ctxFor(t) // a quota would end what nests so deep
	b.sh(`mkdir -p a/b && echo x > a/b/f && chmod 0 a/b/f && chmod 0 a/b && chmod 0 a && ln -s / root && echo y > "$(printf 'new\nline')"`)
	b.helper()
	r := b.try(sandbox.Command{Argv: []string{"./helper", "helper", "deep", "1500"}})
	require.Zero(t, r.ExitCode, r.Stderr)
	require.NoError(t, b.d.Destroy(ctx, b.ID))
	ids, err := b.d.List(ctx)
	require.NoError(t, err)
	require.Empty(t, ids)
}

func (s *suite) closeStops(t *testing.T) {
	d := s.new(t)
	var all []*box
	for range 3 {
		all = append(all, startOn(t, d, ample))
	}
	require.NoError(t, d.Close())
	require.NoError(t, d.Close())
	for _, b := range all {
		o, err := d.Observe(ctxFor(t), b.ID)
		require.NoError(t, err)
		require.Equal(t, sandbox.Stopped, o.State)
	}
}

func (s *suite) stopBusy(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.helper()
	for i := range 5 {
		b.try(sandbox.Command{Argv: []string{"./helper", "helper", "daemon", fmt.Sprintf("beat%d", i)}})
	}
	eventually(t, "heartbeats", func() bool { _, err := b.h.ReadFile(ctx, "beat4", 0, 0); return err == nil })
	at := time.Now()
	require.NoError(t, b.d.Stop(ctx, b.ID))
	require.Less(t, time.Since(at), 3*time.Second)
	require.NoError(t, b.d.Start(ctx, b.ID))
	before := b.sh("cat beat*")
	time.Sleep(100 * time.Millisecond)
	require.Equal(t, before, b.sh("cat beat*"), "a process outlived its sandbox")
}
