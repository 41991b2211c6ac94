package main_test

import (
	"bufio"
	"bytes"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sources lists the tracked and new files with an ending.
func sources(t *testing.T, ending string) []string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "-co", "--exclude-standard", "*"+ending).Output()
	require.NoError(t, err)
	files := []string{}
	for _, f := range strings.Fields(string(out)) {
		if _, err := os.Stat(f); err == nil {
			files = append(files, f)
		}
	}
	require.NotEmpty(t, files)
	return files
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	var out []string
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}

// Sizes of the house style: a file that grew needs a new room.
func TestSizes(t *testing.T) {
	var sizes []int
	for _, f := range sources(t, ".go") {
		if strings.HasSuffix(f, "_templ.go") || f == "views/ui/icons.go" {
			continue
		}
		n := len(lines(t, f))
		if !strings.HasSuffix(f, "_test.go") {
			sizes = append(sizes, n)
		}
		if n > 600 {
			t.Errorf("%s has %d lines, at most 600", f, n)
		}
	}
	sort.Ints(sizes)
	if median := sizes[len(sizes)/2]; median > 120 {
		t.Errorf("the median Go file has %d lines, at most 120", median)
	}
	for _, f := range sources(t, ".js") {
		if n := len(lines(t, f)); strings.HasPrefix(f, "static/js/") && n > 150 {
			t.Errorf("%s has %d lines, at most 150", f, n)
		}
	}
}

// What gofmt would change makes noise in the next person's diff.
func TestFormatted(t *testing.T) {
	for _, f := range sources(t, ".go") {
		if strings.HasSuffix(f, "_templ.go") {
			continue
		}
		was, err := os.ReadFile(f)
		require.NoError(t, err)
		is, err := format.Source(was)
		require.NoError(t, err, f)
		if !bytes.Equal(was, is) {
			t.Errorf("gofmt would change %s", f)
		}
	}
}

var environment = regexp.MustCompile(`\bos\.(Getenv|LookupEnv|Environ)\(`)

// Only kit/config reads the environment; a sandbox's daemon reads its own, which we made.
func TestEnvironmentIsReadInOnePlace(t *testing.T) {
	for _, f := range sources(t, ".go") {
		if strings.HasSuffix(f, "_test.go") || strings.HasPrefix(f, "kit/config/") || strings.HasPrefix(f, "kit/testservices/") ||
			strings.Contains(f, "test/") || strings.HasPrefix(f, "engine/sandbox/") || strings.Contains(f, "gallery") || strings.HasPrefix(f, "docs/") {
			continue
		}
		for n, line := range lines(t, f) {
			if environment.MatchString(line) {
				t.Errorf("%s:%d reads the environment", f, n+1)
			}
		}
	}
}

var foreignClient = regexp.MustCompile(`http\.(DefaultClient|Get|Post|PostForm|Head)\b|&http\.Client\{|http\.DefaultTransport`)

// Every outbound request goes through the guarded dialer.
func TestOneOutboundClient(t *testing.T) {
	for _, f := range sources(t, ".go") {
		if strings.HasSuffix(f, "_test.go") || strings.HasPrefix(f, "kit/dial/") || strings.Contains(f, "test/") || strings.Contains(f, "gallery") || strings.HasPrefix(f, "docs/") {
			continue
		}
		for n, line := range lines(t, f) {
			if foreignClient.MatchString(line) {
				t.Errorf("%s:%d makes an HTTP client of its own", f, n+1)
			}
		}
	}
}

var (
	templPath    = regexp.MustCompile("FileName: `[^`]*/")
	templVersion = regexp.MustCompile(`(?m)^// templ: version.*\n`)
)

// generated takes out what depends on the folder that the generator was started in.
func generated(b []byte) []byte {
	b = templVersion.ReplaceAll(b, nil)
	return templPath.ReplaceAll(b, []byte("FileName: `"))
}

// Generated templates are committed as the generator makes them today.
func TestTemplatesAreFresh(t *testing.T) {
	tmp := t.TempDir()
	for _, f := range sources(t, ".templ") {
		to := filepath.Join(tmp, f)
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to, b, 0o644))
	}
	out, err := exec.Command("go", "tool", "templ", "generate", "-path", tmp).CombinedOutput()
	require.NoError(t, err, string(out))
	for _, f := range sources(t, ".templ") {
		name := strings.TrimSuffix(f, ".templ") + "_templ.go"
		want, err := os.ReadFile(filepath.Join(tmp, name))
		require.NoError(t, err)
		have, err := os.ReadFile(name)
		require.NoError(t, err, "%s is not committed", name)
		require.True(t, bytes.Equal(generated(want), generated(have)), "%s is stale: run make generate", name)
	}
}
