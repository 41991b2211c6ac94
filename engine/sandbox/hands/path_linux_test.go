package hands

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lobstead/engine/sandbox/confine"
	"lobstead/engine/sandbox/wire"
	"lobstead/kit/fault"
)

// FuzzPathConfinement: whatever a path and a link in its way say, the file API reads and writes nothing
// outside the workspace.
func FuzzPathConfinement(f *testing.F) {
	for _, s := range []string{"a", "../secret", "/workspace/../secret", "link/secret", "link", "a/../../secret", "/", "//", "\x00", "link/../x"} {
		f.Add(s, "..")
		f.Add(s, "/")
		f.Add(s, "/workspace/a")
	}
	f.Fuzz(func(t *testing.T, p, target string) {
		top := t.TempDir()
		home := filepath.Join(top, "workspace")
		for _, err := range []error{os.Mkdir(home, 0o755), os.WriteFile(filepath.Join(top, "secret"), []byte("secret"), 0o644)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		target = strings.ReplaceAll(target, "TOP", top)
		_ = os.Symlink(target, filepath.Join(home, "link"))
		root, err := os.OpenRoot(home)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = root.Close() }()
		d := newDaemon(&Setup{Plan: confine.Plan{Mount: true}}, root, home)
		ours, theirs := net.Pipe()
		defer func() { _ = ours.Close() }()
		seen := make(chan string, 1)
		go func() { b, _ := io.ReadAll(theirs); seen <- string(b) }()
		w := &writer{c: ours}
		for _, op := range []wire.Op{wire.OpRead, wire.OpWrite, wire.OpList, wire.OpSearch, wire.OpRename, wire.OpRemove} {
			c := &wire.Call{Op: op, Path: p, To: "link/moved", Limit: 3, Depth: 3, Pattern: "secret", Recursive: true}
			_, err := d.serveCall(c, &body{rest: []byte("abc")}, w)
			if k := fault.KindOf(err); err != nil && k == fault.Internal {
				t.Fatalf("%s %q: %v", op, p, err)
			}
		}
		_ = ours.Close()
		if got := <-seen; strings.Contains(got, "secret") && !strings.Contains(p+target, "secret") {
			t.Fatalf("%q through a link to %q showed %q", p, target, got)
		}
		b, err := os.ReadFile(filepath.Join(top, "secret"))
		if err != nil || string(b) != "secret" {
			t.Fatalf("%q through a link to %q changed the file outside: %q %v", p, target, b, err)
		}
		entries, _ := os.ReadDir(top)
		if len(entries) != 2 {
			t.Fatalf("%q through a link to %q made %v", p, target, entries)
		}
	})
}
