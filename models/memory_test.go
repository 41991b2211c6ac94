package models_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/migrations"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func remember(t testing.TB, sc *models.Scope, n models.NewMemory) *models.Memory {
	t.Helper()
	m, err := sc.Remember(t.Context(), n)
	require.NoError(t, err)
	return m
}

func found(t testing.TB, sc *models.Scope, f models.MemoryFilter) []string {
	t.Helper()
	rows, err := sc.MemoryList(t.Context(), f)
	require.NoError(t, err)
	out := []string{}
	for _, m := range rows {
		if m.Named() {
			out = append(out, m.Key)
		} else {
			out = append(out, m.Value)
		}
	}
	return out
}

func TestMemoryTiers(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, s := conversation(t, store)
	remember(t, sc, models.NewMemory{InstanceID: inst.ID, Key: "sure", Value: "x", Confidence: 1})
	remember(t, sc, models.NewMemory{InstanceID: inst.ID, Key: "unsure", Value: "x", Confidence: 0.4})
	for n, w := range []int{3, 9, 6} {
		remember(t, sc, models.NewMemory{InstanceID: inst.ID, Tier: models.WorkingMemory, SessionID: s.ID, Category: "goal", Value: fmt.Sprint("goal ", n), Importance: w})
		remember(t, sc, models.NewMemory{InstanceID: inst.ID, Tier: models.EpisodicMemory, Category: "deployment", Value: fmt.Sprint("event ", n), Importance: w})
	}
	in := models.MemoryFilter{InstanceID: inst.ID}
	in.Tier, in.Order = models.WorkingMemory, models.MostImportant
	require.Equal(t, []string{"goal 1", "goal 2", "goal 0"}, found(t, sc, in))
	in.SessionID = "another"
	require.Empty(t, found(t, sc, in))
	in.SessionID, in.Tier = "", models.EpisodicMemory
	require.Equal(t, []string{"event 1", "event 2", "event 0"}, found(t, sc, in))
	in.Tier, in.Order = models.SemanticMemory, models.Surest
	require.Equal(t, []string{"sure", "unsure"}, found(t, sc, in))
	for _, bad := range []models.NewMemory{{Tier: "dream", Key: "k", Value: "v"}, {Tier: models.WorkingMemory, Value: "v"}, {Tier: models.WorkingMemory, SessionID: s.ID, Category: "fiction", Value: "v"},
		{Key: "k", Value: " "}, {Key: "k", Value: "v", Importance: 11}, {Key: "k", Value: "v", Confidence: 1.5}} {
		bad.InstanceID = inst.ID
		require.True(t, fault.Is(second(sc.Remember(t.Context(), bad)), fault.Invalid), "%+v", bad)
	}
	other, _ := modelstest.Found(t, store, "Other")
	require.True(t, fault.Is(second(other.Remember(t.Context(), models.NewMemory{InstanceID: inst.ID, Key: "k", Value: "v"})), fault.NotFound))
	require.NoError(t, sc.DeleteSession(t.Context(), s.ID))
	require.Empty(t, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Tier: models.WorkingMemory}), "notes end with their conversation")
	require.Equal(t, []string{"sure"}, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Query: "sure"}))
}

