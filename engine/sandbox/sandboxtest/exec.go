package sandboxtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

var execTests = []test{
	{name: "Results", run: (*suite).results},
	{name: "Environment", run: (*suite).environment},
	{name: "StreamsInOrder", run: (*suite).streams},
	{name: "Stdin", run: (*suite).stdin},
	{name: "Deadline", run: (*suite).deadline},
	{name: "Cancel", run: (*suite).cancel},
	{name: "TreeKill", run: (*suite).treeKill},
	{name: "TreeKillSparesOthers", run: (*suite).spareOthers},
	{name: "BackgroundDoesNotBlock", run: (*suite).background},
	{name: "OutputCap", run: (*suite).outputCap},
	{name: "Concurrent", run: (*suite).concurrent},
	{name: "BadCommands", run: (*suite).badCommands},
	{name: "SlowReader", run: (*suite).slowReader},
	{name: "LongScript", run: (*suite).longScript},
}

func (s *suite) results(t *testing.T) {
	b := s.start(t, ample)
	r := b.try(sandbox.Command{Shell: "echo out; echo err >&2; exit 3"})
	require.Equal(t, 3, r.ExitCode)
	require.Equal(t, "out\n", r.Stdout)
	require.Equal(t, "err\n", r.Stderr)
	require.Positive(t, r.Duration)
	require.False(t, r.Truncated || r.TimedOut || r.Cancelled)
	r = b.try(sandbox.Command{Argv: []string{"no-such-program"}})
	require.Equal(t, 127, r.ExitCode)
	require.Contains(t, r.Stderr, "not found")
	b.sh("mkdir -p d/e")
	require.Contains(t, b.try(sandbox.Command{Shell: "pwd", Dir: "d/e"}).Stdout, "/d/e\n")
	require.Contains(t, b.try(sandbox.Command{Shell: "pwd", Dir: "/workspace/d"}).Stdout, "/d\n")
}

func (s *suite) environment(t *testing.T) {
	t.Setenv("LOBSTEAD_SECRET_CANARY", "canary")
	b := s.start(t, ample)
	r := b.try(sandbox.Command{Shell: "env", Env: map[string]string{"MORE": "x y", "GATEWAY": "mine"}})
	require.NotContains(t, r.Stdout, "canary")
	require.NotContains(t, r.Stdout, "GOMAXPROCS")
	require.Contains(t, r.Stdout, "MORE=x y\n")
	require.Contains(t, r.Stdout, "GATEWAY=mine\n")
	require.Contains(t, b.sh("env"), "GATEWAY=token\n")
	require.Contains(t, b.sh("env"), "USER=sandbox\n")
	require.Contains(t, b.sh("cd && echo x > home && cat home"), "x")
	require.Contains(t, b.sh("cat home"), "x", "home is the workspace")
}

func (s *suite) streams(t *testing.T) {
	b := s.start(t, ample)
	var got []string
	var at []time.Time
	r, err := b.h.Exec(ctxFor(t), sandbox.Command{Shell: "for i in 1 2 3 4; do echo $i; sleep 0.05; done; echo end >&2"},
		func(o sandbox.Output) { got = append(got, string(o.Data)); at = append(at, time.Now()) })
	require.NoError(t, err)
	require.Equal(t, "1\n2\n3\n4\n", r.Stdout)
	require.Equal(t, "1\n2\n3\n4\nend\n", strings.Join(got, ""))
	require.GreaterOrEqual(t, len(at), 4, "output was held back")
}

func (s *suite) stdin(t *testing.T) {
	b := s.start(t, ample)
	in := strings.Repeat("0123456789abcdef", 20_000)
	require.Equal(t, in, b.try(sandbox.Command{Shell: "cat", Stdin: []byte(in)}).Stdout)
	require.Equal(t, "", b.try(sandbox.Command{Shell: "cat"}).Stdout)
	require.Zero(t, b.try(sandbox.Command{Shell: "true", Stdin: []byte(in)}).ExitCode, "nobody reads it")
}

func (s *suite) deadline(t *testing.T) {
	b := s.start(t, ample)
	at := time.Now()
	r := b.try(sandbox.Command{Shell: "echo a; sleep 30; echo b", Timeout: 150 * time.Millisecond})
	require.True(t, r.TimedOut)
	require.Equal(t, -1, r.ExitCode)
	require.Positive(t, r.Killed)
	require.Contains(t, r.Reason, "deadline")
	require.Equal(t, "a\n", r.Stdout)
	require.Less(t, time.Since(at), 5*time.Second)
	b.answers()
}

func (s *suite) cancel(t *testing.T) {
	b := s.start(t, ample)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := b.h.Exec(ctx, sandbox.Command{Shell: "echo a; sleep 30"}, func(sandbox.Output) { cancel() })
	require.NoError(t, err)
	require.True(t, r.Cancelled)
	require.Equal(t, -1, r.ExitCode)
	require.Positive(t, r.Killed)
	_, err = b.h.Exec(ctx, sandbox.Command{Shell: "echo"}, nil)
	fails(t, err, fault.Unavailable, "sandbox.cancelled")
	b.answers()
}

