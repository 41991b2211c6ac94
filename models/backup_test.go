package models_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/testservices"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// staffOf is the first owner, who runs the installation.
func staffOf(f *models.Founded, reason string) models.Actor {
	return models.Actor{UserID: f.User.ID, Name: f.User.Name, Staff: true, Reason: reason}
}

func backedUp(t *testing.T, store *models.Store, by models.Actor) *models.Backup {
	t.Helper()
	sy := store.AsSystem("test")
	asked, err := sy.AskBackup(t.Context(), by)
	require.NoError(t, err)
	copies, rehearsals, err := sy.UnfinishedBackups(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{asked.ID}, copies)
	require.Empty(t, rehearsals)
	require.NoError(t, sy.MakeBackup(t.Context(), asked.ID))
	b, err := sy.Backup(t.Context(), asked.ID)
	require.NoError(t, err)
	require.Equal(t, models.BackupDone, b.State, b.Problem)
	return b
}

// pgTools are what backups of Postgres are made with.
func pgTools(t *testing.T) {
	t.Helper()
	if modelstest.Postgres() {
		testservices.Program(t, "pg_dump")
		testservices.Program(t, "pg_restore")
	}
}

func TestBackupAndRehearsal(t *testing.T) {
	t.Parallel()
	pgTools(t)
	o := place(t)
	store := modelstest.Open(t, o)
	_, f := modelstest.Found(t, store, "Acme")
	populated(t, store, "Beta")
	ctx, sy, by := t.Context(), store.AsSystem("test"), staffOf(f, "before the upgrade")
	b := backedUp(t, store, by)
	require.EqualValues(t, 2, b.Tables()["organizations"])
	require.Positive(t, b.Tables()["audit_entries"])
	require.EqualValues(t, latest, b.SchemaVersion)
	require.NoError(t, sy.MakeBackup(ctx, b.ID), "again changes nothing")

	path := filepath.Join(o.Dir, "backups", b.File)
	for _, file := range []string{path, path + ".json"} {
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
	}
	var manifest struct {
		SHA256 string
		Tables map[string]int64
	}
	text, err := os.ReadFile(path + ".json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &manifest))
	require.Equal(t, b.SHA256, manifest.SHA256)
	require.Equal(t, b.Tables(), manifest.Tables)

	_, file, err := sy.OpenBackup(ctx, by, b.ID)
	require.NoError(t, err)
	data, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.Len(t, data, int(b.Bytes))

	rehearse := func() *models.Backup {
		_, err := sy.AskRehearsal(ctx, by, b.ID)
		require.NoError(t, err)
		require.NoError(t, sy.RehearseBackup(ctx, b.ID))
		now, err := sy.Backup(ctx, b.ID)
		require.NoError(t, err)
		return now
	}
	now := rehearse()
	require.Equal(t, models.RehearsalPassed, now.Rehearsal, now.Report)
	require.GreaterOrEqual(t, len(now.Checks()), 4, now.Report)
	for _, c := range now.Checks() {
		require.True(t, c.OK, "%s: %s", c.Name, c.Detail)
	}
	left, err := os.ReadDir(filepath.Join(o.Dir, "backups"))
	require.NoError(t, err)
	require.Len(t, left, 2, "the rehearsal leaves nothing")

	// A file that rotted, and a manifest that tells of other rows, are found out.
	_, err = store.SQL().ExecContext(ctx, "UPDATE backups SET row_counts = '{\"organizations\": 3}'")
	require.NoError(t, err)
	now = rehearse()
	require.Equal(t, models.RehearsalFailed, now.Rehearsal, now.Report)
	require.NoError(t, os.WriteFile(path, append(data, 'x'), 0o600))
	now = rehearse()
	require.Equal(t, models.RehearsalFailed, now.Rehearsal)
	require.Contains(t, now.Report, "the file was changed")
	require.NoError(t, os.Remove(path))
	require.Equal(t, models.RehearsalFailed, rehearse().Rehearsal)
	_, _, err = sy.OpenBackup(ctx, by, b.ID)
	require.True(t, fault.Is(err, fault.NotFound))

	_, err = store.SQL().ExecContext(ctx, "UPDATE backups SET host = 'elsewhere'")
	require.NoError(t, err)
	_, err = sy.DeleteBackup(ctx, by, b.ID)
	require.True(t, fault.Is(err, fault.Conflict), "its file lies on another host")
	_, err = store.SQL().ExecContext(ctx, "UPDATE backups SET host = ''")
	require.NoError(t, err)
	_, err = sy.DeleteBackup(ctx, by, b.ID)
	require.NoError(t, err)
	_, err = sy.Backup(ctx, b.ID)
	require.True(t, fault.Is(err, fault.NotFound))
}

// A backup that cannot be written says why, and leaves nothing behind.
func TestBackupThatFails(t *testing.T) {
	t.Parallel()
	o := place(t)
	store := modelstest.Open(t, o)
	_, f := modelstest.Found(t, store, "Acme")
	require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "backups"), []byte("in the way"), 0o600))
	sy := store.AsSystem("test")
	asked, err := sy.AskBackup(t.Context(), staffOf(f, "for the test"))
	require.NoError(t, err)
	require.NoError(t, sy.MakeBackup(t.Context(), asked.ID))
	b, err := sy.Backup(t.Context(), asked.ID)
	require.NoError(t, err)
	require.Equal(t, models.BackupFailed, b.State)
	require.NotEmpty(t, b.Problem)
	_, err = sy.AskRehearsal(t.Context(), staffOf(f, "for the test"), b.ID)
	require.True(t, fault.Is(err, fault.Conflict))
}

