package chaostest

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
)

// Web and workers are processes of their own. A worker freezes for ten seconds in the middle of a turn: another
// one takes the turn over, and what the frozen one writes when it thaws is refused.
func TestWorkerFreezes(t *testing.T) {
	h := newHouse(t, "", "DATABASE_URL="+testservices.Postgres(t), "REDIS_URL="+testservices.Redis(t))
	h.web("web")
	first := h.launch("worker")
	agent := h.create("one")
	require.Contains(t, h.chat(agent, "run `echo apart`"), "apart")

	session := h.open(agent, "run `echo z-a >> effects; sleep 2; echo z-b >> effects`, then run `echo z-c >> effects`")
	require.NotEmpty(t, session)
	b := h.book()
	require.Eventually(t, func() bool { return h.effects(agent, "effects")["z-a"] == 1 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, first.cmd.Process.Signal(syscall.SIGSTOP))
	frozen := time.Now()
	second := h.launch("worker")
	b.settled(40 * time.Second)
	t.Logf("taken over and ended %s after the freeze", time.Since(frozen))
	before := b.rows(`SELECT id, state, CAST(attempt AS TEXT), reason, lease_owner FROM turns ORDER BY id`)
	log := b.one(`SELECT CAST(COUNT(*) AS TEXT) FROM events`)
	time.Sleep(time.Until(frozen.Add(10 * time.Second)))
	require.NoError(t, first.cmd.Process.Signal(syscall.SIGCONT))
	time.Sleep(2 * time.Second)
	require.Equal(t, before, b.rows(`SELECT id, state, CAST(attempt AS TEXT), reason, lease_owner FROM turns ORDER BY id`), "the frozen worker wrote")
	require.Equal(t, log, b.one(`SELECT CAST(COUNT(*) AS TEXT) FROM events`))
	require.Equal(t, "2", b.one(`SELECT CAST(attempt AS TEXT) FROM turns WHERE session_id = '`+session+`'`))
	b.audit()
	h.onceEach(agent)
	require.Equal(t, 1, h.effects(agent, "effects")["z-a"])

	// Killed for good: the other one carries on alone, with a sandbox of its own.
	first.kill()
	require.Eventually(t, func() bool {
		code, out := h.json("POST", "/api/agent/chat?instance="+agent, map[string]string{"message": "run `cat effects`"})
		text, _ := out["response"].(string)
		return code == 200 && strings.Contains(text, "z-a")
	}, 40*time.Second, 100*time.Millisecond)
	require.True(t, second.running())
	h.oneDaemon()
}
