package app

import (
	agentapi "lobstead/api/agent"
	"lobstead/models"
	"lobstead/views/cache"
)

// Caches is the page of what an instance answers again.
type Caches struct{ *App }

// Show tells what its cache may do, and what it did.
func (h *Caches) Show(c *Ctx) (Reply, error) {
	i, err := h.of(c)
	if err != nil {
		return nil, err
	}
	return h.show(c, i, nil, nil)
}

// of is the instance that the path names, or that the agent API means.
func (h *Caches) of(c *Ctx) (*models.Instance, error) {
	if c.family == Pages {
		return h.pathInstance(c)
	}
	return h.instanceOf(c)
}

// show is the page; typed is what came back with errs.
func (h *Caches) show(c *Ctx, i *models.Instance, typed, errs map[string]string) (Reply, error) {
	row, stats, err := c.Scope.ResponseCache(c, i.ID)
	if err != nil {
		return nil, err
	}
	status := 200
	if len(errs) > 0 {
		status = 422
	}
	p := cache.ShowProps{Frame: c.frame("Cache of "+i.Name, "/instances", ""), Instance: i, Cache: row, Stats: stats, Typed: typed, Errors: errs, BaseURL: h.PublicURL}
	return page(cache.Show(p)).json(agentapi.NewCacheSettings(row, stats)).with(status), nil
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
	var row *models.ResponseCache
	if err == nil {
		row, err = c.Scope.SetResponseCache(c, i.ID, change)
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		return h.show(c, i, map[string]string{"life_hours": f.Text("life_hours"), "max_entries": f.Text("max_entries")}, errs)
	}
	if err != nil {
		return nil, err
	}
	h.Door.Forget(c.Org())
	_, stats, err := c.Scope.ResponseCache(c, i.ID)
	return redirect("/instances/"+i.ID+"/cache").json(agentapi.NewCacheSettings(row, stats)).say("ok", "Saved"), err
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
	row, stats, err := c.Scope.ResponseCache(c, i.ID)
	return redirect("/instances/"+i.ID+"/cache").json(agentapi.NewCacheSettings(row, stats)).say("ok", "The cache is empty"), err
}
