package static_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/static"
)

// The built stylesheet is committed, so that a checkout needs no Node. Two tests keep it honest without Node either:
// its stamp must be the hash of the sources, and every class in a template must exist in it. The first fails after an
// edit of the CSS, the second after the use of a utility that was not built, and after a typing mistake. The answer to
// both is `bin/assets`.

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func TestTheStylesheetBelongsToItsSources(t *testing.T) {
	sources, err := filepath.Glob("css/*.css")
	require.NoError(t, err)
	sort.Strings(sources)
	var all []byte
	for _, p := range append(sources, "../tailwind.config.js") {
		b, err := os.ReadFile(p)
		require.NoError(t, err)
		all = append(all, b...)
	}
	built, err := os.ReadFile("dist/app.css")
	require.NoError(t, err)
	require.Contains(t, string(built[:100]), sum(all), "static/dist/app.css is stale: run bin/assets")
}

// hooks are classes that only scripts or tests look for.
var hooks = map[string]bool{"htmx-request": true}

var (
	literal    = regexp.MustCompile(`class="([^"]*)"`)
	expression = regexp.MustCompile(`class=\{([^}]*)\}`)
	quoted     = regexp.MustCompile(`"([^"]*)"`)
)

func TestEveryClassInATemplateExists(t *testing.T) {
	built, _ := static.Open("app.css")
	css := strings.ReplaceAll(string(built.Body), `\`, "")
	known := map[string]bool{}
	exists := func(c string) bool {
		if _, seen := known[c]; !seen {
			known[c] = regexp.MustCompile(`\.` + regexp.QuoteMeta(c) + `($|[^A-Za-z0-9_-])`).MatchString(css)
		}
		return known[c] || hooks[c]
	}
	err := filepath.WalkDir("../views", func(p string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(p) != ".templ" {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for _, m := range literal.FindAllStringSubmatch(string(b), -1) {
			for _, c := range strings.Fields(m[1]) {
				require.True(t, exists(c), "%s: class %q is in no stylesheet: a mistake, or run bin/assets", p, c)
			}
		}
		for _, m := range expression.FindAllStringSubmatch(string(b), -1) {
			for _, q := range quoted.FindAllStringSubmatch(m[1], -1) {
				for _, c := range strings.Fields(q[1]) {
					require.True(t, exists(c), "%s: class %q is in no stylesheet: a mistake, or run bin/assets", p, c)
				}
			}
		}
		require.NotRegexp(t, `\sstyle=|<style|\son[a-z]+=`, string(b), "%s: the content policy allows nothing inline", p)
		return nil
	})
	require.NoError(t, err)
}

// Dark stands twice in the tokens, for the choice and for the system's wish.
func TestBothDarkThemesAreEqual(t *testing.T) {
	b, err := os.ReadFile("css/tokens.css")
	require.NoError(t, err)
	block := func(selector string) string {
		_, rest, ok := strings.Cut(string(b), selector+" {")
		require.True(t, ok)
		body, _, _ := strings.Cut(rest, "}")
		return strings.Join(strings.Fields(body), " ")
	}
	require.Equal(t, block(`:root[data-theme="dark"]`), block(`:root[data-theme="system"]`))
}