func TestMemoryHistory(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	ctx := t.Context()
	m := remember(t, sc, models.NewMemory{InstanceID: inst.ID, Key: "color", Value: "green"})
	value, wrong := "blue", ""
	_, err := sc.UpdateMemory(ctx, m.ID, models.MemoryChange{Value: &value}, models.FromPerson)
	require.NoError(t, err)
	require.True(t, fault.Is(second(sc.UpdateMemory(ctx, m.ID, models.MemoryChange{Value: &wrong}, models.FromPerson)), fault.Invalid))
	require.True(t, fault.Is(second(sc.UpdateMemory(ctx, m.ID, models.MemoryChange{}, models.FromPerson)), fault.Invalid))
	before, err := sc.MemoryStamp(ctx, inst.ID)
	require.NoError(t, err)
	gone, err := sc.Forget(ctx, m.ID)
	require.NoError(t, err)
	after, err := sc.MemoryStamp(ctx, inst.ID)
	require.NoError(t, err)
	require.NotEqual(t, before, after, "a running agent hears of it")
	require.Empty(t, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Query: "color"}))
	back, err := sc.RestoreMemory(ctx, gone.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"color", "blue"}, []string{back.Key, back.Value})
	require.Equal(t, []string{"color"}, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Query: "blue"}))
	log, err := sc.MemoryVersions(ctx, inst.ID, "color", 10)
	require.NoError(t, err)
	require.Len(t, log, 4)
	require.Equal(t, []models.MemoryAct{models.RestoreMemory, models.DeleteMemory, models.WriteMemory, models.WriteMemory}, []models.MemoryAct{log[0].Act, log[1].Act, log[2].Act, log[3].Act})
	require.Equal(t, "Owner of Acme", log[0].MadeBy)
	_, err = sc.RestoreMemory(ctx, log[3].ID)
	require.NoError(t, err)
	now, err := sc.MemoryNamed(ctx, inst.ID, "color")
	require.NoError(t, err)
	require.Equal(t, "green", now.Value)
	for n := range 40 {
		remember(t, sc, models.NewMemory{InstanceID: inst.ID, Key: "color", Value: fmt.Sprint(n)})
	}
	log, err = sc.MemoryVersions(ctx, inst.ID, "color", 100)
	require.NoError(t, err)
	require.Len(t, log, 20, "the oldest entries go")
	require.Equal(t, "39", log[0].Value)
}

// What comes from outside reaches nobody until a person accepts it.
func TestMemoryReview(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, s := conversation(t, store)
	ctx := t.Context()
	remember(t, sc, models.NewMemory{InstanceID: inst.ID, Key: "bank", Value: "the good one"})
	for _, o := range models.Origins {
		if o.Untrusted() {
			m := remember(t, sc, models.NewMemory{InstanceID: inst.ID, Key: "bank", Value: "evil " + string(o), Origin: o, OriginNote: "https://evil.example"})
			require.True(t, m.Pending)
		}
	}
	tray, err := sc.MemoryTray(ctx, inst.ID, 10)
	require.NoError(t, err)
	require.Len(t, tray, 4)
	require.Empty(t, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Query: "evil"}))
	rows, err := sc.RelevantMemories(ctx, inst.ID, s.ID, "which bank is evil", 50)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, "the good one", rows[0].Value)
	require.True(t, fault.Is(second(sc.RestoreMemory(ctx, tray[0].ID)), fault.Conflict), "no way around the review")

	no, err := sc.DecideMemory(ctx, tray[0].ID, false)
	require.NoError(t, err)
	require.Equal(t, models.VersionRejected, no.State)
	yes, err := sc.DecideMemory(ctx, tray[1].ID, true)
	require.NoError(t, err)
	require.True(t, fault.Is(second(sc.DecideMemory(ctx, no.ID, true)), fault.Conflict))
	require.True(t, fault.Is(second(sc.RestoreMemory(ctx, no.ID)), fault.Conflict))
	m, err := sc.MemoryNamed(ctx, inst.ID, "bank")
	require.NoError(t, err)
	require.Equal(t, []any{yes.Value, yes.Origin, "https://evil.example"}, []any{m.Value, m.Origin, m.OriginNote}, "where it came from stays with it")
	n, err := sc.MemoryTrayCount(ctx, inst.ID)
	require.NoError(t, err)
	require.Equal(t, 2, n)
}

