package app

import (
	"errors"

	"lobstead/engine/llm"
	"lobstead/engine/llm/connect"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/settings"
)

// Providers are the connected model services.
type Providers struct{ *App }

// Index lists them with the form for one more.
func (h *Providers) Index(c *Ctx) (Reply, error) { return h.show(c, settings.ModelForm{}, nil, 200) }

// show gives the page; router is what was typed there, nil = what holds.
func (h *Providers) show(c *Ctx, form settings.ModelForm, router *settings.RoutingForm, status int) (Reply, error) {
	rows, err := c.Scope.Providers(c)
	if err != nil {
		return nil, err
	}
	if router == nil {
		if router, err = h.routing(c); err != nil {
			return nil, err
		}
	}
	if err := h.routed(c, router); err != nil {
		return nil, err
	}
	form.Kinds = providerKinds()
	return page(settings.Models(settings.ModelsProps{Frame: c.frame("Models", "/settings", ""), Providers: rows, Environment: h.found(),
		MayManage: c.May(models.CanManageProviders) == nil, Form: form, Routing: *router})).with(status), nil
}

// Create tries the service with one real call and keeps it when that answers.
func (h *Providers) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	var n models.NewProvider
	n.Kind, _ = f.String("kind")
	n.BaseURL, n.Key, n.Model = f.Text("base_url"), secret.Of(f.Text("key")), f.Text("model")
	if err := f.Err(); err != nil {
		return nil, err
	}
	n.Private = operates(c.Principal)
	_, report, err := h.Door.Try(c, c.Scope, n)
	if err != nil {
		form := settings.ModelForm{Kind: n.Kind, BaseURL: n.BaseURL, Model: n.Model}
		errs, ok := invalid(err)
		if !ok {
			errs = map[string]string{"": providerSentence(err)}
		}
		form.Errors = errs
		return h.show(c, form, nil, 422)
	}
	return redirect("/settings/models").say("ok", "Connected: "+report.Model+" answers"), nil
}

// Use makes one the default.
func (h *Providers) Use(c *Ctx) (Reply, error) {
	provider, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if err := c.Scope.UseProvider(c, provider); err != nil {
		return nil, err
	}
	return redirect("/settings/models").say("ok", "New answers come from there"), nil
}

// Destroy forgets one and its key.
func (h *Providers) Destroy(c *Ctx) (Reply, error) {
	provider, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if err := c.Scope.DisconnectProvider(c, provider); err != nil {
		return nil, err
	}
	return redirect("/settings/models").say("ok", "Disconnected"), nil
}

// providerSentence is the service's own words: who connects it needs the real reason.
func providerSentence(err error) string {
	if e, ok := errors.AsType[*llm.Error](err); ok {
		return e.Message
	}
	return sentence(fault.As(err))
}

// found lists the services of the host's environment.
func (h *Providers) found() []settings.Found {
	out := []settings.Found{}
	for _, f := range h.Door.Found() {
		out = append(out, settings.Found{Kind: f.Kind, Name: f.Provider.Name(), Model: f.Model, Source: f.Source})
	}
	return out
}

var kindWords = map[connect.Kind][2]string{
	connect.OpenAI: {"OpenAI", "A key from platform.openai.com"}, connect.Anthropic: {"Anthropic", "A key from console.anthropic.com"},
	connect.Gemini: {"Google Gemini", "A key from aistudio.google.com"}, connect.OpenRouter: {"OpenRouter", "One key for many models"},
	connect.Ollama:     {"Ollama", "A model server on this machine or in your network; no key"},
	connect.Compatible: {"OpenAI-compatible", "vLLM, LM Studio, llama.cpp, LiteLLM or any server that speaks OpenAI's API"},
}

func providerKinds() []settings.Kind {
	out := []settings.Kind{}
	for _, k := range connect.Kinds {
		out = append(out, settings.Kind{Value: string(k), Name: kindWords[k][0], Hint: kindWords[k][1], DefaultModel: llm.DefaultModel(string(k)),
			NeedsKey: connect.NeedsKey(k), NeedsURL: k == connect.Compatible})
	}
	return out
}
