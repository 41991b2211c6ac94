package door

import (
	"cmp"
	"context"
	"strings"
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

	service string // its name for people and for orders
	account string // what is known of its health; "" = nothing is kept
	at      time.Time
	entry   llm.Entry
	tier    llm.Tier
	tools   bool
	edited  bool // an administrator spoke of it
	known   bool // the catalogue or the service has told of it
	priced  bool
	free    bool // nobody pays for it: it runs here
}

// Room is what the prompt may take, in tokens.
func (r Route) Room() int { return r.Window - min(r.Window/4, maxAnswer) }

// answer is how long an answer may get, in tokens.
func (r Route) answer(req llm.Request) int { return r.keeps(req.MaxTokens) }

// keeps is what an answer takes of the window when so many tokens were asked for; 0 = not said.
func (r Route) keeps(asked int) int {
	if asked > 0 {
		return asked
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

// Priced tells whether the cost of a call there is known: by a price, or because it runs here.
func (r Route) Priced() bool { return r.priced || r.free || r.Offline }

// Tier is the model's: what an administrator said, else by today's price, else by the size in its name.
func (r Route) Tier() llm.Tier {
	switch {
	case r.Offline:
		return llm.TierNano
	case r.tier != "":
		return r.tier
	}
	return llm.TierStandard
}

func (r Route) worth(now time.Time) llm.Tier {
	if !r.priced {
		return llm.TierOfName(r.Model)
	}
	return r.entry.Tier(now.UTC().Format(time.DateOnly))
}

// Label names the route for people.
func (r Route) Label() string {
	switch {
	case r.Offline:
		return "Built-in offline model"
	case strings.EqualFold(r.Model, Auto):
		return "Chosen for each request"
	}
	return r.Model + " · " + r.Name
}

// Resolve finds the model of an instance: its own choice, the organization's default, what the host offers, and
// at last the model that is built in. An instance that leaves the choice to the router gets what answers without one.
func (d *Door) Resolve(ctx context.Context, sc *models.Scope, i *models.Instance) (Route, error) {
	row, err := chosen(ctx, sc, i)
	if err != nil {
		return Route{}, err
	}
	if row != nil {
		s, err := d.connected(sc, row)
		if err != nil {
			return Route{}, err
		}
		return d.route(d.policy(ctx, sc), s, cmp.Or(pin(i), row.Model)), nil
	}
	if found := d.Found(); len(found) > 0 {
		f := found[0]
		return d.route(d.policy(ctx, sc), f.service(), cmp.Or(pin(i), f.Model)), nil
	}
	if d.Offline == nil {
		return Route{}, fault.New(fault.Unavailable, "llm.none", "No model is connected").Hinting("Connect one under Settings.")
	}
	return d.builtIn(), nil
}

func (d *Door) builtIn() Route {
	return Route{Provider: d.Offline, Name: d.Offline.Name(), service: d.Offline.Name(), Model: llm.DefaultModel("offline"), Window: offlineWindow,
		Offline: true, tools: true, known: true}
}

// pin is the model that an instance must be served by, "" when it has none of its own.
func pin(i *models.Instance) string {
	if strings.EqualFold(i.Model, Auto) {
		return ""
	}
	return i.Model
}

func chosen(ctx context.Context, sc *models.Scope, i *models.Instance) (*models.Provider, error) {
	row, err := sc.ServiceOf(ctx, i)
	if row != nil || err != nil {
		return row, err
	}
	row, err = sc.DefaultProvider(ctx)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return row, err
}

// route fills in what the catalogue knows, what the service told of itself, and at last what an administrator knows better.
// Prices hold for the services that they were read from; a server that merely speaks the same format has prices of its own,
// or none.
func (d *Door) route(p policy, s service, model string) Route {
	r := Route{Provider: s.provider, Name: s.provider.Name(), Model: model, Window: unknownWindow,
		service: s.name, account: s.account, at: s.at, free: local(s.kind)}
	if e, ok := d.known.lookup(s.kind, model); ok {
		if e.Context > 0 {
			r.Window = e.Context
		}
		r.Images, r.tools, r.entry, r.known = e.Images, e.Tools, e, true
		r.priced = e.Priced() && s.kind != "openai-compatible" && s.kind != "ollama"
	}
	if m, ok := d.told(s, model); ok {
		r.known = true
		if m.ContextWindow > 0 {
			r.Window = m.ContextWindow
		}
		r.Images, r.tools = r.Images || m.Images, r.tools || m.Tools
	}
	if e, ok := p.edits[s.kind+"/"+strings.ToLower(model)]; ok {
		r.correct(e)
	}
	if r.tier == "" {
		r.tier = r.worth(d.now())
	}
	return r
}

// correct takes over what an administrator knows better.
func (r *Route) correct(e models.CatalogueEdit) {
	r.known, r.edited, r.tier = true, true, llm.Tier(e.Tier)
	if e.Context != nil {
		r.Window = *e.Context
	}
	if e.Input != nil && e.Output != nil {
		r.entry.Prices = []llm.Price{{Input: *e.Input, Output: *e.Output, CacheRead: e.CacheRead, CacheWrite: e.CacheWrite}}
		r.priced, r.free = true, false
	}
}

// lookups remembers what the catalogue said: a list of hundreds of models is looked through for each choice.
type lookups struct {
	mu  sync.RWMutex
	all map[string]looked
}

type looked struct {
	entry llm.Entry
	ok    bool
}

const maxLookups = 5000

func (c *lookups) lookup(kind, model string) (llm.Entry, bool) {
	key := kind + "/" + model
	c.mu.RLock()
	l, ok := c.all[key]
	c.mu.RUnlock()
	if ok {
		return l.entry, l.ok
	}
	l.entry, l.ok = llm.Lookup(kind, model)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil || len(c.all) >= maxLookups {
		c.all = map[string]looked{}
	}
	c.all[key] = l
	return l.entry, l.ok
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
