package files

import (
	"io/fs"
	"path"
	"strings"
)

// weigh tells how much is kept, and how large each content is.
func (s *store) weigh() (sum int64, sizes map[string]int64) {
	sizes = map[string]int64{}
	s.objects(func(hash string, size int64) {
		sizes[hash] = size
		sum += size
	})
	return sum, sizes
}

func (s *store) objects(visit func(hash string, size int64)) {
	_ = fs.WalkDir(s.root.FS(), "objects", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil //nolint:nilerr // nothing is kept yet, or it went away meanwhile
		}
		if info, err := e.Info(); err == nil {
			visit(path.Base(p), info.Size())
		}
		return nil
	})
}

// sweep removes contents that nothing names, and what a crash left half-written.
func (s *store) sweep(named func(hash string) bool) {
	gone := []string{}
	s.objects(func(hash string, _ int64) {
		if strings.HasSuffix(hash, ".new") || !named(hash) {
			gone = append(gone, hash)
		}
	})
	for _, hash := range gone {
		_ = s.root.Remove(object(hash))
	}
}

// forget removes snapshots of checkpoints that are no more.
func (s *store) forget(open func(name string) bool) {
	list, err := fs.ReadDir(s.root.FS(), "snapshots")
	if err != nil {
		return
	}
	for _, e := range list {
		if !open(e.Name()) {
			_ = s.root.Remove(path.Join("snapshots", e.Name()))
		}
	}
}
