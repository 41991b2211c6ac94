package app

import (
	agentapi "lobstead/api/agent"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

// AgentMemory is what an instance remembers for good, in the agent API's spelling: one path, the id or the key in
// the body.
type AgentMemory struct{ *App }

// shownMemories bounds a list of the agent API.
const shownMemories = 1000

// Index lists them, newest first.
func (h *AgentMemory) Index(c *Ctx) (Reply, error) {
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.MemoryList(c, models.MemoryFilter{InstanceID: i.ID, Tier: models.SemanticMemory, Category: c.Query("category"), Limit: shownMemories})
	if err != nil {
		return nil, err
	}
	return data(agentapi.MemoryList{Memories: agentapi.NewMemories(rows)}), nil
}

// Create writes one; the same key overwrites.
func (h *AgentMemory) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	n, err := agentapi.ReadMemory(f)
	if err != nil {
		return nil, err
	}
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	n.InstanceID = i.ID
	m, err := c.Scope.Remember(c, n)
	if err != nil {
		return nil, err
	}
	return data(agentapi.MemoryAnswer{Success: true, Memory: agentapi.NewMemory(m)}), nil
}

// Update changes one; the body names it.
func (h *AgentMemory) Update(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	id, key, change, err := agentapi.ReadMemoryChange(f)
	if err != nil {
		return nil, err
	}
	m, err := h.named(c, id, key)
	if err != nil {
		return nil, err
	}
	if m, err = c.Scope.UpdateMemory(c, m.ID, change, models.FromProgram); err != nil {
		return nil, err
	}
	return data(agentapi.MemoryAnswer{Success: true, Memory: agentapi.NewMemory(m)}), nil
}

// Destroy deletes one; proxies drop the body of a DELETE, so the query may name it too.
func (h *AgentMemory) Destroy(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	id, key, err := memoryName(c, f)
	if err != nil {
		return nil, err
	}
	m, err := h.named(c, id, key)
	if err != nil {
		return nil, err
	}
	if _, err := c.Scope.Forget(c, m.ID); err != nil {
		return nil, err
	}
	return data(agentapi.Deleted{Success: true}), nil
}

func memoryName(c *Ctx, f *wire.Fields) (id, key string, err error) {
	if id, key = c.Query("id"), c.Query("key"); (id != "" || key != "") && !f.Has("id") && !f.Has("key") {
		return id, key, nil
	}
	return agentapi.ReadMemoryRef(f)
}

// named finds a lasting memory of the organization by id, or by key within the instance that the call means.
func (h *AgentMemory) named(c *Ctx, id, key string) (m *models.Memory, err error) {
	if id != "" {
		m, err = c.Scope.Memory(c, id)
	} else {
		i, e := h.instanceOf(c)
		if e != nil {
			return nil, e
		}
		m, err = c.Scope.MemoryNamed(c, i.ID, key)
	}
	if fault.Is(err, fault.NotFound) || err == nil && !m.Named() {
		return nil, fault.New(fault.NotFound, "memory.not_found", "Memory not found")
	}
	return m, err
}