func TestMemorySearch(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	other := modelstest.Instance(t, sc, "other")
	rival, _ := modelstest.Found(t, store, "Rival")
	foreign := modelstest.Instance(t, rival, "theirs")
	for key, value := range map[string]string{"release_day": "We deploy on Thursday", "deployment-window": "between nine and ten", "café": "Ada takes her café crème at the corner",
		"東京": "事務所は東京にあります", "straße": "Große Straße 5", "customer00012345": "prefers mail", "customer00012346": "prefers calls", "emoji": "🦞 likes water", "москва": "Офис в Москве"} {
		remember(t, sc, models.NewMemory{InstanceID: inst.ID, Key: key, Value: value})
	}
	remember(t, sc, models.NewMemory{InstanceID: other.ID, Key: "elsewhere", Value: "We deploy never"})
	remember(t, rival, models.NewMemory{InstanceID: foreign.ID, Key: "theirs", Value: "They deploy secretly"})
	for query, want := range map[string][]string{
		"thursday": {"release_day"}, "THURS": {"release_day"}, "deploy thursday": {"release_day"}, "thursday nine": {}, "cafe": {"café"}, "Crème": {"café"}, "creme café": {"café"},
		"東京": {"東京"}, "事務": {"東京"}, "große": {"straße"}, "GROSSE": {}, "customer00012345": {"customer00012345"}, "customer0001234x": {}, "lobster": {}, "🦞": {}, "моск": {"москва"},
		`"thursday" OR nine`: {}, "thursday*": {"release_day"}, "thurs'day": {"release_day"}, `thursday"`: {"release_day"}, "words:thursday": {}, "release day": {"release_day"},
	} {
		assert.ElementsMatch(t, want, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Query: query}), "%q", query)
	}
	assert.ElementsMatch(t, []string{"customer00012345", "customer00012346"}, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Query: "customer000123"}), "a long beginning")
	require.Equal(t, []string{"deployment-window", "release_day"}, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Query: "deploy nine ten", Any: true}))
	require.Equal(t, []string{"release_day"}, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Query: "deploy"})[:1], "the whole word first")
	require.Empty(t, found(t, sc, models.MemoryFilter{InstanceID: inst.ID, Query: "thursday", Tier: models.EpisodicMemory}))
	require.Empty(t, found(t, rival, models.MemoryFilter{InstanceID: inst.ID, Query: "deploy"}), "another organization")
	require.Empty(t, found(t, rival, models.MemoryFilter{InstanceID: inst.ID}))
}

// Common words are looked for among the newest; rare ones are found wherever they are.
func TestMemorySearchOfMany(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	fillMemories(t, store, sc.Org, []string{inst.ID}, 3000)
	for _, query := range []string{"only7", "common only7", "only2999 common", "only1500 fact"} {
		rows, err := sc.MemoryList(t.Context(), models.MemoryFilter{InstanceID: inst.ID, Query: query, Limit: 20})
		require.NoError(t, err)
		require.NotEmpty(t, rows, query)
		require.Contains(t, rows[0].Value, strings.Fields(strings.ReplaceAll(strings.ReplaceAll(query, "common", ""), "fact", ""))[0])
	}
	rows, err := sc.MemoryList(t.Context(), models.MemoryFilter{InstanceID: inst.ID, Query: "common", Limit: 20})
	require.NoError(t, err)
	require.Len(t, rows, 20)
	about, err := sc.RelevantMemories(t.Context(), inst.ID, "", "tell me about only1234 please", 50)
	require.NoError(t, err)
	require.Len(t, about, 50)
	require.True(t, strings.HasSuffix(about[0].Value, " only1234"), "the most relevant first")
}

// Whatever deletes the rows deletes what the index knows of them.
func TestMemoryIndexGoesWithItsRows(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	rival, _ := modelstest.Found(t, store, "Rival")
	theirs := modelstest.Instance(t, rival, "theirs")
	indexed := func(inst string) int {
		n := 0
		query := `SELECT count(*) FROM memory_index WHERE memory_index MATCH '` + models.IndexWords(inst)[:8] + `w*'`
		if store.Dialect() == migrations.Postgres {
			query = `SELECT count(*) FROM memories WHERE memory_terms(words) @@ '` + models.IndexWords(inst)[:8] + `w'::tsquery`
		}
		require.NoError(t, store.SQL().QueryRow(query).Scan(&n))
		return n
	}
	for n := range 3 {
		remember(t, sc, models.NewMemory{InstanceID: inst.ID, Key: fmt.Sprint(n), Value: "word"})
		remember(t, rival, models.NewMemory{InstanceID: theirs.ID, Key: fmt.Sprint(n), Value: "word"})
	}
	require.Equal(t, []int{3, 3}, []int{indexed(inst.ID), indexed(theirs.ID)})
	m, err := sc.MemoryNamed(t.Context(), inst.ID, "0")
	require.NoError(t, err)
	require.NoError(t, second(sc.Forget(t.Context(), m.ID)))
	require.Equal(t, 2, indexed(inst.ID))
	_, err = store.SQL().Exec(`DELETE FROM instances WHERE id = '` + inst.ID + `'`)
	require.NoError(t, err)
	require.Zero(t, indexed(inst.ID))
	require.Equal(t, 3, indexed(theirs.ID))
	_, err = store.SQL().Exec(`DELETE FROM organizations WHERE id = '` + rival.Org + `'`)
	require.NoError(t, err)
	require.Zero(t, indexed(theirs.ID))
}

