package agent_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/provision"
	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/events"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// rig is one organization with one instance and one session, a bus, and whatever runners a test starts.
type rig struct {
	t       testing.TB
	store   *models.Store
	bus     *events.Bus
	boxes   *boxes
	driver  sandbox.Driver
	model   *scripted
	door    *door.Door
	turns   *agent.Turns
	sc      *models.Scope
	inst    *models.Instance
	session *models.Session
	clock   clock.Clock
	config  func(*agent.Config)
}

func newRig(t testing.TB, answer func(ctx context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error) *rig {
	return newRigAt(t, clock.Real, answer)
}

func newRigAt(t testing.TB, c clock.Clock, answer func(ctx context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error) *rig {
	g := &rig{t: t, clock: c, store: modelstest.NewAt(t, c), bus: events.Open(nil), boxes: newBoxes(), model: &scripted{answer: answer}}
	g.driver = g.boxes
	g.door = &door.Door{Offline: g.model, Clock: c}
	g.turns = &agent.Turns{Store: g.store, Bus: g.bus}
	g.sc, _ = modelstest.Found(t, g.store, "Acme")
	g.inst = modelstest.Instance(t, g.sc, "one")
	g.session = g.newSession()
	return g
}

func (g *rig) newSession() *models.Session {
	s, err := g.sc.CreateSession(g.t.Context(), models.NewSession{InstanceID: g.inst.ID})
	require.NoError(g.t, err)
	return s
}

// run starts a runner; stop drains it.
func (g *rig) run(node string) (stop func()) {
	c := agent.Config{Store: g.store, Bus: g.bus, Driver: g.driver, Spec: provision.Spec, Door: g.door, Node: node, Workers: 32, Sweep: 200 * time.Millisecond,
		Heartbeat: 200 * time.Millisecond, Clock: g.clock, Grace: 4 * time.Second, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if testing.Verbose() {
		c.Log = slog.Default()
	}
	if g.config != nil {
		g.config(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = agent.New(c).Run(ctx) }()
	stop = func() { cancel(); <-done }
	g.t.Cleanup(stop)
	return stop
}

func (g *rig) start(words string) *models.Turn {
	g.t.Helper()
	return g.startIn(g.session.ID, words)
}

func (g *rig) startIn(session, words string, files ...models.Upload) *models.Turn {
	g.t.Helper()
	turn, _, err := g.turns.Start(g.t.Context(), g.sc, session, models.Input{Text: words, Source: "test", Attachments: files})
	require.NoError(g.t, err)
	return turn
}

func (g *rig) await(turn *models.Turn) *models.Turn {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 30*time.Second)
	defer cancel()
	out, err := g.turns.Await(ctx, g.sc, turn.ID)
	require.NoError(g.t, err)
	return out
}

func (g *rig) log() []models.Event {
	g.t.Helper()
	return g.logOf(g.session.ID)
}

// logOf reads a session's log and checks what holds for every log.
func (g *rig) logOf(session string) []models.Event {
	g.t.Helper()
	log, err := g.sc.Events(g.t.Context(), session, 0, 0)
	require.NoError(g.t, err)
	answered, ended := map[string]int{}, map[string]int{}
	for i, e := range log {
		require.EqualValues(g.t, i+1, e.Seq, "gapless")
		switch e.Kind {
		case models.KindCall:
			answered[*e.TurnID+decode[models.ToolCall](g.t, e).CallID] += 0
		case models.KindResult:
			key := *e.TurnID + decode[models.ToolResult](g.t, e).CallID
			require.Contains(g.t, answered, key, "a result comes after its call")
			answered[key]++
		case models.KindEnded:
			ended[*e.TurnID]++
			require.Equal(g.t, 1, ended[*e.TurnID], "a turn ends once")
		}
	}
	for key, n := range answered {
		require.Equal(g.t, 1, n, "call %s has one result", key)
	}
	return log
}

func kinds(log []models.Event) []models.EventKind {
	out := []models.EventKind{}
	for _, e := range log {
		out = append(out, e.Kind)
	}
	return out
}

func decode[T models.EventData](t testing.TB, e models.Event) T {
	t.Helper()
	d, err := models.Decode[T](e)
	require.NoError(t, err)
	return d
}

func of[T models.EventData](t testing.TB, log []models.Event) []T {
	t.Helper()
	var zero T
	out := []T{}
	for _, e := range log {
		if e.Kind == zero.EventKind() {
			out = append(out, decode[T](t, e))
		}
	}
	return out
}

func wait[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(15 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
