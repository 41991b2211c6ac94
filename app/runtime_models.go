package app

import (
	"cmp"
	"slices"
	"time"

	"lobstead/api/runtime"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// RuntimeModels are the services, their breakers and the choices between them in the runtime API's spelling.
type RuntimeModels struct{ *App }

// Breakers tells how each service stands.
func (h *RuntimeModels) Breakers(c *Ctx) (Reply, error) {
	all, err := h.Door.Breakers(c, c.Scope)
	if err != nil {
		return nil, err
	}
	out := runtime.BreakerStatus{Providers: map[string]runtime.Breaker{}, Config: runtime.BreakerConfig{Threshold: door.BreakerThreshold,
		CooldownSeconds: seconds(door.BreakerCooldown), MaxCooldownSeconds: seconds(door.BreakerMaxCooldown), WindowSeconds: seconds(door.BreakerWindow)}}
	for name, b := range all {
		byModel := map[string]string{}
		for m, s := range b.Models {
			byModel[m] = string(s)
		}
		out.Providers[name] = runtime.Breaker{State: string(b.State), Blocked: b.Blocked, Credit: b.Credit, Forced: b.Forced, Models: byModel}
	}
	return data(out), nil
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// Reset ends an order and forgets the failures of a service.
func (h *RuntimeModels) Reset(c *Ctx) (Reply, error) {
	name := c.Param("provider")
	if err := h.Door.ResetBreaker(c, c.Scope, name); err != nil {
		return nil, unknownProvider(err, name)
	}
	return data(runtime.BreakerReset{Provider: name, State: string(door.Closed), Reset: true}), nil
}

// Open takes a service out of use until it is reset.
func (h *RuntimeModels) Open(c *Ctx) (Reply, error) {
	name := c.Param("provider")
	if err := h.Door.OpenBreaker(c, c.Scope, name); err != nil {
		return nil, unknownProvider(err, name)
	}
	return data(runtime.BreakerOpened{Provider: name, State: string(door.Open), Blocked: true, Forced: true}), nil
}

// KeepKey stores the key of a connected service, without trying it.
func (h *RuntimeModels) KeepKey(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	key, err := runtime.ReadProviderKey(f)
	if err != nil {
		return nil, err
	}
	row, name, err := h.connected(c)
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.KeepProviderKey(c, row.ID, key); err != nil {
		return nil, err
	}
	return data(runtime.KeyStored{Stored: true, Provider: name, Entry: runtime.KeyEntry(name)}), nil
}

// ForgetKey removes it.
func (h *RuntimeModels) ForgetKey(c *Ctx) (Reply, error) {
	row, name, err := h.connected(c)
	if err != nil {
		return nil, err
	}
	had, err := c.Scope.KeepProviderKey(c, row.ID, secret.String{})
	if err != nil {
		return nil, err
	}
	return data(runtime.KeyRemoved{Removed: had, Provider: name, Entry: runtime.KeyEntry(name)}), nil
}

func (h *RuntimeModels) connected(c *Ctx) (*models.Provider, string, error) {
	name := c.Param("provider")
	row, err := h.Door.Connected(c, c.Scope, name)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.NotFound, "provider", "provider '%s' not found in config", name)
	}
	return row, name, err
}

func unknownProvider(err error, name string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "provider", "unknown provider '%s'", name)
	}
	return err
}

// Available asks each service for its models.
func (h *RuntimeModels) Available(c *Ctx) (Reply, error) {
	all, err := h.Door.Offers(c, c.Scope)
	if err != nil {
		return nil, err
	}
	out := runtime.Available{Models: []string{}, Validation: cmp.Or(c.Query("validation_level"), "zero"), Proxy: runtime.Proxy{Mode: "in_process"},
		Providers: map[string]runtime.Availability{}}
	only := c.Query("provider")
	for name, o := range all {
		if only != "" && only != name {
			continue
		}
		a := availability(o)
		out.Providers[name] = a
		for _, m := range a.Models {
			out.Models = append(out.Models, name+"/"+m)
		}
	}
	slices.Sort(out.Models)
	out.Count = len(out.Models)
	return data(out), nil
}

// availability lists what a service told; the model that was chosen for it is always there.
func availability(o door.Offer) runtime.Availability {
	a := runtime.Availability{Status: "ok", Models: []string{}}
	for _, m := range o.Models {
		a.Models = append(a.Models, m.ID)
	}
	if o.Default != "" && !slices.Contains(a.Models, o.Default) {
		a.Models = append(a.Models, o.Default)
	}
	slices.Sort(a.Models)
	a.Count = len(a.Models)
	if o.Err != nil {
		a.Status, a.Error = "error", llm.AsError(o.Err).Message
		if k := llm.KindOf(o.Err); k == llm.KindNetwork || k == llm.KindTimeout {
			a.Status = "unreachable"
		}
	}
	return a
}

// Selections lists the newest choices.
func (h *RuntimeModels) Selections(c *Ctx) (Reply, error) {
	n, err := c.number("limit", 100, 1, 500)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.Decisions(c, n)
	if err != nil {
		return nil, err
	}
	words, err := c.Scope.DecidedWords(c, rows)
	if err != nil {
		return nil, err
	}
	return data(runtime.NewSelections(rows, words)), nil
}

// Capacity tells what each service has left of its limits.
func (h *RuntimeModels) Capacity(c *Ctx) (Reply, error) {
	all, err := h.Door.Capacities(c, c.Scope)
	if err != nil {
		return nil, err
	}
	out := runtime.Capacities{Providers: map[string]runtime.Capacity{}}
	known := func(n int) *int {
		if n == 0 {
			return nil
		}
		return &n
	}
	for name, k := range all {
		out.Providers[name] = runtime.Capacity{Headroom: k.Headroom, NearCapacity: k.Near, SustainedHot: k.Hot, TokensUsed: k.Tokens, RequestsUsed: k.Requests,
			TPMLimit: known(k.TokensPerMinute), RPMLimit: known(k.RequestsPerMinute), TokenUtilization: k.TokenUse, RequestUtilization: k.CallsUse}
	}
	return data(out), nil
}
