package connect_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/connect"
	"lobstead/kit/fault"
)

func key() string { return "k" }

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for name, c := range map[string]connect.Config{
		"kind": {Kind: "x"}, "no key": {Kind: connect.OpenAI}, "no base": {Kind: connect.Compatible}, "scheme": {Kind: connect.Compatible, BaseURL: "ftp://x"},
		"user": {Kind: connect.Compatible, BaseURL: "https://u:p@x/v1"}, "query": {Kind: connect.Compatible, BaseURL: "https://x/v1?key=1"}, "host": {Kind: connect.Compatible, BaseURL: "https:///v1"},
	} {
		_, err := connect.New(c)
		require.True(t, fault.Is(err, fault.Invalid), name)
	}
	for _, k := range append(connect.Kinds, connect.Offline) {
		p, err := connect.New(connect.Config{Kind: k, Key: key, BaseURL: map[bool]string{true: "https://x/v1"}[k == connect.Compatible]})
		require.NoError(t, err, k)
		require.Equal(t, string(k), p.Name())
	}
}

// A member's base URL stays public; the operator's may be private; metadata is out of reach for both.
func TestPrivateBaseURLs(t *testing.T) {
	hits := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits++
		_, _ = w.Write([]byte(`{"data":[{"id":"llama"}]}`))
	}))
	defer s.Close()
	models := func(c connect.Config) error {
		p, err := connect.New(c)
		require.NoError(t, err)
		_, err = p.Models(context.Background())
		return err
	}
	for _, k := range []connect.Kind{connect.Compatible, connect.Ollama, connect.Anthropic, connect.Gemini} {
		require.ErrorContains(t, models(connect.Config{Kind: k, Key: key, BaseURL: s.URL}), "not allowed")
	}
	require.Zero(t, hits)
	require.NoError(t, models(connect.Config{Kind: connect.Compatible, BaseURL: s.URL, AllowPrivate: true}))
	require.Equal(t, 1, hits)
	require.ErrorContains(t, models(connect.Config{Kind: connect.Compatible, BaseURL: "http://169.254.169.254", AllowPrivate: true}), "metadata")
}

func environment(m map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := m[k]; return v, ok }
}

func TestFromEnvironment(t *testing.T) {
	require.Empty(t, connect.FromEnvironment(environment(nil)))
	env := map[string]string{"OPENAI_API_KEY": "o", "ANTHROPIC_API_KEY": "a", "GEMINI_API_KEY": "g", "OPENROUTER_API_KEY": "r", "OLLAMA_HOST": "0.0.0.0", "GOOGLE_API_KEY": "gg"}
	found := connect.FromEnvironment(environment(env))
	var kinds []string
	for _, f := range found {
		kinds = append(kinds, string(f.Kind)+":"+f.Model)
		_, err := connect.New(f.Config)
		require.NoError(t, err)
	}
	require.Equal(t, "anthropic:claude-sonnet-5 openai:gpt-6-sol gemini:gemini-3.8-flash openrouter:anthropic/claude-sonnet-5 ollama:", strings.Join(kinds, " "))
	env["OPENAI_API_KEY"] = "rotated"
	require.Equal(t, "rotated", found[1].Key(), "the key is read at each request")
	require.False(t, found[1].AllowPrivate)
	env["OPENAI_BASE_URL"] = "http://10.0.0.9:8000/v1"
	f := connect.FromEnvironment(environment(map[string]string{"OPENAI_API_KEY": " x ", "OPENAI_BASE_URL": "http://10.0.0.9:8000/v1", "ANTHROPIC_API_KEY": " "}))
	require.Len(t, f, 1)
	require.Equal(t, connect.Compatible, f[0].Kind)
	require.Empty(t, f[0].Model)
	require.True(t, f[0].AllowPrivate)
}

func TestOllamaHostSpellings(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			_, _ = w.Write([]byte(`{"data":[{"id":"nomic-embed-text"},{"id":"llama3.2"}]}`))
		}
	})}}
	s.Start()
	defer s.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, h := range []string{"127.0.0.1:" + port, "0.0.0.0:" + port, "http://127.0.0.1:" + port + "/", "http://127.0.0.1:" + port + "/v1"} {
		f := connect.FromEnvironment(environment(map[string]string{"OLLAMA_HOST": h}))[0]
		p, err := connect.New(f.Config)
		require.NoError(t, err, h)
		list, err := p.Models(context.Background())
		require.NoError(t, err, h)
		require.Equal(t, "llama3.2", connect.PickModel(list))
	}
}

func TestProbeNeverWaits(t *testing.T) {
	start := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	done := connect.ProbeOllama(ctx, time.Minute, func(connect.Found, []llm.Model) { t.Error("nothing may be found") })
	require.Less(t, time.Since(start), 2*time.Second)
	<-done
	require.Empty(t, connect.PickModel(nil))
}
