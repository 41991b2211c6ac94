// Package static owns what the browser fetches besides pages: CSS, JavaScript, fonts and images, embedded in the
// binary and addressed by the hash of their content. It knows no HTTP framework; the app serves what Open returns.
package static

import (
	"bytes"
	"compress/gzip"
	"embed"
	"path"
	"strings"
	"sync"
)

//go:embed dist/app.css vendor/*.js vendor/*.mjs vendor/*.css js/*.js js/page/*.mjs fonts/*.woff2 images/*
var files embed.FS

// Prefix is where the app mounts the assets.
const Prefix = "/static/"

// Asset is one embedded file, ready to be sent.
type Asset struct {
	Name      string // logical name: "app.css"
	Type      string // media type with charset where it has one
	Body      []byte // shared: never write to it
	Gzip      []byte // Body compressed, nil where that does not pay (fonts, PNG)
	Immutable bool   // asked for by its hash: may be cached for a year
}

// URL gives the address of a logical name: URL("app.css") is "/static/app.<hash>.css". An unknown name panics: it is
// a mistake in a template, and the tests render every template.
func URL(name string) string {
	f, ok := index().byName[name]
	if !ok {
		panic("static: no asset " + name)
	}
	return f.url
}

// Open finds an asset by the path after Prefix, hashed ("app.<hash>.css", Immutable) or logical ("app.css", which a
// handler must revalidate). A wrong hash is not found.
func Open(p string) (Asset, bool) {
	p = strings.TrimPrefix(p, Prefix)
	ix := index()
	if f, ok := ix.byPath[p]; ok {
		return f.asset(true), true
	}
	if f, ok := ix.byName[p]; ok {
		return f.asset(false), true
	}
	return Asset{}, false
}

// Names lists the logical names, sorted.
func Names() []string { return append([]string(nil), index().names...) }

type file struct {
	name, url, kind string
	body            []byte
	zip             func() []byte
}

func (f *file) asset(immutable bool) Asset {
	return Asset{Name: f.name, Type: f.kind, Body: f.body, Gzip: f.zip(), Immutable: immutable}
}

// zipper compresses at the first request, once: a process start pays nothing for it.
func zipper(kind string, body []byte) func() []byte {
	return sync.OnceValue(func() []byte {
		if strings.HasPrefix(kind, "font/") || kind == "image/png" {
			return nil
		}
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = w.Write(body)
		_ = w.Close()
		if b.Len() >= len(body) {
			return nil
		}
		return b.Bytes()
	})
}

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	}
	return "application/octet-stream"
}
