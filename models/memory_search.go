package models

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/migrations"
)

// A search looks at no more than this many rows, the newest that fit: what stands in more of them is a common
// word, and the order among those is nobody's question. It bounds the work of every query.
const (
	maxCandidates = 100 // ranked, at most
	minCandidates = 50
	maxFiltered   = 500  // looked at when they must have more than the word: a tier, another word
	lookedBack    = 1000 // newest rows that Postgres looks through before it asks the index
	gathered      = 600  // rows of the index that Postgres looks at
	rankedBytes   = 600  // of a value that count for its rank
)

const memoryColumns = "id, organization_id, instance_id, tier, session_id, key, value, category, importance, confidence, source, origin, origin_note, turn_id, created_at, updated_at"

// MemoryFilter narrows a list of memories.
type MemoryFilter struct {
	InstanceID string
	Tier       MemoryTier
	Category   string
	Origin     Origin
	SessionID  string
	Query      string // words: beginnings that must all occur, or Any of them
	Any        bool
	Order      MemoryOrder // without a query
	Limit      int         // 0 = 100
	Offset     int
}

// MemoryOrder is how a list without a query is ordered.
type MemoryOrder string

// The orders.
const (
	Newest        MemoryOrder = ""
	MostImportant MemoryOrder = "importance"
	Surest        MemoryOrder = "confidence"
)

var memoryOrders = map[MemoryOrder]string{Newest: "updated_at DESC, id DESC", MostImportant: "importance DESC, updated_at DESC, id DESC",
	Surest: "confidence DESC, updated_at DESC, id DESC"}

// MemoryList lists what an instance remembers: the best first for a query, else as Order says.
func (sc *Scope) MemoryList(ctx context.Context, f MemoryFilter) ([]Memory, error) {
	f.Limit = orElse(f.Limit, 100)
	if f.Query = cleanText(f.Query); strings.TrimSpace(f.Query) != "" {
		return sc.searchMemories(ctx, f)
	}
	q := f.narrow(sc.read(ctx).Model(&Memory{}).Select(memoryColumns).Where("instance_id = ?", f.InstanceID))
	return all[Memory](q.Order(memoryOrders[f.Order]).Limit(f.Limit).Offset(f.Offset))
}

// Memories lists the lasting ones of an instance: newest first, or the best for a query.
func (sc *Scope) Memories(ctx context.Context, instanceID, query string, limit int) ([]Memory, error) {
	return sc.MemoryList(ctx, MemoryFilter{InstanceID: instanceID, Tier: SemanticMemory, Query: query, Limit: limit})
}

func (f *MemoryFilter) narrow(q *gorm.DB) *gorm.DB {
	sql, args := f.conditions()
	if sql == "" {
		return q
	}
	return q.Where(sql, args...)
}

// conditions are those besides the instance and the words, for a query of one table.
func (f *MemoryFilter) conditions() (string, []any) {
	sql, args := []string{}, []any{}
	for _, c := range []struct{ column, value string }{{"tier", string(f.Tier)}, {"category", f.Category}, {"origin", string(f.Origin)}, {"session_id", f.SessionID}} {
		if c.value != "" {
			sql, args = append(sql, c.column+" = ?"), append(args, cleanText(c.value))
		}
	}
	return strings.Join(sql, " AND "), args
}

// searchMemories ranks the newest rows with the words.
func (sc *Scope) searchMemories(ctx context.Context, f MemoryFilter) ([]Memory, error) {
	words := searchWords(f.Query, maxWords)
	if len(words) == 0 { // signs alone are no words
		return []Memory{}, nil
	}
	rows, err := sc.withTerms(ctx, f, terms{words: words, any: f.Any}, min(max(f.Limit+f.Offset, minCandidates), maxCandidates))
	if err != nil {
		return nil, err
	}
	rankMemories(rows, words, f.Query)
	if f.Offset >= len(rows) {
		return []Memory{}, nil
	}
	return rows[f.Offset:min(f.Offset+f.Limit, len(rows))], nil
}

// seeker finds the rows of one instance that have words.
type seeker struct {
	sc    *Scope
	scope string // of the words
	f     MemoryFilter
	n     int // rows wanted
	has   string
}

// withTerms gives the newest rows of the instance that have the words, at most n. A word that is longer than the
// lists of beginnings is looked for whole first, then among rows with its first letters.
func (sc *Scope) withTerms(ctx context.Context, f MemoryFilter, q terms, n int) ([]Memory, error) {
	k := &seeker{sc: sc, scope: wordScope(f.InstanceID), f: f, n: n, has: "instr(words, ?) > 0"}
	find := k.sqlite
	if sc.store.dialect == migrations.Postgres {
		k.has, find = "strpos(words, ?) > 0", k.postgres
	}
	rows, err := find(ctx, q, true)
	if err != nil || len(rows) >= n || !slices.ContainsFunc(q.words, long) {
		return rows, err
	}
	begin, err := find(ctx, q, false)
	return joinMemories(rows, begin, n), err
}

