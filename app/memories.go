package app

import (
	"strconv"

	"lobstead/api/runtime"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/memories"
)

// Memories are the pages of what an instance remembers.
type Memories struct{ *App }

const (
	memoryPage   = 50
	trayPage     = 20
	historyPage  = 100
	furthestPage = 5000 // rows that "show more" reaches; search finds the others
)

// Index lists them; HTMX gets the rows.
func (h *Memories) Index(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	p := &memories.IndexProps{Filter: memoryFilter(c, i.ID)}
	if p.Rows, err = c.Scope.MemoryList(c, p.Filter); err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		return data(runtime.NewFoundMemories(p.Filter.Query, p.Rows)), nil
	}
	return h.index(c, i, p, 200)
}

func memoryFilter(c *Ctx, instance string) models.MemoryFilter {
	offset, _ := strconv.Atoi(c.Query("offset"))
	return models.MemoryFilter{InstanceID: instance, Query: clip(c.Query("q"), 500), Tier: models.MemoryTier(c.Query("tier")), Category: c.Query("category"),
		Origin: models.Origin(c.Query("source")), Limit: memoryPage, Offset: min(max(offset, 0), furthestPage)}
}

// index shows the list, with what stands around it.
func (h *Memories) index(c *Ctx, i *models.Instance, p *memories.IndexProps, status int) (Reply, error) {
	p.Frame, p.Instance, p.BaseURL = c.frame("Memory of "+i.Name, "/instances", ""), i, h.PublicURL
	if next := p.Filter.Offset + len(p.Rows); len(p.Rows) == memoryPage && next < furthestPage {
		p.More = memories.Address(i, p.Filter, next)
	}
	waiting, err := c.Scope.MemoryTrayCount(c, i.ID)
	if err != nil {
		return nil, err
	}
	if p.Tray, err = c.Scope.MemoryTray(c, i.ID, trayPage); err != nil {
		return nil, err
	}
	p.TrayLeft = max(waiting-len(p.Tray), 0)
	if p.Sessions, err = c.Scope.Sessions(c, models.SessionFilter{InstanceID: i.ID, Limit: memoryPage}); err != nil {
		return nil, err
	}
	if undo := c.Query("undo"); undo != "" {
		if v, err := c.Scope.MemoryVersion(c, undo); err == nil && v.Act == models.DeleteMemory && v.InstanceID == i.ID {
			p.Undo = v
		}
	}
	turns := []*string{}
	for n := range p.Rows {
		turns = append(turns, p.Rows[n].TurnID)
	}
	p.Sources, err = h.sources(c, turns, p.Tray)
	return page(memories.Index(*p)).partial(memories.Rows(*p)).with(status), err
}

// sources finds the conversations in which memories were written; one that is gone is not there.
func (h *Memories) sources(c *Ctx, turns []*string, versions []models.MemoryVersion) (map[string]memories.Source, error) {
	ids := []string{}
	for n := range versions {
		turns = append(turns, versions[n].TurnID)
	}
	for _, t := range turns {
		if t != nil {
			ids = append(ids, *t)
		}
	}
	found, err := c.Scope.TurnPlaces(c, ids)
	out := map[string]memories.Source{}
	for turn, p := range found {
		out[turn] = memories.Source{SessionID: p.Session.ID, Title: p.Session.Title}
	}
	return out, err
}

