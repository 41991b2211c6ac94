// Package openai speaks the chat completions format, with OpenAI itself and with everything that imitates it:
// OpenRouter, Ollama, vLLM, llama.cpp, LiteLLM, and many clouds. It owns the wire format and the known
// deviations from it; it chooses no model and holds no key.
package openai

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire"
	"lobstead/kit/dial"
)

// BaseURL is OpenAI's own.
const BaseURL = "https://api.openai.com/v1"

// Config says where and how.
type Config struct {
	Name     string            // of the provider, for errors and pages; "" = "openai"
	BaseURL  string            // up to and including /v1; "" = OpenAI's
	Key      func() string     // nil = no key
	Header   map[string]string // sent with each request
	Client   *http.Client      // nil = a guarded client for public addresses
	Timeouts wire.Timeouts
}

// Provider is one connected service; safe for concurrent use.
type Provider struct {
	service wire.Service
	base    string
	quirks  sync.Map // model → quirks, learned from refusals
}

// New makes a provider; it does not connect.
func New(c Config) *Provider {
	if c.Name == "" {
		c.Name = "openai"
	}
	if c.BaseURL == "" {
		c.BaseURL = BaseURL
	}
	if c.Client == nil {
		c.Client = wire.NewClient(dial.Policy{})
	}
	return &Provider{base: strings.TrimRight(c.BaseURL, "/"), service: wire.Service{
		Provider: c.Name, Client: c.Client, Key: c.Key, Header: c.Header, Timeouts: c.Timeouts,
		Auth: func(h http.Header, key string) { h.Set("Authorization", "Bearer "+key) },
	}}
}

// Name is the configured name.
func (p *Provider) Name() string { return p.service.Provider }

// Stream runs one completion. A server that refuses an optional field is asked again without it, at most
// five times and only before the first chunk; what was learned holds for the next requests to the model.
func (p *Provider) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return wire.Run(ctx, p.Name(), r, func(ctx context.Context, emit wire.Emit) (llm.Done, error) {
		q := p.known(r.Model)
		for try := 0; ; try++ {
			s := stream{provider: p.Name(), request: r, emit: emit}
			err := p.service.Stream(ctx, p.base+"/chat/completions", encode(r, q), s.event)
			if err == nil {
				err = s.finish()
			}
			if err == nil {
				return s.done, nil
			}
			next, ok := q.without(err)
			if !ok || s.begun || try == 5 {
				return llm.Done{}, err
			}
			q = next
			p.quirks.Store(r.Model, q)
		}
	})
}

// Models lists what the service offers, with what it tells about each.
func (p *Provider) Models(ctx context.Context) ([]llm.Model, error) {
	var list struct {
		Data []struct {
			ID            string   `json:"id"`
			Name          string   `json:"name"`
			ContextLength int      `json:"context_length"` // OpenRouter
			MaxModelLen   int      `json:"max_model_len"`  // vLLM
			Parameters    []string `json:"supported_parameters"`
			Architecture  struct {
				Input []string `json:"input_modalities"`
			} `json:"architecture"`
		} `json:"data"`
	}
	if err := p.service.Get(ctx, p.base+"/models", &list); err != nil {
		return nil, err
	}
	out := make([]llm.Model, 0, len(list.Data))
	for _, d := range list.Data {
		m := llm.Known(p.Name(), d.ID)
		m.Name = first(d.Name, m.Name)
		if n := max(d.ContextLength, d.MaxModelLen); n > 0 {
			m.ContextWindow = n
		}
		m.Tools = m.Tools || has(d.Parameters, "tools")
		m.Images = m.Images || has(d.Architecture.Input, "image")
		out = append(out, m)
	}
	return out, nil
}

// Embed places a text.
func (p *Provider) Embed(ctx context.Context, model, text string) (llm.Embedding, error) {
	var out struct {
		Data []struct {
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
		Usage struct {
			Prompt int `json:"prompt_tokens"`
		} `json:"usage"`
	}
	err := p.service.Post(ctx, p.base+"/embeddings", map[string]string{"model": model, "input": text, "encoding_format": "float"}, &out)
	if err != nil {
		return llm.Embedding{}, err
	}
	if len(out.Data) != 1 || len(out.Data[0].Embedding) == 0 {
		return llm.Embedding{}, llm.Fail(p.Name(), llm.KindUpstream, "the answer holds no embedding", nil)
	}
	u := llm.Usage{Input: out.Usage.Prompt}
	if u.Input == 0 {
		u = llm.Usage{Input: llm.EstimateTokens(text), Estimated: true}
	}
	return llm.Embedding{Vector: out.Data[0].Embedding, Usage: u}, nil
}

func (p *Provider) known(model string) quirks {
	if q, ok := p.quirks.Load(model); ok {
		return q.(quirks)
	}
	u, err := url.Parse(p.base)
	own := err == nil && (u.Hostname() == "api.openai.com" || strings.HasSuffix(u.Hostname(), ".openai.azure.com"))
	return quirks{oldMax: !own}
}

func first(s, or string) string {
	if s != "" {
		return s
	}
	return or
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
