// Package tree owns what can be done with the files of one workspace: every verb goes by an os.Root, so that no
// spelling, link or archive leads out of it, whoever rearranges the files meanwhile. It knows neither processes nor a
// protocol: the daemon serves it from inside a sandbox, and drivers read by it from outside.
package tree

import (
	"context"
	"os"
	"sync"

	"lobstead/engine/sandbox"
)

// Home is where a workspace is for those inside the sandbox.
const Home = "/workspace"

// Hidden is the workspace's own corner: what was deleted and can come back, and uploads that are not complete. Lists,
// searches and archives pass it by.
const Hidden = sandbox.Hidden

// Tree is a workspace. Paths are relative to it or absolute below Home; what leaves it is fault.Forbidden
// "sandbox.path". Safe for concurrent use. Whoever writes goes through one Tree, which the daemon has: conditions hold among
// its callers. A lock on the disk would hold among several, and programs inside could keep it.
type Tree struct {
	root   *os.Root
	home   string
	places sync.Mutex // from the look at a place until it is taken: short, nothing is read or written meanwhile
	// Reserve refuses n more bytes where they would pass a quota; nil = there is none.
	Reserve func(n int64) error
}

// New makes a tree over an opened directory, which others may know as home.
func New(root *os.Root, home string) *Tree { return &Tree{root: root, home: home} }

// Open opens a directory as a workspace.
func Open(dir string) (*Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return New(root, Home), nil
}

// Close releases the directory.
func (t *Tree) Close() error { return t.root.Close() }

func (t *Tree) reserve(n int64) error {
	if t.Reserve == nil {
		return nil
	}
	return t.Reserve(n)
}

// Stat describes a file, a directory or a link itself.
func (t *Tree) Stat(_ context.Context, p string) (sandbox.Entry, error) {
	rel, err := t.entry(p)
	if err != nil {
		return sandbox.Entry{}, err
	}
	info, err := t.lstat(rel)
	if err != nil {
		return sandbox.Entry{}, pathFault(err, p)
	}
	return t.describe(rel, info), nil
}

func (t *Tree) describe(rel string, info os.FileInfo) sandbox.Entry {
	n := sandbox.Entry{Path: rel, Dir: info.IsDir(), Size: info.Size(), Mode: unixMode(info.Mode()), Time: info.ModTime().UTC(), Version: version(info)}
	if n.Dir { // what it takes for its names is nobody's business
		n.Size = 0
	}
	if info.Mode()&os.ModeSymlink != 0 {
		n.Link, _ = t.root.Readlink(rel)
	}
	n.Special = info.Mode()&(os.ModeDevice|os.ModeNamedPipe|os.ModeSocket|os.ModeCharDevice|os.ModeIrregular) != 0
	return n
}
