package door

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

const (
	listLife  = 10 * time.Minute
	listAgain = time.Minute // after a list that could not be read
	listLimit = 8 * time.Second
	listWait  = 1500 * time.Millisecond // that a choice waits for a list that nobody has read yet
	maxLists  = 10_000
)

// service is one model service that may be asked: connected by the organization, or found on the host.
type service struct {
	account  string // the key of what is known of it: of the row, or of the host's service
	name     string // for people and for orders; unique in the organization
	kind     string
	provider llm.Provider
	model    string    // that was chosen for it
	at       time.Time // of the row; zero for the host's
	main     bool      // the organization's default
}

func (d *Door) connected(sc *models.Scope, row *models.Provider) (service, error) {
	p, err := d.cache.get(d, sc, row)
	if err != nil {
		return service{}, err
	}
	return service{account: row.ID, name: row.Kind, kind: row.Kind, provider: p, model: row.Model, at: row.UpdatedAt, main: row.IsDefault}, nil
}

func (f Found) service() service {
	return service{account: "host/" + f.Kind + "/" + f.Source, name: f.Kind, kind: f.Kind, provider: f.Provider, model: f.Model}
}

// servicesOf lists who may answer an instance: the service that was chosen for it alone, else those of the organization.
func (d *Door) servicesOf(ctx context.Context, sc *models.Scope, i *models.Instance) ([]service, error) {
	row, err := sc.ServiceOf(ctx, i)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return d.services(ctx, sc)
	}
	s, err := d.connected(sc, row)
	return []service{s}, err
}

// services lists who may answer: what the organization connected; if nothing, what the host has; if nothing, the built-in
// model alone. The organization's default is the first.
func (d *Door) services(ctx context.Context, sc *models.Scope) ([]service, error) {
	rows, err := sc.Providers(ctx)
	if err != nil {
		return nil, err
	}
	var out []service
	for i, name := range serviceNames(rows) {
		s, err := d.connected(sc, &rows[i])
		if err != nil {
			slog.WarnContext(ctx, "door: a connected service cannot be used", "provider", rows[i].ID, "kind", rows[i].Kind, "error", err)
			continue
		}
		s.name = name
		out = append(out, s)
	}
	if len(out) > 0 {
		return out, nil
	}
	names := map[string]bool{}
	for _, f := range d.Found() {
		s := f.service()
		if names[s.name] {
			s.name = distinct(s.name, f.Source, f.Kind)
		}
		names[s.name] = true
		s.main = len(out) == 0
		out = append(out, s)
	}
	return out, nil
}

// serviceNames names connected services, in their order: by kind, a further one of a kind by its host, too.
func serviceNames(rows []models.Provider) []string {
	out := []string{}
	for i := range rows {
		name := rows[i].Kind
		if slices.Contains(out, name) {
			name = distinct(name, rows[i].BaseURL, rows[i].ID)
		}
		out = append(out, name)
	}
	return out
}

// Connected finds a service that the organization connected by the name that Breakers gives it, also one that cannot be used
// for want of a key. NotFound for others, and for the host's.
func (d *Door) Connected(ctx context.Context, sc *models.Scope, name string) (*models.Provider, error) {
	rows, err := sc.Providers(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.Index(serviceNames(rows), name)
	if at < 0 {
		return nil, fault.NotFoundf("provider")
	}
	return &rows[at], nil
}

// distinct tells two services of one kind apart by their hosts.
func distinct(name, address, id string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return name + "@" + u.Host
	}
	return name + "@" + cmp.Or(address, id)
}

// local services cost nothing to ask.
func local(kind string) bool { return kind == "ollama" || kind == "offline" }

// lists keeps what the services offer.
type lists struct {
	mu  sync.Mutex
	all map[string]*modelList
}

type modelList struct {
	rowAt   time.Time
	at      time.Time   // of the last read that ended
	models  []llm.Model // by the length of their names: "m" before its dated "m-2026-01-01"
	byName  map[string]llm.Model
	err     error
	loading chan struct{} // open while one read is on its way
}

// offers lists the models of a service as it told last. What is older than ten minutes is read again beside the call; only
// a list that nobody has read is waited for, and not for long. The error is that of the last read; an older list stays.
func (d *Door) offers(ctx context.Context, s service, wait time.Duration) ([]llm.Model, error) {
	l := d.lists.get(d, s)
	d.lists.mu.Lock()
	known, loading := !l.at.IsZero(), l.loading
	d.lists.mu.Unlock()
	if !known && loading != nil && wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-loading:
		case <-t.C:
		case <-ctx.Done():
		}
	}
	d.lists.mu.Lock()
	defer d.lists.mu.Unlock()
	return l.models, l.err
}

// get finds a list and starts a read when it is time.
func (c *lists) get(d *Door, s service) *modelList {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.all[s.account]
	if l == nil || !l.rowAt.Equal(s.at) {
		if c.all == nil || len(c.all) > maxLists {
			c.all = map[string]*modelList{}
		}
		l = &modelList{rowAt: s.at}
		c.all[s.account] = l
	}
	life := listLife
	if l.err != nil {
		life = listAgain
	}
	if l.loading == nil && (l.at.IsZero() || d.now().Sub(l.at).Abs() >= life) {
		l.loading = make(chan struct{})
		go c.load(d, s, l)
	}
	return l
}

func (c *lists) load(d *Door, s service, l *modelList) {
	ctx, done := context.WithTimeout(context.Background(), listLimit)
	defer done()
	var found []llm.Model
	byName := map[string]llm.Model{}
	err := error(llm.Fail(s.name, llm.KindUpstream, "the list of models could not be read", nil))
	defer func() { // a provider that panics must not take the process with it
		if p := recover(); p != nil {
			slog.Error("door: a list of models panicked", "provider", s.name, "panic", p)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if l.err = err; err == nil {
			l.models, l.byName = found, byName
		}
		l.at = d.now()
		close(l.loading)
		l.loading = nil
	}()
	found, err = s.provider.Models(ctx)
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b llm.Model) int { return cmp.Compare(len(a.ID), len(b.ID)) })
	for _, m := range found {
		byName[strings.ToLower(m.ID)] = m
	}
}

// told is what the service's list, as far as it was read, says of one model.
func (d *Door) told(s service, model string) (llm.Model, bool) {
	d.lists.mu.Lock()
	defer d.lists.mu.Unlock()
	l := d.lists.all[s.account]
	if l == nil || !l.rowAt.Equal(s.at) {
		return llm.Model{}, false
	}
	m, ok := l.byName[strings.ToLower(model)]
	return m, ok
}
