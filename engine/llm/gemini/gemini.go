// Package gemini speaks the Gemini API (generativelanguage). It owns the wire format, the schema subset that
// the API takes, and the thought signatures; it chooses no model and holds no key.
package gemini

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire"
	"lobstead/kit/dial"
)

// BaseURL is Google's own.
const BaseURL = "https://generativelanguage.googleapis.com/v1beta"

// Config says where and how.
type Config struct {
	Name     string // of the provider; "" = "gemini"
	BaseURL  string // up to and including the version; "" = Google's
	Key      func() string
	Header   map[string]string
	Client   *http.Client // nil = a guarded client for public addresses
	Timeouts wire.Timeouts
}

// Provider is one connected account; safe for concurrent use.
type Provider struct {
	service wire.Service
	base    string
}

// New makes a provider; it does not connect.
func New(c Config) *Provider {
	if c.Name == "" {
		c.Name = "gemini"
	}
	if c.BaseURL == "" {
		c.BaseURL = BaseURL
	}
	if c.Client == nil {
		c.Client = wire.NewClient(dial.Policy{})
	}
	return &Provider{base: strings.TrimRight(c.BaseURL, "/"), service: wire.Service{
		Provider: c.Name, Client: c.Client, Key: c.Key, Header: c.Header, Timeouts: c.Timeouts,
		// The header, never ?key=: addresses end up in logs.
		Auth: func(h http.Header, key string) { h.Set("X-Goog-Api-Key", key) },
	}}
}

// Name is the configured name.
func (p *Provider) Name() string { return p.service.Provider }

// Stream runs one generation.
func (p *Provider) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return wire.Run(ctx, p.Name(), r, func(ctx context.Context, emit wire.Emit) (llm.Done, error) {
		s := stream{provider: p.Name(), request: r, emit: emit}
		target := p.base + "/models/" + url.PathEscape(bare(r.Model)) + ":streamGenerateContent?alt=sse"
		if err := p.service.Stream(ctx, target, encode(r), s.event); err != nil {
			return llm.Done{}, err
		}
		return s.finish()
	})
}

// Models lists the models that generate.
func (p *Provider) Models(ctx context.Context) ([]llm.Model, error) {
	var list struct {
		Models []struct {
			Name    string   `json:"name"`
			Display string   `json:"displayName"`
			Input   int      `json:"inputTokenLimit"`
			Methods []string `json:"supportedGenerationMethods"`
		} `json:"models"`
	}
	if err := p.service.Get(ctx, p.base+"/models?pageSize=1000", &list); err != nil {
		return nil, err
	}
	var out []llm.Model
	for _, d := range list.Models {
		if !slices.Contains(d.Methods, "generateContent") {
			continue
		}
		m := llm.Known("gemini", bare(d.Name))
		if d.Display != "" {
			m.Name = d.Display
		}
		if d.Input > 0 {
			m.ContextWindow = d.Input
		}
		out = append(out, m)
	}
	return out, nil
}

func bare(model string) string { return strings.TrimPrefix(model, "models/") }
