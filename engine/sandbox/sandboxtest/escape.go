package sandboxtest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/id"
)

var escapeTests = []test{
	{name: "HostFiles", run: (*suite).hostFiles},
	{name: "OtherSandbox", run: (*suite).otherSandbox},
	{name: "ControlProcess", run: (*suite).controlProcess},
	{name: "Signals", run: (*suite).signals},
	{name: "Network", run: (*suite).network},
	{name: "OwnLoopback", run: (*suite).ownLoopback},
	{name: "SystemCalls", run: func(s *suite, t *testing.T) { s.start(t, ample).attack("syscalls") }},
	{name: "KernelFiles", run: func(s *suite, t *testing.T) { s.start(t, ample).attack("kernel") }},
	{name: "WriteOutside", run: func(s *suite, t *testing.T) { s.start(t, ample).attack("write") }},
	{name: "HardLinks", run: func(s *suite, t *testing.T) { s.start(t, ample).attack("hardlinks") }},
	{name: "KillTheDaemon", run: (*suite).killDaemon},
	{name: "LinksSwappedUnderneath", run: (*suite).swapped},
}

// canary is a file of the control plane whose content must not be found anywhere inside.
func canary(t *testing.T) (dir, name, text string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "control-plane-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755)) // #nosec: readable by all, so that only the sandbox protects it
	name, text = "canary-"+id.New(), "secret-"+id.New()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	return dir, name, text
}

func (s *suite) hostFiles(t *testing.T) {
	b := s.start(t, ample)
	dir, name, text := canary(t)
	b.attack("find", name)
	b.attack("read", filepath.Join(dir, name), text)
	b.attack("read", fmt.Sprintf("/proc/%d/root%s", os.Getpid(), filepath.Join(dir, name)), text)
	b.attack("read", "/proc/1/root"+filepath.Join(dir, name), text)
	b.sh("ln -s " + filepath.Join(dir, name) + " link")
	b.attack("read", "link", text)
	_, err := b.h.ReadFile(ctxFor(t), "link", 0, 0)
	require.Error(t, err)
}

func (s *suite) otherSandbox(t *testing.T) {
	d := s.new(t)
	a, b := startOn(t, d, ample), startOn(t, d, ample)
	name := "canary-" + id.New()
	a.sh("echo secret > " + name + "; echo secret > /tmp/" + name + " || true")
	b.attack("find", name)
	a.helper()
	a.try(sandbox.Command{Argv: []string{"./helper", "helper", "daemon", "beat"}})
	eventually(t, "heartbeat", func() bool { return a.beating("beat") })
	b.attack("killall")
	require.True(t, a.beating("beat"), "another sandbox's process was killed")
	a.answers()
}

func (s *suite) controlProcess(t *testing.T) {
	b := s.start(t, ample)
	b.attack("processes", strconv.Itoa(os.Getpid()))
}

func (s *suite) signals(t *testing.T) {
	b := s.start(t, ample)
	b.attack("signal", strconv.Itoa(os.Getpid()))
	b.attack("signal", strconv.Itoa(os.Getppid()))
}

func (s *suite) network(t *testing.T) {
	b := s.start(t, ample)
	var reached atomic.Int32
	serve := func(network, addr string) string {
		ln, err := net.Listen(network, addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = ln.Close() })
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				reached.Add(1)
				_ = c.Close()
			}
		}()
		return ln.Addr().String()
	}
	dir, name, _ := canary(t)
	pathSocket := filepath.Join(dir, name+".sock")
	tries := [][]string{
		{"tcp", serve("tcp", "127.0.0.1:0")}, {"unix", serve("unix", "@"+name)}, {"unix", serve("unix", pathSocket)},
	}
	require.NoError(t, os.Chmod(pathSocket, 0o777)) // #nosec: open to all, so that only the sandbox protects it
	if ln, err := net.Listen("tcp", "[::1]:0"); err == nil {
		_ = ln.Close()
		tries = append(tries, []string{"tcp", serve("tcp", "[::1]:0")})
	}
	tries = append(tries, []string{"mptcp", tries[0][1]})
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = udp.Close() })
	go func() {
		buf := make([]byte, 16)
		for {
			if _, _, err := udp.ReadFrom(buf); err != nil {
				return
			}
			reached.Add(1)
		}
	}()
	tries = append(tries, []string{"udp", udp.LocalAddr().String()})
	for _, c := range tries {
		b.attack(append([]string{"dial"}, c...)...)
	}
	require.Zero(t, reached.Load(), "the control plane's network was reached")
}

func (s *suite) ownLoopback(t *testing.T) {
	if s.opts.NoLoopback {
		t.Skip("NOT TESTED: these sandboxes get no sockets")
	}
	b := s.start(t, ample)
	b.helper()
	r := b.try(sandbox.Command{Argv: []string{"./helper", "helper", "loopback"}})
	require.Equal(t, "hello\n", r.Stdout, "%+v", r)
}

func (s *suite) killDaemon(t *testing.T) {
	b := s.start(t, ample)
	o, err := b.d.Observe(ctxFor(t), b.ID)
	require.NoError(t, err)
	b.attack("killall")
	again, err := b.d.Observe(ctxFor(t), b.ID)
	require.NoError(t, err)
	require.Equal(t, o.Since, again.Since, "the daemon was killed from inside")
}

// swapped exchanges a directory for a link to / and back while the file API walks through it.
func (s *suite) swapped(t *testing.T) {
	b, ctx := s.start(t, ample), ctxFor(t)
	b.helper()
	b.sh("mkdir -p d/etc; echo inside > d/etc/passwd")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = b.h.Exec(ctx, sandbox.Command{Argv: []string{"./helper", "helper", "swap", "d"}}, nil)
	}()
	for i := 0; ; i++ {
		f, err := b.h.ReadFile(ctx, "d/etc/passwd", 0, 100)
		require.True(t, err != nil || string(f.Data) == "inside\n", "read through a swapped link: %q", f.Data)
		if err := b.h.WriteFile(ctx, "d/etc/new"+strconv.Itoa(i%10), []byte("x"), 0); err != nil {
			require.NoError(t, ignoreFault(err))
		}
		select {
		case <-done:
			return
		default:
		}
	}
}
