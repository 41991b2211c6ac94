package tree

import (
	"cmp"
	"context"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

const (
	defaultEntries = 1000
	maxDepth       = 64      // of what is shown
	maxVisited     = 200_000 // entries that one walk looks at
)

// walk visits entries below rel in order of their paths, links not followed. visit says whether to go into
// a directory, and false as second value ends the walk. The workspace's own corner is passed by. Each directory is a
// root of its own: a look costs one call however deep it is, and what is exchanged meanwhile leads nowhere.
func (t *Tree) walk(rel string, depth int, visit func(p string, info fs.FileInfo) (into, more bool)) error {
	top, err := t.root.OpenRoot(rel)
	if err != nil {
		return err
	}
	w := &walker{visit: visit}
	w.in(top, rel, depth)
	return nil
}

type walker struct {
	visit func(p string, info fs.FileInfo) (into, more bool)
	seen  int
}

// in visits a directory and closes it; false ends the walk. A directory that vanished has nothing in it.
func (w *walker) in(dir *os.Root, rel string, depth int) bool {
	defer func() { _ = dir.Close() }()
	f, err := dir.Open(".")
	if err != nil {
		return true
	}
	names, err := f.Readdirnames(maxVisited)
	_ = f.Close()
	if err != nil && len(names) == 0 {
		return true
	}
	slices.Sort(names)
	for _, n := range names {
		p := path.Join(rel, n)
		info, err := dir.Lstat(n)
		if err != nil || p == Hidden {
			continue
		}
		if w.seen++; w.seen > maxVisited {
			return false
		}
		into, more := w.visit(p, info)
		if !more {
			return false
		}
		if !into || !info.IsDir() || depth <= 1 {
			continue
		}
		if sub, err := dir.OpenRoot(n); err == nil && !w.in(sub, p, depth-1) {
			return false
		}
	}
	return true
}

// levels counts the directories that a tree has one below the other, itself included; 0 for what is no directory.
func (t *Tree) levels(rel string) (int, error) {
	info, err := t.root.Lstat(rel)
	if err != nil || !info.IsDir() {
		return 0, err
	}
	most := 1
	err = t.walk(rel, sandbox.MaxDepth, func(p string, info fs.FileInfo) (bool, bool) {
		if info.IsDir() {
			most = max(most, below(rel, p)+1)
		}
		return true, true
	})
	return most, err
}

// below tells how many levels p is below rel.
func below(rel, p string) int { return strings.Count(strings.TrimPrefix(p, rel), "/") }

// List gives entries below a directory to a depth (1 = direct children), at most most, sorted by path.
func (t *Tree) List(ctx context.Context, p string, depth, most int) ([]sandbox.Entry, error) {
	rel, err := t.follow(p)
	if err != nil {
		return nil, err
	}
	if most <= 0 {
		most = defaultEntries
	}
	if info, err := t.lstat(rel); err == nil && !info.IsDir() {
		return nil, fault.New(fault.Invalid, "sandbox.not_a_directory", "%q is a file, not a directory", p)
	}
	list := []sandbox.Entry{}
	err = t.walk(rel, min(max(depth, 1), maxDepth), func(p string, info fs.FileInfo) (bool, bool) {
		list = append(list, t.describe(p, info))
		return true, len(list) < most && ctx.Err() == nil
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, pathFault(err, p)
	}
	slices.SortFunc(list, func(a, b sandbox.Entry) int { return cmp.Compare(a.Path, b.Path) })
	return list, nil
}

// Index visits every file and link of the workspace, in order of their paths, without the directories that pass names: by
// their last part. false ends it.
func (t *Tree) Index(_ context.Context, pass []string, visit func(sandbox.Entry) bool) error {
	return pathFault(t.walk(".", maxDepth, func(p string, info fs.FileInfo) (bool, bool) {
		if info.IsDir() {
			return !slices.Contains(pass, path.Base(p)), true
		}
		return false, visit(t.describe(p, info))
	}), ".")
}
