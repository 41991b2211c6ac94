//go:build linux

package process_test

import (
	"flag"
	"os"
	"testing"

	"lobstead/engine/sandbox/hands"
	"lobstead/engine/sandbox/sandboxtest"
)

// The test binary is also the daemon, the helper inside sandboxes and, as nobody, its own unprivileged run.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "hands":
			os.Exit(hands.Main(os.Args[2:]))
		case "owner":
			os.Exit(owner(os.Args[2], os.Args[3:]))
		case "helper":
			os.Exit(sandboxtest.Helper(os.Args[2:]))
		}
	}
	flag.Parse()
	os.Exit(m.Run())
}
