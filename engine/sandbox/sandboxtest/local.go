package sandboxtest

import (
	"bytes"
	"context"
	"io"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/tree"
)

// Local is the part of sandbox.Hands that is about files, served from a directory by this process: for drivers of
// tests that start no daemon. Hands has the rest.
type Local struct {
	sandbox.Hands
	Tree *tree.Tree
}

// ReadFile implements sandbox.Hands.
func (l Local) ReadFile(_ context.Context, p string, offset, limit int64) (sandbox.File, error) {
	if err := tree.CheckRange(offset, limit); err != nil {
		return sandbox.File{}, err
	}
	f, e, err := l.Tree.OpenFile(p)
	if err != nil {
		return sandbox.File{}, err
	}
	defer func() { _ = f.Close() }()
	if limit == 0 {
		limit = e.Size
	}
	data, err := io.ReadAll(io.NewSectionReader(f, offset, limit))
	return sandbox.File{Data: data, Size: e.Size, Mode: e.Mode, Time: e.Time}, err
}

// WriteFile implements sandbox.Hands.
func (l Local) WriteFile(ctx context.Context, p string, data []byte, mode uint32) error {
	return l.Tree.Put(ctx, sandbox.Put{Path: p, Mode: mode, Size: int64(len(data))}, bytes.NewReader(data))
}

// Put implements sandbox.Hands.
func (l Local) Put(ctx context.Context, p sandbox.Put, body io.Reader) error {
	return l.Tree.Put(ctx, p, body)
}

// Append implements sandbox.Hands.
func (l Local) Append(ctx context.Context, p string, offset int64, data []byte) error {
	return l.Tree.Append(ctx, p, offset, bytes.NewReader(data), int64(len(data)))
}

// Stat implements sandbox.Hands.
func (l Local) Stat(ctx context.Context, p string) (sandbox.Entry, error) { return l.Tree.Stat(ctx, p) }

// Mkdir implements sandbox.Hands.
func (l Local) Mkdir(ctx context.Context, p string, parents bool, mode uint32) error {
	return l.Tree.Mkdir(ctx, p, parents, mode)
}

// Chmod implements sandbox.Hands.
func (l Local) Chmod(ctx context.Context, p string, mode uint32) error {
	return l.Tree.Chmod(ctx, p, mode)
}

// Copy implements sandbox.Hands.
func (l Local) Copy(ctx context.Context, c sandbox.Carry) error {
	return l.Tree.Copy(ctx, c)
}

// Move implements sandbox.Hands.
func (l Local) Move(ctx context.Context, c sandbox.Carry) error {
	return l.Tree.Move(ctx, c)
}

// Rename implements sandbox.Hands.
func (l Local) Rename(ctx context.Context, from, to string) error {
	return l.Tree.Rename(ctx, from, to)
}

// Remove implements sandbox.Hands.
func (l Local) Remove(ctx context.Context, p string, recursive bool) error {
	return l.Tree.Remove(ctx, p, recursive)
}

// List implements sandbox.Hands.
func (l Local) List(ctx context.Context, p string, depth, most int) ([]sandbox.Entry, error) {
	return l.Tree.List(ctx, p, depth, most)
}

// Search implements sandbox.Hands.
func (l Local) Search(ctx context.Context, q sandbox.SearchQuery) ([]sandbox.Match, error) {
	out := []sandbox.Match{}
	err := l.Tree.Search(ctx, q, func(m sandbox.Match) error { out = append(out, m); return nil })
	return out, err
}

// Pack implements sandbox.Hands.
func (l Local) Pack(ctx context.Context, p sandbox.Pack) (sandbox.Packed, error) {
	return l.Tree.Pack(ctx, p)
}

// Unpack implements sandbox.Hands.
func (l Local) Unpack(ctx context.Context, u sandbox.Unpack) (sandbox.Unpacked, error) {
	return l.Tree.Unpack(ctx, u)
}
