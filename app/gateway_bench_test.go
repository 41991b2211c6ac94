package app_test

import (
	"bufio"
	"context"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/llm"
	"lobstead/engine/llm/openai"
	"lobstead/engine/llm/wire"
	"lobstead/kit/dial"
)

// instant is a model that answers at once, as often as it is asked.
type instant struct{}

func (instant) Name() string { return "instant" }
func (instant) Models(context.Context) ([]llm.Model, error) {
	return []llm.Model{{ID: "instant-1", Name: "Instant", ContextWindow: 100_000}}, nil
}
func (instant) Stream(_ context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		if yield(llm.Chunk{Text: "An answer of a few words."}, nil) {
			yield(llm.Chunk{Done: &llm.Done{Model: r.Model, Stop: llm.StopEnd, Usage: llm.Usage{Input: 12, Output: 6}}}, nil)
		}
	}
}

// A call through the whole of the gateway, without a wire behind it: one after the other, and sixteen at once.
func BenchmarkGatewayCall(b *testing.B) { benchGateway(b, instant{}) }

// The same with a model service behind a wire.
func BenchmarkGatewayWire(b *testing.B) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"instant-1","object":"model"}]}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":"c","object":"chat.completion","created":1,"model":"instant-1","choices":[{"index":0,"message":{"role":"assistant","content":"An answer of a few words."},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":6,"total_tokens":18}}`)
	}))
	b.Cleanup(service.Close)
	benchGateway(b, openai.New(openai.Config{BaseURL: service.URL + "/v1", Client: wire.NewClient(dial.Policy{AllowPrivate: true})}))
}

func benchGateway(b *testing.B, model llm.Provider) {
	w := apptest.Start(b, apptest.Options{Model: model, NoWorker: true})
	call := caller(b, w)
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			call()
		}
	})
	b.Run("sixteen", func(b *testing.B) {
		b.SetParallelism(8)
		b.ReportAllocs()
		b.RunParallel(func(p *testing.PB) {
			for call := caller(b, w); p.Next(); {
				call()
			}
		})
	})
}

// caller asks over a connection of its own, and costs as little as it can.
func caller(b *testing.B, w *apptest.World) func() {
	conn, err := net.Dial("tcp", w.Address)
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close() })
	body := hello(standardPath, "")
	ask := []byte("POST " + standardPath + " HTTP/1.1\r\nHost: " + w.Address + "\r\nContent-Type: application/json\r\nAuthorization: Bearer " + w.Acme.Owner.Key +
		"\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	in := bufio.NewReader(conn)
	return func() {
		_, err := conn.Write(ask)
		if err != nil {
			b.Error(err)
			return
		}
		a, err := http.ReadResponse(in, nil)
		if err != nil {
			b.Error(err)
			return
		}
		text, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != http.StatusOK || !strings.Contains(string(text), "few words") {
			b.Error(a.Status, string(text), err)
		}
	}
}
