//go:build linux

package process_test

import (
	"context"
	"debug/elf"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
	"lobstead/engine/sandbox/process"
	"lobstead/engine/sandbox/sandboxtest"
)

var unprivileged = flag.Bool("unprivileged", false, "this is the run as nobody")

var namespaces = []string{confine.UserNS, confine.MountNS, confine.PidNS, confine.IpcNS, confine.UtsNS, confine.NetNS, confine.CgroupNS}

// modes are the hosts that the driver meets, as far as this one can play them.
var modes = []struct {
	name    string
	disable []string
	opts    sandboxtest.Options
	want    []string // layers that must be there
}{
	{name: "Full", want: append([]string{confine.Landlock, confine.Seccomp, confine.Rlimits, confine.DropCaps}, namespaces...)},
	{name: "NoNamespaces", disable: namespaces, opts: sandboxtest.Options{NoLoopback: true},
		want: []string{confine.Landlock, confine.NoTCP, confine.Seccomp}},
	{name: "NoUserNamespace", disable: []string{confine.UserNS}, want: []string{confine.Landlock, confine.Seccomp}},
	{name: "NoLandlock", disable: []string{confine.Landlock}, want: namespaces},
	{name: "NoPidNamespace", disable: []string{confine.PidNS}, want: []string{confine.MountNS}},
	{name: "NoPrograms", disable: []string{confine.HostFiles}, opts: sandboxtest.Options{NoPrograms: true}, want: namespaces},
}

func TestConformance(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			off := map[string]bool{}
			for _, l := range m.disable {
				off[l] = true
			}
			if m.opts.NoPrograms && dynamic(t) {
				t.Skip("NOT TESTED: this test program needs a C library, and there is none inside; run it with CGO_ENABLED=0")
			}
			o := m.opts
			o.PerProcessMemory = *unprivileged
			switch {
			case *unprivileged && m.name == "NoUserNamespace":
				t.Skip("NOT TESTED: without a user namespace an unprivileged server has none at all, see NoNamespaces")
			case raceDetector && m.name != "Full" && m.name != "NoNamespaces":
				t.Skip("NOT TESTED with the race detector: make test runs every mode without it too")
			case raceDetector:
				off[confine.DataLimit] = true // the race detector maps terabytes
				if *unprivileged {
					o.Skip = map[string]string{"Memory": "without cgroups memory is limited by RLIMIT_DATA, which the race detector cannot bear"}
				}
			}
			layersOf(t, off, m.want)
			sandboxtest.Run(t, func(t *testing.T) sandbox.Driver { return newDriver(t, off) }, o)
		})
	}
}

// dynamic tells whether this program is started through a loader of the host's.
func dynamic(t *testing.T) bool {
	t.Helper()
	f, err := elf.Open("/proc/self/exe")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

func newDriver(t testing.TB, off map[string]bool) *process.Driver {
	t.Helper()
	dir := dataDir(t)
	if off[confine.MountNS] { // sandboxes are users of the host's paths then: files stay closed, the way is open
		require.NoError(t, os.Chmod(dir, 0o711))
	}
	d, err := process.New(process.Config{Dir: dir, CgroupParent: "/lobstead-test", Disable: off})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// dataDir is closed to everybody else, as the server's is.
func dataDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "lobstead")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func layersOf(t *testing.T, off map[string]bool, want []string) {
	t.Helper()
	d, ctx := newDriver(t, off), context.Background()
	require.NoError(t, d.Ensure(ctx, sandbox.Spec{ID: "layers"}))
	require.NoError(t, d.Start(ctx, "layers"))
	defer func() { require.NoError(t, d.Destroy(ctx, "layers")) }()
	o, err := d.Observe(ctx, "layers")
	require.NoError(t, err)
	got := map[string]sandbox.Layer{}
	for _, l := range o.Isolation {
		require.NotContains(t, got, l.Name, "reported twice")
		got[l.Name] = l
		t.Logf("%-20s %-5t %s", l.Name, l.Applied, l.Detail)
	}
	for _, name := range want {
		require.True(t, got[name].Applied, "%s: %s", name, got[name].Detail)
	}
	for name := range off {
		require.False(t, got[name].Applied, name)
	}
}

// TestUnprivileged runs the conformance tests again as a user who may do nothing.
func TestUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: only root can become somebody else; the other tests ran unprivileged already")
	}
	dir, err := os.MkdirTemp("", "unprivileged")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755)) // #nosec: nobody has to reach the program in it
	exe, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "test"), exe, 0o755))
	tmp := filepath.Join(dir, "tmp")
	require.NoError(t, os.Mkdir(tmp, 0o700))
	require.NoError(t, os.Chown(tmp, 65534, 65534))
	args := []string{"-test.run=TestConformance", "-unprivileged", "-test.timeout=20m"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.Command(filepath.Join(dir, "test"), args...) //nolint:gosec // our own binary
	cmd.Dir = tmp
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + tmp, "TMPDIR=" + tmp}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}
