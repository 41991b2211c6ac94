// Package connect makes providers from configuration: what a person entered in the settings, what the
// environment holds, and a local Ollama that happens to run. It stores nothing and reads no environment
// itself; keys are given as functions and read at each request.
package connect

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"lobstead/engine/llm"
	"lobstead/engine/llm/anthropic"
	"lobstead/engine/llm/gemini"
	"lobstead/engine/llm/offline"
	"lobstead/engine/llm/openai"
	"lobstead/engine/llm/wire"
	"lobstead/kit/dial"
	"lobstead/kit/fault"
)

// Kind names a wire format with its address and manners.
type Kind string

// The kinds.
const (
	OpenAI     Kind = "openai"
	Anthropic  Kind = "anthropic"
	Gemini     Kind = "gemini"
	OpenRouter Kind = "openrouter"
	Ollama     Kind = "ollama"
	Compatible Kind = "openai-compatible"
	Offline    Kind = "offline"
)

// Kinds lists those that a person can choose, in the order of a page.
var Kinds = []Kind{OpenAI, Anthropic, Gemini, OpenRouter, Ollama, Compatible}

// Config is one connection.
type Config struct {
	Kind    Kind
	Name    string // shown, and in errors; "" = the kind
	BaseURL string // "" = the kind's own; required for openai-compatible
	Key     func() string
	Model   string // "" = the kind's default
	// AllowPrivate opens private addresses for BaseURL. Only an operator may set it: a member's base URL must
	// stay public. Ollama without a BaseURL reaches its loopback default without it.
	AllowPrivate bool
	Timeouts     wire.Timeouts
	Client       *http.Client // for tests; nil = guarded
}

var addresses = map[Kind]string{
	OpenAI: openai.BaseURL, Anthropic: anthropic.BaseURL, Gemini: gemini.BaseURL,
	OpenRouter: "https://openrouter.ai/api/v1", Ollama: "http://127.0.0.1:11434/v1",
}

// NeedsKey reports whether a kind is useless without a key.
func NeedsKey(k Kind) bool { return k != Ollama && k != Compatible && k != Offline }

// New makes the provider of a configuration. It does not connect; llm.Test does. Errors are faults of kind
// Invalid with the field.
func New(c Config) (llm.Provider, error) {
	if c.Name == "" {
		c.Name = string(c.Kind)
	}
	if c.Kind == Offline {
		return offline.New(offline.Options{}), nil
	}
	own, known := addresses[c.Kind]
	if !known && c.Kind != Compatible {
		return nil, invalid("kind", "Unknown kind of provider")
	}
	if NeedsKey(c.Kind) && c.Key == nil {
		return nil, invalid("key", "A key is required")
	}
	policy := dial.Policy{AllowPrivate: c.AllowPrivate}
	if c.BaseURL == "" {
		if own == "" {
			return nil, invalid("base_url", "A base URL is required")
		}
		c.BaseURL = own
		policy.AllowPrivate = policy.AllowPrivate || c.Kind == Ollama
	}
	base, err := cleanURL(c.BaseURL, c.Kind)
	if err != nil {
		return nil, err
	}
	if c.Client == nil {
		c.Client = wire.NewClient(policy)
	}
	switch c.Kind {
	case Anthropic:
		return anthropic.New(anthropic.Config{Name: c.Name, BaseURL: base, Key: c.Key, Client: c.Client, Timeouts: c.Timeouts}), nil
	case Gemini:
		return gemini.New(gemini.Config{Name: c.Name, BaseURL: base, Key: c.Key, Client: c.Client, Timeouts: c.Timeouts}), nil
	}
	o := openai.Config{Name: c.Name, BaseURL: base, Key: c.Key, Client: c.Client, Timeouts: c.Timeouts}
	if c.Kind == OpenRouter {
		o.Header = map[string]string{"X-Title": "Lobstead"} // how the app is listed in its owner's account
	}
	return openai.New(o), nil
}

// cleanURL checks a base URL and completes what people leave out: Ollama's bare host, and its 0.0.0.0, which is
// an address to listen on and not one to call.
func cleanURL(raw string, kind Kind) (string, error) {
	raw = strings.TrimRight(strings.TrimSpace(raw), "/")
	if !strings.Contains(raw, "://") {
		scheme := "https://"
		if kind == Ollama {
			scheme = "http://"
		}
		raw = scheme + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", invalid("base_url", "The base URL must look like https://host/v1")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", invalid("base_url", "The base URL must hold no user, query or fragment; the key has a field of its own")
	}
	if kind == Ollama {
		host, port := u.Hostname(), u.Port()
		if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() {
			host = "127.0.0.1"
		}
		if port == "" && u.Scheme == "http" {
			port = "11434"
		}
		if u.Host = host; port != "" {
			u.Host = joinHost(host, port)
		}
		if u.Path == "" {
			u.Path = "/v1"
		}
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func joinHost(host, port string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]:" + port
	}
	return host + ":" + port
}

func invalid(field, message string) error {
	var is fault.Issues
	is.Custom(field, message)
	return is.Err()
}