// Rows of the version before keep their values, get a history, and are found; and go back.
func TestMemoriesOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	s := open(t, place(t))
	require.NoError(t, s.MigrateTo(t.Context(), 12))
	org, inst := id.New(), id.New()
	for _, q := range []string{
		`INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ('` + org + `', 'Acme', 'acme', '2026-01-02 03:04:05', '2026-01-02 03:04:05')`,
		`INSERT INTO instances (id, organization_id, name, region, tier, memory_mb, storage_mb, desired, generation, state, state_since, gateway_token_hash, gateway_token_sealed, created_at, updated_at)
			VALUES ('` + inst + `', '` + org + `', 'one', 'local', 'STARTER', 1, 1, 'running', 1, 'RUNNING', '2026-01-02 03:04:05', 'x', 'y', '2026-01-02 03:04:05', '2026-01-02 03:04:05')`,
		`INSERT INTO memories (id, organization_id, instance_id, key, value, category, source, created_at, updated_at) VALUES ('m1', '` + org + `', '` + inst + `', 'tea', 'Ada drinks tea', 'user_pref', 'auto', '2026-01-02 03:04:05', '2026-01-02 03:04:05')`,
	} {
		_, err := s.SQL().Exec(q)
		require.NoError(t, err, q)
	}
	_, err := s.Migrate(t.Context())
	require.NoError(t, err)
	sc := s.In(org)
	rows, err := sc.MemoryList(t.Context(), models.MemoryFilter{InstanceID: inst, Query: "drinks"})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, []any{"m1", "tea", "Ada drinks tea", "user_pref", "auto", models.FromModel, models.SemanticMemory},
		[]any{rows[0].ID, rows[0].Key, rows[0].Value, rows[0].Category, rows[0].Source, rows[0].Origin, rows[0].Tier})
	log, err := sc.MemoryVersions(t.Context(), inst, "tea", 5)
	require.NoError(t, err)
	require.Len(t, log, 1)
	require.NoError(t, s.MigrateTo(t.Context(), 12))
	value := ""
	require.NoError(t, s.SQL().QueryRow(`SELECT value FROM memories WHERE id = 'm1'`).Scan(&value))
	require.Equal(t, "Ada drinks tea", value)
}

// FuzzMemoryQuery: whatever is typed is words, and words never mean anything to a database.
func FuzzMemoryQuery(f *testing.F) {
	for _, s := range []string{"", "plain words", `a" OR "b`, "a*b", "NEAR(a b)", "words : x", "'; DROP TABLE memories; --", `\':*`, "a & !b | (c)", "Ünïcode ẞ ﬁ", "東京 ทดสอบ", "\x00\xff", "^a -b +c {d}", "अनुच्छेद", "e\u0301\u0301", strings.Repeat("x", 500)} {
		f.Add(s)
	}
	store := modelstest.New(f)
	sc, inst, _ := conversation(f, store)
	f.Fuzz(func(t *testing.T, s string) {
		for _, w := range models.SearchWords(s, 20) {
			for _, r := range w {
				if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
					t.Fatalf("%q is in a word of %q", r, s)
				}
			}
		}
		for _, any := range []bool{false, true} {
			if _, err := sc.MemoryList(t.Context(), models.MemoryFilter{InstanceID: inst.ID, Query: s, Any: any}); err != nil {
				t.Fatalf("%q: %v", s, err)
			}
		}
	})
}
