package testservices

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// stripeMock is the version that is fetched where none is installed.
const stripeMock = "github.com/stripe/stripe-mock@v0.203.0"

// StripeMock starts Stripe's own mock server, which checks requests against Stripe's description of its API and
// answers with fixtures, and gives its URL. Where it is not in PATH Go builds it; without that the test is skipped.
func StripeMock(t testing.TB) (url string) {
	t.Helper()
	bin, err := exec.LookPath("stripe-mock")
	if err != nil {
		dir := t.TempDir()
		build := exec.Command("go", "install", stripeMock)
		build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod")
		if out, err := build.CombinedOutput(); err != nil {
			leftOut(t, "stripe-mock", "Go could not build it: "+string(out))
		}
		bin = filepath.Join(dir, "stripe-mock")
	}
	for range 5 { // a free port may be taken in between
		plain, tls := freeAddress(t), freeAddress(t)
		cmd := exec.Command(bin, "-http-addr", plain, "-https-addr", tls)
		dieWithParent(cmd)
		if err := cmd.Start(); err != nil {
			t.Fatalf("start stripe-mock: %v", err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		if answers(plain, ended) {
			t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
			return "http://" + plain
		}
		_ = cmd.Process.Kill()
		<-ended
	}
	t.Fatal("stripe-mock does not come up")
	return ""
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// answers waits until somebody listens, or for the end of the process.
func answers(address string, ended <-chan struct{}) bool {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		select {
		case <-ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = c.Close()
			return true
		}
	}
	return false
}
