package static_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/static"
)

func TestEveryAssetOpensByItsURL(t *testing.T) {
	for _, name := range static.Names() {
		url := static.URL(name)
		require.Regexp(t, `^/static/.+\.[0-9a-f]{12}\.[a-z0-9]+$`, url)
		a, ok := static.Open(url)
		require.True(t, ok, url)
		require.True(t, a.Immutable)
		require.Equal(t, name, a.Name)
		require.NotEmpty(t, a.Body)
		require.NotEqual(t, "application/octet-stream", a.Type, name)
		plain, ok := static.Open(name)
		require.True(t, ok)
		require.False(t, plain.Immutable, "a logical name must be revalidated")
		if a.Gzip != nil {
			r, err := gzip.NewReader(bytes.NewReader(a.Gzip))
			require.NoError(t, err)
			got, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, a.Body, got)
		}
	}
}

func TestUnknownAssets(t *testing.T) {
	for _, p := range []string{"", "app.000000000000.css", "../static.go", "css/app.css", "/static/", "nope.js"} {
		_, ok := static.Open(p)
		require.False(t, ok, p)
	}
	require.Panics(t, func() { static.URL("nope.css") })
}

// What CSS and the manifest name is reachable, by its hash.
func TestReferencesAreHashed(t *testing.T) {
	reference := regexp.MustCompile(`/static/[A-Za-z0-9._-]+`)
	for _, name := range []string{"app.css", "manifest.webmanifest"} {
		a, _ := static.Open(name)
		found := reference.FindAllString(string(a.Body), -1)
		require.NotEmpty(t, found, name)
		for _, f := range found {
			got, ok := static.Open(f)
			require.True(t, ok, f)
			require.True(t, got.Immutable, f)
		}
	}
}

// The promise of the interface: at most 60 KB of JavaScript and 50 KB of CSS, compressed, and no other host.
func TestBudgets(t *testing.T) {
	js, css, terminal := 0, 0, 0
	for _, name := range static.Names() {
		a, _ := static.Open(name)
		switch {
		case strings.HasSuffix(name, ".mjs"), strings.HasPrefix(name, "xterm"): // of the terminal's page only
			terminal += len(a.Gzip)
		case strings.HasSuffix(name, ".js"):
			js += len(a.Gzip)
		case strings.HasSuffix(name, ".css"):
			css += len(a.Gzip)
		}
	}
	t.Logf("JavaScript %d bytes, CSS %d bytes, compressed", js, css)
	require.LessOrEqual(t, js, 60<<10)
	require.LessOrEqual(t, terminal, 110<<10)
	require.LessOrEqual(t, css, 50<<10)
	for _, name := range []string{"app.css", "app.js"} {
		a, _ := static.Open(name)
		for _, host := range regexp.MustCompile(`https?://[^\s"')]+`).FindAllString(string(a.Body), -1) {
			require.True(t, strings.HasPrefix(host, "https://tailwindcss.com") || strings.HasPrefix(host, "http://www.w3.org/"), host)
		}
	}
}

func TestModulesAreShortAndStrict(t *testing.T) {
	entries, err := os.ReadDir("js")
	require.NoError(t, err)
	bundle, _ := static.Open("app.js")
	pages, err := os.ReadDir("js/page")
	require.NoError(t, err)
	for _, e := range pages {
		b, err := os.ReadFile("js/page/" + e.Name())
		require.NoError(t, err)
		require.LessOrEqual(t, bytes.Count(b, []byte("\n")), 150, e.Name())
		require.Contains(t, string(b), `"use strict"`, e.Name())
		require.NotRegexp(t, `\beval\(|new Function|innerHTML`, string(b), e.Name())
		built, ok := static.Open(e.Name())
		require.True(t, ok, "%s is not in the list of page modules", e.Name())
		for _, from := range regexp.MustCompile(`import[^"]*"([^"]+)"`).FindAllStringSubmatch(string(built.Body), -1) {
			got, ok := static.Open(from[1])
			require.True(t, ok && got.Immutable, "%s imports %s", e.Name(), from[1])
		}
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := os.ReadFile("js/" + e.Name())
		require.NoError(t, err)
		require.LessOrEqual(t, bytes.Count(b, []byte("\n")), 150, e.Name())
		require.Contains(t, string(b), `"use strict"`, e.Name())
		require.NotRegexp(t, `\beval\(|new Function|innerHTML = [^h]`, string(b), e.Name())
		require.Contains(t, string(bundle.Body), string(b), "%s is not in the list of scripts", e.Name())
	}
}

func TestVendoredFilesMatchTheirSums(t *testing.T) {
	notes, err := os.ReadFile("vendor.md")
	require.NoError(t, err)
	for _, p := range []string{"vendor/htmx.min.js", "vendor/xterm.mjs", "vendor/xterm-fit.mjs", "vendor/xterm.css", "fonts/geist.woff2", "fonts/geist-mono.woff2"} {
		b, err := os.ReadFile(p)
		require.NoError(t, err)
		require.Contains(t, string(notes), sum(b), p)
	}
}

func BenchmarkOpen(b *testing.B) {
	url := static.URL("app.css")
	for b.Loop() {
		static.Open(url)
	}
}
