// Command program is the daemon of a sandbox and nothing else. The product carries it inside: each sandbox starts
// and keeps a tenth of what the whole product would be. bin/build puts it there.
package main

import (
	"os"

	"lobstead/engine/sandbox/hands"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "hands" { // as the product itself is told
		args = args[1:]
	}
	os.Exit(hands.Main(args))
}
