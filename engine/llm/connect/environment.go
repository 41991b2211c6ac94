package connect

import (
	"context"
	"strings"
	"time"

	"lobstead/engine/llm"
)

// Found is a provider that was not configured by a person.
type Found struct {
	Config
	Source string // "OPENAI_API_KEY", "127.0.0.1:11434": said on the page, never the value
}

// FromEnvironment reads the usual variables, in order of preference: the first is the natural default. What an
// operator puts there may be private. It makes no connection.
func FromEnvironment(lookup func(string) (string, bool)) []Found {
	get := func(name string) string {
		v, _ := lookup(name)
		return strings.TrimSpace(v)
	}
	// The value is read again for each request: the configuration may change, and no copy is kept here.
	key := func(name string) func() string { return func() string { return get(name) } }
	var out []Found
	add := func(variable string, c Config) {
		c.Name, c.AllowPrivate = string(c.Kind), c.BaseURL != ""
		if c.Model == "" {
			c.Model = llm.DefaultModel(string(c.Kind))
		}
		out = append(out, Found{c, variable})
	}
	if get("ANTHROPIC_API_KEY") != "" {
		add("ANTHROPIC_API_KEY", Config{Kind: Anthropic, Key: key("ANTHROPIC_API_KEY"), BaseURL: get("ANTHROPIC_BASE_URL")})
	}
	if get("OPENAI_API_KEY") != "" {
		c := Config{Kind: OpenAI, Key: key("OPENAI_API_KEY"), BaseURL: get("OPENAI_BASE_URL")}
		if c.BaseURL != "" && !strings.Contains(c.BaseURL, "api.openai.com") {
			c.Kind = Compatible // someone else's server: its models are not OpenAI's
		}
		add("OPENAI_API_KEY", c)
	}
	for _, name := range []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"} {
		if get(name) != "" {
			add(name, Config{Kind: Gemini, Key: key(name)})
			break
		}
	}
	if get("OPENROUTER_API_KEY") != "" {
		add("OPENROUTER_API_KEY", Config{Kind: OpenRouter, Key: key("OPENROUTER_API_KEY")})
	}
	if host := get("OLLAMA_HOST"); host != "" {
		add("OLLAMA_HOST", Config{Kind: Ollama, BaseURL: host})
	}
	return out
}

// ProbeOllama looks for a local Ollama in the background and calls found when there is one with at least one
// model. It returns at once; the wait is at most limit (0 = 700 ms). The returned channel closes at its end.
func ProbeOllama(ctx context.Context, limit time.Duration, found func(Found, []llm.Model)) <-chan struct{} {
	return probe(ctx, Config{Kind: Ollama, Name: string(Ollama)}, limit, found)
}

func probe(ctx context.Context, c Config, limit time.Duration, found func(Found, []llm.Model)) <-chan struct{} {
	if limit <= 0 {
		limit = 700 * time.Millisecond
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		p, err := New(c)
		if err != nil {
			return
		}
		models, err := p.Models(ctx)
		if err != nil || len(models) == 0 {
			return
		}
		c.Model = PickModel(models)
		found(Found{c, "127.0.0.1:11434"}, models)
	}()
	return done
}

// PickModel chooses from a server's own list when there is no default: the first that is no embedding model.
func PickModel(models []llm.Model) string {
	for _, m := range models {
		id := strings.ToLower(m.ID)
		if !strings.Contains(id, "embed") && !strings.Contains(id, "rerank") && !strings.Contains(id, "whisper") && !strings.HasPrefix(id, "bge-") {
			return m.ID
		}
	}
	return ""
}