// filtered adds that rows have words to the other conditions.
func (k *seeker) filtered(words []string, any bool) (string, []any) {
	sql, args := k.f.conditions()
	checks := []string{}
	for _, w := range words {
		checks, args = append(checks, k.has), append(args, beginning(k.scope, w))
	}
	if len(checks) > 0 {
		if sql != "" {
			sql += " AND "
		}
		sql += "(" + strings.Join(checks, map[bool]string{true: " OR ", false: " AND "}[any]) + ")"
	}
	if sql != "" {
		sql = " AND " + sql
	}
	return sql, args
}

func (k *seeker) raw(ctx context.Context) *gorm.DB {
	return k.sc.store.r.WithContext(rawContext(tenantContext(ctx, k.sc.Org)))
}

// sqlite reads the list of a word from its end, which is the newest row; the rows join one by one. Of several words
// the rarest is read, and the others are looked for in its rows: FTS5 would walk along both lists.
func (k *seeker) sqlite(ctx context.Context, q terms, whole bool) ([]Memory, error) {
	q, others, err := k.rarest(ctx, q)
	if err != nil {
		return nil, err
	}
	if !whole {
		others = append(others, q.words...)
	}
	more, args := k.filtered(others, q.any)
	looked := k.n
	if more != "" {
		looked = maxFiltered
	}
	sql := "SELECT " + memoryColumns + " FROM (SELECT rowid AS hit FROM memory_index WHERE memory_index MATCH ? ORDER BY rowid DESC LIMIT ?) CROSS JOIN memories" +
		" ON doc = hit WHERE organization_id = ? AND instance_id = ?" + more + " ORDER BY hit DESC LIMIT ?"
	return all[Memory](k.raw(ctx).Raw(sql, append(append([]any{q.fts5(k.scope, whole), looked, k.sc.Org, k.f.InstanceID}, args...), k.n)...))
}

// rarest leaves one word of several that must all occur, if there is one with few rows; the others must be looked for
// in those.
func (k *seeker) rarest(ctx context.Context, q terms) (terms, []string, error) {
	if q.any || len(q.words) < 2 {
		return q, nil, nil
	}
	best, fewest := -1, maxFiltered
	for i, w := range q.words {
		n := 0
		// The limit is inside: a common word is counted no further.
		err := k.raw(ctx).Raw("SELECT count(*) FROM (SELECT 1 FROM memory_index WHERE memory_index MATCH ? LIMIT ?)",
			terms{words: []string{w}}.fts5(k.scope, false), maxFiltered).Scan(&n).Error
		if err != nil {
			return q, nil, translate(err)
		}
		if n < fewest {
			best, fewest = i, n
		}
	}
	if best < 0 {
		return q, nil, nil
	}
	others := slices.Delete(slices.Clone(q.words), best, best+1)
	return terms{words: q.words[best : best+1]}, others, nil
}

// postgres asks in two steps, since a GIN index gives all rows of a word before the first: a common word is found
// among the newest rows, a rare one by the index.
func (k *seeker) postgres(ctx context.Context, q terms, whole bool) ([]Memory, error) {
	var rows []Memory
	more, args := k.filtered(q.words, q.any)
	if whole {
		recent := "SELECT " + memoryColumns + " FROM (SELECT * FROM memories WHERE organization_id = ? AND instance_id = ? ORDER BY updated_at DESC, id DESC LIMIT ?) m" +
			" WHERE TRUE" + more + " ORDER BY updated_at DESC, id DESC LIMIT ?"
		found, err := all[Memory](k.raw(ctx).Raw(recent, append(append([]any{k.sc.Org, k.f.InstanceID, lookedBack}, args...), k.n)...))
		if err != nil || len(found) >= k.n {
			return found, err
		}
		rows = found
	}
	indexed := "SELECT " + memoryColumns + " FROM (SELECT * FROM memories WHERE memory_terms(words) @@ ?::tsquery LIMIT ?) hits" +
		" WHERE organization_id = ? AND instance_id = ?" + more + " ORDER BY updated_at DESC, id DESC LIMIT ?"
	err := k.raw(ctx).Transaction(func(tx *gorm.DB) error {
		// Statistics of words lag behind: making the terms of row after row is never the way.
		if err := tx.Exec("SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)").Error; err != nil {
			return err
		}
		found, err := all[Memory](tx.Raw(indexed, append(append([]any{q.tsquery(k.scope, whole), gathered, k.sc.Org, k.f.InstanceID}, args...), k.n)...))
		rows = joinMemories(rows, found, k.n)
		return err
	})
	return rows, translate(err)
}

// joinMemories appends what is not there yet.
func joinMemories(rows, more []Memory, n int) []Memory {
	have := map[string]bool{}
	for i := range rows {
		have[rows[i].ID] = true
	}
	for _, m := range more {
		if !have[m.ID] && len(rows) < n {
			rows = append(rows, m)
		}
	}
	return rows
}

// rankMemories orders by how well the words fit: a key that is the query, words that are whole, the query as it
// stands, what matters and what is sure; the newest first among equals (the order in which rows come).
func rankMemories(rows []Memory, words []string, query string) {
	score := map[string]float64{}
	phrase := strings.Join(searchWords(query, maxWords), " ")
	for i := range rows {
		score[rows[i].ID] = fitness(&rows[i], words, phrase)
	}
	slices.SortStableFunc(rows, func(a, b Memory) int { return cmp.Compare(score[b.ID], score[a.ID]) })
}

