// Package sandboxtest owns the conformance suite that every sandbox driver must pass: life cycle, files,
// commands, limits, and the attempts to escape. It knows the contract only, never a driver's inner workings.
//
// The test binary that runs it must hand `helper` as first argument to Helper: the suite copies the binary
// into sandboxes and runs its attacks there, so that it needs no interpreter on the host.
package sandboxtest

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Options tell the suite what a driver's host cannot do.
type Options struct {
	// Skip names tests that do not apply, with the reason that is shown loudly.
	Skip map[string]string
	// NoPrograms is set for sandboxes without any of the host's programs.
	NoPrograms bool
	// NoLoopback is set for sandboxes that get no sockets at all.
	NoLoopback bool
	// PerProcessMemory is set where memory is limited for each process alone.
	PerProcessMemory bool
}

type suite struct {
	new  func(t *testing.T) sandbox.Driver
	opts Options
}

// Run runs every test against fresh drivers that newDriver makes and closes (by t.Cleanup).
func Run(t *testing.T, newDriver func(t *testing.T) sandbox.Driver, o Options) {
	s := &suite{new: newDriver, opts: o}
	for _, group := range []struct {
		name  string
		tests []test
	}{{"Life", lifeTests}, {"Exec", execTests}, {"Terminal", terminalTests}, {"Files", fileTests}, {"Limits", limitTests}, {"Escape", escapeTests}} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.tests {
				t.Run(c.name, func(t *testing.T) {
					if why, ok := o.Skip[c.name]; ok {
						t.Skipf("NOT TESTED: %s", why)
					}
					if o.NoPrograms && c.needsPrograms {
						t.Skip("NOT TESTED: needs programs of the host inside the sandbox")
					}
					c.run(s, t)
				})
			}
		})
	}
}

type test struct {
	name          string
	run           func(s *suite, t *testing.T)
	needsPrograms bool
}

// box is one started sandbox.
type box struct {
	t *testing.T
	d sandbox.Driver
	h sandbox.Hands
	sandbox.Spec
}

var ample = sandbox.Limits{MemoryMB: 512, StorageMB: 256, Processes: 64, CPUs: 2}

func ctxFor(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func (s *suite) start(t *testing.T, l sandbox.Limits) *box {
	t.Helper()
	return startOn(t, s.new(t), l)
}

func startOn(t *testing.T, d sandbox.Driver, l sandbox.Limits) *box {
	t.Helper()
	b := &box{t: t, d: d, Spec: sandbox.Spec{ID: id.New(), OrganizationID: "org", Limits: l, Env: map[string]string{"GATEWAY": "token"}}}
	require.NoError(t, d.Ensure(ctxFor(t), b.Spec))
	require.NoError(t, d.Start(ctxFor(t), b.ID))
	b.open()
	t.Cleanup(func() { require.NoError(t, d.Destroy(context.Background(), b.ID)) })
	return b
}

func (b *box) open() {
	b.t.Helper()
	h, err := b.d.Hands(ctxFor(b.t), b.ID)
	require.NoError(b.t, err)
	b.h = h
	b.t.Cleanup(func() { _ = h.Close() })
}

// sh runs a script that must succeed.
func (b *box) sh(script string) string {
	b.t.Helper()
	r := b.try(sandbox.Command{Shell: script})
	require.Zero(b.t, r.ExitCode, "%s\n%s%s%s", script, r.Stdout, r.Stderr, r.Reason)
	return r.Stdout
}

func (b *box) try(c sandbox.Command) sandbox.Result {
	b.t.Helper()
	r, err := b.h.Exec(ctxFor(b.t), c, nil)
	require.NoError(b.t, err)
	return r
}

var program = sync.OnceValues(func() ([]byte, error) { return os.ReadFile("/proc/self/exe") })

// helper puts the attacker's program into the workspace.
func (b *box) helper() {
	b.t.Helper()
	exe, err := program()
	require.NoError(b.t, err)
	require.NoError(b.t, b.h.WriteFile(ctxFor(b.t), "helper", exe, 0o755))
}

// attack runs one of the helper's attempts. It must say that it was held off, and the sandbox must answer.
func (b *box) attack(args ...string) {
	b.t.Helper()
	b.helper()
	r := b.try(sandbox.Command{Argv: append([]string{"./helper", "helper"}, args...), Timeout: 20 * time.Second})
	require.NotContains(b.t, r.Stdout, escaped, "%s", r.Stdout)
	require.Contains(b.t, r.Stdout, held, "%+v", r)
	b.answers()
}

// answers checks that the sandbox still serves.
func (b *box) answers() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(b.t, b.h.Ping(ctx))
}

// fails checks an error's kind and code.
func fails(t *testing.T, err error, k fault.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	f, ok := errors.AsType[*fault.Error](err)
	require.True(t, ok, "not a fault: %v", err)
	require.Equal(t, k, f.Kind, "%v", err)
	if code != "" {
		require.Equal(t, code, f.Code, "%v", err)
	}
	require.False(t, strings.Contains(f.Detail, "%!"), f.Detail)
}

// eventually waits for what another process does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}
