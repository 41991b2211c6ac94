// Command pocketbase is the peer that the benchmarks compare pages with. It is a module of its own, so that its
// libraries never reach the server's go.mod.
package main

import (
	"log"

	"github.com/pocketbase/pocketbase"
)

func main() {
	if err := pocketbase.New().Start(); err != nil {
		log.Fatal(err)
	}
}
