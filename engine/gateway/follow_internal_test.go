package gateway

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/kit/events"
)

// The parts of a turn are said once and in order, whatever order they come in; when another worker begins anew, what was
// said stays, and the rest comes from the log.
func TestPartsAreSaidInOrder(t *testing.T) {
	t.Parallel()
	part := func(attempt, n int, kind, text string) events.Part {
		return events.Part{Attempt: attempt, N: n, Kind: agent.PartText + "/" + kind, Text: text}
	}
	for name, c := range map[string]struct {
		parts []events.Part
		said  string
		lost  bool
	}{
		"in order":             {[]events.Part{part(1, 0, "1", "a"), part(1, 1, "1", "b")}, "ab", false},
		"out of order, twice":  {[]events.Part{part(1, 1, "1", "b"), part(1, 0, "1", "a"), part(1, 1, "1", "b"), part(1, 0, "1", "a")}, "ab", false},
		"a step is a new line": {[]events.Part{part(1, 0, "1", "a"), part(1, 1, "2", "b")}, "a\n\nb", false},
		"no words":             {[]events.Part{{Attempt: 1, N: 0, Kind: "thinking/1", Text: "x"}, part(1, 1, "1", "a")}, "a", false},
		"begun anew in time":   {[]events.Part{{Attempt: 1, N: 0, Kind: "thinking/1", Text: "x"}, part(2, 0, "1", "a")}, "a", false},
		"begun anew too late":  {[]events.Part{part(1, 0, "1", "a"), part(2, 0, "1", "a"), part(2, 1, "1", "b")}, "a", true},
		"of an earlier worker": {[]events.Part{part(2, 0, "1", "a"), part(1, 1, "1", "z")}, "a", false},
	} {
		out := ""
		f := &follower{Telling: &Telling{}, waiting: map[int]events.Part{}, yield: func(c llm.Chunk, _ error) bool { out += c.Text; return true }}
		for _, p := range c.parts {
			require.NoError(t, f.take(p), name)
		}
		require.Equal(t, []any{c.said, c.lost}, []any{out, f.lost}, name)
	}
	f := &follower{Telling: &Telling{}, waiting: map[int]events.Part{}, yield: func(llm.Chunk, error) bool { return true }}
	for n := range earlyParts + 1 {
		require.NoError(t, f.take(part(1, n+1, "1", "x")))
	}
	require.True(t, f.lost, "the first one will not come any more")
	f = &follower{Telling: &Telling{}, waiting: map[int]events.Part{}, yield: func(llm.Chunk, error) bool { return false }}
	require.ErrorIs(t, f.take(part(1, 0, "1", "a")), errLeft)
}

// A session hears only what is new; one of its own hears the whole conversation.
func TestWhatAnAgentIsTold(t *testing.T) {
	t.Parallel()
	text := func(r llm.Role, s string) llm.Message {
		return llm.Message{Role: r, Parts: []llm.Part{{Text: s}}}
	}
	r := llm.Request{System: "Be brief.", Messages: []llm.Message{text(llm.User, "one"), text(llm.Assistant, "two"), text(llm.User, "three"),
		{Role: llm.User, Parts: []llm.Part{{Text: "four"}, {Image: &llm.Image{MediaType: "image/png", Data: []byte("x")}}}}}}
	whole, files := message(r, true)
	require.Equal(t, "Instructions:\nBe brief.\n\nThe conversation so far:\n\nUser: one\n\nAssistant: two\n\nWhat is asked now:\n\nthree\n\nfour", whole)
	require.Equal(t, []any{1, "image-1.png", "image/png"}, []any{len(files), files[0].Name, files[0].MediaType})
	news, _ := message(r, false)
	require.Equal(t, "Instructions:\nBe brief.\n\nthree\n\nfour", news)
	last, _ := message(llm.Request{Messages: r.Messages[:2]}, false)
	require.Equal(t, "Continue.", last)
}
