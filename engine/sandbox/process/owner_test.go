//go:build linux

package process_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
	"lobstead/engine/sandbox/process"
)

// owner is another server on the same directory: it starts a sandbox and waits to be killed.
func owner(dir string, disabled []string) int {
	off := map[string]bool{}
	for _, l := range disabled {
		off[l] = true
	}
	ctx := context.Background()
	d, err := process.New(process.Config{Dir: dir, CgroupParent: "/lobstead-test", Disable: off})
	if err == nil {
		err = d.Ensure(ctx, sandbox.Spec{ID: "shared", Limits: sandbox.Limits{MemoryMB: 512, Processes: 64}})
	}
	if err == nil {
		err = d.Start(ctx, "shared")
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	time.Sleep(time.Minute)
	return 0
}

func TestServerDies(t *testing.T) {
	for name, disable := range map[string][]string{"Full": nil, "NoNamespaces": namespaces, "NoCgroups": append([]string{confine.CgMemory,
		confine.CgPids, confine.CgCPU}, namespaces...)} {
		t.Run(name, func(t *testing.T) { serverDies(t, disable) })
	}
}

func serverDies(t *testing.T, disable []string) {
	if raceDetector { // it maps terabytes
		disable = append(slices.Clone(disable), confine.DataLimit)
	}
	dir, ctx := dataDir(t), context.Background()
	cmd := exec.Command("/proc/self/exe", append([]string{"owner", dir}, disable...)...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	line, _ := bufio.NewReader(out).ReadString('\n')
	require.Equal(t, "ready\n", line)

	off := map[string]bool{}
	for _, l := range disable {
		off[l] = true
	}
	d, err := process.New(process.Config{Dir: dir, CgroupParent: "/lobstead-test", Disable: off})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	before, err := d.Observe(ctx, "shared")
	require.NoError(t, err)
	require.Equal(t, sandbox.Running, before.State)
	require.NoError(t, d.Start(ctx, "shared"))
	same, err := d.Observe(ctx, "shared")
	require.NoError(t, err)
	require.Equal(t, before.Since, same.Since, "a second sandbox was started")
	h, err := d.Hands(ctx, "shared")
	require.NoError(t, err)
	defer func() { _ = h.Close() }()
	exe, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, h.WriteFile(ctx, "helper", exe, 0o755))
	r, err := h.Exec(ctx, sandbox.Command{Argv: []string{"./helper", "helper", "daemon", "beat"}}, nil)
	require.NoError(t, err)
	require.Zero(t, r.ExitCode, r.Stderr)
	time.Sleep(50 * time.Millisecond)

	require.NoError(t, cmd.Process.Kill())
	beat := filepath.Join(dir, "sandboxes/shared/workspace/beat")
	require.Eventually(t, func() bool {
		one, _ := os.ReadFile(beat)
		time.Sleep(50 * time.Millisecond)
		two, _ := os.ReadFile(beat)
		o, err := d.Observe(ctx, "shared")
		return len(one) > 0 && string(one) == string(two) && err == nil && o.State == sandbox.Stopped && o.Reason != ""
	}, 5*time.Second, time.Millisecond, "the sandbox outlived its server")
	require.NoError(t, d.Start(ctx, "shared"))
	f, err := h.ReadFile(ctx, "beat", 0, 0)
	require.NoError(t, err)
	require.NotEmpty(t, f.Data)
	require.NoError(t, d.Destroy(ctx, "shared"))
}

// TestNothingIsLeft counts what a hundred lives could leave behind.
func TestNothingIsLeft(t *testing.T) {
	d, ctx := newDriver(t, nil), context.Background()
	life := func() {
		require.NoError(t, d.Ensure(ctx, sandbox.Spec{ID: "one", Limits: sandbox.Limits{MemoryMB: 256, StorageMB: 16, CPUs: 1}}))
		require.NoError(t, d.Start(ctx, "one"))
		h, err := d.Hands(ctx, "one")
		require.NoError(t, err)
		_, err = h.Exec(ctx, sandbox.Command{Shell: "sleep 60 & echo"}, nil)
		require.NoError(t, err)
		require.NoError(t, h.Close())
		require.NoError(t, d.Destroy(ctx, "one"))
	}
	life()
	was := leftovers(t)
	for range 20 {
		life()
	}
	now := leftovers(t)
	for range 100 { // not Eventually, which has goroutines of its own
		if now = leftovers(t); now == was {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	require.Equal(t, was, now)
}

type left struct{ goroutines, files, mounts, cgroups, children int }

func leftovers(t *testing.T) left {
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	groups, _ := filepath.Glob("/sys/fs/cgroup/*/lobstead-test/lobstead-one-*")
	kids, _ := filepath.Glob("/proc/self/task/*/children")
	n := 0
	for _, k := range kids {
		b, _ := os.ReadFile(k)
		n += len(strings.Fields(string(b)))
	}
	return left{runtime.NumGoroutine(), len(fds), strings.Count(string(mounts), "\n"), len(groups), n}
}

func TestProbe(t *testing.T) {
	names := map[string]bool{}
	for _, l := range process.Probe(context.Background(), process.Config{Dir: t.TempDir(), CgroupParent: "/lobstead-test"}) {
		names[l.Name] = true
		require.True(t, l.Applied || l.Detail != "", l.Name)
	}
	for _, want := range []string{confine.UserNS, confine.MountNS, confine.NetNS, confine.Landlock, confine.Seccomp, confine.CgMemory} {
		require.True(t, names[want], want)
	}
}

func TestDaemonDiesByItself(t *testing.T) {
	d, ctx := newDriver(t, nil), context.Background()
	require.NoError(t, d.Ensure(ctx, sandbox.Spec{ID: "one"}))
	require.NoError(t, d.Start(ctx, "one"))
	kids, err := exec.Command("pgrep", "-P", fmt.Sprint(os.Getpid()), "-f", "lobstead hands").Output()
	if err != nil {
		t.Skip("NOT TESTED: needs pgrep")
	}
	var pid int
	_, err = fmt.Sscan(string(kids), &pid)
	require.NoError(t, err)
	p, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, p.Kill())
	require.Eventually(t, func() bool {
		o, err := d.Observe(ctx, "one")
		return err == nil && o.State == sandbox.Stopped && strings.Contains(o.Reason, "killed")
	}, 5*time.Second, 5*time.Millisecond)
	require.NoError(t, d.Start(ctx, "one"))
	require.NoError(t, d.Destroy(ctx, "one"))
}
