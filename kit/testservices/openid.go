package testservices

import (
	"bufio"
	_ "embed"
	"os"
	"os/exec"
	"strings"
	"testing"
)

//go:embed openid.mjs
var openIDScript []byte

// openIDVersion of npm's oidc-provider, which is certified and strict.
const openIDVersion = "9.13.3"

// Client of the provider that OpenID starts.
const (
	OpenIDClient = "lobstead"
	OpenIDSecret = "a-secret-for-tests-0123456789"
)

// OpenID starts npm's oidc-provider as a process with one client, which may be called back at redirect, and gives its
// issuer. Its page has one field, "login", for the address of whoever signs in. Where npm has not put it yet, npm
// fetches it; without node or npm the test is skipped.
func OpenID(t testing.TB, redirect string) (issuer string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		leftOut(t, "oidc-provider", "there is no node")
	}
	dir := openIDModule(t)
	script, err := os.CreateTemp(dir, "openid-*.mjs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(script.Name()) })
	if _, err := script.Write(openIDScript); err != nil {
		t.Fatal(err)
	}
	_ = script.Close()
	cmd := exec.Command(node, script.Name(), redirect, OpenIDClient, OpenIDSecret)
	dieWithParent(cmd)
	errs := &strings.Builder{}
	cmd.Stderr = errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://") {
			return lines.Text()
		}
	}
	_ = cmd.Wait()
	t.Fatal("oidc-provider did not start: " + errs.String())
	return ""
}

// openIDModule is the folder from which scripts can import oidc-provider.
func openIDModule(t testing.TB) string {
	t.Helper()
	return npmModules(t, "oidc-provider-"+openIDVersion, "oidc-provider@"+openIDVersion)
}
