package agent_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/offline"
	"lobstead/engine/sandbox/hands"
	"lobstead/engine/sandbox/process"
	"lobstead/kit/events"
	"lobstead/models"
)

// The test binary is also the daemon of the real sandboxes. gorm's statement cache never ends its goroutine.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "hands" {
		os.Exit(hands.Main(os.Args[2:]))
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

func realBox(t testing.TB, g *rig) *process.Driver {
	dir, err := os.MkdirTemp("", "agent") // a socket's path must be short
	require.NoError(t, err)
	d, err := process.New(process.Config{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = d.Destroy(context.Background(), g.inst.ID)
		_ = d.Close()
		_ = os.RemoveAll(filepath.Clean(dir))
	})
	g.driver = d
	return d
}

// The offline model runs a real command in a real sandbox.
func TestRealSandbox(t *testing.T) {
	g := newRig(t, nil)
	realBox(t, g)
	g.door = &door.Door{Offline: offline.New(offline.Options{})}
	g.run("a")
	turn := g.await(g.start("run `echo made > f.txt; cat f.txt`"))
	require.Equal(t, models.TurnDone, turn.State, turn.Reason)
	results := of[models.ToolResult](t, g.log())
	require.Len(t, results, 1)
	require.Equal(t, "made\n", results[0].Output)
	answer, err := g.turns.Answer(t.Context(), g.sc, turn.ID)
	require.NoError(t, err)
	require.Contains(t, answer.Text, "made")
}

// Stop kills the process tree in the sandbox; a sandbox that is killed comes back with its files.
func TestRealStopAndLoss(t *testing.T) {
	began := make(chan struct{}, 4)
	g := newRig(t, func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		words, result := lastUser(r)
		switch {
		case words == "stop" && result == nil:
			emit(call("c1", "bash", `{"command":"echo kept > keep; sleep 60 & echo on; sleep 60; wait"}`))
			began <- struct{}{}
		case words == "lose" && (result == nil || result.CallID == "c1"):
			emit(call("c2", "bash", `{"command":"echo on; sleep 60"}`))
			began <- struct{}{}
		case result != nil && result.CallID == "c2":
			emit(call("c3", "bash", `{"command":"cat keep"}`))
		default:
			emit(text("done"))
		}
		return nil
	})
	d := realBox(t, g)
	g.run("a")
	turn := g.start("stop")
	wait(t, began)
	printed(t, g, turn)
	from := time.Now()
	_, err := g.turns.Stop(t.Context(), g.sc, turn.ID)
	require.NoError(t, err)
	turn = g.await(turn)
	t.Logf("stopped in %s", time.Since(from))
	require.Equal(t, models.TurnInterrupted, turn.State)
	r := of[models.ToolResult](t, g.log())[0]
	require.True(t, r.Interrupted, r.Output)
	require.Positive(t, r.Killed)

	turn = g.start("lose")
	wait(t, began)
	printed(t, g, turn)
	require.NoError(t, d.Stop(t.Context(), g.inst.ID))
	turn = g.await(turn)
	require.Equal(t, models.TurnDone, turn.State, turn.Reason)
	results := of[models.ToolResult](t, g.log())
	require.Len(t, results, 3)
	require.Contains(t, results[1].Output, "the sandbox stopped while this ran")
	require.Equal(t, "kept\n", results[2].Output, "the next call waits for a sandbox that is still stopping, and has a fresh one")
}

// printed waits for a command's first live output.
func printed(t *testing.T, g *rig, turn *models.Turn) {
	require.Eventually(t, func() bool {
		ps, _ := g.bus.Parts(t.Context(), turn.ID, 1)
		return slices.ContainsFunc(ps, func(p events.Part) bool { return strings.HasPrefix(p.Kind, "output/") })
	}, 15*time.Second, 5*time.Millisecond)
}

func BenchmarkRealToolRoundTrip(b *testing.B) {
	g := newRig(b, nil)
	realBox(b, g)
	toolRoundTrip(b, g)
}
