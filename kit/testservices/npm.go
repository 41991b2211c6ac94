package testservices

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// npmModules is a folder from which scripts can import packages of npm ("name@version"); it is kept under the name. Where
// npm has not put them yet, npm fetches them; without npm the test is skipped.
func npmModules(t testing.TB, name string, packages ...string) string {
	t.Helper()
	modules := filepath.Join(moduleRoot(t), "node_modules")
	dir := filepath.Join(modules, "."+name)
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err == nil {
		return dir
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		leftOut(t, name, "it is not in node_modules and there is no npm to fetch it")
	}
	if err := os.MkdirAll(modules, 0o755); err != nil {
		t.Fatal(err)
	}
	fresh, err := os.MkdirTemp(modules, ".fetching-") // and then moved: several packages may ask at once
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	args := append([]string{"install", "--prefix", fresh, "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"}, packages...)
	if out, err := exec.Command(npm, args...).CombinedOutput(); err != nil {
		leftOut(t, name, "npm could not fetch it: "+string(out))
	}
	_ = os.Rename(fresh, dir)
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		leftOut(t, name, err.Error())
	}
	return dir
}

// ModelClients names the published clients of model services in npm, in the versions that the tests drive.
var ModelClients = []string{"openai@7.57.0", "@anthropic-ai/sdk@1.12.0"}

// AgentFramework is a published framework for agents that speaks to model services, with what it needs.
var AgentFramework = []string{"@openai/agents@0.20.0", "openai@7.57.0", "zod@4.6.7"}

// NodeScript runs a script of Node that may import packages of npm, and gives what it printed; name is where the
// packages are kept. It fails the test when the script fails; without node or npm the test is skipped.
func NodeScript(t testing.TB, name string, packages []string, script string, args ...string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		leftOut(t, name, "there is no node")
	}
	f, err := os.CreateTemp(npmModules(t, name, packages...), "script-*.mjs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(f.Name()) })
	if _, err := f.WriteString(script); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	cmd := exec.CommandContext(t.Context(), node, append([]string{f.Name()}, args...)...)
	dieWithParent(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
