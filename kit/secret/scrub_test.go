package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/kit/secret"
)

const tricky = "sk-Ü/+?&=\"\\ <v>9"

func TestScrubSpellings(t *testing.T) {
	var s secret.Scrubber
	require.Equal(t, "x "+canary, s.Scrub("x "+canary))
	s.Add(secret.Of(canary), secret.Of(tricky), secret.Of("short"))
	require.Equal(t, "short", s.Scrub("short"))
	for _, v := range []string{canary, tricky} {
		j, _ := json.Marshal(map[string]string{"k": v})
		forms := []string{v, url.QueryEscape(v), url.PathEscape(v), string(j), hex.EncodeToString([]byte(v))}
		for _, user := range []string{"", "u", "us", "use", "user:"} {
			for _, tail := range []string{"", "x", "yy"} {
				forms = append(forms, base64.StdEncoding.EncodeToString([]byte(user+v+tail)), base64.URLEncoding.EncodeToString([]byte(user+v+tail)))
			}
		}
		for _, f := range forms {
			got := s.Scrub("before " + f + " after")
			require.Contains(t, got, secret.Redacted, f)
			require.True(t, strings.HasPrefix(got, "before ") && strings.HasSuffix(got, " after"))
			require.NotContains(t, got, f)
			require.Equal(t, got, string(s.ScrubBytes([]byte("before "+f+" after"))))
		}
	}
}

func TestScrubCountsAndLongestFirst(t *testing.T) {
	var s secret.Scrubber
	s.Add(secret.Of(canary), secret.Of(canary+"-longer"), secret.Of(canary))
	require.Equal(t, "a [redacted] b", s.Scrub("a "+canary+"-longer b"))
	s.Remove(secret.Of(canary), secret.Of(canary+"-longer"))
	require.Equal(t, "[redacted]-longer", s.Scrub(canary+"-longer"))
	s.Remove(secret.Of(canary), secret.Of("never added"))
	require.Equal(t, canary, s.Scrub(canary))
	require.Equal(t, "x", (*secret.Scrubber)(nil).Scrub("x"))
}

func TestScrubLeavesNothingOfManyValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s secret.Scrubber
		values := rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z0-9_\-]{8,40}`), 1, 8).Draw(t, "values")
		text := rapid.String().Draw(t, "lead")
		for _, v := range values {
			s.Add(secret.Of(v))
			text += " | " + v
		}
		got := s.Scrub(text)
		for _, v := range values {
			require.NotContains(t, got, v)
		}
	})
}

func TestScrubConcurrently(t *testing.T) {
	var s secret.Scrubber
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 100 {
				v := secret.Of(fmt.Sprintf("secret-%d-%d", i, n))
				s.Add(v)
				if got := s.Scrub("a " + v.Reveal()); got != "a [redacted]" {
					t.Errorf("got %q", got)
				}
				s.Remove(v)
			}
		})
	}
	wg.Wait()
}

type opaque struct{ Key string }

func TestLogHandler(t *testing.T) {
	var s secret.Scrubber
	var out bytes.Buffer
	log := slog.New(secret.NewLogHandler(slog.NewJSONHandler(&out, nil), &s))
	log.Info("plain " + canary)
	require.Contains(t, out.String(), canary, "nothing is known yet")
	out.Reset()
	s.Add(secret.Of(canary))
	log = log.With("with", canary).WithGroup("g").With("inner", canary)
	log.Info("msg "+canary, "s", canary, "err", errors.New("dial "+canary), "b", []byte(canary), "o", opaque{canary},
		"p", &opaque{canary},
		"pp", []*opaque{{canary}}, slog.Group("gg", "x", canary), "n", 7, "clean", opaque{"fine"})
	require.NotContains(t, out.String(), canary)
	require.NotContains(t, out.String(), base64.StdEncoding.EncodeToString([]byte(canary)))
	require.Contains(t, out.String(), `"n":7`)
	require.Contains(t, out.String(), `{"Key":"fine"}`)
}

func BenchmarkScrub(b *testing.B) {
	text := strings.Repeat("an ordinary line of an agent's answer, with words. ", 40)
	for _, n := range []int{0, 10, 1000} {
		var s secret.Scrubber
		for i := range n {
			s.Add(secret.Of(fmt.Sprintf("sk-proj-%032d", i)))
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				s.Scrub(text)
			}
		})
	}
}
