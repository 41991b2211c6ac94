package door

import (
	"cmp"
	"context"
	"sync"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

const (
	unknownWindow = 32_000 // tokens, when nobody knows the model
	offlineWindow = 64_000
	maxAnswer     = 16_000 // tokens kept free for the answer
)

// Route is where a call goes.
type Route struct {
	Provider llm.Provider
	Name     string // of the provider, in the log and the ledger
	Model    string
	Window   int // tokens
	Images   bool
	Offline  bool

	entry  llm.Entry
	priced bool
}

// Room is what the prompt may take, in tokens.
func (r Route) Room() int { return r.Window - min(r.Window/4, maxAnswer) }

// answer is how long an answer may get, in tokens.
func (r Route) answer(req llm.Request) int {
	if req.MaxTokens > 0 {
		return req.MaxTokens
	}
	return min(r.Window/4, maxAnswer)
}

// cost is in nano-dollars; models without a price (offline, local) cost nothing.
func (r Route) cost(u llm.Usage, day time.Time) int64 {
	if !r.priced {
		return 0
	}
	return r.entry.Cost(u, day)
}

// Label names the route for people.
func (r Route) Label() string {
	if r.Offline {
		return "Built-in offline model"
	}
	return r.Model + " · " + r.Name
}

// Resolve finds the model of an instance: its own choice, the organization's default, what the host offers, and
// at last the model that is built in.
func (d *Door) Resolve(ctx context.Context, sc *models.Scope, i *models.Instance) (Route, error) {
	row, err := chosen(ctx, sc, i)
	if err != nil {
		return Route{}, err
	}
	if row != nil {
		p, err := d.cache.get(d, sc, row)
		if err != nil {
			return Route{}, err
		}
		return route(row.Kind, p, cmp.Or(i.Model, row.Model)), nil
	}
	if found := d.Found(); len(found) > 0 {
		f := found[0]
		return route(f.Kind, f.Provider, cmp.Or(i.Model, f.Model)), nil
	}
	if d.Offline == nil {
		return Route{}, fault.New(fault.Unavailable, "llm.none", "No model is connected").Hinting("Connect one under Settings.")
	}
	return Route{Provider: d.Offline, Name: d.Offline.Name(), Model: llm.DefaultModel("offline"), Window: offlineWindow, Offline: true}, nil
}

func chosen(ctx context.Context, sc *models.Scope, i *models.Instance) (*models.Provider, error) {
	if i.ProviderID != nil && *i.ProviderID != "" {
		row, err := sc.Provider(ctx, *i.ProviderID)
		if err == nil || !fault.Is(err, fault.NotFound) {
			return row, err
		}
	}
	row, err := sc.DefaultProvider(ctx)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return row, err
}

// route fills in what the catalogue knows. Prices hold for the services that they were read from; a server
// that merely speaks the same format has prices of its own, or none.
func route(kind string, p llm.Provider, model string) Route {
	r := Route{Provider: p, Name: p.Name(), Model: model, Window: unknownWindow}
	e, ok := llm.Lookup(kind, model)
	if !ok {
		return r
	}
	if e.Context > 0 {
		r.Window = e.Context
	}
	r.Images, r.entry = e.Images, e
	r.priced = e.Priced() && kind != "openai-compatible" && kind != "ollama"
	return r
}

// providers keeps built clients, with their connections, for as long as the row is as it was.
type providers struct {
	mu  sync.Mutex
	all map[string]builtProvider
}

type builtProvider struct {
	at time.Time
	p  llm.Provider
}

func (c *providers) get(d *Door, sc *models.Scope, row *models.Provider) (llm.Provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.all[row.ID]; ok && b.at.Equal(row.UpdatedAt) {
		return b.p, nil
	}
	key, err := sc.ProviderKey(row)
	if err != nil {
		return nil, err
	}
	p, err := d.connect(row, key)
	if err != nil {
		return nil, err
	}
	if c.all == nil {
		c.all = map[string]builtProvider{}
	}
	c.all[row.ID] = builtProvider{row.UpdatedAt, p}
	return p, nil
}

func (d *Door) connect(row *models.Provider, key secret.String) (llm.Provider, error) {
	if d.Connect == nil {
		return nil, fault.New(fault.Internal, "llm.connect", "This server cannot connect to %s", row.Kind)
	}
	return d.Connect(row, key)
}
