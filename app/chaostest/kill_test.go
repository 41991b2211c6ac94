package chaostest

import (
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A server that is killed anywhere in a turn loses nothing and does nothing twice.
func TestKilledInATurn(t *testing.T) {
	h, roll := newHouse(t, ""), dice(t)
	p := h.web("serve")
	agent := h.create("one")
	began := time.Now()
	h.chat(agent, message("warm"))
	whole := time.Since(began)
	for n := range rounds(10) {
		key := fmt.Sprintf("r%d", n)
		said := make(chan string, 1)
		go func() { said <- h.open(agent, message(key)) }()
		time.Sleep(time.Duration(roll.Int64N(int64(whole))))
		p.kill()
		session := <-said
		if n%2 == 0 { // the next server is there before the kernel has cleaned up in half of the rounds
			require.Eventually(t, func() bool { return len(h.processes()) == 0 }, 5*time.Second, 5*time.Millisecond, "survivors: %v", h.processes())
		}
		p = h.web("serve")
		b := h.book()
		if session != "" {
			require.Equal(t, "1", b.one(`SELECT CAST(COUNT(*) AS TEXT) FROM turns WHERE session_id = '`+session+`'`), "an accepted message was lost")
		}
		if n%5 == 4 { // in between, turns are killed again and again
			b.settled(40 * time.Second)
		}
		_ = b.db.Close()
	}
	h.book().settled(40 * time.Second)
	h.onceEach(agent)
	require.Contains(t, h.chat(agent, "run `echo alive`"), "alive")
	h.oneDaemon()
	h.gone(agent)
}

func message(key string) string {
	return fmt.Sprintf("run `echo %[1]s-a >> effects`, then run `echo %[1]s-b >> effects`, then run `echo %[1]s-c >> effects`", key)
}

var keyed = regexp.MustCompile(`echo (\S+) >> effects`)

// onceEach compares what the log says with what happened: nothing more often than it was called, and everything
// that is said to be done.
func (h *house) onceEach(agent string) {
	h.t.Helper()
	effects, asked, ran := h.effects(agent, "effects"), map[string]int{}, map[string]int{}
	for _, c := range h.book().audit() {
		for _, m := range keyed.FindAllStringSubmatch(c.Command, -1) {
			asked[m[1]]++
			if c.Done {
				ran[m[1]]++
			}
		}
	}
	require.NotEmpty(h.t, asked)
	for key, n := range effects {
		require.LessOrEqual(h.t, n, asked[key], "%s happened more often than it was called", key)
	}
	for key, n := range ran {
		require.GreaterOrEqual(h.t, effects[key], n, "%s is said to be done and is not", key)
	}
}

func (h *house) oneDaemon() {
	h.t.Helper()
	count := func() (n int) {
		for _, f := range h.processes() {
			if f.daemon {
				n++
			}
		}
		return n
	}
	require.Eventually(h.t, func() bool { return count() == 1 }, 5*time.Second, 10*time.Millisecond, "daemons: %v", h.processes())
}

// gone deletes an instance and looks for what it left.
func (h *house) gone(agent string) {
	h.t.Helper()
	code, _ := h.json("DELETE", "/api/instances/"+agent, nil)
	require.Equal(h.t, 200, code)
	require.Eventually(h.t, func() bool {
		code, _ := h.json("GET", "/api/instances/"+agent, nil)
		return code == 404
	}, 20*time.Second, 10*time.Millisecond)
	require.Eventually(h.t, func() bool { return len(h.processes()) == 0 && len(cgroups(agent)) == 0 && len(h.mounts()) == 0 },
		10*time.Second, 20*time.Millisecond, "left: %v %v %v", h.processes(), cgroups(agent), h.mounts())
}

// A sandbox that is killed under a tool call costs that call and nothing else.
func TestSandboxKilledInACall(t *testing.T) {
	h := newHouse(t, "")
	h.web("serve")
	agent := h.create("one")
	for n := range rounds(2) {
		line := fmt.Sprintf("before%d", n)
		answer := make(chan string, 1)
		session := h.open(agent, fmt.Sprintf("run `echo %s >> kept; sleep 60` `cat kept`", line))
		require.NotEmpty(t, session)
		require.Eventually(t, func() bool { return h.effects(agent, "kept")[line] == 1 }, 20*time.Second, 5*time.Millisecond)
		require.NotZero(t, h.strike())
		go func() { h.book().settled(40 * time.Second); answer <- "" }()
		<-answer
		b := h.book()
		results := b.rows(`SELECT CAST(data AS TEXT) FROM events WHERE kind = 'tool_result' AND session_id = '` + session + `' ORDER BY seq`)
		require.Len(t, results, 2)
		require.Contains(t, results[0][0], `"error":true`)
		require.NotContains(t, results[1][0], `"error":true`, "the second call has a fresh sandbox")
		require.Contains(t, results[1][0], line, "files are intact")
		require.Equal(t, "done", b.one(`SELECT state FROM turns WHERE session_id = '`+session+`'`))
		t.Logf("the killed call's result: %s", results[0][0])
		b.audit()
	}
	h.runs(agent)
	h.oneDaemon()
}

// SQLite is killed while it writes; what was answered is there, and the file is whole.
func TestKilledWhileWriting(t *testing.T) {
	h, roll := newHouse(t, ""), dice(t)
	p := h.web("serve")
	agent := h.create("one")
	kept := map[string]bool{}
	for range rounds(50) {
		var stop atomic.Bool
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for !stop.Load() {
					code, out := h.json("POST", "/api/agent/sessions?instance="+agent, map[string]string{"title": "written"})
					s, _ := out["session"].(map[string]any)
					if id, _ := s["id"].(string); code == 200 && id != "" {
						mu.Lock()
						kept[id] = true
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(20*time.Millisecond + time.Duration(roll.Int64N(int64(60*time.Millisecond))))
		p.kill()
		stop.Store(true)
		all.Wait()
		b := h.book()
		require.Equal(t, "ok", b.one(`PRAGMA integrity_check`))
		require.Empty(t, b.rows(`PRAGMA foreign_key_check`))
		_ = b.db.Close()
		p = h.web("serve")
	}
	there := map[string]bool{}
	for _, r := range h.book().rows(`SELECT id FROM sessions`) {
		there[r[0]] = true
	}
	for id := range kept {
		require.True(t, there[id], "an answered write is lost: %s", id)
	}
	t.Logf("%d answered writes, %d rows", len(kept), len(there))
	require.NotEmpty(t, kept)
}
