// Package gateway answers calls of programs: by a model, through the door, or by the whole agent of an instance,
// through a turn. It is the one verb behind every front door that speaks the words of a model service; it knows
// nothing of their spellings.
package gateway

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"time"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Gateway is the verb with what it needs.
type Gateway struct {
	Door   *door.Door
	Turns  *agent.Turns
	Images *http.Client // guarded; nil = pictures that lie elsewhere are refused

	quotas quotas
}

// AgentModel is the model name that stands for an instance's agent; "agent:<id or name>" names the instance.
const AgentModel = "agent"

// How long a call may take (agent-api.md, 2.1), and a turn of an agent.
const (
	firstLimit = 120 * time.Second // to the first piece
	callLimit  = 300 * time.Second
	turnLimit  = 10 * time.Minute
)

// ErrGone is the cause of a context that ends because the caller left.
var ErrGone = errors.New("the caller has left")

var (
	errFirst = errors.New("no first piece in time")
	errLate  = errors.New("the answer took too long")
)

// Call is one wish for an answer.
type Call struct {
	ID        string           // of the request
	Door      string           // which front door: lobstack, openai, responses, anthropic
	Model     string           // as the caller said; "" = the instance's own, else Auto
	Session   string           // groups usage, and names the agent's session
	Instance  *models.Instance // whose token calls; nil for a key
	UseAgents bool             // the caller may run the agents of the organization
	Streamed  bool
	Capped    bool // an answer without a length gets the gateway's own (agent-api.md, 2.1)
	Cache     door.CacheUse
	Request   llm.Request
}

// requested is the model's name for people and headers.
func (c Call) requested() string {
	if c.Model == "" {
		return door.Auto
	}
	return c.Model
}

// Answer is an answer that was planned: Chunks gives it, and Sum tells what it came to.
type Answer struct {
	Call     Call
	Decision door.Decision
	Managed  bool     // by a service of the host, not the organization's own
	Dropped  []string // what of the request an agent has no use for

	g     *Gateway
	sc    *models.Scope
	plan  door.Plan
	agent *models.Instance // nil = a model answers
	began time.Time
	first time.Duration
	done  llm.Done
	spent door.Spent
	err   error
}

// Begin decides who answers; nothing is called yet. Faults: those of models.MayInfer and door.Plan, NotFound for an
// instance, Forbidden for who may not run agents.
func (g *Gateway) Begin(ctx context.Context, sc *models.Scope, c Call) (*Answer, error) {
	if err := sc.MayInfer(ctx); err != nil {
		return nil, err
	}
	a := &Answer{Call: c, g: g, sc: sc, began: time.Now()}
	name, isAgent := strings.CutPrefix(c.Model, AgentModel)
	if isAgent = isAgent && (name == "" || name[0] == ':'); isAgent {
		var err error
		if a.agent, err = c.agentOf(ctx, sc, strings.TrimPrefix(name, ":")); err != nil {
			return nil, err
		}
		a.Dropped = c.useless()
	}
	var err error
	if a.plan, err = g.Door.Plan(ctx, sc, a.ask()); err != nil {
		return nil, err
	}
	a.Decision = a.plan.Decision
	a.Managed = g.managed(a.plan.Routes[0])
	return a, nil
}

// ask is the call in the door's words; of an agent only what it would be planned by.
func (a *Answer) ask() door.Ask {
	ask := door.Ask{Instance: a.Call.Instance, Model: a.Call.Model, Request: a.Call.Request, Cache: a.Call.Cache,
		Call: door.Call{Purpose: "gateway", Settled: func(s door.Spent) { a.spent = s }}}
	if a.agent != nil {
		ask.Instance, ask.Model = a.agent, ""
	}
	if ask.Instance != nil {
		ask.Call.InstanceID = ask.Instance.ID
	}
	return ask
}

// managed tells whether the host pays for a route.
func (g *Gateway) managed(r door.Route) bool {
	if r.Offline {
		return true
	}
	for _, f := range g.Door.Found() {
		if f.Provider == r.Provider {
			return true
		}
	}
	return false
}

// Model is who is expected to answer.
func (a *Answer) Model() string { return a.plan.Routes[0].Model }

// Cached tells whether the instance's cache gave the answer, once the first piece has come.
func (a *Answer) Cached() models.CacheOutcome { return a.spent.Cached }

// Chunks gives the answer once, the last piece with Done; it must be read to its end or left. Errors are faults and
// *llm.Error. Leaving, and the end of ctx, cancel what runs, and what it took is settled.
func (a *Answer) Chunks(ctx context.Context) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		from := a.model
		if a.agent != nil {
			from = a.turn
		}
		ended := false
		defer func() {
			if !ended && a.err == nil {
				a.err = ErrGone
			}
			a.note(ctx)
		}()
		for c, err := range from(ctx) {
			if err != nil {
				a.err, ended = err, true
			}
			if a.first == 0 {
				a.first = time.Since(a.began)
			}
			if c.Done != nil {
				a.done, ended = *c.Done, true
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// model asks a model, with the limits of a call.
func (a *Answer) model(ctx context.Context) iter.Seq2[llm.Chunk, error] {
	return func(yield func(llm.Chunk, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		first := time.AfterFunc(firstLimit, func() { cancel(errFirst) })
		defer first.Stop()
		defer time.AfterFunc(callLimit, func() { cancel(errLate) }).Stop()
		ask := a.ask()
		if a.Call.Capped && ask.Request.MaxTokens == 0 {
			ask.Request.MaxTokens = usualLength(a.Model())
		}
		for c, err := range a.g.Door.Answer(ctx, a.sc, a.plan, ask) {
			first.Stop()
			if err != nil {
				err = late(ctx, err)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// usualLength is how long an answer may get when nobody says (agent-api.md, 2.1): models that reason need more.
func usualLength(model string) int {
	m := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	for _, thinking := range []string{"gpt-5", "gpt-6", "o1", "o3", "o4"} {
		if strings.HasPrefix(m, thinking) {
			return 8192
		}
	}
	return 4096
}

// late says why a call ended: a limit of ours comes before what the provider makes of it.
func late(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errFirst), errors.Is(cause, errLate):
		return fault.Wrap(err, fault.Timeout, "gateway.timeout", "The model did not answer in time")
	case errors.Is(cause, ErrGone):
		return fault.Wrap(err, fault.Unavailable, "gateway.left", "The caller has left")
	}
	return err
}
