// Command gallery serves every shared component with made-up data, in the product's frame and under its content
// policy, for looking at and for the browser tests. It is not part of the product.
//
//	go run ./views/ui/gallery -addr 127.0.0.1:4001
package main

import (
	"flag"
	"log"
	"net/http"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:4001", "where to listen")
	flag.Parse()
	log.Printf("gallery on http://%s", *addr)
	log.Fatal(http.ListenAndServe(*addr, Handler()))
}
