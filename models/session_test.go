package models_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestSessionOfMakesOneRow(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	var wg sync.WaitGroup
	var ids sync.Map
	for range 16 {
		wg.Go(func() {
			s, err := sc.SessionOf(t.Context(), inst.ID, "chosen")
			if err != nil {
				t.Error(err)
				return
			}
			ids.Store(s.ID, 1)
		})
	}
	wg.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	require.Equal(t, 1, n)
}

// An alias can neither hide a session's id nor reach into another instance or organization.
func TestAliases(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, s := conversation(t, store)
	ctx := t.Context()
	two := modelstest.Instance(t, sc, "two")
	shadow, err := sc.CreateSession(ctx, models.NewSession{InstanceID: two.ID, Alias: s.ID})
	require.NoError(t, err)
	got, err := sc.SessionNamed(ctx, s.ID)
	require.NoError(t, err)
	require.Equal(t, s.ID, got.ID, "the id goes before an alias of the same letters")
	got, err = sc.SessionOf(ctx, two.ID, s.ID)
	require.NoError(t, err)
	require.Equal(t, shadow.ID, got.ID, "of this instance")
	got, err = sc.SessionOf(ctx, inst.ID, "")
	require.NoError(t, err)
	require.Equal(t, s.ID, got.ID)
	_, err = sc.CreateSession(ctx, models.NewSession{InstanceID: inst.ID, Title: "Night watch", Category: "automation"})
	require.NoError(t, err)
	got, err = sc.SessionOf(ctx, inst.ID, "")
	require.NoError(t, err)
	require.Equal(t, s.ID, got.ID, "who names no session is not put into the conversation of an automation")
	other, _ := modelstest.Found(t, store, "Other")
	foreign := modelstest.Instance(t, other, "x")
	theirs, err := other.SessionOf(ctx, foreign.ID, s.ID)
	require.NoError(t, err)
	require.NotEqual(t, s.ID, theirs.ID)
	require.True(t, fault.Is(second(other.SessionOf(ctx, inst.ID, "")), fault.NotFound), "their instance is not there")
	require.True(t, fault.Is(second(other.SessionOf(ctx, inst.ID, s.ID)), fault.NotFound))
	require.True(t, fault.Is(second(other.SessionNamed(ctx, shadow.ID)), fault.NotFound))
}

