// Package anthropic speaks the Messages API. It owns the wire format, where the cache breakpoints go, and how
// reasoning travels back with its signatures; it chooses no model and holds no key.
package anthropic

import (
	"context"
	"iter"
	"net/http"
	"strings"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire"
	"lobstead/kit/dial"
)

// BaseURL is Anthropic's own.
const BaseURL = "https://api.anthropic.com"

const version = "2023-06-01" // of the API; newer abilities come as fields

// Config says where and how.
type Config struct {
	Name     string // of the provider; "" = "anthropic"
	BaseURL  string // with or without /v1; "" = Anthropic's
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
		c.Name = "anthropic"
	}
	if c.BaseURL == "" {
		c.BaseURL = BaseURL
	}
	if c.Client == nil {
		c.Client = wire.NewClient(dial.Policy{})
	}
	header := map[string]string{"Anthropic-Version": version}
	for k, v := range c.Header {
		header[k] = v
	}
	return &Provider{
		base: strings.TrimSuffix(strings.TrimRight(c.BaseURL, "/"), "/v1"),
		service: wire.Service{Provider: c.Name, Client: c.Client, Key: c.Key, Header: header, Timeouts: c.Timeouts,
			Auth: func(h http.Header, key string) { h.Set("X-Api-Key", key) }},
	}
}

// Name is the configured name.
func (p *Provider) Name() string { return p.service.Provider }

// Stream runs one message.
func (p *Provider) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return wire.Run(ctx, p.Name(), r, func(ctx context.Context, emit wire.Emit) (llm.Done, error) {
		s := stream{provider: p.Name(), emit: emit, blocks: map[int]*block{}}
		if err := p.service.Stream(ctx, p.base+"/v1/messages", encode(r), s.event); err != nil {
			return llm.Done{}, err
		}
		return s.finish()
	})
}

// Models lists the account's models.
func (p *Provider) Models(ctx context.Context) ([]llm.Model, error) {
	var list struct {
		Data []struct {
			ID       string `json:"id"`
			Name     string `json:"display_name"`
			MaxInput int    `json:"max_input_tokens"`
		} `json:"data"`
	}
	if err := p.service.Get(ctx, p.base+"/v1/models?limit=1000", &list); err != nil {
		return nil, err
	}
	out := make([]llm.Model, 0, len(list.Data))
	for _, d := range list.Data {
		m := llm.Known("anthropic", d.ID)
		if d.Name != "" {
			m.Name = d.Name
		}
		if d.MaxInput > 0 {
			m.ContextWindow = d.MaxInput
		}
		m.Tools, m.Images = true, true
		out = append(out, m)
	}
	return out, nil
}
