package apptest

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/provision/provisiontest"
	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/sandboxtest"
	"lobstead/engine/sandbox/tree"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Boxes is a sandbox driver whose processes are made up and whose workspaces are directories of the test. Its hands know
// a few commands: "echo WORDS", "say" (prints Say), "put NAME WORDS" (writes a file), "wait" (until Release or a stop);
// anything else prints "ok".
type Boxes struct {
	provisiontest.Driver
	Say     string
	Release chan struct{}
	Waiting chan string // hears of every "wait"

	Shells map[string]bool // by instance and session

	dir   string
	mu    sync.Mutex
	trees map[string]*tree.Tree
}

// NewBoxes makes an empty host.
func NewBoxes(dir string) *Boxes {
	return &Boxes{Release: make(chan struct{}), Waiting: make(chan string, 1000), dir: dir, Shells: map[string]bool{}, trees: map[string]*tree.Tree{}}
}

type hands struct {
	sandboxtest.Local
	d  *Boxes
	id string
}

// Tree is a workspace; it is made when it is first asked for.
func (d *Boxes) Tree(id string) (*tree.Tree, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.trees[id]; t != nil {
		return t, nil
	}
	dir := filepath.Join(d.dir, id, "workspace")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	t, err := tree.Open(dir)
	d.trees[id] = t
	return t, err
}

// Workspace is where the files of an instance are on the test's disk.
func (d *Boxes) Workspace(id string) string { return filepath.Join(d.dir, id, "workspace") }

// Walk implements sandbox.Driver.
func (d *Boxes) Walk(ctx context.Context, id string, visit func(sandbox.Entry, io.Reader) error) error {
	t, err := d.Tree(id)
	if err != nil {
		return err
	}
	list, err := t.List(ctx, "", 60, 10_000)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.Dir || e.Special {
			continue
		}
		f, _, err := t.OpenFile(e.Path)
		if err != nil {
			continue
		}
		err = visit(e, f)
		_ = f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// View implements sandbox.Driver.
func (d *Boxes) View(_ context.Context, id string) (sandbox.View, error) {
	if _, err := os.Stat(d.Workspace(id)); err != nil {
		return nil, fault.NotFoundf("sandbox")
	}
	return tree.OpenView(d.Workspace(id))
}

// Keep implements sandbox.Driver.
func (d *Boxes) Keep(_ context.Context, id string) (*os.Root, error) {
	dir := filepath.Join(d.dir, id, "keep")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

// Hands implements sandbox.Driver.
func (d *Boxes) Hands(ctx context.Context, id string) (sandbox.Hands, error) {
	inner, err := d.Driver.Hands(ctx, id)
	if err != nil {
		return nil, err
	}
	t, err := d.Tree(id)
	if err != nil {
		return nil, err
	}
	return &hands{sandboxtest.Local{Hands: inner, Tree: t}, d, id}, nil
}

func (h *hands) Exec(ctx context.Context, c sandbox.Command, out func(sandbox.Output)) (sandbox.Result, error) {
	verb, arg, _ := strings.Cut(c.Shell, " ")
	text := "ok\n"
	switch verb {
	case "echo":
		text = arg + "\n"
	case "put":
		name, words, _ := strings.Cut(arg, " ")
		if err := h.WriteFile(ctx, name, []byte(words+"\n"), 0); err != nil {
			return sandbox.Result{ExitCode: 1, Stderr: err.Error()}, nil
		}
	case "say":
		text = h.d.Say
	case "wait":
		out(sandbox.Output{Data: []byte("waiting\n")})
		h.d.Waiting <- arg
		select {
		case <-ctx.Done():
			return sandbox.Result{ExitCode: -1, Cancelled: true, Killed: 1}, nil
		case <-h.d.Release:
		}
	}
	out(sandbox.Output{Data: []byte(text)})
	return sandbox.Result{Stdout: text, Duration: time.Millisecond}, nil
}

func (h *hands) Usage(context.Context) (sandbox.Usage, error) { return sandbox.Usage{}, nil }

// Paths gives the files that were written into a workspace.
func (d *Boxes) Paths(id string) []string {
	out := []string{}
	_ = d.Walk(context.Background(), id, func(e sandbox.Entry, _ io.Reader) error { out = append(out, e.Path); return nil })
	return out
}

// File reads one of a workspace; nil when there is none.
func (d *Boxes) File(id, name string) []byte {
	data, err := os.ReadFile(filepath.Join(d.Workspace(id), name))
	if err != nil {
		return nil
	}
	return data
}

// Up starts the sandbox of an instance that is said to run.
func (w *World) Up(i *models.Instance) {
	w.T.Helper()
	require.NoError(w.T, w.Boxes.Ensure(w.T.Context(), sandbox.Spec{ID: i.ID, OrganizationID: i.OrganizationID}))
	require.NoError(w.T, w.Boxes.Start(w.T.Context(), i.ID))
	_, err := w.Boxes.Tree(i.ID)
	require.NoError(w.T, err)
}

// Put writes a file into an instance's workspace, past every verb.
func (w *World) Put(i *models.Instance, name, content string) {
	w.T.Helper()
	to := filepath.Join(w.Boxes.Workspace(i.ID), name)
	require.NoError(w.T, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(w.T, os.WriteFile(to, []byte(content), 0o644))
}
