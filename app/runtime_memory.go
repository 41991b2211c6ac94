package app

import (
	"strconv"
	"strings"

	runtimeapi "lobstead/api/runtime"
	"lobstead/kit/fault"
	"lobstead/models"
)

// RuntimeMemory is memory in the runtime API's spelling: one route for each tier.
type RuntimeMemory struct{ *App }

const (
	manyEntries   = 1000 // at most in one answer
	maxQueryRunes = 512
)

// Working lists the entries of all conversations, the most important first.
func (h *RuntimeMemory) Working(c *Ctx) (Reply, error) {
	rows, err := h.entries(c, models.MemoryFilter{Tier: models.WorkingMemory, Order: models.MostImportant, Limit: limitOf(c, 100)})
	return data(runtimeapi.NewWorking(rows)), err
}

// WorkingOf lists those of one conversation; one that is unknown has none.
func (h *RuntimeMemory) WorkingOf(c *Ctx) (Reply, error) {
	s, err := c.Scope.SessionNamed(c, c.Param("session_id"))
	if fault.Is(err, fault.NotFound) {
		return data(runtimeapi.NewWorking(nil)), nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.MemoryList(c, models.MemoryFilter{InstanceID: s.InstanceID, Tier: models.WorkingMemory, SessionID: s.ID, Order: models.MostImportant, Limit: manyEntries})
	return data(runtimeapi.NewWorking(rows)), err
}

// Episodic lists what happened, the most important first.
func (h *RuntimeMemory) Episodic(c *Ctx) (Reply, error) {
	rows, err := h.entries(c, models.MemoryFilter{Tier: models.EpisodicMemory, Order: models.MostImportant, Limit: limitOf(c, 50)})
	return data(runtimeapi.NewEpisodic(rows)), err
}

// Semantic lists what is so, the surest first.
func (h *RuntimeMemory) Semantic(c *Ctx) (Reply, error) {
	rows, err := h.entries(c, models.MemoryFilter{Tier: models.SemanticMemory, Order: models.Surest, Limit: limitOf(c, 100)})
	return data(runtimeapi.NewSemantic(rows)), err
}

// SemanticOf lists one category; one that is unknown is empty.
func (h *RuntimeMemory) SemanticOf(c *Ctx) (Reply, error) {
	rows, err := h.entries(c, models.MemoryFilter{Tier: models.SemanticMemory, Category: c.Param("category"), Order: models.Surest, Limit: manyEntries})
	return data(runtimeapi.NewSemantic(rows)), err
}

// Categories counts the semantic ones of each category.
func (h *RuntimeMemory) Categories(c *Ctx) (Reply, error) {
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	counts, err := c.Scope.MemoryCounts(c, i.ID, models.SemanticMemory)
	return data(runtimeapi.NewCategories(counts)), err
}

// Search looks through all tiers.
func (h *RuntimeMemory) Search(c *Ctx) (Reply, error) {
	q := c.Query("q")
	switch {
	case strings.TrimSpace(q) == "":
		return nil, fault.New(fault.Invalid, "memory.query", "missing ?q= parameter")
	case len([]rune(q)) > maxQueryRunes:
		return nil, fault.New(fault.Invalid, "memory.query", "search query too long (max 512 chars)")
	}
	limit := 100
	if k, err := strconv.Atoi(c.Query("k")); err == nil { // as the mission API calls it
		limit = min(max(k, 1), limit)
	}
	rows, err := h.entries(c, models.MemoryFilter{Query: q, Limit: limit})
	return data(runtimeapi.NewFoundMemories(q, rows)), err
}

func (h *RuntimeMemory) entries(c *Ctx, f models.MemoryFilter) ([]models.Memory, error) {
	i, err := h.instanceOf(c)
	if err != nil {
		return nil, err
	}
	f.InstanceID = i.ID
	return c.Scope.MemoryList(c, f)
}

// limitOf reads how many are wanted: 1 to 1000, else usual.
func limitOf(c *Ctx, usual int) int {
	n, err := strconv.Atoi(c.Query("limit"))
	if err != nil {
		return usual
	}
	return min(max(n, 1), manyEntries)
}
