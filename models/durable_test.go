package models_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/secret"
	"lobstead/migrations"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// The child of TestKilledWriter: it writes until it is killed, and says so only of what is committed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LOBSTEAD_TEST_WRITER"); dir != "" {
		if err := writer(dir, os.Getenv("LOBSTEAD_TEST_SESSION")); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func writer(dir, session string) error {
	ctx := context.Background()
	box, _, err := secret.LoadOrCreate(dir, secret.String{})
	if err != nil {
		return err
	}
	s, err := models.Open(ctx, models.Options{Dir: dir, Box: box})
	if err != nil {
		return err
	}
	org, id, _ := strings.Cut(session, "/")
	sc := s.In(org)
	for {
		turn, _, err := sc.StartTurn(ctx, id, models.Input{Text: "x", Attachments: []models.Upload{{Name: "a", Data: make([]byte, 5000)}}})
		if err != nil {
			return err
		}
		fmt.Println("started", turn.ID)
		_, l, err := sc.ClaimTurn(ctx, turn.ID, "w")
		if err == nil {
			_, err = sc.AppendTurn(ctx, l, models.TurnProgress{Steps: 1}, models.Notice{Text: "y"}, models.AssistantMessage{Text: "z"})
		}
		if err == nil {
			_, err = sc.EndTurn(ctx, l, models.TurnFinish, models.TurnEnded{})
		}
		if err != nil {
			return err
		}
		fmt.Println("ended", turn.ID)
	}
}

// SQLite never corrupts: a writer is killed again and again, and everything it acknowledged is there.
func TestKilledWriter(t *testing.T) {
	t.Parallel()
	if modelstest.Postgres() {
		t.Skip("SQLite only: Postgres has its own process")
	}
	dir := t.TempDir()
	store := modelstest.Open(t, models.Options{Dir: dir})
	sc, inst, _ := conversation(t, store)
	acked := map[string]string{}
	for round := range 20 {
		s, err := sc.CreateSession(t.Context(), models.NewSession{InstanceID: inst.ID})
		require.NoError(t, err)
		cmd := exec.Command(os.Args[0]) //nolint:gosec,noctx // this test program, killed below
		cmd.Env = append(os.Environ(), "LOBSTEAD_TEST_WRITER="+dir, "LOBSTEAD_TEST_SESSION="+sc.Org+"/"+s.ID)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan(), "round %d: the writer writes", round)
		time.AfterFunc(time.Duration(rand.IntN(40))*time.Millisecond, func() { _ = cmd.Process.Kill() }) //nolint:gosec // when does not matter
		for ok := true; ok; ok = lines.Scan() {
			word, turn, _ := strings.Cut(lines.Text(), " ")
			require.NotEqual(t, "failed", word, lines.Text())
			if turn != "" {
				acked[turn] = word
			}
		}
		_ = cmd.Wait()
		checkWhole(t, sc, s.ID)
	}
	require.NotEmpty(t, acked)
	for id, word := range acked {
		turn, err := sc.Turn(t.Context(), id)
		require.NoError(t, err, "%s was acknowledged", id)
		require.True(t, word == "started" || turn.State == models.TurnDone, "%s %s", word, turn.State)
	}
	var verdict string
	require.NoError(t, store.SQL().QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict))
	require.Equal(t, "ok", verdict)
	require.Empty(t, texts(t, store.SQL(), "PRAGMA foreign_key_check"))
	require.Equal(t, migrations.SQLite, store.Dialect())
}

// checkWhole holds when nothing of a session is half-written.
func checkWhole(t *testing.T, sc *models.Scope, sessionID string) {
	t.Helper()
	s, err := sc.Session(t.Context(), sessionID)
	require.NoError(t, err)
	events, err := sc.Events(t.Context(), sessionID, 0, 0)
	require.NoError(t, err)
	require.Len(t, events, int(s.LastSeq))
	messages := 0
	for i, e := range events {
		require.EqualValues(t, i+1, e.Seq)
		if e.Kind != models.KindUser {
			continue
		}
		messages++
		files, err := sc.Attachments(t.Context(), *e.TurnID)
		require.NoError(t, err)
		require.Len(t, files, 1, "the file came with its message")
	}
	require.Positive(t, messages)
}
