package hands

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"slices"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/wire"
)

const (
	defaultEntries = 1000
	maxDepth       = 64
	maxVisited     = 200_000 // entries that one walk looks at
)

// walk visits entries below rel in order of their paths, links not followed. visit says whether to go into
// a directory, and false as second value ends the walk.
func (d *daemon) walk(rel string, depth int, visit func(p string, info fs.FileInfo) (into, more bool)) error {
	seen := 0
	var in func(dir string, depth int) (bool, error)
	in = func(dir string, depth int) (bool, error) {
		f, err := d.root.Open(dir)
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
			info, err := d.root.Lstat(p)
			if err != nil {
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

func (d *daemon) list(c *wire.Call, w *writer) error {
	rel, err := d.follow(c.Path)
	if err != nil {
		return err
	}
	most := c.Max
	if most <= 0 {
		most = defaultEntries
	}
	most = min(most, wire.MaxEntries)
	var list []sandbox.Entry
	err = d.walk(rel, max(c.Depth, 1), func(p string, info fs.FileInfo) (bool, bool) {
		n := sandbox.Entry{Path: p, Dir: info.IsDir(), Size: info.Size(), Mode: unixMode(info.Mode()), Time: info.ModTime()}
		if info.Mode()&os.ModeSymlink != 0 {
			n.Link, _ = d.root.Readlink(p)
		}
		list = append(list, n)
		return true, len(list) < most
	})
	if err != nil {
		return pathFault(err, c.Path)
	}
	slices.SortFunc(list, func(a, b sandbox.Entry) int { return cmp.Compare(a.Path, b.Path) })
	for _, n := range list {
		if err := w.frame(wire.Item, wire.EncodeEntry(n)); err != nil {
			return err
		}
	}
	return nil
}
