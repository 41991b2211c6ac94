package files

import (
	"path"
	"strconv"
	"strings"
)

// contents are all that is kept, read once.
func (s *store) contents() map[string]int64 {
	if s.known == nil {
		s.known = map[string]int64{}
		s.objects(func(_, hash string, size int64) {
			if hash != "" {
				s.known[hash] = size
				s.used += size
			}
		})
	}
	return s.known
}

// objects visits what is kept, by names alone; what a crash left half-written has no hash.
func (s *store) objects(visit func(name, hash string, size int64)) {
	for _, d := range s.names("objects") {
		for _, name := range s.names(path.Join("objects", d)) {
			hash, size, _ := strings.Cut(name, ".")
			n, err := strconv.ParseInt(size, 10, 64)
			if err != nil {
				hash = ""
			}
			visit(path.Join("objects", d, name), hash, n)
		}
	}
}

// names are the entries of a directory, none of one that is not there. They are not looked at, as ReadDir would.
func (s *store) names(dir string) []string {
	f, err := s.root.Open(dir)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	names, _ := f.Readdirnames(-1)
	return names
}

// sweep removes contents that nothing names, and what a crash left half-written.
func (s *store) sweep(named func(hash string) bool) {
	gone := []string{}
	s.objects(func(name, hash string, _ int64) {
		if hash == "" || !named(hash) {
			gone = append(gone, name)
			s.used -= s.known[hash]
			delete(s.known, hash)
		}
	})
	for _, name := range gone {
		_ = s.root.Remove(name)
	}
}

// forget removes snapshots of checkpoints that are no more.
func (s *store) forget(open func(name string) bool) {
	for _, name := range s.names("snapshots") {
		if !open(name) {
			_ = s.root.Remove(recorded(name))
		}
	}
}
