package process

import (
	"os"
	"path/filepath"
	"strconv"

	"syscall"
)

// removeTree removes a tree that a sandbox had its way with: directories without permissions, and nesting
// deeper than descriptors or paths last.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	for n := 0; err != nil && n < 1_000_000; n++ {
		if !flatten(dir, n) {
			break
		}
		err = os.RemoveAll(dir)
	}
	return err
}

// flatten opens the permissions of the directories it meets and, some levels down, moves a branch to the
// top. It reports whether it changed anything.
func flatten(top string, n int) (changed bool) {
	var in func(dir string, depth int)
	in = func(dir string, depth int) {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() {
			return
		}
		if info.Mode().Perm()&0o700 != 0o700 {
			changed = os.Chmod(dir, 0o700) == nil || changed
		}
		if depth > 30 {
			to := filepath.Join(top, ".flat"+strconv.Itoa(n)+"-"+strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Ino)))
			changed = os.Rename(dir, to) == nil || changed
			return
		}
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if e.IsDir() {
				in(filepath.Join(dir, e.Name()), depth+1)
			}
		}
	}
	in(top, 0)
	return changed
}
