package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/llm"
	"lobstead/engine/llm/llmtest"
	"lobstead/engine/llm/offline"
	"lobstead/models"
)

func TestAgentMessage(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	a := w.Do(api("POST", "/api/agent/message", w.Acme.Member, `{"content":"run `+"`echo forty-two`"+`"}`))
	require.Equal(t, 200, a.Status, a.Body)
	assert.ElementsMatch(t, []string{"session_id", "nickname", "user_message_id", "assistant_message_id", "content", "selected_model", "model", "model_shift_from", "cached", "tokens_saved",
		"tokens_in", "tokens_out", "cost", "threat_score", "reduced_authority", "authority", "react_turns"}, keys(t, a.Body))
	m := a.Map()
	has(t, m["content"].(string), "forty-two")
	assert.Equal(t, []any{w.Acme.Session.ID, "Acme Canary secret plans", false, "Creator", 2.0}, []any{m["session_id"], m["nickname"], m["reduced_authority"], m["authority"], m["react_turns"]})
	for _, id := range []string{"user_message_id", "assistant_message_id"} {
		assert.Equal(t, 1, w.Count("SELECT count(*) FROM events WHERE id = ?", m[id]), id)
	}
	a = w.Do(api("POST", "/api/agent/message", w.Acme.Member, `{"content":"hello","channel":"telegram","sender_id":"7","is_group":true,"session_id":"`+w.Acme.Session.ID+`"}`))
	require.Equal(t, 200, a.Status, a.Body)
	assert.Equal(t, []any{true, "External"}, []any{a.Map()["reduced_authority"], a.Map()["authority"]})
	w.Exec("UPDATE turns SET model = 'an-older-one' WHERE session_id = ?", w.Acme.Session.ID)
	a = w.Do(api("POST", "/api/agent/message", w.Acme.Member, `{"content":"hello again"}`))
	assert.Equal(t, "an-older-one", a.Map()["model_shift_from"])
}

func TestAgentMessageRefuses(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	second := w.Running(w.Acme, "second-box")
	elsewhere, err := w.Acme.Scope.CreateSession(t.Context(), models.NewSession{InstanceID: second.ID})
	require.NoError(t, err)
	before := w.Dump(w.Acme.ID)
	for _, path := range []string{"/api/agent/message", "/api/agent/message/stream"} {
		for body, want := range map[string]struct {
			status int
			said   string
		}{
			`{}`:                {400, `{"error":"message content cannot be empty"}`},
			`{"content":" \n"}`: {400, `{"error":"message content cannot be empty"}`},
			`{"content":5}`:     {400, `{"error":"content Expected string, received number"}`},
			`{"content":"` + strings.Repeat("x", 32769) + `"}`:             {413, `{"error":"message content exceeds maximum length (32768 bytes)"}`},
			`{"content":"x","session_id":"nobody's"}`:                      {404, `{"error":"session not found"}`},
			`{"content":"x","session_id":"` + w.Rival.Session.ID + `"}`:    {404, `{"error":"session not found"}`},
			`{"content":"x","session_id":"` + elsewhere.ID + `"}`:          {403, `{"error":"session does not belong to this agent"}`},
			`{"content":"x","is_group":true}`:                              {400, `{"error":"peer_id or sender_id is required for a group"}`},
			`{"content":"x","peer_id":"` + strings.Repeat("p", 257) + `"}`: {400, `{"error":"peer_id must have at most 256 bytes and no control characters"}`},
			`{"content":"x","sender_id":"a\u0007b"}`:                       {400, `{"error":"sender_id must have at most 256 bytes and no control characters"}`},
			`{"content":"Acme Canary confidential"}`:                       {429, `{"error":"duplicate_request","reason":"identical request already in flight"}`},
		} {
			a := w.Do(api("POST", path, w.Acme.Member, body))
			assert.Equal(t, want.status, a.Status, "%s %.80s", path, body)
			assert.JSONEq(t, want.said, a.Body, "%s %.80s", path, body)
		}
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID), "a refused message changed something")
}

