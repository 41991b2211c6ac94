package agent_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/engine/skills"
	"lobstead/models"
)

func offered(r llm.Request, tool string) bool {
	for _, t := range r.Tools {
		if t.Name == tool {
			return true
		}
	}
	return false
}

// A skill that is switched off while a turn runs: the call that was under way is not run, and the next step offers it no more.
func TestSkillSwitchedOffInMidTurn(t *testing.T) {
	var g *rig
	var before, after llm.Request
	g = newRig(t, func(ctx context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		if n == 0 {
			before = r
			if _, err := skills.Switch(ctx, g.sc, g.inst.ID, "shell", false); err != nil {
				return err
			}
			emit(call("c", "bash", `{"command":"echo forty-two"}`))
			return nil
		}
		after = r
		emit(text("done"))
		return nil
	})
	g.run("a")
	require.Equal(t, models.TurnDone, g.await(g.start("go")).State)
	result := of[models.ToolResult](t, g.log())[0]
	require.True(t, result.Error)
	require.Contains(t, result.Output, "bash is switched off for this instance")
	require.True(t, offered(before, "bash"))
	require.Contains(t, before.System, "Tools: bash, ")
	require.False(t, offered(after, "bash"))
	require.NotContains(t, after.System, "bash, ")
	require.True(t, offered(after, "read_file"), "the others stay")
}

// Pages of other hosts than those that were allowed are not asked for, redirects included.
func TestFetchKeepsToAllowedHosts(t *testing.T) {
	asked := map[string]int{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		if r.URL.Path == "/away" {
			http.Redirect(w, r, strings.Replace("http://"+r.Host, "127.0.0.1", "localhost", 1)+"/secret", http.StatusFound)
			return
		}
		_, _ = w.Write([]byte("hello"))
	}))
	defer s.Close()
	client := s.Client()
	defer client.CloseIdleConnections()
	u, err := url.Parse(s.URL)
	require.NoError(t, err)
	elsewhere := "http://localhost:" + u.Port()
	calls := []string{s.URL + "/page", elsewhere + "/other", s.URL + "/away"}
	g := newRig(t, func(_ context.Context, n int, _ llm.Request, emit func(llm.Chunk) bool) error {
		if n < len(calls) {
			emit(call("c"+string(rune('a'+n)), "fetch_url", `{"url":"`+calls[n]+`"}`))
			return nil
		}
		emit(text("done"))
		return nil
	})
	_, err = skills.Configure(t.Context(), g.sc, g.inst.ID, "web", map[string]string{skills.AllowedHosts: "127.0.0.1"})
	require.NoError(t, err)
	g.config = func(c *agent.Config) { c.Fetch = client }
	g.run("a")
	require.Equal(t, models.TurnDone, g.await(g.start("go")).State)
	r := of[models.ToolResult](t, g.log())
	require.Contains(t, r[0].Output, "hello")
	for _, refused := range r[1:] {
		require.True(t, refused.Error)
		require.Contains(t, refused.Output, "localhost is not among the hosts that this instance may read: 127.0.0.1")
	}
	require.Equal(t, map[string]int{"/page": 1, "/away": 1}, asked)
}
