package agent

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// Memory is one lasting memory (agent-api.md, 3.5).
type Memory struct {
	ID        string `json:"id"`
	Key       string `json:"key"`
	Value     string `json:"value"`
	Category  string `json:"category"`
	Source    string `json:"source"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

// MemoryList is the answer to a list.
type MemoryList struct {
	Memories []Memory `json:"memories"`
}

// MemoryAnswer is one memory that was written.
type MemoryAnswer struct {
	Success bool   `json:"success"`
	Memory  Memory `json:"memory"`
}

// NewMemory presents one.
func NewMemory(m *models.Memory) Memory {
	return Memory{ID: m.ID, Key: m.Key, Value: m.Value, Category: m.Category, Source: m.Source, CreatedAt: wire.Time(m.CreatedAt), UpdatedAt: wire.Time(m.UpdatedAt)}
}

// NewMemories presents a list.
func NewMemories(rows []models.Memory) []Memory {
	out := make([]Memory, len(rows))
	for i := range rows {
		out[i] = NewMemory(&rows[i])
	}
	return out
}

// ReadMemory reads what to remember.
func ReadMemory(f *wire.Fields) (models.NewMemory, error) {
	n := models.NewMemory{Origin: models.FromProgram}
	n.Key, _ = f.String("key")
	n.Value, _ = f.String("value")
	if s, _ := f.OptionalString("category"); s != nil {
		n.Category = *s
	}
	return n, f.Err()
}

// ReadMemoryRef reads which memory is meant: an id, or else a key.
func ReadMemoryRef(f *wire.Fields) (id, key string, err error) {
	if s, _ := f.OptionalString("id"); s != nil {
		id = *s
	}
	if s, _ := f.OptionalString("key"); s != nil {
		key = *s
	}
	if id == "" && key == "" && f.Err() == nil {
		f.Issues.Required("id", "string")
	}
	return id, key, f.Err()
}

// ReadMemoryChange reads which memory to change, and what.
func ReadMemoryChange(f *wire.Fields) (id, key string, c models.MemoryChange, err error) {
	c.Value, _ = f.OptionalString("value")
	c.Category, _ = f.OptionalString("category")
	id, key, err = ReadMemoryRef(f)
	return id, key, c, err
}