func fitness(m *Memory, words []string, phrase string) float64 {
	key, value := []string{}, searchWords(clip(m.Value, rankedBytes), maxIndexed)
	if m.Named() {
		key = searchWords(m.Key, maxIndexed)
	}
	out := float64(m.Importance)/10 + m.Confidence/2
	for _, w := range words {
		switch {
		case slices.Contains(key, w):
			out += 4
		case slices.Contains(value, w):
			out += 2
		case hasBeginning(key, w):
			out += 1.5
		case hasBeginning(value, w):
			out++
		}
	}
	if len(key) > 0 && strings.Join(key, " ") == phrase {
		out += 10
	}
	if len(words) > 1 && strings.Contains(" "+strings.Join(key, " ")+" | "+strings.Join(value, " ")+" ", " "+phrase) {
		out += 3
	}
	return out
}

func hasBeginning(words []string, w string) bool {
	return slices.ContainsFunc(words, func(s string) bool { return strings.HasPrefix(s, w) })
}

// Of a prompt: how many words of a message are looked for, and how many rows each may bring. A word that brings
// as many is too common to say what the message is about.
const (
	askedWords  = 10
	rowsPerWord = 40
)

// RelevantMemories gives what an instance remembers for a message, the most relevant first, then the newest of
// the lasting ones: at most limit. Those of the conversation itself come before all.
func (sc *Scope) RelevantMemories(ctx context.Context, instanceID, sessionID, message string, limit int) ([]Memory, error) {
	out := []Memory{}
	if sessionID != "" {
		rows, err := sc.MemoryList(ctx, MemoryFilter{InstanceID: instanceID, Tier: WorkingMemory, SessionID: sessionID, Order: MostImportant, Limit: limit / 4})
		if err != nil {
			return nil, err
		}
		out = rows
	}
	newest, err := sc.Memories(ctx, instanceID, "", limit+1)
	if err != nil {
		return nil, err
	}
	var about []Memory
	if len(newest) > limit { // else all of them fit, and their order stays the same from turn to turn
		if about, err = sc.about(ctx, instanceID, SemanticMemory, message); err != nil {
			return nil, err
		}
	}
	events, err := sc.about(ctx, instanceID, EpisodicMemory, message)
	if err != nil {
		return nil, err
	}
	out = joinMemories(out, about, limit)
	out = joinMemories(out, events[:min(len(events), limit/8)], limit)
	return joinMemories(out, newest, limit), nil
}

// about ranks by the words of a message: each counts the more, the fewer memories have it.
func (sc *Scope) about(ctx context.Context, instanceID string, tier MemoryTier, message string) ([]Memory, error) {
	score, rows := map[string]float64{}, []Memory{}
	for _, w := range telling(searchWords(message, 400)) {
		found, err := sc.withTerms(ctx, MemoryFilter{InstanceID: instanceID, Tier: tier}, terms{words: []string{w}}, rowsPerWord)
		if err != nil {
			return nil, err
		}
		if len(found) == rowsPerWord {
			continue
		}
		for i := range found {
			score[found[i].ID] += 1 / math.Log(2+float64(len(found)))
		}
		rows = joinMemories(rows, found, math.MaxInt)
	}
	slices.SortStableFunc(rows, func(a, b Memory) int { return cmp.Compare(score[b.ID], score[a.ID]) })
	return rows, nil
}

// telling keeps the longest words: they say most.
func telling(words []string) []string {
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return len(w) < 3 })
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return words[:min(len(words), askedWords)]
}

// MemoryCount is how many memories of a category there are.
type MemoryCount struct {
	Category string
	Count    int
}

// MemoryCounts counts the categories of a tier, most first.
func (sc *Scope) MemoryCounts(ctx context.Context, instanceID string, tier MemoryTier) ([]MemoryCount, error) {
	out := []MemoryCount{}
	err := sc.read(ctx).Model(&Memory{}).Select("category, count(*) AS count").Where("instance_id = ? AND tier = ?", instanceID, tier).
		Group("category").Order("count(*) DESC, category").Scan(&out).Error
	return out, translate(err)
}

// indexMemories makes the words of rows that were written before there was an index.
func (s *Store) indexMemories(ctx context.Context) error {
	sy := s.AsSystem("memories of an earlier version are read into the index")
	for {
		rows, err := all[Memory](sy.read(ctx).Where("words = ''").Order("id").Limit(500))
		if err != nil || len(rows) == 0 {
			return err
		}
		err = sy.tx(ctx, func(tx *gorm.DB) error {
			for i := range rows {
				words := versionOf(&rows[i]).memory().Words
				if _, err := changed(tx.Model(&Memory{}).Where("id = ?", rows[i].ID), map[string]any{"words": words}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fault.Wrap(err, fault.KindOf(err), "memory.index", "Memories cannot be indexed")
		}
	}
}
