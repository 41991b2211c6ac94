package runtime

import (
	"time"

	"lobstead/models"
)

// WorkingEntry is one of the working tier (runtime-api.md, section 4).
type WorkingEntry struct {
	ID         string `json:"id"`
	SessionID  string `json:"session_id"`
	EntryType  string `json:"entry_type"`
	Content    string `json:"content"`
	Importance int    `json:"importance"`
	CreatedAt  string `json:"created_at"`
}

// EpisodicEntry is one of the episodic tier.
type EpisodicEntry struct {
	ID             string `json:"id"`
	Classification string `json:"classification"`
	Content        string `json:"content"`
	Importance     int    `json:"importance"`
	CreatedAt      string `json:"created_at"`
}

// SemanticEntry is one of the semantic tier.
type SemanticEntry struct {
	ID         string  `json:"id"`
	Category   string  `json:"category"`
	Key        string  `json:"key"`
	Value      string  `json:"value"`
	Confidence float64 `json:"confidence"`
	CreatedAt  string  `json:"created_at"`
	UpdatedAt  string  `json:"updated_at"`
}

// Entries is the answer to a list of one tier.
type Entries[T any] struct {
	Entries []T `json:"entries"`
}

// Categories counts the semantic entries of each.
type Categories struct {
	Categories []CategoryCount `json:"categories"`
}

// CategoryCount is one category.
type CategoryCount struct {
	Category string `json:"category"`
	Count    int    `json:"count"`
}

// FoundMemory is one hit of a search; Source names the tier's table.
type FoundMemory struct {
	Content  string `json:"content"`
	Category string `json:"category"`
	Source   string `json:"source"`
}

// FoundMemories answers a search. Query is what was asked, for clients of the mission API, whose path is the same.
type FoundMemories struct {
	Query   string        `json:"query"`
	Results []FoundMemory `json:"results"`
}

// moment is how the family's tables write times: UTC, without a zone.
func moment(t time.Time) string { return t.UTC().Format(time.DateTime) }

func entries[T any](rows []models.Memory, one func(*models.Memory) T) Entries[T] {
	out := Entries[T]{Entries: make([]T, len(rows))}
	for i := range rows {
		out.Entries[i] = one(&rows[i])
	}
	return out
}

// NewWorking presents entries of the working tier.
func NewWorking(rows []models.Memory) Entries[WorkingEntry] {
	return entries(rows, func(m *models.Memory) WorkingEntry {
		e := WorkingEntry{ID: m.ID, EntryType: m.Category, Content: m.Value, Importance: m.Importance, CreatedAt: moment(m.CreatedAt)}
		if m.SessionID != nil {
			e.SessionID = *m.SessionID
		}
		return e
	})
}

// NewEpisodic presents entries of the episodic tier.
func NewEpisodic(rows []models.Memory) Entries[EpisodicEntry] {
	return entries(rows, func(m *models.Memory) EpisodicEntry {
		return EpisodicEntry{ID: m.ID, Classification: m.Category, Content: m.Value, Importance: m.Importance, CreatedAt: moment(m.CreatedAt)}
	})
}

// NewSemantic presents entries of the semantic tier.
func NewSemantic(rows []models.Memory) Entries[SemanticEntry] {
	return entries(rows, func(m *models.Memory) SemanticEntry {
		return SemanticEntry{ID: m.ID, Category: m.Category, Key: m.Key, Value: m.Value, Confidence: m.Confidence, CreatedAt: moment(m.CreatedAt), UpdatedAt: moment(m.UpdatedAt)}
	})
}

// NewCategories presents counts.
func NewCategories(rows []models.MemoryCount) Categories {
	out := Categories{Categories: make([]CategoryCount, len(rows))}
	for i, r := range rows {
		out.Categories[i] = CategoryCount{Category: r.Category, Count: r.Count}
	}
	return out
}

// NewFoundMemories presents the hits of a search, each text once.
func NewFoundMemories(query string, rows []models.Memory) FoundMemories {
	out, seen := FoundMemories{Query: query, Results: []FoundMemory{}}, map[FoundMemory]bool{}
	for i := range rows {
		m := &rows[i]
		f := FoundMemory{Content: m.Value, Category: m.Category, Source: string(m.Tier) + "_memory"}
		if m.Named() {
			f.Content = m.Key + ": " + m.Value
		}
		if !seen[f] {
			seen[f] = true
			out.Results = append(out.Results, f)
		}
	}
	return out
}
