package app

import (
	agentapi "lobstead/api/agent"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/cache"
)

// Caches is what an instance answers again: its page, and the agent API's spelling.
type Caches struct{ *App }

// of is the instance that the path names, or that the agent API means.
func (h *Caches) of(c *Ctx) (*models.Instance, error) {
	if c.family == Pages {
		return h.pathInstance(c)
	}
	return h.instanceOf(c)
}

// Show tells what its cache may do, and what it did.
func (h *Caches) Show(c *Ctx) (Reply, error) {
	i, err := h.of(c)
	if err != nil {
		return nil, err
	}
	p, err := h.props(c, i)
	if err != nil {
		return nil, err
	}
	return page(cache.Show(*p)).json(h.settings(p)), nil
}

func (h *Caches) props(c *Ctx, i *models.Instance) (*cache.ShowProps, error) {
	p := &cache.ShowProps{Frame: c.frame("Cache of "+i.Name, "/instances", ""), Instance: i, BaseURL: h.PublicURL}
	var err error
	if p.Cache, p.Stats, err = c.Scope.ResponseCache(c, i.ID); err != nil {
		return nil, err
	}
	r, err := h.Door.Embedder(c, c.Scope, i, p.Cache.EmbeddingModel)
	switch {
	case fault.Is(err, fault.NotFound):
		return p, nil
	case err != nil:
		return nil, err
	}
	p.EmbeddedBy, p.Unpriced = r.Label(), !r.Priced()
	return p, nil
}

func (h *Caches) settings(p *cache.ShowProps) agentapi.CacheSettings {
	return agentapi.NewCacheSettings(p.Cache, p.Stats, p.EmbeddedBy)
}

// Update decides what it may do, from the next call on.
func (h *Caches) Update(c *Ctx) (Reply, error) {
	i, err := h.of(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	change, err := agentapi.ReadCacheChange(f)
	if err == nil {
		_, err = c.Scope.SetResponseCache(c, i.ID, change)
	}
	errs, refused := invalid(err)
	if refused = refused && !c.wantsJSON(); err != nil && !refused {
		return nil, err
	}
	h.Door.Forget(c.Org())
	p, err := h.props(c, i)
	if err != nil {
		return nil, err
	}
	if refused {
		p.Typed, p.Errors = f.Text, errs
		return page(cache.Show(*p)).with(422), nil
	}
	return redirect("/instances/"+i.ID+"/cache").json(h.settings(p)).say("ok", "Saved"), nil
}

// Empty forgets all answers.
func (h *Caches) Empty(c *Ctx) (Reply, error) {
	i, err := h.of(c)
	if err != nil {
		return nil, err
	}
	if err := c.Scope.EmptyCache(c, i.ID); err != nil {
		return nil, err
	}
	p, err := h.props(c, i)
	if err != nil {
		return nil, err
	}
	return redirect("/instances/"+i.ID+"/cache").json(h.settings(p)).say("ok", "The cache is empty"), nil
}
