package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/gateway"
	"lobstead/engine/llm"
	"lobstead/engine/llm/connect"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/llmtest"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

const big, small = "gpt-6-sol", "gpt-5-nano"

// rig is an organization with a service that really listens, and an instance whose agent nobody runs.
type rig struct {
	*gateway.Gateway
	t       *testing.T
	sc      *models.Scope
	service *llmtest.Faulty
	box     *models.Instance
}

func newRig(t *testing.T) *rig {
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	g := &rig{t: t, sc: sc, service: llmtest.Serve(t).List(big, small)}
	g.Gateway = &gateway.Gateway{Turns: &agent.Turns{Store: store, Bus: events.Open(nil)}, Images: http.DefaultClient,
		Door: &door.Door{Connect: func(row *models.Provider, key secret.String) (llm.Provider, error) {
			return connect.New(connect.Config{Kind: connect.Kind(row.Kind), BaseURL: row.BaseURL, Key: key.Reveal, AllowPrivate: true})
		}}}
	_, err := sc.ConnectProvider(t.Context(), models.NewProvider{Kind: "openai", BaseURL: g.service.URL + "/v1", Model: big, Key: secret.Of("sk-a-key"), Private: true}, "ok")
	require.NoError(t, err)
	g.box = modelstest.Instance(t, sc, "box")
	return g
}

func say(text string) llm.Request {
	return llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: text}}}}}
}

// An answer is summed, and noted with what the caller asked for and what it came to.
func TestAnAnswerIsSummedAndNoted(t *testing.T) {
	t.Parallel()
	g := newRig(t)
	a, err := g.Begin(t.Context(), g.sc, gateway.Call{ID: "r1", Door: "openai", Model: big, Session: "s", Instance: g.box, Request: say("hi")})
	require.NoError(t, err)
	m, done, err := llm.Collect(a.Chunks(t.Context()))
	require.NoError(t, err)
	served := g.service.Calls()[0]
	require.Equal(t, []any{"Hello from " + served, served}, []any{m.Parts[0].Text, done.Model})
	s := a.Sum()
	require.Equal(t, []any{big, served, llm.Usage{Input: 10, Output: 5}, big, "named"}, []any{s.Requested, s.Served, s.Usage, s.Baseline, s.Reason})
	require.NotNil(t, s.CostNanos)
	require.Equal(t, s.BaselineNanos-*s.CostNanos, *s.SavedNanos())
	rows, err := g.sc.GatewayCalls(t.Context(), models.GatewayCallFilter{Limit: 9})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	r := rows[0]
	require.Equal(t, []any{"r1", "openai", "s", g.box.ID, big, served, "", 10, 5, *s.CostNanos, true}, []any{r.ID, r.Door, r.Session, r.InstanceID, r.Requested, r.Model, r.Error, r.InputTokens, r.OutputTokens, r.CostNanos, r.Priced})
}

// A failure is noted by its class, and a reader who leaves as one who left.
func TestFailuresAreNoted(t *testing.T) {
	t.Parallel()
	g := newRig(t)
	g.service.On(big, llmtest.BadRequest, llmtest.Fine).On(small, llmtest.BadRequest, llmtest.Fine)
	for n := range 2 {
		a, err := g.Begin(t.Context(), g.sc, gateway.Call{ID: fmt.Sprint("r", n), Model: big, Request: say("hi")})
		require.NoError(t, err)
		for _, err := range a.Chunks(t.Context()) {
			require.Equal(t, n == 0, err != nil)
			break
		}
	}
	rows, err := g.sc.GatewayCalls(t.Context(), models.GatewayCallFilter{Limit: 9})
	require.NoError(t, err)
	classes := map[string]string{}
	for _, r := range rows {
		classes[r.ID] = r.Error
	}
	require.Equal(t, map[string]string{"r0": "validation", "r1": "cancelled"}, classes)
}

// Whose agent answers: an instance's token reaches its own, a key any of its organization, and one without the right none.
func TestWhoseAgentAnswers(t *testing.T) {
	t.Parallel()
	g := newRig(t)
	other := modelstest.Instance(t, g.sc, "other")
	for name, c := range map[string]struct {
		call gateway.Call
		kind fault.Kind // of the refusal; Internal = it may
	}{
		"own":                  {gateway.Call{Model: "agent", Instance: g.box}, fault.Internal},
		"own by name":          {gateway.Call{Model: "agent:box", Instance: g.box}, fault.Internal},
		"another's":            {gateway.Call{Model: "agent:other", Instance: g.box}, fault.NotFound},
		"a key's":              {gateway.Call{Model: "agent:other", UseAgents: true}, fault.Internal},
		"a key's by id":        {gateway.Call{Model: "agent:" + other.ID, UseAgents: true}, fault.Internal},
		"nobody's":             {gateway.Call{Model: "agent:nobody", UseAgents: true}, fault.NotFound},
		"a key for models":     {gateway.Call{Model: "agent"}, fault.Forbidden},
		"no agent but a model": {gateway.Call{Model: "agents", UseAgents: true}, fault.Invalid},
	} {
		c.call.Request = say("hi")
		_, err := g.Begin(t.Context(), g.sc, c.call)
		require.Equal(t, c.kind == fault.Internal, err == nil, "%s: %v", name, err)
		if err != nil {
			require.True(t, fault.Is(err, c.kind), "%s: %v", name, err)
		}
	}
}

