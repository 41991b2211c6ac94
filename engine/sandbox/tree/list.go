package tree

import (
	"cmp"
	"context"
	"io/fs"
	"path"
	"slices"

	"lobstead/engine/sandbox"
)

const (
	defaultEntries = 1000
	maxDepth       = 64
	maxVisited     = 200_000 // entries that one walk looks at
)

// walk visits entries below rel in order of their paths, links not followed. visit says whether to go into
// a directory, and false as second value ends the walk. The workspace's own corner is passed by.
func (t *Tree) walk(rel string, depth int, visit func(p string, info fs.FileInfo) (into, more bool)) error {
	seen := 0
	var in func(dir string, depth int) (bool, error)
	in = func(dir string, depth int) (bool, error) {
		f, err := t.root.Open(dir)
		if err != nil {
			return true, err
		}
		names, err := f.Readdirnames(maxVisited)
		_ = f.Close()
		if err != nil && len(names) == 0 {
			return true, nil //nolint:nilerr // the end, or a directory that vanished
		}
		slices.Sort(names)
		for _, n := range names {
			p := path.Join(dir, n)
			info, err := t.root.Lstat(p)
			if err != nil || p == Hidden {
				continue
			}
			if seen++; seen > maxVisited {
				return false, nil
			}
			into, more := visit(p, info)
			if !more {
				return false, nil
			}
			if into && info.IsDir() && depth > 1 {
				if more, _ := in(p, depth-1); !more {
					return false, nil
				}
			}
		}
		return true, nil
	}
	_, err := in(rel, min(depth, maxDepth))
	return err
}

// List gives entries below a directory to a depth (1 = direct children), at most most, sorted by path.
func (t *Tree) List(ctx context.Context, p string, depth, most int) ([]sandbox.Entry, error) {
	rel, err := t.follow(p)
	if err != nil {
		return nil, err
	}
	if most <= 0 {
		most = defaultEntries
	}
	list := []sandbox.Entry{}
	err = t.walk(rel, max(depth, 1), func(p string, info fs.FileInfo) (bool, bool) {
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
