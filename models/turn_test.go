package models_test

import (
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// A message is written whole or not at all, wherever it fails.
func TestStartTurnIsAtomic(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _, s := conversation(t, store)
	before := counts(t, store)
	block := "CREATE TRIGGER stop BEFORE INSERT ON attachments WHEN NEW.name = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END"
	if modelstest.Postgres() {
		block = "ALTER TABLE attachments ADD CONSTRAINT stop CHECK (name <> 'bad')"
	}
	_, err := store.SQL().ExecContext(t.Context(), block)
	require.NoError(t, err)
	_, _, err = sc.StartTurn(t.Context(), s.ID, models.Input{Text: "x", Attachments: []models.Upload{{Name: "good", Data: []byte("1")}, {Name: "bad", Data: []byte("2")}}})
	require.Error(t, err)
	require.Equal(t, before, counts(t, store), "neither turn nor event nor the first file")
	after, err := sc.Session(t.Context(), s.ID)
	require.NoError(t, err)
	require.Equal(t, s.LastSeq, after.LastSeq)
	require.Zero(t, after.MessageCount)
	turn, event, err := sc.StartTurn(t.Context(), s.ID, models.Input{Text: "x", Attachments: []models.Upload{{Name: "good", MediaType: "text/plain", Data: []byte("1")}}})
	require.NoError(t, err)
	require.Equal(t, turn.InputSeq, event.Seq)
	require.EqualValues(t, 1, event.Seq, "no number was lost")
	files, err := sc.Attachments(t.Context(), turn.ID)
	require.NoError(t, err)
	require.Equal(t, []byte("1"), files[0].Data)
	require.Equal(t, "uploads/good", files[0].Path)
}

func TestMessageLimits(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _, s := conversation(t, store)
	file := models.Upload{Name: "a", Data: []byte("x")}
	files := func(n int) []models.Upload { return append([]models.Upload(nil), slicesRepeat(file, n)...) }
	for name, c := range map[string]struct {
		in   models.Input
		path string // of the issue; "" = taken
	}{
		"empty":           {models.Input{}, "message"},
		"blank":           {models.Input{Text: " \n\t"}, "message"},
		"file alone":      {models.Input{Attachments: files(1)}, ""},
		"NUL":             {models.Input{Text: "a\x00b"}, "message"},
		"bad UTF-8":       {models.Input{Text: "a\xff"}, "message"},
		"longest":         {models.Input{Text: strings.Repeat("a", models.MaxMessage)}, ""},
		"too long":        {models.Input{Text: strings.Repeat("a", models.MaxMessage+1)}, "message"},
		"10 MB":           {models.Input{Text: strings.Repeat("a", 10<<20)}, "message"},
		"ten files":       {models.Input{Text: "x", Attachments: files(models.MaxAttachments)}, ""},
		"eleven files":    {models.Input{Text: "x", Attachments: files(models.MaxAttachments + 1)}, "attachments"},
		"file name NUL":   {models.Input{Text: "x", Attachments: []models.Upload{{Name: "a\x00", Data: []byte("x")}}}, "attachments"},
		"file name UTF-8": {models.Input{Text: "x", Attachments: []models.Upload{{Name: "\xff", Data: []byte("x")}}}, "attachments"},
		"long name":       {models.Input{Text: "x", Attachments: []models.Upload{{Name: strings.Repeat("a", 256)}}}, "attachments"},
		"big file":        {models.Input{Text: "x", Attachments: []models.Upload{{Name: "a", Data: make([]byte, models.MaxAttachment+1)}}}, "attachments"},
		"empty file":      {models.Input{Text: "x", Attachments: []models.Upload{{Name: "a", Data: []byte{}}}}, ""},
	} {
		_, _, err := sc.StartTurn(t.Context(), s.ID, c.in)
		if c.path == "" {
			require.NoError(t, err, name)
			continue
		}
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
		require.Equal(t, []any{c.path}, fault.As(err).Fields[0].Path, name)
	}
	_, _, err := sc.StartTurn(t.Context(), "none", models.Input{Text: "x"})
	require.True(t, fault.Is(err, fault.NotFound))
}

func slicesRepeat(u models.Upload, n int) []models.Upload {
	out := []models.Upload{}
	for range n {
		out = append(out, u)
	}
	return out
}

// Whatever a file is called, it lands below uploads/, under a name of its own that a file system takes.
func TestUploadPath(t *testing.T) {
	t.Parallel()
	taken := map[string]bool{}
	for in, want := range map[string]string{
		"a.txt": "a.txt", "../../etc/passwd": "passwd", `C:\Users\x\b.doc`: "b.doc", "": "file", "..": "file", "/": "file",
		"dir/": "dir", "x\ny\x1b[0m": "xy[0m", ".env": ".env", "ü ñ.png": "ü ñ.png",
	} {
		require.Equal(t, "uploads/"+want, models.UploadPath(in, map[string]bool{}), "%q", in)
	}
	require.Equal(t, "uploads/a.txt", models.UploadPath("a.txt", taken))
	for _, n := range []string{"2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"} {
		require.Equal(t, "uploads/a-"+n+".txt", models.UploadPath("/x/a.txt", taken))
	}
	rapid.Check(t, func(t *rapid.T) {
		taken, seen := map[string]bool{}, map[string]bool{}
		names := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.StringMatching(`[./\\a \x00-\x1f-]{0,8}`), rapid.StringMatching(`[a.]{240,260}`)), 1, 10).Draw(t, "names")
		for _, name := range names {
			p := models.UploadPath(name, taken)
			base, ok := strings.CutPrefix(p, "uploads/")
			if !ok || path.Clean(p) != p || base == "" || base == "." || base == ".." || strings.ContainsAny(base, "/\x00\n\x1b") ||
				len(base) > 255 || !utf8.ValidString(p) || seen[p] {
				t.Fatalf("%q -> %q", name, p)
			}
			seen[p] = true
		}
	})
}

