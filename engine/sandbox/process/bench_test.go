//go:build linux

package process_test

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
)

var benchLimits = sandbox.Limits{MemoryMB: 512, StorageMB: 512, Processes: 64, CPUs: 2}

func started(b *testing.B) sandbox.Hands {
	d, ctx := newDriver(b, nil), context.Background()
	require.NoError(b, d.Ensure(ctx, sandbox.Spec{ID: "bench", Limits: benchLimits}))
	require.NoError(b, d.Start(ctx, "bench"))
	h, err := d.Hands(ctx, "bench")
	require.NoError(b, err)
	b.Cleanup(func() { _ = h.Close(); _ = d.Destroy(ctx, "bench") })
	return h
}

func BenchmarkPing(b *testing.B) {
	h := started(b)
	for b.Loop() {
		require.NoError(b, h.Ping(context.Background()))
	}
}

func BenchmarkExecTrue(b *testing.B) {
	h := started(b)
	for b.Loop() {
		_, err := h.Exec(context.Background(), sandbox.Command{Argv: []string{"true"}}, nil)
		require.NoError(b, err)
	}
}

func BenchmarkExecShell(b *testing.B) {
	h := started(b)
	for b.Loop() {
		_, err := h.Exec(context.Background(), sandbox.Command{Shell: "echo hello"}, nil)
		require.NoError(b, err)
	}
}

// BenchmarkColdStart runs our start and bubblewrap's turn by turn: the ratio is the figure to keep.
func BenchmarkColdStart(b *testing.B) {
	d, ctx := newDriver(b, nil), context.Background()
	bwrap, lookErr := exec.LookPath("bwrap")
	var ours, theirs []time.Duration
	for b.Loop() {
		require.NoError(b, d.Ensure(ctx, sandbox.Spec{ID: "cold", Limits: benchLimits}))
		at := time.Now()
		require.NoError(b, d.Start(ctx, "cold"))
		h, err := d.Hands(ctx, "cold")
		require.NoError(b, err)
		_, err = h.Exec(ctx, sandbox.Command{Argv: []string{"true"}}, nil)
		require.NoError(b, err)
		ours = append(ours, time.Since(at))
		require.NoError(b, h.Close())
		require.NoError(b, d.Destroy(ctx, "cold"))
		if lookErr != nil {
			continue
		}
		at = time.Now()
		require.NoError(b, exec.Command(bwrap, "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin",
			"--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "true").Run())
		theirs = append(theirs, time.Since(at))
	}
	b.ReportMetric(ms(ours, 50), "p50-ms")
	b.ReportMetric(ms(ours, 95), "p95-ms")
	if len(theirs) > 0 {
		b.ReportMetric(ms(theirs, 50), "bwrap-p50-ms")
		b.ReportMetric(ms(ours, 50)/ms(theirs, 50), "x-bwrap")
	}
}

func ms(list []time.Duration, percentile int) float64 {
	slices.Sort(list)
	return float64(list[(len(list)-1)*percentile/100].Microseconds()) / 1000
}

func BenchmarkHundredStarts(b *testing.B) {
	d, ctx := newDriver(b, nil), context.Background()
	for b.Loop() {
		took := make([]time.Duration, 100)
		var wg sync.WaitGroup
		at := time.Now()
		for i := range took {
			wg.Go(func() {
				id := fmt.Sprintf("many%d", i)
				err := d.Ensure(ctx, sandbox.Spec{ID: id, Limits: benchLimits})
				if err == nil {
					err = d.Start(ctx, id)
				}
				if err != nil {
					b.Errorf("%s: %v", id, err)
				}
				took[i] = time.Since(at)
			})
		}
		wg.Wait()
		b.ReportMetric(ms(took, 50), "p50-ms")
		b.ReportMetric(ms(took, 100), "last-ms")
		b.StopTimer()
		for i := range took {
			require.NoError(b, d.Destroy(ctx, fmt.Sprintf("many%d", i)))
		}
		b.StartTimer()
	}
}
