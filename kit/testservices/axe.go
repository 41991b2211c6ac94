package testservices

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Axe gives the path of axe-core's script, in the version that package.json names. Where npm has not put it yet, npm
// fetches it; without npm the test is skipped.
func Axe(t testing.TB) (path string) {
	t.Helper()
	root := moduleRoot(t)
	path = filepath.Join(root, "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	version := axeVersion(t, root)
	npm, err := exec.LookPath("npm")
	if err != nil {
		leftOut(t, "axe-core", "it is not in node_modules and there is no npm to fetch it")
	}
	// Beside, and then moved: several packages may ask at once.
	dir, err := os.MkdirTemp(root, ".axe-")
	if err != nil {
		leftOut(t, "axe-core", err.Error())
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out, err := exec.Command(npm, "install", "--prefix", dir, "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "axe-core@"+version).CombinedOutput()
	if err != nil {
		leftOut(t, "axe-core", "npm could not fetch it: "+string(out))
	}
	_ = os.MkdirAll(filepath.Join(root, "node_modules"), 0o755)
	_ = os.Rename(filepath.Join(dir, "node_modules", "axe-core"), filepath.Join(root, "node_modules", "axe-core"))
	if _, err := os.Stat(path); err != nil {
		leftOut(t, "axe-core", err.Error())
	}
	return path
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
	}
}

func axeVersion(t testing.TB, root string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if err := json.Unmarshal(b, &p); err != nil || p.DevDependencies["axe-core"] == "" {
		t.Fatal("package.json names no version of axe-core")
	}
	return p.DevDependencies["axe-core"]
}
