package files

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// weigh reads anew what is kept, and tells how much it is.
func (s *store) weigh() (sum int64) {
	s.known = map[string]int64{}
	s.objects(func(_, hash string, size int64) {
		if hash != "" {
			s.known[hash] = size
			sum += size
		}
	})
	return sum
}

// objects visits what is kept; what a crash left half-written has no hash.
func (s *store) objects(visit func(name, hash string, size int64)) {
	top, err := fs.ReadDir(s.root.FS(), "objects")
	if err != nil {
		return // nothing is kept yet
	}
	for _, d := range top {
		list, err := fs.ReadDir(s.root.FS(), path.Join("objects", d.Name()))
		if err != nil {
			continue
		}
		for _, e := range list {
			hash, size, _ := strings.Cut(e.Name(), ".")
			n, err := strconv.ParseInt(size, 10, 64)
			if err != nil {
				hash = ""
			}
			visit(path.Join("objects", d.Name(), e.Name()), hash, n)
		}
	}
}

// sweep removes contents that nothing names, and what a crash left half-written.
func (s *store) sweep(named func(hash string) bool) {
	gone := []string{}
	s.objects(func(name, hash string, _ int64) {
		if hash == "" || !named(hash) {
			gone = append(gone, name)
			delete(s.known, hash)
		}
	})
	for _, name := range gone {
		_ = s.root.Remove(name)
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
