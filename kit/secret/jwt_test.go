package secret_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

type claims struct {
	jwt.RegisteredClaims
	Name string `json:"name"`
}

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func good() claims {
	return claims{secret.JWTClaims("test", "id-1", "ada", now, time.Hour), "Ada"}
}

func signed(t *testing.T, s secret.Signer, c claims) string {
	t.Helper()
	token, err := s.JWT("test", c)
	require.NoError(t, err)
	return token.Reveal()
}

func TestJWT(t *testing.T) {
	s := secret.NewBox(newKey(t)).Signer()
	text, got := signed(t, s, good()), claims{}
	require.NoError(t, s.ReadJWT("test", text, &got, now))
	require.Equal(t, "Ada", got.Name)
	require.Equal(t, "id-1", got.ID)
	require.NoError(t, s.ReadJWT("test", text, &got, now.Add(-20*time.Second)), "clocks differ a little")
	require.NoError(t, s.ReadJWT("test", text, &got, now.Add(time.Hour+20*time.Second)))
	for name, at := range map[string]time.Time{"not begun": now.Add(-time.Minute), "over": now.Add(time.Hour + time.Minute)} {
		require.Equal(t, "token.wrong", fault.As(s.ReadJWT("test", text, &got, at)).Code, name)
	}
	require.Error(t, s.ReadJWT("another use", text, &got, now))
}

// A key that went is a token that went; while it stays beside the new one, both count.
func TestJWTKeysRotate(t *testing.T) {
	old, fresh := newKey(t), newKey(t)
	before := signed(t, secret.NewBox(old).Signer(), good())
	both, got := secret.NewBox(fresh, old).Signer(), claims{}
	require.NoError(t, both.ReadJWT("test", before, &got, now))
	after := signed(t, both, good())
	require.NoError(t, secret.NewBox(fresh).Signer().ReadJWT("test", after, &got, now), "the newest key signs")
	require.Error(t, secret.NewBox(fresh).Signer().ReadJWT("test", before, &got, now))
	require.Error(t, secret.NewBox(old).Signer().ReadJWT("test", after, &got, now))
}

func TestJWTForgeries(t *testing.T) {
	s := secret.NewBox(newKey(t)).Signer()
	text := signed(t, s, good())
	parts := strings.Split(text, ".")
	part := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	with := func(m jwt.SigningMethod, key any, c jwt.Claims) string {
		out, err := jwt.NewWithClaims(m, c).SignedString(key)
		require.NoError(t, err)
		return out
	}
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	more := good()
	more.Name = "Mallory"
	endless, elsewhere, other := good(), good(), good()
	endless.ExpiresAt, elsewhere.Issuer, other.Audience = nil, "mallory", jwt.ClaimStrings{"another use"}
	forged := map[string]string{
		"nothing": "", "dots": "..", "words": "a.b.c", "two parts": parts[0] + "." + parts[1], "no signature": parts[0] + "." + parts[1] + ".", "four parts": text + ".x",
		"none": with(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good()), "None": part(map[string]string{"alg": "None", "typ": "JWT"}) + "." + parts[1] + ".",
		"no algorithm": part(map[string]string{"typ": "JWT"}) + "." + parts[1] + "." + parts[2], "no algorithm, signed": part(map[string]any{"alg": nil}) + "." + parts[1] + "." + parts[2],
		"another key": with(jwt.SigningMethodHS256, []byte(strings.Repeat("k", 32)), good()), "the empty key": with(jwt.SigningMethodHS256, []byte{}, good()),
		"HS512": with(jwt.SigningMethodHS512, []byte(strings.Repeat("k", 64)), good()), "RS256": with(jwt.SigningMethodRS256, pair, good()),
		"RS256 said of ours": part(map[string]string{"alg": "RS256", "typ": "JWT"}) + "." + parts[1] + "." + parts[2],
		"HS384 said of ours": part(map[string]string{"alg": "HS384", "typ": "JWT"}) + "." + parts[1] + "." + parts[2],
		"claims changed":     parts[0] + "." + part(more) + "." + parts[2], "claims of another": parts[0] + "." + strings.Split(signed(t, s, more), ".")[1] + "." + parts[2],
		"endless": signed(t, s, endless), "of another issuer": signed(t, s, elsewhere), "for another use": signed(t, s, other),
		"long": text + strings.Repeat("x", 5<<10), "padded": text + "=", "blank": " " + text,
	}
	for n := range len(text) - 1 {
		forged["cut at "+string(rune('0'+n%10))+text[:n]] = text[:n]
	}
	for name, f := range forged {
		got := claims{}
		require.Equal(t, "token.wrong", fault.As(s.ReadJWT("test", f, &got, now)).Code, name)
	}
	raw := []byte(text)
	for n := range raw {
		if raw[n] == '.' {
			continue
		}
		bad := append([]byte{}, raw...)
		bad[n] ^= 1
		got := claims{}
		require.Error(t, s.ReadJWT("test", string(bad), &got, now), "byte %d", n)
	}
}

func FuzzReadJWT(f *testing.F) {
	s := secret.NewBox(newKey(f)).Signer()
	token, _ := s.JWT("test", good())
	f.Add(token.Reveal())
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		got := claims{}
		if s.ReadJWT("test", text, &got, now) == nil && text != token.Reveal() {
			t.Fatalf("forged: %q", text)
		}
	})
}
