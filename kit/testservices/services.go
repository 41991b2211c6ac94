// Package testservices gives tests a database, a Redis and a browser of their own.
//
// bin/services starts what is shared and sets TEST_DATABASE_URL and TEST_REDIS_URL for the command it
// runs. Without a service a test is skipped, the reason begins with LEFT OUT, and the gate fails
// when it finds one. For tests only: nothing else may import it.
package testservices

import (
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// leftOut skips loudly. With LOBSTEAD_LEFT_OUT set it also notes the service in that file, so that
// the gate need not read the output of tests that passed.
func leftOut(t testing.TB, service, why string) {
	t.Helper()
	if path := os.Getenv("LOBSTEAD_LEFT_OUT"); path != "" {
		if f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666); err == nil {
			_, _ = f.WriteString(service + ": " + why + " (" + t.Name() + ")\n")
			_ = f.Close()
		}
	}
	t.Skipf("LEFT OUT: %s: %s; run the tests through bin/services", service, why)
}

// Chromium gives the path of a Chromium or Chrome; it skips when there is none.
func Chromium(t testing.TB) (path string) {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	leftOut(t, "Chromium", "no chromium in PATH and CHROMIUM is not set")
	return ""
}

// Program gives the path of an installed program; it skips when there is none.
func Program(t testing.TB, name string) (path string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		leftOut(t, name, "not in PATH")
	}
	return path
}

// withDB points a Redis address to another logical database.
func withDB(t testing.TB, address string, db int) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal("not an address")
	}
	if u.Scheme == "unix" {
		q := u.Query()
		q.Set("db", strconv.Itoa(db))
		u.RawQuery = q.Encode()
	} else {
		u.Path = "/" + strconv.Itoa(db)
	}
	return u.String()
}
