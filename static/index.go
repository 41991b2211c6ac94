package static

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// scripts is the order in which our modules become one app.js: core first, the rest need only core; once is
// the last to hear of what a form does.
var scripts = []string{
	"core", "theme", "drawer", "dialog", "toast", "menu", "copy", "time", "scroll", "shortcuts", "palette", "morph", "signed", "live", "attach", "upload", "files", "chat", "passkey", "once",
}

// pageModules are what single pages load besides; each only imports those before it.
var pageModules = []string{"js/page/terminal-csp.mjs", "js/page/terminal-link.mjs", "js/page/terminal.mjs"}

type assets struct {
	byName, byPath map[string]*file
	names          []string
}

// index hashes everything at the first use (about a millisecond for 300 KB).
var index = sync.OnceValue(func() *assets {
	ix := &assets{byName: map[string]*file{}, byPath: map[string]*file{}}
	var texts []string // files that name other assets: hashed after them
	for _, dir := range []string{"fonts", "images", "vendor"} {
		entries, err := fs.ReadDir(files, dir)
		if err != nil {
			panic(err)
		}
		for _, e := range entries {
			p := path.Join(dir, e.Name())
			if path.Ext(p) == ".webmanifest" {
				texts = append(texts, p)
				continue
			}
			ix.add(e.Name(), read(p))
		}
	}
	for _, p := range append(append(texts, "dist/app.css"), pageModules...) {
		ix.add(path.Base(p), ix.resolve(read(p)))
	}
	ix.add("app.js", bundle())
	slices.Sort(ix.names)
	return ix
})

func read(p string) []byte {
	b, err := files.ReadFile(p)
	if err != nil {
		panic(err)
	}
	return b
}

// bundle joins our modules, each of which is a self-contained function.
func bundle() []byte {
	var b bytes.Buffer
	for _, s := range scripts {
		b.Write(read("js/" + s + ".js"))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func (ix *assets) add(name string, body []byte) {
	if ix.byName[name] != nil {
		panic("static: two assets named " + name)
	}
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	kind := kindOf(name)
	f := &file{name: name, url: Prefix + hashed, kind: kind, body: body, zip: zipper(kind, body)}
	ix.byName[name], ix.byPath[hashed] = f, f
	ix.names = append(ix.names, name)
}

// resolve turns "/static/<logical>" inside a text into the hashed address, longest names first so that
// "geist-mono.woff2" is not taken for another.
func (ix *assets) resolve(body []byte) []byte {
	names := slices.Clone(ix.names)
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	for _, n := range names {
		body = bytes.ReplaceAll(body, []byte(Prefix+n), []byte(ix.byName[n].url))
	}
	return body
}
