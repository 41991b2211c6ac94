// Command gallery serves the chat with made-up conversations, in the product's frame and under its content policy, for
// looking at and for the browser tests; with -out it writes the pages as files. It is not part of the product.
//
//	go run ./views/chat/gallery -addr 127.0.0.1:4002
package main

import (
	"context"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/a-h/templ"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:4002", "where to listen")
	out := flag.String("out", "", "write every page into this directory and end")
	flag.Parse()
	if *out != "" {
		if err := write(*out); err != nil {
			slog.Error("gallery", "error", err)
			os.Exit(1)
		}
		return
	}
	slog.Info("gallery", "address", "http://"+*addr)
	server := &http.Server{Addr: *addr, Handler: newServer(), ReadHeaderTimeout: 5 * time.Second}
	slog.Error("gallery", "error", server.ListenAndServe())
}

func write(dir string) error {
	for path, page := range pages {
		for _, theme := range []string{"light", "dark"} {
			name := strings.ReplaceAll(strings.Trim(path, "/"), "/", "-") + "-" + theme + ".html"
			if err := os.WriteFile(filepath.Join(dir, name), []byte(html(page(theme))), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

func html(c templ.Component) string {
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		panic(err)
	}
	return b.String()
}