// hooked is a clock that calls f once it is armed, the next time that somebody asks.
type hooked struct {
	clock.Clock
	f func()
}

func (h *hooked) Now() time.Time {
	if f := h.f; f != nil {
		h.f = nil
		f()
	}
	return h.Clock.Now()
}

// A backup that is deleted while it is made leaves no file.
func TestBackupDeletedWhileItIsMade(t *testing.T) {
	t.Parallel()
	pgTools(t)
	o := place(t)
	h := &hooked{Clock: clock.Real}
	o.Clock = h
	store := modelstest.Open(t, o)
	_, f := modelstest.Found(t, store, "Acme")
	ctx, sy, by := t.Context(), store.AsSystem("test"), staffOf(f, "before the upgrade")
	b, err := sy.AskBackup(ctx, by)
	require.NoError(t, err)
	deleted := false
	h.f = func() { // as the copy begins
		now, err := sy.Backup(ctx, b.ID)
		require.NoError(t, err)
		require.Equal(t, models.BackupRunning, now.State)
		require.NoError(t, second(sy.DeleteBackup(ctx, by, b.ID)))
		deleted = true
	}
	require.NoError(t, sy.MakeBackup(ctx, b.ID))
	require.True(t, deleted)
	left, err := os.ReadDir(filepath.Join(o.Dir, "backups"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// A worker that died in the middle left half a file: the next one starts over.
func TestBackupAfterACrash(t *testing.T) {
	t.Parallel()
	pgTools(t)
	o := place(t)
	store := modelstest.Open(t, o)
	_, f := modelstest.Found(t, store, "Acme")
	by := staffOf(f, "for the test")
	b := backedUp(t, store, by)
	path := filepath.Join(o.Dir, "backups", b.File)
	require.NoError(t, os.WriteFile(path, []byte("half"), 0o600))
	_, err := store.SQL().ExecContext(t.Context(), "UPDATE backups SET state = 'running', sha256 = ''")
	require.NoError(t, err)
	sy := store.AsSystem("test")
	require.NoError(t, sy.MakeBackup(t.Context(), b.ID))
	_, err = sy.AskRehearsal(t.Context(), by, b.ID)
	require.NoError(t, err)
	require.NoError(t, sy.RehearseBackup(t.Context(), b.ID))
	now, err := sy.Backup(t.Context(), b.ID)
	require.NoError(t, err)
	require.Equal(t, models.RehearsalPassed, now.Rehearsal, now.Report)
}
