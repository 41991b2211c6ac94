package models_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// dirty draws text with what breaks databases in it.
func dirty() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOf(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\x00", "\xff", "\xed\xa0\x80", `\u0000`, `\\u0000`, `\`, `"`,
			"\u2028", "😀", `\ud800`, "%", "_", "'", "--", "\u0001", "\ufffd"}))).Draw(t, "parts")
		return strings.Join(parts, "")
	})
}

func TestCleanText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := dirty().Draw(t, "s")
		c := models.CleanText(s)
		if !utf8.ValidString(c) || strings.Contains(c, "\x00") || models.CleanText(c) != c {
			t.Fatalf("%q -> %q", s, c)
		}
		if utf8.ValidString(s) && !strings.Contains(s, "\x00") && c != s {
			t.Fatalf("clean text was changed: %q -> %q", s, c)
		}
		n := rapid.IntRange(0, len(c)).Draw(t, "n")
		if cut := models.Clip(c, n); len(cut) > n || !utf8.ValidString(cut) || !strings.HasPrefix(c, cut) || len(cut) < n-3 {
			t.Fatalf("%q cut to %d is %q", c, n, cut)
		}
	})
}

func TestBadEscapes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`a\u0000b`: `a\ufffdb`, `a\\u0000b`: `a\\u0000b`, `a\\\u0000`: `a\\\ufffd`, `\ud83d\ude00`: `\ud83d\ude00`, `\ud800`: `\ufffd`,
		`\ude00\ud83d`: `\ufffd\ufffd`, `\ud800\ud83d\ude00`: `\ufffd\ud83d\ude00`, `\ud83dx`: `\ufffdx`, `\uD800\n`: `\ufffd\n`,
		`\u0001`: `\u0001`, `\`: `\`, `\u00`: `\u00`, ``: ``, `\ud800\u0041`: `\ufffd\u0041`,
	} {
		require.Equal(t, want, models.BadEscapes(in), in)
	}
}

func FuzzBadEscapes(f *testing.F) {
	for _, s := range []string{`"\u0000"`, `"\\u0000"`, `"\ud83d\ude00"`, `{"a":"\ud800"}`, `"\\\ud800\\"`, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := models.BadEscapes(s)
		if models.BadEscapes(out) != out {
			t.Fatalf("not settled: %q -> %q", s, out)
		}
		if !json.Valid([]byte(s)) {
			return
		}
		var before, after any
		if json.Unmarshal([]byte(s), &before) != nil {
			return // numbers out of range
		}
		if err := json.Unmarshal([]byte(out), &after); err != nil {
			t.Fatalf("%q -> %q: %v", s, out, err)
		}
		a, _ := json.Marshal(before)
		b, _ := json.Marshal(after)
		if strings.ReplaceAll(strings.ReplaceAll(string(a), `\\u0000`, ""), `\u0000`, "\ufffd") != strings.ReplaceAll(string(b), `\\u0000`, "") {
			t.Fatalf("%s became %s", a, b)
		}
	})
}

// What is stored in a log comes back, on both databases, whatever programs and models printed.
func TestEventsRoundTrip(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _, s := conversation(t, store)
	l := claim(t, sc, say(t, sc, s.ID, "x").ID, "w")
	seq := int64(1)
	rapid.Check(t, func(rt *rapid.T) {
		text, input := dirty().Draw(rt, "text"), rapid.SampledFrom([]string{`{"b":1,"a":2}`, `{"a":"\ud800"}`, `{"a":1e999999}`, `{"a":"\u0000","a":2}`,
			`[]`, `{"n":10000000000000000000001,"f":1.00}`, `"\\u0000"`, `null`}).Draw(rt, "input")
		rows, err := sc.AppendTurn(t.Context(), l, models.TurnProgress{}, models.ToolResult{Output: text, Diff: text}, models.ToolCall{Tool: text, Input: json.RawMessage(input)})
		require.NoError(rt, err)
		back, err := sc.Events(t.Context(), s.ID, seq, 2)
		require.NoError(rt, err)
		seq += 2
		result, err := models.Decode[models.ToolResult](back[0])
		require.NoError(rt, err)
		require.Equal(rt, models.CleanText(string([]rune(text))), result.Output) // JSON replaces byte by byte
		require.Equal(rt, rows[1].Data, back[1].Data, "to the byte: what the model sees again is what it saw")
		call, err := models.Decode[models.ToolCall](back[1])
		require.NoError(rt, err)
		require.Equal(rt, models.BadEscapes(input), string(call.Input))
	})
}

// What people send is refused, what programs print is cleaned; neither may fail inside the database.
func TestBadTextIsAnAnswer(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, s := conversation(t, store)
	ctx := t.Context()
	sy := store.AsSystem("test")
	for _, bad := range []string{"a\x00b", "a\xffb"} {
		for name, try := range map[string]func() error{
			"instance":   func() error { return second(sc.Instance(ctx, bad)) },
			"session":    func() error { return second(sc.Session(ctx, bad)) },
			"named":      func() error { return second(sc.SessionNamed(ctx, bad)) },
			"turn":       func() error { return second(sc.Turn(ctx, bad)) },
			"attachment": func() error { return second(sc.Attachment(ctx, bad)) },
			"provider":   func() error { return second(sc.Provider(ctx, bad)) },
			"user":       func() error { return second(sy.User(ctx, bad)) },
			"delete":     func() error { return sc.DeleteSession(ctx, bad) },
			"act":        func() error { return second(sc.ActOnInstance(ctx, bad, models.Stop)) },
			"forget":     func() error { return second(sc.Forget(ctx, bad)) },
			"disconnect": func() error { return sc.DisconnectProvider(ctx, bad) },
			"use":        func() error { return sc.UseProvider(ctx, bad) },
			"update":     func() error { return second(sc.UpdateSession(ctx, bad, models.SessionChange{Title: &inst.Name})) },
			"revoke":     func() error { return sy.RevokeSignIn(ctx, models.Actor{UserID: bad}, bad) },
			"session of": func() error { return second(sc.SessionOf(ctx, inst.ID, bad)) },
			"key name":   func() error { return second2(sc.CreateAPIKey(ctx, models.NewAPIKey{Name: bad})) },
			"title":      func() error { return second(sc.UpdateSession(ctx, s.ID, models.SessionChange{Title: &bad})) },
			"icon":       func() error { return second(sc.UpdateSession(ctx, s.ID, models.SessionChange{Icon: &bad})) },
			"model":      func() error { return second(sc.UpdateInstance(ctx, inst.ID, models.InstanceChange{Model: &bad})) },
			"region": func() error {
				return second(sc.CreateInstance(ctx, models.NewInstance{Name: "a", Region: bad, Tier: models.Pro}))
			},
			"memory": func() error {
				return second(sc.Remember(ctx, models.NewMemory{InstanceID: inst.ID, Key: bad, Value: bad}))
			},
			"theme": func() error { return sy.SetTheme(ctx, bad, bad) },
			"base url": func() error {
				return second(sc.ConnectProvider(ctx, models.NewProvider{Kind: "openai", BaseURL: bad, Model: "m"}, ""))
			},
			"credential":  func() error { return second(sy.ByAPIKey(ctx, secret.Of(bad), bad)) },
			"cookie":      func() error { return second(sy.BySignIn(ctx, secret.Of(bad))) },
			"setup token": func() error { return sy.CheckSetupLink(ctx, secret.Of(bad)) },
		} {
			kind := fault.KindOf(try())
			require.NotEqual(t, fault.Internal, kind, "%s %q", name, bad)
		}
		for name, err := range map[string]error{
			"log":     sc.Log(ctx, inst.ID, models.LogWarn, bad),
			"observe": second(sc.Observe(ctx, inst.ID, models.Observed{Saw: models.SawFailure, Reason: bad, Isolation: []models.Layer{{Detail: bad}}})),
			"title":   second(sc.TitleSession(ctx, s.ID, bad)),
			"sign in": second(sy.OpenSignIn(ctx, owner0(t, store), models.Client{UserAgent: bad, Address: bad})),
			"turn":    second(endWith(t, sc, s.ID, bad)),
		} {
			require.NoError(t, err, "%s %q", name, bad)
		}
		for _, list := range []error{second(sc.Sessions(ctx, models.SessionFilter{Search: bad})), second(sc.Memories(ctx, inst.ID, bad, 5))} {
			if list != nil {
				require.True(t, fault.Is(list, fault.Invalid), "%v", list)
			}
		}
	}
}

func owner0(t *testing.T, store *models.Store) string {
	t.Helper()
	var u models.User
	require.NoError(t, store.Gorm(models.SystemContext(t.Context(), "test")).Take(&u).Error)
	return u.ID
}

func endWith(t *testing.T, sc *models.Scope, sessionID, reason string) (*models.Turn, error) {
	t.Helper()
	l := claim(t, sc, say(t, sc, sessionID, "x").ID, "w")
	if err := sc.Compact(t.Context(), l, models.Compacted{Summary: reason}); err != nil {
		return nil, err
	}
	return sc.EndTurn(t.Context(), l, models.TurnFail, models.TurnEnded{Reason: reason})
}

// Known secrets do not reach a column of text, by whatever verb they come.
func TestScrubber(t *testing.T) {
	t.Parallel()
	const canary = `s3cret"canary&<key>`
	scrub := &secret.Scrubber{}
	scrub.Add(secret.Of(canary))
	store := modelstest.NewAs(t, models.Options{Scrub: scrub.Scrub})
	sc, inst, s := conversation(t, store)
	turn, _, err := sc.StartTurn(t.Context(), s.ID, models.Input{Text: "my key is " + canary})
	require.NoError(t, err)
	l := claim(t, sc, turn.ID, "w")
	_, err = sc.AppendTurn(t.Context(), l, models.TurnProgress{}, models.ToolResult{Output: canary}, models.Notice{Text: strings.Repeat("x", 1990) + canary})
	require.NoError(t, err)
	require.NoError(t, sc.Compact(t.Context(), l, models.Compacted{Through: 1, Summary: canary}))
	_, err = sc.EndTurn(t.Context(), l, models.TurnFail, models.TurnEnded{Reason: strings.Repeat("x", 1990) + canary})
	require.NoError(t, err)
	_, err = sc.TitleSession(t.Context(), s.ID, canary)
	require.NoError(t, err)
	require.NoError(t, sc.Log(t.Context(), inst.ID, models.LogInfo, canary))
	_, err = sc.Observe(t.Context(), inst.ID, models.Observed{Saw: models.SawFailure, Reason: canary, Isolation: []models.Layer{{Detail: canary}}})
	require.NoError(t, err)
	for table := range readSchema(t, store) {
		for _, row := range dump(t, store, table) {
			require.NotContains(t, row, "canary", table)
		}
	}
}
