package files_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/files"
	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// asleep keeps one workspace, and has no sandbox for one of its instances.
type asleep struct {
	host
	stopped string
}

func (h *asleep) Hands(ctx context.Context, id string) (sandbox.Hands, error) {
	if id == h.stopped {
		return nil, fault.New(fault.NotFound, "sandbox.not_found", "It does not run")
	}
	return h.host.Hands(ctx, id)
}

// However much waits in workspaces that do not run: what expired in others goes.
func TestSweepPassesByWhatSleeps(t *testing.T) {
	t.Parallel()
	now := clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, now)
	sc, _ := modelstest.Found(t, store, "Acme")
	stopped, running := modelstest.Instance(t, sc, "stopped"), modelstest.Instance(t, sc, "running")
	h := &asleep{host{t.TempDir()}, stopped.ID}
	d := &files.Desk{Host: h, Clock: now}
	for range 501 {
		_, err := sc.TrashFile(t.Context(), stopped, models.TrashedFile{Path: "old"}, false)
		require.NoError(t, err)
	}
	row, err := sc.TrashFile(t.Context(), running, models.TrashedFile{Path: "new"}, false)
	require.NoError(t, err)
	content := filepath.Join(h.workspace(), ".lobstead/trash", row.ID)
	require.NoError(t, os.MkdirAll(filepath.Dir(content), 0o755))
	require.NoError(t, os.WriteFile(content, nil, 0o600))
	require.NoError(t, d.Sweep(t.Context(), store))
	require.FileExists(t, content, "it can still come back")
	now.Add(models.TrashLife)
	require.NoError(t, d.Sweep(t.Context(), store))
	require.NoFileExists(t, content)
	_, err = sc.TrashedFile(t.Context(), running.ID, row.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	waits, err := sc.TrashedFiles(t.Context(), stopped.ID)
	require.NoError(t, err)
	require.Len(t, waits, 501, "until it runs again")
}

// What could never take its place is refused before a byte of it came.
func TestUploadsThatLeadOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write("note", "a file")
	require.NoError(t, os.Symlink("/tmp", filepath.Join(r.h.workspace(), "out")))
	for _, to := range []string{"out/x", "note/x"} {
		_, err := r.c.Begin(t.Context(), r.sc, r.i, to, 5, false)
		require.Error(t, err, to)
	}
	none, err := r.sc.Uploads(t.Context(), r.i.ID)
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = r.c.Begin(t.Context(), r.sc, r.i, "made/on/the/way", 5, false)
	require.NoError(t, err)
}

// hurried is a host whose searches end at once.
type hurried struct{ *host }

func (h hurried) View(ctx context.Context, id string) (sandbox.View, error) {
	v, err := h.host.View(ctx, id)
	return late{v}, err
}

type late struct{ sandbox.View }

func (v late) Search(ctx context.Context, q sandbox.SearchQuery) ([]sandbox.Match, error) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return v.View.Search(ctx, q)
}

// A search that could not see everything says so, rather than that nothing is there.
func TestSearchThatWasCut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write("note", "find me")
	found, more, err := r.c.Search(t.Context(), r.i, files.Query{Text: "find me", Content: true})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.False(t, more)
	r.c.Host = hurried{r.h}
	found, more, err = r.c.Search(t.Context(), r.i, files.Query{Text: "find me", Content: true})
	require.NoError(t, err)
	require.Empty(t, found)
	require.True(t, more)
}
