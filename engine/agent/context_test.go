package agent_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/models"
)

func event(t testing.TB, seq int64, turn string, d models.EventData) models.Event {
	data, err := json.Marshal(d)
	require.NoError(t, err)
	return models.Event{ID: fmt.Sprint("e", seq), Seq: seq, TurnID: &turn, Kind: d.EventKind(), Data: string(data)}
}

// anyLog draws a log with whatever may stand in one, and with what should not: results without calls, calls
// without results, ids that come twice.
func anyLog(t *rapid.T, tb testing.TB) []models.Event {
	var log []models.Event
	n := rapid.IntRange(0, 40).Draw(t, "n")
	for seq := range n {
		turn := rapid.SampledFrom([]string{"t1", "t2", "t3"}).Draw(t, "turn")
		id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
		words := rapid.SampledFrom([]string{"", "x", "some words"}).Draw(t, "words")
		d := rapid.SampledFrom([]models.EventData{
			models.UserMessage{Text: words}, models.AssistantMessage{Text: words}, models.Thinking{Text: words, Signature: words},
			models.ToolCall{CallID: id, Tool: "bash", Input: []byte(`{}`)}, models.ToolResult{CallID: id, Tool: "bash", Output: words},
			models.Notice{Text: words}, models.Compacted{Through: 1}, models.TurnEnded{State: models.TurnInterrupted},
		}).Draw(t, "data")
		log = append(log, event(tb, int64(seq+1), turn, d))
	}
	return log
}

func checkMessages(t require.TestingT, ms []llm.Message) {
	for i, m := range ms {
		require.NotEmpty(t, m.Parts)
		if i == 0 {
			require.Equal(t, llm.User, m.Role, "the user speaks first")
		} else {
			require.NotEqual(t, ms[i-1].Role, m.Role, "roles alternate")
		}
		var calls []string
		for _, p := range m.Parts {
			if p.Call != nil {
				require.NotContains(t, calls, p.Call.ID)
				calls = append(calls, p.Call.ID)
			}
			require.False(t, p.Result != nil && m.Role == llm.Assistant)
		}
		var results []string
		if i+1 < len(ms) {
			for j, p := range ms[i+1].Parts {
				if p.Result != nil {
					require.Equal(t, j, len(results), "results come first")
					results = append(results, p.Result.CallID)
				}
			}
		}
		if m.Role == llm.Assistant {
			require.Equal(t, calls, results, "each call has one result right after")
		}
	}
}

func TestAnyLogBecomesAValidConversation(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log := anyLog(rt, t)
		waits := map[string]bool{"t3": rapid.Bool().Draw(rt, "waits")}
		ms, err := agent.Assemble(log, waits, "t2")
		require.NoError(rt, err)
		checkMessages(rt, ms)
		normal := llm.Normalize(ms)
		checkMessages(rt, normal)
		require.Equal(rt, late(ms), late(normal), "what we assemble needs no repair")
	})
}

func late(ms []llm.Message) (n int) {
	for _, words := range flat(llm.Request{Messages: ms}) {
		if strings.HasPrefix(words, "(Late result") {
			n++
		}
	}
	return n
}

// A compaction never lets a call go without its result, and hides nothing that it does not summarize.
func TestCompactionKeepsPairs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		log := plausibleLog(rt, t)
		n := rapid.IntRange(0, 6).Draw(rt, "blocks")
		hidden, through := agent.Border(log, nil, "current", n)
		calls := map[string]bool{}
		for _, e := range log {
			if e.Seq <= through {
				require.True(rt, slices.Contains(hidden, e.Seq) || e.Kind == models.KindUser, "seq %d vanished unsummarized", e.Seq)
				require.False(rt, *e.TurnID == "current" && e.Kind != models.KindUser)
				continue
			}
			switch e.Kind {
			case models.KindCall:
				calls[*e.TurnID] = true
			case models.KindResult:
				require.True(rt, calls[*e.TurnID], "the call of seq %d is hidden", e.Seq)
			}
		}
	})
}

// plausibleLog draws what really happens: turns one after the other, with messages that arrive and are
// stopped while another turn runs.
func plausibleLog(rt *rapid.T, t testing.TB) []models.Event {
	var log []models.Event
	put := func(turn string, d models.EventData) { log = append(log, event(t, int64(len(log)+1), turn, d)) }
	turns := []string{"a", "b", "c", "current"}
	asked := map[string]bool{}
	ask := func(turn string) {
		if !asked[turn] {
			asked[turn] = true
			put(turn, models.UserMessage{Text: "do " + turn})
		}
	}
	for i, turn := range turns {
		ask(turn)
		for step := range rapid.IntRange(0, 3).Draw(rt, "steps") {
			put(turn, models.ToolCall{CallID: fmt.Sprint(step), Tool: "bash", Input: []byte(`{}`)})
			switch rapid.IntRange(0, 3).Draw(rt, "meanwhile") {
			case 0:
				ask(turns[min(i+1, 3)])
			case 1:
				stopped := fmt.Sprintf("s%d", len(log))
				put(stopped, models.UserMessage{Text: "never"})
				put(stopped, models.TurnEnded{State: models.TurnInterrupted})
			}
			put(turn, models.ToolResult{CallID: fmt.Sprint(step), Tool: "bash", Output: "x"})
		}
		if turn != "current" {
			put(turn, models.AssistantMessage{Text: "done " + turn, Final: true})
			put(turn, models.TurnEnded{State: models.TurnDone})
		}
	}
	return log
}

func TestLaterMessagesAreNotSeen(t *testing.T) {
	log := []models.Event{
		event(t, 1, "one", models.UserMessage{Text: "first"}), event(t, 2, "one", models.ToolCall{CallID: "a", Tool: "bash", Input: []byte(`{}`)}),
		event(t, 3, "two", models.UserMessage{Text: "second"}), event(t, 4, "one", models.ToolResult{CallID: "a", Output: "r"}),
	}
	ms, err := agent.Assemble(log, map[string]bool{"two": true}, "one")
	require.NoError(t, err)
	require.Equal(t, []string{"first", "call", "result"}, flat(llm.Request{Messages: ms}))
	log = append(log, event(t, 5, "one", models.AssistantMessage{Text: "answer"}))
	ms, err = agent.Assemble(log, nil, "two")
	require.NoError(t, err)
	require.Equal(t, []string{"first", "call", "result", "answer", "second"}, flat(llm.Request{Messages: ms}))
}
