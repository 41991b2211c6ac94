package process_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/process"
)

func TestSmoke(t *testing.T) {
	d, err := process.New(process.Config{Dir: t.TempDir(), CgroupParent: "/lobstead"})
	require.NoError(t, err)
	defer d.Close()
	ctx := context.Background()
	require.NoError(t, d.Ensure(ctx, sandbox.Spec{ID: "a1", Limits: sandbox.Limits{MemoryMB: 256, StorageMB: 64, CPUs: 1}}))
	for range 3 {
		b := time.Now()
		require.NoError(t, d.Start(ctx, "a1"))
		t.Log("start", time.Since(b))
		h, err := d.Hands(ctx, "a1")
		require.NoError(t, err)
		for range 3 {
			b = time.Now()
			r, err := h.Exec(ctx, sandbox.Command{Shell: "id; pwd; ls -la / /workspace; cat /proc/mounts; ps axu; echo $0; env; cat /proc/self/status | grep -E 'Cap|Sec|NoNew'; ls -l /proc/self/fd"}, nil)
			t.Log("exec", time.Since(b))
			require.NoError(t, err)
			if testing.Verbose() { t.Logf("%s %s %+v", r.Stdout, r.Stderr, r.Reason) }
			b = time.Now()
			r, err = h.Exec(ctx, sandbox.Command{Argv: []string{"true"}}, nil)
			t.Log("true", time.Since(b), r.ExitCode, err)
			b = time.Now()
			require.NoError(t, h.Ping(ctx))
			t.Log("ping", time.Since(b))
		}
		o, err := d.Observe(ctx, "a1")
		require.NoError(t, err)
		for _, l := range o.Isolation { t.Logf("%+v", l) }
		t.Logf("%+v", o.Usage)
		h.Close()
		b = time.Now()
		require.NoError(t, d.Stop(ctx, "a1"))
		t.Log("stop", time.Since(b))
	}
	require.NoError(t, d.Destroy(ctx, "a1"))
}
