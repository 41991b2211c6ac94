package files

import (
	"slices"
	"strings"
)

// Tree is the directories of a workspace.
type Tree struct {
	Below []Branch
	More  bool // than could be read
}

// Branch is a directory with those in it.
type Branch struct {
	Path, Name string
	Below      []Branch
}

// NewTree makes a tree of paths, in any order.
func NewTree(paths []string, more bool) *Tree {
	slices.Sort(paths)
	t := &Tree{More: more}
	for _, p := range paths {
		at := &t.Below
		parts := strings.Split(p, "/")
		for n, name := range parts {
			k := slices.IndexFunc(*at, func(b Branch) bool { return b.Name == name })
			if k < 0 {
				*at = append(*at, Branch{Path: strings.Join(parts[:n+1], "/"), Name: name})
				k = len(*at) - 1
			}
			at = &(*at)[k].Below
		}
	}
	return t
}