// Create writes one by hand.
func (h *Memories) Create(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	n, err := readMemory(f)
	n.InstanceID = i.ID
	if err == nil {
		_, err = c.Scope.Remember(c, n)
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		p := &memories.IndexProps{Filter: memoryFilter(c, i.ID), New: n, Errors: errs}
		if p.Rows, err = c.Scope.MemoryList(c, p.Filter); err != nil {
			return nil, err
		}
		return h.index(c, i, p, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect("/instances/"+i.ID+"/memory").json(wire.Done{Success: true}).say("ok", "Remembered"), nil
}

func readMemory(f *wire.Fields) (models.NewMemory, error) {
	n := models.NewMemory{Origin: models.FromPerson}
	tier := ""
	for name, to := range map[string]*string{"key": &n.Key, "category": &n.Category, "session_id": &n.SessionID, "tier": &tier} {
		if s, _ := f.OptionalString(name); s != nil {
			*to = *s
		}
	}
	n.Tier = models.MemoryTier(tier)
	n.Value, _ = f.String("value")
	if v := f.OptionalInt("importance", 0, 10); v != nil {
		n.Importance = *v
	}
	return n, f.Err()
}

// memory is the one that the path names, within its instance.
func (h *Memories) memory(c *Ctx) (*models.Instance, *models.Memory, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, nil, err
	}
	id, err := c.ID("memory")
	if err != nil {
		return nil, nil, err
	}
	m, err := c.Scope.Memory(c, id)
	if err == nil && m.InstanceID != i.ID {
		err = fault.NotFoundf("memory")
	}
	return i, m, err
}

// Show is one with its history.
func (h *Memories) Show(c *Ctx) (Reply, error) {
	i, m, err := h.memory(c)
	if err != nil {
		return nil, err
	}
	return h.show(c, i, m, nil, 200)
}

func (h *Memories) show(c *Ctx, i *models.Instance, m *models.Memory, errs map[string]string, status int) (Reply, error) {
	p := memories.ShowProps{Frame: c.frame("Memory of "+i.Name, "/instances", ""), Instance: i, Memory: m, Errors: errs}
	var err error
	if p.Versions, err = c.Scope.MemoryVersions(c, i.ID, m.Key, historyPage); err != nil {
		return nil, err
	}
	p.Sources, err = h.sources(c, []*string{m.TurnID}, p.Versions)
	return page(memories.Show(p)).with(status), err
}

// Update changes one by hand.
func (h *Memories) Update(c *Ctx) (Reply, error) {
	i, m, err := h.memory(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	var change models.MemoryChange
	change.Value, _ = f.OptionalString("value")
	change.Category, _ = f.OptionalString("category")
	change.Importance = f.OptionalInt("importance", 1, 10)
	if err = f.Err(); err == nil {
		_, err = c.Scope.UpdateMemory(c, m.ID, change, models.FromPerson)
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		if change.Value != nil {
			m.Value = *change.Value
		}
		return h.show(c, i, m, errs, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect("/instances/"+i.ID+"/memory").json(wire.Done{Success: true}).say("ok", "Saved"), nil
}

// Destroy deletes one; the page that follows offers the way back.
func (h *Memories) Destroy(c *Ctx) (Reply, error) {
	i, m, err := h.memory(c)
	if err != nil {
		return nil, err
	}
	v, err := c.Scope.Forget(c, m.ID)
	if err != nil {
		return nil, err
	}
	return redirect("/instances/" + i.ID + "/memory?undo=" + v.ID).json(wire.Done{Success: true}), nil
}

// History is what happened to all of them.
func (h *Memories) History(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	p := memories.HistoryProps{Frame: c.frame("Memory history of "+i.Name, "/instances", ""), Instance: i}
	if p.Versions, err = c.Scope.MemoryVersions(c, i.ID, "", historyPage); err != nil {
		return nil, err
	}
	p.Sources, err = h.sources(c, nil, p.Versions)
	return page(memories.History(p)), err
}

// Decide accepts or rejects what waits for review, or restores a value of the history.
func (h *Memories) Decide(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	id, err := c.ID("version")
	if err != nil {
		return nil, err
	}
	v, err := c.Scope.MemoryVersion(c, id)
	if err == nil && v.InstanceID != i.ID {
		err = fault.NotFoundf("memory")
	}
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	act, _ := f.Enum("act", "accept", "reject", "restore")
	if err := f.Err(); err != nil {
		return nil, err
	}
	said := map[string]string{"accept": "Accepted: it is remembered now", "reject": "Rejected", "restore": "Restored"}[act]
	if act == "restore" {
		_, err = c.Scope.RestoreMemory(c, id)
	} else {
		_, err = c.Scope.DecideMemory(c, id, act == "accept")
	}
	return redirect("/instances/"+i.ID+"/memory").json(wire.Done{Success: true}).say("ok", said), err
}