// beating tells whether a process still writes to its file.
func (b *box) beating(name string) bool {
	one, err := b.h.ReadFile(ctxFor(b.t), name, 0, 0)
	time.Sleep(100 * time.Millisecond)
	two, err2 := b.h.ReadFile(ctxFor(b.t), name, 0, 0)
	return err == nil && err2 == nil && string(one.Data) != string(two.Data)
}

func (s *suite) treeKill(t *testing.T) {
	b := s.start(t, ample)
	b.helper()
	// The daemon leaves its session, loses its parents and clears its environment.
	r := b.try(sandbox.Command{Shell: "./helper helper daemon beat; (sleep 40 &) ; sleep 40 | sleep 40", Timeout: 1500 * time.Millisecond})
	require.True(t, r.TimedOut, "%+v", r)
	require.GreaterOrEqual(t, r.Killed, 2)
	require.False(t, b.beating("beat"), "a daemon survived: %+v", r)
	u, err := b.h.Usage(ctxFor(t))
	require.NoError(t, err)
	require.LessOrEqual(t, u.Processes, 1)
}

func (s *suite) spareOthers(t *testing.T) {
	b := s.start(t, ample)
	b.helper()
	require.Zero(t, b.try(sandbox.Command{Argv: []string{"./helper", "helper", "daemon", "other"}}).ExitCode)
	eventually(t, "heartbeat", func() bool { return b.beating("other") })
	r := b.try(sandbox.Command{Shell: "./helper helper daemon beat; sleep 30", Timeout: 700 * time.Millisecond})
	require.True(t, r.TimedOut)
	require.False(t, b.beating("beat"))
	require.True(t, b.beating("other"), "an earlier command's process was killed too")
}

func (s *suite) background(t *testing.T) {
	b := s.start(t, ample)
	at := time.Now()
	r := b.try(sandbox.Command{Shell: "sleep 20 & echo done"})
	if s.opts.NoPrograms {
		return // its shell waits, having no processes to leave behind
	}
	require.Equal(t, "done\n", r.Stdout)
	require.Less(t, time.Since(at), 5*time.Second)
}

func (s *suite) outputCap(t *testing.T) {
	b := s.start(t, ample)
	b.helper()
	total := 0
	r, err := b.h.Exec(ctxFor(t), sandbox.Command{Argv: []string{"./helper", "helper", "print", "3000000"}, MaxOutput: 1000},
		func(o sandbox.Output) { total += len(o.Data) })
	require.NoError(t, err)
	require.True(t, r.Truncated)
	require.Len(t, r.Stdout, 1000)
	require.True(t, strings.HasPrefix(r.Stdout, "BEGIN") && strings.HasSuffix(r.Stdout, "END\n"), r.Stdout)
	require.Equal(t, 3_000_000, total)
}

func (s *suite) concurrent(t *testing.T) {
	b := s.start(t, sandbox.Limits{MemoryMB: 1024, StorageMB: 256, Processes: 200, CPUs: 2})
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			want := fmt.Sprintf("run %d\n", i)
			for range 4 {
				r, err := b.h.Exec(ctxFor(t), sandbox.Command{Shell: fmt.Sprintf("echo run %d", i)}, nil)
				if err != nil || r.Stdout != want {
					t.Errorf("%d: %q %v", i, r.Stdout, err)
				}
			}
		})
	}
	wg.Wait()
}

func (s *suite) badCommands(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	for _, c := range []sandbox.Command{{}, {Argv: []string{""}}, {Argv: []string{"a\x00b"}}, {Shell: "echo \x00"}} {
		_, err := b.h.Exec(ctx, c, nil)
		fails(t, err, fault.Invalid, "sandbox.command")
	}
	_, err := b.h.Exec(ctx, sandbox.Command{Shell: "pwd", Dir: "../.."}, nil)
	fails(t, err, fault.Forbidden, "sandbox.path")
	_, err = b.h.Exec(ctx, sandbox.Command{Shell: "pwd", Dir: "/etc"}, nil)
	fails(t, err, fault.Forbidden, "sandbox.path")
	_, err = b.h.Exec(ctx, sandbox.Command{Shell: "pwd", Dir: "none"}, nil)
	fails(t, err, fault.NotFound, "sandbox.file_not_found")
	_, err = b.h.Exec(ctx, sandbox.Command{Shell: strings.Repeat("x", 2<<20)}, nil)
	fails(t, err, fault.TooLarge, "sandbox.too_large")
	b.answers()
}

func (s *suite) slowReader(t *testing.T) {
	b := s.start(t, ample)
	b.helper()
	n := 0
	r, err := b.h.Exec(ctxFor(t), sandbox.Command{Argv: []string{"./helper", "helper", "print", "2000000"}}, func(o sandbox.Output) {
		if n += len(o.Data); n < 300_000 {
			time.Sleep(10 * time.Millisecond)
		}
	})
	require.NoError(t, err)
	require.Zero(t, r.ExitCode)
	require.Equal(t, 2_000_000, n)
}

// longScript: a shell of ours runs long enough to collect its garbage, and loses no file with it.
func (s *suite) longScript(t *testing.T) {
	b := s.start(t, ample)
	r := b.try(sandbox.Command{Shell: "{ i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; echo $i; } | cat"})
	require.Equal(t, "30000\n", r.Stdout, "%+v", r)
}
