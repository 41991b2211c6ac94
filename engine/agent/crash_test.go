package agent_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/kit/clock"
	"lobstead/kit/events"
	"lobstead/models"
)

// counting is a model that counts once, and answers when it has a result.
func counting(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
	if _, result := lastUser(r); result != nil {
		emit(text("all "))
		emit(text("done"))
		return nil
	}
	emit(text("I count."))
	emit(call("c1", "bash", `{"command":"count k"}`))
	return nil
}

// A worker that dies at any point leaves a log from which another one goes on: nothing is lost, nothing is
// doubled, and a call is never run twice.
func TestTakeoverAtEveryCrashPoint(t *testing.T) {
	for _, point := range agent.CrashPoints {
		t.Run(point, func(t *testing.T) {
			now := clock.NewFake(time.Now())
			g := newRigAt(t, now, counting)
			var dead atomic.Bool
			died := make(chan struct{})
			g.config = func(c *agent.Config) {
				c.Crash = func(p string) {
					if p == point && !dead.Swap(true) {
						close(died)
						runtime.Goexit() // no deferred write reaches the database, as after a kill
					}
				}
			}
			stop := g.run("a")
			turn := g.start("go")
			wait(t, died)
			stop()
			now.Add(models.TurnLease + time.Second)
			g.run("b")
			turn = g.await(turn)
			require.Equal(t, models.TurnDone, turn.State, turn.Reason)
			log := g.log()
			results := of[models.ToolResult](t, log)
			require.Len(t, results, 1)
			ran := slices.Contains([]string{agent.CrashCalls, agent.CrashRan}, point)
			require.Equal(t, ran, results[0].Interrupted)
			if ran {
				require.Contains(t, results[0].Output, "nobody knows how far it got")
			}
			require.LessOrEqual(t, g.boxes.effects["k"], 1, "never twice")
			if point != agent.CrashCalls {
				require.Equal(t, 1, g.boxes.effects["k"])
			}
			said := of[models.AssistantMessage](t, log)
			require.Len(t, said, 2)
			require.Equal(t, "all done", said[1].Text)
		})
	}
}

func TestTakenOverStopEnds(t *testing.T) {
	now := clock.NewFake(time.Now())
	g := newRigAt(t, now, counting)
	turn := g.start("go")
	_, lease, err := g.sc.ClaimTurn(t.Context(), turn.ID, "dead")
	require.NoError(t, err)
	_, err = g.sc.AppendTurn(t.Context(), lease, models.TurnProgress{}, models.ToolCall{CallID: "c", Tool: "bash", Input: []byte(`{}`), Step: 1})
	require.NoError(t, err)
	_, err = g.turns.Stop(t.Context(), g.sc, turn.ID)
	require.NoError(t, err)
	now.Add(models.TurnLease + time.Second)
	g.run("b")
	turn = g.await(turn)
	require.Equal(t, models.TurnInterrupted, turn.State)
	require.Equal(t, "Stopped by Owner of Acme", turn.Reason)
	require.True(t, of[models.ToolResult](t, g.log())[0].Interrupted)
	require.Empty(t, g.model.asked())
}

// A worker that was frozen while its turn was taken over writes nothing any more, and its command is killed.
func TestZombieIsRefused(t *testing.T) {
	g := newRig(t, func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		if _, result := lastUser(r); result != nil {
			emit(text("from " + result.Content))
			return nil
		}
		emit(call("c1", "bash", `{"command":"wait x"}`))
		return nil
	})
	g.run("a")
	turn := g.start("go")
	wait(t, g.boxes.running)
	lease := models.Lease{TurnID: turn.ID, SessionID: turn.SessionID, Attempt: 1}
	row, err := g.sc.Turn(t.Context(), turn.ID)
	require.NoError(t, err)
	lease.Owner = row.LeaseOwner
	require.NoError(t, g.sc.ReleaseTurn(t.Context(), lease)) // as if the lease had run out
	_, second, err := g.sc.ClaimTurn(t.Context(), turn.ID, "other")
	require.NoError(t, err)
	_, err = g.sc.AppendTurn(t.Context(), lease, models.TurnProgress{}, models.Notice{Text: "zombie"})
	require.ErrorIs(t, err, models.ErrLeaseLost)
	for range 5 { // the worker notices at its next heartbeat; meanwhile the other one keeps its lease
		time.Sleep(60 * time.Millisecond)
		_, err = g.sc.Heartbeat(t.Context(), second)
		require.NoError(t, err)
	}
	log := g.log2()
	require.Equal(t, []models.EventKind{models.KindUser, models.KindCall}, kinds(log), "the first worker wrote nothing more")
	require.NoError(t, g.sc.ReleaseTurn(t.Context(), second))
	require.Equal(t, models.TurnDone, g.await(turn).State)
	require.True(t, of[models.ToolResult](t, g.log())[0].Interrupted)
}

// log2 reads the log of a turn that is under way: a call may be open.
func (g *rig) log2() []models.Event {
	log, err := g.sc.Events(g.t.Context(), g.session.ID, 0, 0)
	require.NoError(g.t, err)
	return log
}

