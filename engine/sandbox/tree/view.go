package tree

import (
	"context"

	"lobstead/engine/sandbox"
)

// view is a tree that is only read.
type view struct{ *Tree }

// OpenView opens a directory for reading.
func OpenView(dir string) (sandbox.View, error) {
	t, err := Open(dir)
	if err != nil {
		return nil, err
	}
	return view{t}, nil
}

// Open implements sandbox.View.
func (v view) Open(_ context.Context, p string) (sandbox.Seeker, sandbox.Entry, error) {
	f, e, err := v.OpenFile(p)
	if err != nil {
		return nil, e, err
	}
	return f, e, nil
}

// Search implements sandbox.View.
func (v view) Search(ctx context.Context, q sandbox.SearchQuery) ([]sandbox.Match, error) {
	out := []sandbox.Match{}
	err := v.Tree.Search(ctx, q, func(m sandbox.Match) error { out = append(out, m); return nil })
	return out, err
}