// Of many workers one gets a turn, and one turn of a session runs at a time.
func TestOneClaimWins(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, s := conversation(t, store)
	turns := []*models.Turn{say(t, sc, s.ID, "one"), say(t, sc, s.ID, "two"), say(t, sc, s.ID, "three")}
	other, err := sc.CreateSession(t.Context(), models.NewSession{InstanceID: inst.ID})
	require.NoError(t, err)
	elsewhere := say(t, sc, other.ID, "elsewhere")
	for round, turn := range append(turns, elsewhere) {
		var won atomic.Int32
		var lease models.Lease
		var wg sync.WaitGroup
		for worker := range 20 {
			wg.Go(func() {
				want := turn.ID
				if round == 0 { // all of the session's at once: only the oldest may go
					want = turns[worker%3].ID
				}
				got, l, err := sc.ClaimTurn(t.Context(), want, "w"+string(rune('a'+worker)))
				if err == nil {
					won.Add(1)
					lease = l
					if got.ID != turn.ID {
						t.Errorf("%s was taken before %s", got.ID, turn.ID)
					}
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, won.Load(), "round %d", round)
		require.Equal(t, 1, lease.Attempt)
		_, err = sc.EndTurn(t.Context(), lease, models.TurnFinish, models.TurnEnded{})
		require.NoError(t, err)
	}
}

// Messages that arrive together are answered in the order of the log, whatever their ids say.
func TestQueueOrderIsTheLogs(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _, s := conversation(t, store)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() { say(t, sc, s.ID, "x") })
	}
	wg.Wait()
	open, err := sc.OpenTurns(t.Context(), s.ID)
	require.NoError(t, err)
	require.Len(t, open, 12)
	for i, turn := range open {
		require.EqualValues(t, i+1, turn.InputSeq)
	}
	for _, turn := range open {
		refs, err := store.AsSystem("test").ClaimableTurns(t.Context(), 10)
		require.NoError(t, err)
		require.Equal(t, []models.TurnRef{{OrganizationID: sc.Org, ID: turn.ID}}, refs)
		l := claim(t, sc, turn.ID, "w")
		refs, err = store.AsSystem("test").ClaimableTurns(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, refs, "one at a time")
		_, err = sc.EndTurn(t.Context(), l, models.TurnFinish, models.TurnEnded{})
		require.NoError(t, err)
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _, s := conversation(t, store)
	for range models.MaxQueued {
		say(t, sc, s.ID, "x")
	}
	_, _, err := sc.StartTurn(t.Context(), s.ID, models.Input{Text: "x"})
	require.True(t, fault.Is(err, fault.TooMany), "%v", err)
}

func TestWhoMayQueue(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, s := conversation(t, store)
	set := func(columns map[string]any) error {
		require.NoError(t, store.Gorm(models.SystemContext(t.Context(), "test")).Model(&models.Instance{}).Where("id = ?", inst.ID).Updates(columns).Error)
		_, _, err := sc.StartTurn(t.Context(), s.ID, models.Input{Text: "x"})
		return err
	}
	for _, state := range []models.InstanceState{models.Provisioning, models.Running, models.Errored, models.Stopped} {
		require.NoError(t, set(map[string]any{"state": state, "desired": models.WantRunning}), "wanted running, it will be: %s", state)
	}
	for code, c := range map[string]map[string]any{
		"instance.stopped":  {"state": models.Running, "desired": models.WantStopped},
		"instance.deleting": {"state": models.Suspended, "desired": models.WantDeleted},
		"instance.state":    {"state": models.Suspended, "desired": models.WantRunning},
	} {
		err := set(c)
		require.True(t, fault.Is(err, fault.Conflict), "%v", err)
		require.Equal(t, code, fault.As(err).Code)
		require.NotContains(t, fault.As(err).Detail, "running", "it must say what is wrong")
	}
}

// Numbers have no gaps and no doubles, with many writers in several sessions.
func TestSeqHasNoGaps(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	leases := []models.Lease{}
	for range 5 {
		s, err := sc.CreateSession(t.Context(), models.NewSession{InstanceID: inst.ID})
		require.NoError(t, err)
		leases = append(leases, claim(t, sc, say(t, sc, s.ID, "x").ID, "w"))
	}
	var wg sync.WaitGroup
	for n := range 50 {
		l := leases[n%5]
		wg.Go(func() {
			rows, err := sc.AppendTurn(t.Context(), l, models.TurnProgress{InputTokens: 1}, models.Notice{Text: "a"}, models.AssistantMessage{Text: "b"})
			if err != nil || rows[1].Seq != rows[0].Seq+1 {
				t.Errorf("%v %v", rows, err)
			}
			if n%10 < 5 {
				say(t, sc, l.SessionID, "meanwhile")
			}
		})
	}
	wg.Wait()
	for _, l := range leases {
		events, err := sc.Events(t.Context(), l.SessionID, 0, 0)
		require.NoError(t, err)
		require.Len(t, events, 1+20+5)
		for i, e := range events {
			require.EqualValues(t, i+1, e.Seq)
		}
		s, err := sc.Session(t.Context(), l.SessionID)
		require.NoError(t, err)
		require.EqualValues(t, 26, s.LastSeq)
		require.Equal(t, 1+10+5, s.MessageCount)
		turn, err := sc.Turn(t.Context(), l.TurnID)
		require.NoError(t, err)
		require.Equal(t, 10, turn.InputTokens, "sums are not lost")
		tail, err := sc.LatestEvents(t.Context(), l.SessionID, 20, 3)
		require.NoError(t, err)
		require.EqualValues(t, []int64{17, 18, 19}, []int64{tail[0].Seq, tail[1].Seq, tail[2].Seq})
		page, err := sc.Events(t.Context(), l.SessionID, 24, 1)
		require.NoError(t, err)
		require.Len(t, page, 1)
		require.EqualValues(t, 25, page[0].Seq)
	}
}

// The note of when an answer began is written beside the stream: one that comes after the answer changes nothing.
func TestBeginAnswerNeverOverwrites(t *testing.T) {
	store := modelstest.New(t)
	sc, _, s := conversation(t, store)
	for _, late := range []bool{false, true} {
		turn := say(t, sc, s.ID, "x")
		_, lease, err := sc.ClaimTurn(t.Context(), turn.ID, "w")
		require.NoError(t, err)
		begin := func() { require.NoError(t, sc.BeginAnswer(t.Context(), lease, "first", "a")) }
		if !late {
			begin()
			got, err := sc.Turn(t.Context(), turn.ID)
			require.NoError(t, err)
			require.Equal(t, "first a", got.Provider+" "+got.Model)
			require.NotNil(t, got.FirstTokenAt)
		}
		_, err = sc.AppendTurn(t.Context(), lease, models.TurnProgress{FirstToken: true, Provider: "second", Model: "b"}, models.AssistantMessage{Text: "y"})
		require.NoError(t, err)
		if late {
			begin()
		}
		done, err := sc.EndTurn(t.Context(), lease, models.TurnFinish, models.TurnEnded{})
		require.NoError(t, err)
		require.Equal(t, "second b", done.Provider+" "+done.Model)
	}
}