func TestDrainReleasesAndTheNextResumes(t *testing.T) {
	g := newRig(t, func(ctx context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		words, result := lastUser(r)
		switch {
		case result != nil:
			emit(text("resumed: " + result.Content))
		case words == "tool":
			emit(call("c1", "bash", `{"command":"wait x"}`))
		default:
			emit(text("long"))
			if len(g0(r)) == 1 {
				g0n <- struct{}{}
				<-ctx.Done()
				return errors.New("cut")
			}
		}
		return nil
	})
	g.config = func(c *agent.Config) { c.Grace = 800 * time.Millisecond }
	stop := g.run("a")
	other := g.newSession()
	one, two := g.start("tool"), g.startIn(other.ID, "stream")
	wait(t, g.boxes.running)
	wait(t, g0n)
	from := time.Now()
	stop()
	require.Less(t, time.Since(from), 2*time.Second)
	for _, turn := range []*models.Turn{one, two} {
		row, err := g.sc.Turn(t.Context(), turn.ID)
		require.NoError(t, err)
		require.Equal(t, models.TurnRunning, row.State)
		require.Empty(t, row.LeaseOwner)
	}
	g.model.mu.Lock()
	g.model.answer = counting
	g.model.mu.Unlock()
	g.run("b")
	require.Equal(t, models.TurnDone, g.await(one).State)
	require.Equal(t, models.TurnDone, g.await(two).State)
	results := of[models.ToolResult](t, g.log())
	require.Len(t, results, 1)
	require.Contains(t, results[0].Output, "the server is restarting")
	require.Equal(t, 3, results[0].Killed)
	for _, m := range of[models.AssistantMessage](t, g.logOf(other.ID)) {
		require.NotEqual(t, "long", m.Text, "the cut step is asked again, not kept half")
	}
}

var g0n = make(chan struct{}, 1)

func g0(r llm.Request) []llm.Message { return r.Messages }

func TestFlushedRedisLosesNothing(t *testing.T) {
	m := miniredis.NewMiniRedis()
	require.NoError(t, m.StartAddr("127.0.0.1:0"))
	t.Cleanup(m.Close)
	rdb := redis.NewClient(&redis.Options{Addr: m.Addr()})
	g := newRig(t, func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		if _, result := lastUser(r); result != nil {
			emit(text("through"))
			return nil
		}
		emit(call("c1", "bash", `{"command":"wait x"}`))
		return nil
	})
	g.bus = events.Open(rdb)
	g.turns.Bus = g.bus
	stop := g.run("a")
	turn, second := g.start("go"), g.start("next")
	wait(t, g.boxes.running)
	m.FlushAll()
	close(g.boxes.release)
	require.Equal(t, models.TurnDone, g.await(turn).State)
	m.Close() // and without any Redis at all
	require.Equal(t, models.TurnDone, g.await(second).State)
	require.Equal(t, models.TurnDone, g.await(g.start("third")).State)
	stop()
	g.bus.Close()
	_ = rdb.Close()
	g.log()
}

func TestBurstEndsOnce(t *testing.T) {
	const sessions, each = 20, burstEach
	g := newRig(t, func(_ context.Context, _ int, _ llm.Request, emit func(llm.Chunk) bool) error {
		emit(text("ok"))
		return nil
	})
	g.run("a")
	g.run("b") // two processes compete
	var all []*models.Session
	for range sessions {
		all = append(all, g.newSession())
	}
	from := time.Now()
	var turns []*models.Turn
	for n := range each {
		for _, s := range all {
			turns = append(turns, g.startIn(s.ID, "message "+itoa(n%10)))
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, turn := range turns {
		end, err := g.turns.Await(ctx, g.sc, turn.ID)
		require.NoError(t, err)
		require.Equal(t, models.TurnDone, end.State, end.Reason)
	}
	t.Logf("%d turns in %s", len(turns), time.Since(from))
	for _, s := range all {
		require.Len(t, of[models.TurnEnded](t, g.logOf(s.ID)), each)
	}
}

func TestSandboxKilledDuringACall(t *testing.T) {
	t.Run("gone", func(t *testing.T) { killedDuringACall(t, false) })
	t.Run("on its way out", func(t *testing.T) { killedDuringACall(t, true) })
}

func killedDuringACall(t *testing.T, lingers bool) {
	g := newRig(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
		switch n {
		case 0:
			emit(call("c0", "write_file", `{"path":"keep.txt","content":"kept"}`))
			emit(call("c1", "bash", `{"command":"wait x"}`))
		case 1:
			emit(call("c2", "read_file", `{"path":"keep.txt"}`))
		default:
			emit(text("survived"))
		}
		return nil
	})
	g.boxes.lingers = lingers
	g.run("a")
	turn := g.start("go")
	wait(t, g.boxes.running)
	require.NoError(t, g.boxes.Stop(t.Context(), g.inst.ID))
	require.Equal(t, models.TurnDone, g.await(turn).State)
	log := g.log()
	results := of[models.ToolResult](t, log)
	require.True(t, results[1].Error)
	require.Contains(t, results[1].Output, "the sandbox stopped while this ran")
	require.Contains(t, results[2].Output, "kept")
	require.Contains(t, of[models.Notice](t, log)[0].Text, "a fresh one was started")
	require.Equal(t, 2, g.boxes.starts)
}
