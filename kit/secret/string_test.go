package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/secret"
)

const canary = "canary-7f3a9c-value"

type holder struct {
	Open   secret.String
	hidden secret.String
	deep   []map[string]secret.String
	ptr    *secret.String
}

func newHolder() holder {
	s := secret.Of(canary)
	return holder{s, s, []map[string]secret.String{{"k": s}}, &s}
}

func TestStringNeverPrints(t *testing.T) {
	s, h := secret.Of(canary), newHolder()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
		for _, v := range []any{s, &s, h, &h, []secret.String{s}, map[string]any{"k": h}} {
			require.NotContains(t, fmt.Sprintf(verb, v), canary, verb)
			require.NotContains(t, fmt.Sprintf(verb, v), fmt.Sprintf("%x", canary), verb)
		}
	}
	require.Equal(t, "[redacted]", fmt.Sprint(s))
	require.Equal(t, "[redacted]", s.String())
	require.Equal(t, "[redacted]", s.GoString())

	b, err := json.Marshal(map[string]any{"a": s, "b": h, "c": &s})
	require.NoError(t, err)
	require.NotContains(t, string(b), canary)
	require.Contains(t, string(b), `"a":"[redacted]"`)
	x, err := xml.Marshal(h.Open)
	require.NoError(t, err)
	require.NotContains(t, string(x), canary)

	var out bytes.Buffer
	for _, l := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(l).Info("x", "s", s, "h", h, slog.Group("g", "s", s))
	}
	require.NotContains(t, out.String(), canary)
}

func TestStringContent(t *testing.T) {
	var s secret.String
	require.True(t, s.Empty())
	require.Empty(t, s.Reveal())
	require.NoError(t, json.Unmarshal([]byte(`"`+canary+`"`), &s))
	require.Equal(t, canary, s.Reveal())
	require.True(t, s.Equal(secret.Of(canary)))
	require.False(t, s.Equal(secret.Of("other")))
	require.True(t, secret.Of("").Empty())
}

func TestToken(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		tok, hash := secret.Token("lob_")
		text := tok.Reveal()
		require.Len(t, text, 47)
		require.Regexp(t, `^lob_[0-9A-Za-z]{43}$`, text)
		require.Equal(t, hash, secret.Hash(text))
		require.Len(t, hash, 64)
		require.Equal(t, text[:10], secret.Prefix(text))
		require.False(t, seen[text])
		seen[text] = true
	}
	require.Equal(t, "", secret.Prefix("abc"))
	require.Equal(t, "ab", secret.Prefix("abcdefgh"))
	require.Equal(t, "", secret.Prefix(""))
}
