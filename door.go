package main

import (
	"context"
	"strings"
	"time"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/engine/llm/connect"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/offline"
	"lobstead/kit/secret"
	"lobstead/models"
)

// newDoor finds the models: what the environment names, then what people connect, and the built-in one.
func (n *node) newDoor(ctx context.Context) *door.Door {
	d := &door.Door{
		Offline: offline.New(offline.Options{Pace: time.Duration(n.cfg.OfflinePace) * time.Millisecond}),
		Connect: func(row *models.Provider, key secret.String) (llm.Provider, error) {
			c := connect.Config{Kind: connect.Kind(row.Kind), BaseURL: row.BaseURL, AllowPrivate: row.Private}
			if !key.Empty() {
				n.scrubber.Add(key)
				c.Key = key.Reveal
			}
			return connect.New(c)
		},
	}
	for _, f := range connect.FromEnvironment(n.providerVariable) {
		n.addFound(d, f)
	}
	if n.cfg.Providers.OllamaHost == "" { // one that runs on this machine is found, without waiting for it
		connect.ProbeOllama(ctx, 0, func(f connect.Found, _ []llm.Model) { n.addFound(d, f) })
	}
	return d
}

func (n *node) addFound(d *door.Door, f connect.Found) {
	p, err := connect.New(f.Config)
	if err != nil {
		n.log.Warn("a model service of the environment is left out", "from", f.Source, "error", err)
		return
	}
	d.Find(door.Found{Kind: string(f.Kind), Provider: p, Model: f.Model, Source: f.Source})
}

// providerVariable gives the configured values by the names that their makers gave them.
func (n *node) providerVariable(name string) (string, bool) {
	p := n.cfg.Providers
	v := map[string]string{"OPENAI_API_KEY": p.OpenAI.Reveal(), "OPENAI_BASE_URL": p.OpenAIBaseURL, "ANTHROPIC_API_KEY": p.Anthropic.Reveal(),
		"GEMINI_API_KEY": p.Gemini.Reveal(), "OPENROUTER_API_KEY": p.OpenRouter.Reveal(), "OLLAMA_HOST": strings.TrimPrefix(p.OllamaHost, "off")}[name]
	return v, v != ""
}

// titler names conversations after their first message.
func (n *node) titler() *agent.Titler { return &agent.Titler{Store: n.store, Bus: n.bus, Door: n.door} }