func TestSearch(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	texts := []string{"50% off", "500 off", "a_b", "aXb", `C:\dir`, "Äpfel & <Birnen>", `say "hi"` + "\nnow", "plain", "REPORT"}
	ids := map[string]string{}
	for n, text := range texts {
		s, err := sc.CreateSession(t.Context(), models.NewSession{InstanceID: inst.ID, Title: fmt.Sprint("t", n)})
		require.NoError(t, err)
		say(t, sc, s.ID, text)
		ids[s.ID] = text
	}
	for search, want := range map[string][]string{
		"50%": {"50% off"}, "%": {"50% off"}, "a_b": {"a_b"}, "_": {"a_b"}, `\`: {`C:\dir`}, `C:\D`: {`C:\dir`}, "Äpfel": {"Äpfel & <Birnen>"},
		"& <b": {"Äpfel & <Birnen>"}, `"hi"` + "\nNOW": {`say "hi"` + "\nnow"}, "report": {"REPORT"}, "source": {}, "text": {}, "'": {}, "off": {"50% off", "500 off"},
		"T7": {"plain"},
	} {
		rows, err := sc.Sessions(t.Context(), models.SessionFilter{Search: search})
		require.NoError(t, err, search)
		got := []string{}
		for _, r := range rows {
			got = append(got, ids[r.ID])
		}
		require.ElementsMatch(t, want, got, "%q", search)
	}
	rows, err := sc.Sessions(t.Context(), models.SessionFilter{Search: string(make([]rune, 60000))[:50000]})
	require.NoError(t, err)
	require.Empty(t, rows)
	other, _ := modelstest.Found(t, store, "Other")
	rows, err = other.Sessions(t.Context(), models.SessionFilter{Search: "plain"})
	require.NoError(t, err)
	require.Empty(t, rows)
}

func TestSessionListAndChanges(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, inst, a := conversation(t, store)
	ctx := t.Context()
	fake.Add(time.Second)
	b, err := sc.CreateSession(ctx, models.NewSession{InstanceID: inst.ID, Category: "task", Title: "  B "})
	require.NoError(t, err)
	require.Equal(t, []string{"B", "person"}, []string{b.Title, b.TitledBy})
	fake.Add(time.Second)
	c, err := sc.CreateSession(ctx, models.NewSession{InstanceID: inst.ID})
	require.NoError(t, err)
	order := func(f models.SessionFilter) []string {
		rows, err := sc.Sessions(ctx, f)
		require.NoError(t, err)
		out := []string{}
		for _, r := range rows {
			out = append(out, r.ID)
		}
		return out
	}
	require.Equal(t, []string{c.ID, b.ID, a.ID}, order(models.SessionFilter{}))
	fake.Add(time.Second)
	say(t, sc, a.ID, "x")
	require.Equal(t, []string{a.ID, c.ID, b.ID}, order(models.SessionFilter{InstanceID: inst.ID}), "newest activity")
	yes, archived, bad, long := true, "archived", "nonsense", fmt.Sprintf("%0101d", 1)
	require.NoError(t, second(sc.UpdateSession(ctx, b.ID, models.SessionChange{Pinned: &yes})))
	require.Equal(t, []string{b.ID, a.ID, c.ID}, order(models.SessionFilter{}))
	require.Equal(t, []string{b.ID}, order(models.SessionFilter{Limit: 1}))
	require.Equal(t, []string{b.ID}, order(models.SessionFilter{Category: "task"}))
	require.NoError(t, second(sc.UpdateSession(ctx, c.ID, models.SessionChange{Status: &archived})))
	require.Equal(t, []string{b.ID, a.ID}, order(models.SessionFilter{}))
	require.Equal(t, []string{c.ID}, order(models.SessionFilter{Archived: true}))
	require.Len(t, fault.As(second(sc.UpdateSession(ctx, a.ID, models.SessionChange{Category: &bad, Status: &bad, Title: &long}))).Fields, 3)
	require.True(t, fault.Is(second(sc.UpdateSession(ctx, a.ID, models.SessionChange{})), fault.Invalid))
	require.True(t, fault.Is(second(sc.UpdateSession(ctx, "none", models.SessionChange{Pinned: &yes})), fault.NotFound))
	for _, category := range models.SessionCategories {
		require.NoError(t, second(sc.CreateSession(ctx, models.NewSession{InstanceID: inst.ID, Category: category})), category)
	}
	require.True(t, fault.Is(second(sc.CreateSession(ctx, models.NewSession{InstanceID: inst.ID, Category: "x"})), fault.Invalid))
	hit, err := sc.TitleSession(ctx, b.ID, "auto")
	require.NoError(t, err)
	require.False(t, hit, "a person's title stays")
	hit, err = sc.TitleSession(ctx, a.ID, " auto\n title ")
	require.NoError(t, err)
	require.True(t, hit)
	got, err := sc.Session(ctx, a.ID)
	require.NoError(t, err)
	require.Equal(t, "auto title", got.Title)
}

func TestMemories(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	ctx := t.Context()
	var wg sync.WaitGroup
	for n := range 12 {
		wg.Go(func() {
			if _, err := sc.Remember(ctx, models.NewMemory{InstanceID: inst.ID, Key: " color ", Value: fmt.Sprint(n)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rows, err := sc.Memories(ctx, inst.ID, "", 10)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	again, err := sc.Remember(ctx, models.NewMemory{InstanceID: inst.ID, Key: "color", Value: "Grün 100%", Category: "fact", TurnID: "t"})
	require.NoError(t, err)
	require.Equal(t, []string{rows[0].ID, "Grün 100%", "fact", "auto"}, []string{again.ID, again.Value, again.Category, again.Source})
	for query, want := range map[string]int{"": 1, "COLOR": 1, "Grün": 1, "100% color": 1, "color red": 0, "colo": 1, "_": 0, "%": 0} {
		rows, err = sc.Memories(ctx, inst.ID, query, 10)
		require.NoError(t, err)
		require.Len(t, rows, want, "%q", query)
	}
	require.Len(t, fault.As(second(sc.Remember(ctx, models.NewMemory{InstanceID: inst.ID, Category: "x"}))).Fields, 3)
	require.True(t, fault.Is(second(sc.Remember(ctx, models.NewMemory{InstanceID: "none", Key: "k", Value: "v"})), fault.NotFound))
	require.NoError(t, second(sc.Forget(ctx, again.ID)))
	require.True(t, fault.Is(second(sc.Forget(ctx, again.ID)), fault.NotFound))
}

func TestProviders(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	ctx := t.Context()
	connect := func(kind, url, key string) (*models.Provider, error) {
		return sc.ConnectProvider(ctx, models.NewProvider{Kind: kind, BaseURL: url, Model: "m", Key: secret.Of(key)}, "ok")
	}
	first, err := connect("openai", "", "sk-0123456789abcd")
	require.NoError(t, err)
	require.Equal(t, "…abcd", first.KeyHint)
	kept, err := connect("openai", "", "")
	require.NoError(t, err)
	require.Equal(t, first.ID, kept.ID)
	key, err := sc.ProviderKey(kept)
	require.NoError(t, err)
	require.Equal(t, "sk-0123456789abcd", key.Reveal(), "an empty key keeps the stored one")
	elsewhere, err := connect("openai", "https://other.example", "")
	require.NoError(t, err)
	key, err = sc.ProviderKey(elsewhere)
	require.NoError(t, err)
	require.True(t, key.Empty(), "a key never follows to another address")
	var wg sync.WaitGroup
	for n := range 12 {
		wg.Go(func() {
			var err error
			switch n % 3 {
			case 0:
				_, err = connect("anthropic", "", "sk-0123456789abcd")
			case 1:
				err = sc.UseProvider(ctx, first.ID)
			default:
				err = sc.UseProvider(ctx, elsewhere.ID)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rows, err := sc.Providers(ctx)
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.True(t, rows[0].IsDefault)
	require.False(t, rows[1].IsDefault || rows[2].IsDefault)
	require.True(t, fault.Is(sc.UseProvider(ctx, "none"), fault.NotFound))
	def, err := sc.DefaultProvider(ctx)
	require.NoError(t, err, "a refused switch changes nothing")
	require.NoError(t, sc.DisconnectProvider(ctx, def.ID))
	require.True(t, fault.Is(second(sc.DefaultProvider(ctx)), fault.NotFound))
	other, _ := modelstest.Found(t, store, "Other")
	require.True(t, fault.Is(other.UseProvider(ctx, first.ID), fault.NotFound))
	require.True(t, fault.Is(other.DisconnectProvider(ctx, first.ID), fault.NotFound))
}

func TestLedger(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	other, _ := modelstest.Found(t, store, "Other")
	ctx, c := t.Context(), models.Charge{CallID: "c", SessionID: "s", InputTokens: 3, OutputTokens: 2, CostNanos: 7}
	require.NoError(t, sc.Reserve(ctx, c))
	require.NoError(t, sc.Settle(ctx, c))
	require.True(t, fault.Is(sc.Settle(ctx, c), fault.Conflict), "once")
	require.True(t, fault.Is(sc.Reserve(ctx, c), fault.Conflict))
	require.NoError(t, other.Settle(ctx, c), "a call of another organization blocks nothing")
	c.CallID = "d"
	require.NoError(t, sc.Settle(ctx, c))
	want := models.Spend{Calls: 2, InputTokens: 6, OutputTokens: 4, CostNanos: 14}
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("", -11*3600), time.FixedZone("", 13*3600)} {
		got, err := sc.SpentSince(ctx, time.Now().Add(-time.Minute).In(zone))
		require.NoError(t, err)
		require.Equal(t, want, got, "%v", zone)
		got, err = sc.SpentSince(ctx, time.Now().Add(time.Minute).In(zone))
		require.NoError(t, err)
		require.Zero(t, got, "%v", zone)
	}
	got, err := sc.SessionSpend(ctx, "s")
	require.NoError(t, err)
	require.Equal(t, want, got)
}