// An agent that calls itself, and is called by itself again, comes to an end: the calls with its own token are bounded, and
// the refusal says why. Keys are not.
func TestAnAgentThatCallsItselfIsBounded(t *testing.T) {
	t.Parallel()
	g := newRig(t)
	program := g.sc.As(models.Actor{})
	for n := range models.MaxOwnTurns + 1 {
		in := models.Input{Text: fmt.Sprint("again ", n), Source: "gateway", Own: true}
		_, _, err := g.Turns.Open(t.Context(), program, models.NewSession{InstanceID: g.box.ID}, in)
		require.Equal(t, n == models.MaxOwnTurns, err != nil, "%d: %v", n, err)
		if err != nil {
			require.True(t, fault.Is(err, fault.TooMany))
			require.Contains(t, fault.As(err).Detail, "calling itself")
		}
	}
}

// Pictures are fetched, and whatever is no picture is refused without a word about what lies there.
func TestImages(t *testing.T) {
	t.Parallel()
	png := "\x89PNG\r\n\x1a\n"
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a.png":
			_, _ = w.Write([]byte(png))
		case "/text":
			_, _ = w.Write([]byte("secret"))
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer host.Close()
	g := newRig(t)
	img, err := g.Image(t.Context(), host.URL+"/a.png")
	require.NoError(t, err)
	require.Equal(t, []any{"image/png", png}, []any{img.MediaType, string(img.Data)})
	for _, bad := range []string{host.URL + "/text", host.URL + "/forbidden", "file:///etc/passwd", "nonsense", "ftp://" + host.URL[7:] + "/a.png"} {
		_, err := g.Image(t.Context(), bad)
		require.True(t, fault.Is(err, fault.Invalid), bad)
		require.NotContains(t, err.Error(), "secret")
	}
	g.Images = nil
	_, err = g.Image(t.Context(), host.URL+"/a.png")
	require.True(t, fault.Is(err, fault.Invalid))
}

// A preview keeps below the ceiling that it is asked for, and calls nobody.
func TestPreviewKeepsBelowItsCeiling(t *testing.T) {
	t.Parallel()
	g := newRig(t)
	hard := "Please prove step by step that the algorithm terminates, analyse the trade-offs of its design, compare it with the matrix version, debug func main() { in main.go and " +
		"optimize it. Write a comprehensive report in detail, as JSON. 1. Why? 2. How? 3. When? 4. Where? 5. Who? 6. What?"
	tiers := []llm.Tier{}
	for _, ceiling := range []llm.Tier{llm.TierNano, llm.TierFlagship} {
		p, err := g.Preview(t.Context(), g.sc, gateway.Question{Prompt: hard, Ceiling: ceiling, Before: 9, Input: 100, Output: 50})
		require.NoError(t, err)
		require.NotNil(t, p.CostNanos)
		tiers = append(tiers, p.Model.Tier)
	}
	require.Equal(t, llm.TierNano, tiers[0])
	require.Greater(t, tiers[1].Rank(), tiers[0].Rank())
	require.Empty(t, g.service.Calls())
}

func TestUsageIsCutIntoGroups(t *testing.T) {
	t.Parallel()
	g := newRig(t)
	for n := range 10 {
		g.sc.NoteGatewayCall(t.Context(), models.GatewayCall{ID: fmt.Sprint("c", n), Model: []string{"a", "b"}[min(1, n/7)], InputTokens: 10, OutputTokens: 1, CostNanos: 5, Priced: n > 0,
			Streamed: n%2 == 0, Error: []string{"", "provider"}[n/9], TotalMS: int64(100 * (n + 1))})
	}
	u, err := g.Usage(t.Context(), g.sc, models.GatewayCallFilter{}, gateway.ByModel)
	require.NoError(t, err)
	require.Equal(t, []any{10, 1, 100, 10, int64(50), 1, 5, map[string]int{"provider": 1}, false},
		[]any{u.Whole.Requests, u.Whole.Errors, u.Whole.Input, u.Whole.Output, u.Whole.CostNanos, u.Whole.Unpriced, u.Whole.Streamed, u.Whole.ByClass, u.Truncated})
	require.Len(t, u.Groups, 2)
	require.Equal(t, []any{"a", 7, "b", 3}, []any{u.Groups[0].Key, u.Groups[0].Requests, u.Groups[1].Key, u.Groups[1].Requests}, "the most asked first")
	require.Equal(t, []int64{500, 900, 900}, []int64{*u.Whole.Latency(50), *u.Whole.Latency(95), *u.Whole.Latency(99)}, "of those that were answered")
	require.Nil(t, (&gateway.Tally{}).Latency(50))
}