// Of many same messages at once one is taken; the others hear that it is being answered.
func TestAgentMessageOnce(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	results := make(chan error, 20)
	for range cap(results) {
		go func() {
			_, _, err := w.Acme.Scope.StartTurn(t.Context(), w.Acme.Session.ID, models.Input{Text: "the same", Source: "runtime-api", Once: true})
			results <- err
		}()
	}
	taken := 0
	for range cap(results) {
		if err := <-results; err == nil {
			taken++
		} else {
			assert.ErrorContains(t, err, "message.duplicate")
		}
	}
	assert.Equal(t, 1, taken)
}

// frames reads a stream's frames until its end, or until enough says so.
func frames(t *testing.T, w *apptest.World, ctx context.Context, body string, enough func(map[string]any) bool) []map[string]any {
	t.Helper()
	req := w.Request(api("POST", "/api/agent/message/stream", w.Acme.Member, body)).WithContext(ctx)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "text/event-stream; charset=utf-8", resp.Header.Get("Content-Type"))
	var out []map[string]any
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			require.False(t, strings.HasPrefix(lines.Text(), "event:"), "frames have no names")
			continue
		}
		f := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(text), &f), text)
		out = append(out, f)
		if enough != nil && enough(f) {
			return out
		}
	}
	return out
}

func TestAgentMessageStream(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	list := frames(t, w, t.Context(), `{"content":"run `+"`echo forty-two`"+`"}`, nil)
	require.GreaterOrEqual(t, len(list), 4)
	start, end := list[0], list[len(list)-1]
	assert.Equal(t, []any{"stream_start", w.Acme.Session.ID}, []any{start["type"], start["session_id"]})
	text := ""
	for n, f := range list[1 : len(list)-1] {
		assert.Equal(t, "chunk", f["type"])
		assert.Contains(t, f, "finish_reason")
		assert.Equal(t, n == len(list)-3, f["finish_reason"] == "stop", "only the last piece ends it")
		text += f["delta"].(string)
	}
	has(t, text, "forty-two")
	assert.Equal(t, []any{"stream_end", start["turn_id"], float64(len(text)), false}, []any{end["type"], end["turn_id"], end["content_length"], end["content_blocked"]})
	assert.Greater(t, end["tokens_out"], 0.0)
	turn, err := w.Acme.Scope.Turn(t.Context(), start["turn_id"].(string))
	require.NoError(t, err)
	assert.Equal(t, models.TurnDone, turn.State)
}

// lingering begins an answer and does not end it, when it is asked to linger.
type lingering struct{ llm.Provider }

func (l lingering) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	last := r.Messages[len(r.Messages)-1].Parts
	if !strings.Contains(last[len(last)-1].Text, "linger") {
		return l.Provider.Stream(ctx, r)
	}
	return func(yield func(llm.Chunk, error) bool) {
		if yield(llm.Chunk{Text: "I begin"}, nil) {
			<-ctx.Done()
			yield(llm.Chunk{}, ctx.Err())
		}
	}
}

// The client leaves: its turn is stopped, as at the gateway.
func TestAgentMessageStreamLeft(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{Model: lingering{offline.New(offline.Options{Pace: -1})}})
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	ctx, leave := context.WithCancel(t.Context())
	list := frames(t, w, ctx, `{"content":"linger"}`, func(f map[string]any) bool { return f["type"] == "chunk" })
	leave()
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	row, err := w.Acme.Scope.Turn(t.Context(), list[0]["turn_id"].(string))
	require.NoError(t, err)
	assert.Equal(t, models.TurnInterrupted, row.State)
}

// Nobody answers: before the first word it is a status of its own; whole, it is the contract's 500.
func TestAgentMessageUpstream(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{Model: llmtest.Scripted(slices.Repeat([]llmtest.Step{llmtest.Fail(llm.KindAuth, "the key is not valid")}, 20)...)})
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	a := w.Do(api("POST", "/api/agent/message/stream", w.Acme.Member, `{"content":"hello"}`))
	assert.Equal(t, 502, a.Status)
	assert.JSONEq(t, `{"error":"upstream provider error"}`, a.Body)
	a = w.Do(api("POST", "/api/agent/message", w.Acme.Member, `{"content":"hello again"}`))
	assert.Equal(t, 500, a.Status)
	assert.NotEmpty(t, a.Map()["error"])
}
