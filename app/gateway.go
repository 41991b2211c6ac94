package app

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	agentapi "lobstead/api/agent"
	"lobstead/api/anthropic"
	"lobstead/api/openai"
	"lobstead/engine/gateway"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/models"
)

// ModelGateway is the door to models and agents for programs: one verb in the words of three services.
type ModelGateway struct{ *App }

// gatewayBody lets a request carry its pictures.
const gatewayBody = 20 << 20

// Chat is the agent API's chat completion.
func (h *ModelGateway) Chat(c *Ctx) (Reply, error) { return h.chat(c, openai.Lobstack) }

// OpenAIChat is OpenAI's chat completion.
func (h *ModelGateway) OpenAIChat(c *Ctx) (Reply, error) { return h.chat(c, openai.Standard) }

func (h *ModelGateway) chat(c *Ctx, d openai.Dialect) (Reply, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	in, err := openai.ReadChat(body, d, h.picture(c))
	if err != nil {
		return nil, err
	}
	c.dropped(in.Dropped)
	call := c.modelCall(string(c.family), in.Model, in.Session, in.Streamed, in.Request)
	call.Capped = d == openai.Lobstack
	return h.answer(c, call, &openai.ChatWriter{RequestID: c.requestID, Created: time.Now().Unix(), Dialect: d, Usage: in.IncludeUsage})
}

// OpenAIResponse is OpenAI's responses API.
func (h *ModelGateway) OpenAIResponse(c *Ctx) (Reply, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	in, err := openai.ReadResponse(body, h.picture(c))
	if err != nil {
		return nil, err
	}
	c.dropped(in.Dropped)
	call := c.modelCall("responses-api", in.Model, in.Session, in.Streamed, in.Request)
	return h.answer(c, call, &openai.ResponseWriter{RequestID: c.requestID, Created: time.Now().Unix(), Echo: in.Echo})
}

// AnthropicMessage is Anthropic's Messages API.
func (h *ModelGateway) AnthropicMessage(c *Ctx) (Reply, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	in, err := anthropic.Read(body, anthropic.Fetch(h.picture(c)))
	if err != nil {
		return nil, err
	}
	c.dropped(in.Dropped)
	call := c.modelCall(string(c.family), in.Model, in.Session, in.Streamed, in.Request)
	return h.answer(c, call, &anthropic.Writer{RequestID: c.requestID, Thinking: in.Thinking, Input: llm.EstimateRequest(in.Request)})
}

// modelCall is a call in no spelling. An agent's token may reach its own agent; a key needs what a chat needs.
func (c *Ctx) modelCall(mount, model, session string, streamed bool, r llm.Request) gateway.Call {
	return gateway.Call{ID: c.requestID, Door: mount, Model: model, Session: session, Streamed: streamed, Request: r,
		Instance: c.Principal.Instance, UseAgents: c.Principal.May(models.CanUseInstances), Cache: c.cacheUse()}
}

// cacheUse is what the caller lets the instance's cache do, in HTTP's own words.
func (c *Ctx) cacheUse() door.CacheUse {
	switch said := strings.ToLower(c.f.Get(fiber.HeaderCacheControl)); {
	case strings.Contains(said, "no-store"):
		return door.CacheNot
	case strings.Contains(said, "no-cache"):
		return door.CacheAnew
	}
	return door.CacheAsSet
}

// picture gets pictures that lie elsewhere; nil refuses them.
func (h *ModelGateway) picture(c *Ctx) openai.Fetch {
	if h.Images == nil {
		return nil
	}
	return func(url string) (*llm.Image, error) { return h.gate.Image(c, url) }
}

// Catalogue lists what could be connected, to anybody.
func (h *ModelGateway) Catalogue(*Ctx) (Reply, error) {
	out := agentapi.GatewayModels{Object: "list", Data: []agentapi.GatewayModel{}}
	for _, m := range h.gate.Catalogue() {
		out.Data = append(out.Data, agentapi.GatewayModel{ID: m.ID, Object: "model", Created: catalogued(), OwnedBy: m.Owner, Label: m.Label,
			Tier: string(m.Tier), ContextWindow: m.Context, PricePerMTok: pricePerMTok(m), Managed: m.Managed})
	}
	return data(out), nil
}

func pricePerMTok(m gateway.Model) *agentapi.PricePerMTok {
	if m.Input == nil {
		return nil
	}
	return &agentapi.PricePerMTok{Input: float64(*m.Input) / 1e6, Output: float64(*m.Output) / 1e6}
}

// catalogued is when the catalogue was made: the only date that is known of every model.
func catalogued() int64 {
	_, made := llm.CatalogSource()
	day, err := time.Parse(time.DateOnly, made)
	if err != nil {
		return 0
	}
	return day.Unix()
}

// OpenAIModels lists what the caller can call.
func (h *ModelGateway) OpenAIModels(c *Ctx) (Reply, error) {
	list, err := h.gate.Models(c, c.Scope, c.Principal.Instance)
	if err != nil {
		return nil, err
	}
	out := openai.Models{Object: "list", Data: []openai.Model{}}
	for _, m := range list {
		out.Data = append(out.Data, openai.Model{ID: m.ID, Object: "model", Created: catalogued(), OwnedBy: m.Owner})
	}
	return data(out), nil
}

// AnthropicModels lists the same in Anthropic's words.
func (h *ModelGateway) AnthropicModels(c *Ctx) (Reply, error) {
	list, err := h.gate.Models(c, c.Scope, c.Principal.Instance)
	if err != nil {
		return nil, err
	}
	out := []anthropic.Model{}
	for _, m := range list {
		out = append(out, anthropic.Model{Type: "model", ID: m.ID, DisplayName: m.Label, CreatedAt: time.Unix(catalogued(), 0).UTC().Format(time.RFC3339)})
	}
	return data(anthropic.NewModels(out)), nil
}
