package sandboxtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/kit/id"
)

var terminalTests = []test{
	{name: "Types", run: (*suite).typed},
	{name: "Size", run: (*suite).resized, needsPrograms: true},
	{name: "CtrlC", run: (*suite).interrupted},
	{name: "ExitCode", run: (*suite).exited},
	{name: "TreeKill", run: (*suite).terminalTree, needsPrograms: true},
	{name: "ComesBack", run: (*suite).comesBack},
	{name: "Flood", run: (*suite).flood},
	{name: "Limit", run: (*suite).terminalLimit},
	{name: "Escape", run: (*suite).terminalEscape},
	{name: "SandboxStops", run: (*suite).terminalStops},
}

// screen collects what a terminal shows.
type screen struct {
	t *testing.T
	sandbox.Terminal
	mu   sync.Mutex
	text strings.Builder
	err  error
	done chan struct{}
}

func (b *box) terminal(session string) *screen {
	b.t.Helper()
	term, err := b.h.Terminal(ctxFor(b.t), sandbox.TerminalSpec{Session: session, Rows: 24, Columns: 80, Prompt: "box$(touch pwned)"})
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = term.Close() })
	s := &screen{t: b.t, Terminal: term, done: make(chan struct{})}
	go s.collect()
	return s
}

func (s *screen) collect() {
	defer close(s.done)
	buf := make([]byte, 8<<10)
	for {
		n, err := s.Read(buf)
		s.mu.Lock()
		s.text.Write(buf[:n])
		s.err = err
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *screen) enter(text string) {
	s.t.Helper()
	_, err := s.Write([]byte(text))
	require.NoError(s.t, err)
}

// until waits for words; what was typed is shown too, so that a command should not hold what it prints.
func (s *screen) until(words string) {
	s.t.Helper()
	for until := time.Now().Add(15 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(s.shown(), words) {
			return
		}
	}
	shown := s.shown()
	s.t.Fatalf("%q was not shown:\n%q", words, shown[max(0, len(shown)-2000):])
}

// ended waits for the end and gives its error.
func (s *screen) ended() error {
	s.t.Helper()
	select {
	case <-s.done:
		return s.err
	case <-time.After(15 * time.Second):
		s.t.Fatalf("it did not end:\n%q", s.shown())
		return nil
	}
}

func (s *suite) typed(t *testing.T) {
	b := s.start(t, ample)
	s1 := b.terminal("one")
	before, replay := s1.Resumed()
	require.False(t, before)
	require.Zero(t, replay)
	s1.until("box")
	s1.enter("echo h\"\"i $USER; test -t 0 && echo t\"\"ty; echo $TERM\r")
	s1.until("hi sandbox\r\n")
	s1.until("tty\r\n")
	s1.until("xterm-256color\r\n")
	s1.enter("pwd\r")
	s1.until("workspace\r\n")
	s1.enter("echo re\"\"ady; cat\r")
	s1.until("ready\r\n")
	time.Sleep(50 * time.Millisecond) // until it reads by itself
	s1.enter("words to a program\r")
	s1.until("words to a program\r\nwords to a program")
	s1.enter("\x04") // the end of its input
	s1.enter("echo a\"\"fter\r")
	s1.until("after\r\n")
	s1.enter("env\r")
	s1.until("GATEWAY=token\r\n")
	require.NotContains(t, s1.shown(), "GOMAXPROCS")
	_, err := b.h.Stat(ctxFor(t), "pwned")
	fails(t, err, fault.NotFound, "")
}

func (s *suite) resized(t *testing.T) {
	b := s.start(t, ample)
	s1 := b.terminal("one")
	s1.until("box")
	s1.enter("stty size\r")
	s1.until("24 80\r\n")
	s1.enter("sh -c 'trap \"echo cha\"\"nged\" WINCH; echo wait\"\"ing; while :; do sleep 0.05; done'\r")
	s1.until("waiting\r\n")
	require.NoError(t, s1.Resize(40, 120))
	s1.until("changed\r\n")
	s1.enter("\x03")
	time.Sleep(100 * time.Millisecond)
	s1.enter("stty size\r")
	s1.until("40 120\r\n")
	require.NoError(t, s1.Resize(-5, 1<<30))
	s1.enter("stty size\r")
	s1.until("24 1000\r\n")
}

func (s *suite) interrupted(t *testing.T) {
	b := s.start(t, ample)
	s1 := b.terminal("one")
	s1.until("box")
	s1.enter("echo be\"\"gin; sleep 60\r")
	s1.until("begin\r\n")
	time.Sleep(50 * time.Millisecond)
	s1.enter("\x03")
	time.Sleep(100 * time.Millisecond) // until the shell reads again
	s1.enter("\r\r")                   // nothing to run: the shell must not take it for its end
	s1.enter("echo still he\"\"re\r")
	s1.until("still here\r\n")
	s1.enter("echo never\x03")
	time.Sleep(100 * time.Millisecond)
	s1.enter("echo fresh l\"\"ine\r")
	s1.until("fresh line\r\n")
	require.NotContains(t, s1.shown(), "\nnever")
	for n, endless := range []string{"cat /dev/zero", "cat", "read line", "while :; do echo on and on; done", "while read line; do :; done"} {
		s1.enter(fmt.Sprintf("echo be\"\"gin %d; %s\r", n, endless))
		s1.until(fmt.Sprintf("begin %d\r\n", n))
		time.Sleep(50 * time.Millisecond)
		s1.enter("\x03")
		time.Sleep(100 * time.Millisecond)
		s1.enter(fmt.Sprintf("echo en\"\"d %d\r", n))
		s1.until(fmt.Sprintf("end %d\r\n", n))
	}
	quiet := len(s1.shown())
	time.Sleep(100 * time.Millisecond)
	require.Less(t, len(s1.shown())-quiet, 200, "something prints on")
	s1.enter("(sleep 0.3; echo la\"\"ter) &\r")
	s1.enter("echo mean\"\"while\r")
	s1.until("meanwhile\r\n")
	s1.until("later\r\n")
}

func (s *suite) exited(t *testing.T) {
	b := s.start(t, ample)
	s1 := b.terminal("one")
	s1.enter("echo l\"\"ast words; exit 7\r")
	require.ErrorIs(t, s1.ended(), io.EOF)
	require.Equal(t, 7, s1.Result().ExitCode)
	require.Contains(t, s1.shown(), "last words\r\n")
	require.Positive(t, s1.Result().Duration)
	s1 = b.terminal("one")
	before, _ := s1.Resumed()
	require.False(t, before, "a shell that ended came back")
}

// terminalTree: closing for good ends everything, what left the terminal too.
func (s *suite) terminalTree(t *testing.T) {
	b := s.start(t, ample)
	b.helper()
	s1 := b.terminal("one")
	s1.enter("./helper helper daemon beat; (sleep 50 &); sleep 50 &\r")
	eventually(t, "heartbeat", func() bool { return b.beating("beat") })
	require.NoError(t, s1.Kill())
	require.ErrorIs(t, s1.ended(), io.EOF)
	require.Equal(t, -1, s1.Result().ExitCode)
	require.GreaterOrEqual(t, s1.Result().Killed, 2)
	require.False(t, b.beating("beat"), "a daemon survived")
	require.NoError(t, s1.Kill(), "twice is harmless")
	b.answers()
}

// comesBack: who left finds their shell again, with what it showed; who takes it over ends the other's end.
func (s *suite) comesBack(t *testing.T) {
	b := s.start(t, ample)
	s1 := b.terminal("one")
	s1.enter("x=mine; echo sh\"\"own\r")
	s1.until("shown\r\n")
	require.NoError(t, s1.Close())
	s2 := b.terminal("one")
	before, replay := s2.Resumed()
	require.True(t, before)
	require.Positive(t, replay)
	s2.until("shown\r\n")
	s2.enter("echo it is $x\r")
	s2.until("it is mine\r\n")
	s3 := b.terminal("one")
	fails(t, s2.ended(), fault.Conflict, "sandbox.terminal_taken")
	s3.until("it is mine\r\n")
	s4 := b.terminal("two")
	s4.enter("echo \"[$x]\"\r")
	s4.until("[]\r\n")
}

// flood: what prints for ever takes no memory, waits for who reads, and can be stopped.
func (s *suite) flood(t *testing.T) {
	b := s.start(t, ample)
	b.helper()
	term, err := b.h.Terminal(ctxFor(t), sandbox.TerminalSpec{Session: "one", Rows: 24, Columns: 80})
	require.NoError(t, err)
	_, err = term.Write([]byte("while :; do ./helper helper print 3000000; done\r"))
	require.NoError(t, err)
	time.Sleep(300 * time.Millisecond) // nobody reads
	u, err := b.h.Usage(ctxFor(t))
	require.NoError(t, err)
	require.Less(t, u.MemoryBytes, int64(400)<<20)
	var s1 *screen
	replay := 0
	eventually(t, "output that nobody read", func() bool {
		require.NoError(t, term.Close()) // now it runs on, into the scroll
		time.Sleep(200 * time.Millisecond)
		s1 = b.terminal("one")
		term = s1
		_, replay = s1.Resumed()
		return replay > sandbox.TerminalScroll/4
	})
	require.LessOrEqual(t, replay, sandbox.TerminalScroll)
	eventually(t, "reading on", func() bool { return len(s1.shown()) > replay+1<<20 })
	eventually(t, "an end of the flood", func() bool { // one Ctrl+C may end the program between two rounds of the loop, and not the loop
		s1.enter("\x03")
		time.Sleep(200 * time.Millisecond)
		s1.enter("\x03\recho c\"\"alm\r")
		time.Sleep(200 * time.Millisecond)
		return strings.Contains(s1.shown(), "calm\r\n")
	})
	b.answers()
}

func (s *suite) terminalLimit(t *testing.T) {
	b := s.start(t, sandbox.Limits{MemoryMB: 1024, StorageMB: 256, Processes: 200, CPUs: 2})
	open := []*screen{}
	for i := range sandbox.MaxTerminals {
		open = append(open, b.terminal(fmt.Sprint("terminal ", i)))
	}
	_, err := b.h.Terminal(ctxFor(t), sandbox.TerminalSpec{Session: "one more"})
	fails(t, err, fault.TooMany, "sandbox.terminals")
	require.NoError(t, open[0].Kill())
	require.ErrorIs(t, open[0].ended(), io.EOF)
	s1 := b.terminal("one more")
	s1.enter("echo r\"\"oom\r")
	s1.until("room\r\n")
	_, err = b.h.Terminal(ctxFor(t), sandbox.TerminalSpec{})
	fails(t, err, fault.Invalid, "sandbox.terminal")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = b.h.Terminal(ctx, sandbox.TerminalSpec{Session: "x"})
	fails(t, err, fault.Unavailable, "sandbox.cancelled")
}

// terminalEscape: a shell on a terminal is as confined as any command.
func (s *suite) terminalEscape(t *testing.T) {
	b := s.start(t, ample)
	b.helper()
	dir, name, text := canary(t)
	s1 := b.terminal("one")
	for n, args := range []string{"syscalls", "kernel", "write", "read " + dir + "/" + name + " " + text, "tty"} {
		s1.enter(fmt.Sprintf("./helper helper %s; echo don\"\"e %d\r", args, n))
		s1.until(fmt.Sprintf("done %d\r\n", n))
	}
	require.NotContains(t, s1.shown(), escaped)
	require.Equal(t, 5, strings.Count(s1.shown(), held), s1.shown())
	b.answers()
}

func (s *suite) terminalStops(t *testing.T) {
	b := s.start(t, ample)
	s1 := b.terminal(id.New())
	s1.enter("echo u\"\"p\r")
	s1.until("up\r\n")
	require.NoError(t, b.d.Stop(ctxFor(t), b.ID))
	err := s1.ended()
	if !errors.Is(err, io.EOF) { // it may end before its connection does
		fails(t, err, fault.Unavailable, "sandbox.gone")
	}
}
