// Command gallery serves the signed-in pages, setup and sign-in with made-up data in every state, under the product's
// content policy: for looking at and for the browser tests. It is not part of the product.
//
//	go run ./views/instances/gallery -addr 127.0.0.1:4002
package main

import (
	"flag"
	"log"
	"net/http"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:4002", "where to listen")
	flag.Parse()
	log.Printf("gallery on http://%s", *addr)
	log.Fatal(http.ListenAndServe(*addr, Handler()))
}
