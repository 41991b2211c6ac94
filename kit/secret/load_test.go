package secret_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/secret"
)

func random() []byte {
	b := make([]byte, secret.KeySize)
	_, _ = rand.Read(b)
	return b
}

func TestKeyFileIsMadeOnceAndPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var wg sync.WaitGroup
	boxes, signers := make([]*secret.Box, 8), make([]secret.Signer, 8)
	for i := range boxes { // processes that start at once agree on one key
		wg.Go(func() {
			var err error
			boxes[i], signers[i], err = secret.LoadOrCreate(dir, secret.String{})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sealed, err := boxes[0].Seal([]byte("x"), "a")
	require.NoError(t, err)
	sig := signers[0].Sign("p", "m")
	for i, b := range boxes {
		_, err = b.Open(sealed, "a")
		require.NoError(t, err)
		require.True(t, signers[i].Verify("p", "m", sig))
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	st, err := os.Stat(filepath.Join(dir, secret.KeyFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
}

func TestKeyFileRefused(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(random())
	for name, prepare := range map[string]func(path string){
		"readable by the group": func(p string) { _ = os.WriteFile(p, []byte(good), 0o600); _ = os.Chmod(p, 0o640) },
		"readable by all":       func(p string) { _ = os.WriteFile(p, []byte(good), 0o600); _ = os.Chmod(p, 0o604) },
		"empty":                 func(p string) { _ = os.WriteFile(p, nil, 0o600) },
		"garbage":               func(p string) { _ = os.WriteFile(p, []byte("hello"), 0o600) },
		"symlink":               func(p string) { _ = os.WriteFile(p+"x", []byte(good), 0o600); _ = os.Symlink(p+"x", p) },
		"directory":             func(p string) { _ = os.Mkdir(p, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			prepare(filepath.Join(dir, secret.KeyFile))
			_, _, err := secret.LoadOrCreate(dir, secret.String{})
			require.Error(t, err)
			require.NotContains(t, err.Error(), good)
			_, _, err = secret.LoadOrCreate(dir, secret.Of(good))
			require.Error(t, err, "a bad file is not passed over because SECRET_KEY is set")
		})
	}
}

func TestEnvironmentKeys(t *testing.T) {
	old, fresh := hex.EncodeToString(random()), base64.RawURLEncoding.EncodeToString(random())
	dir := filepath.Join(t.TempDir(), "absent")
	a, _, err := secret.LoadOrCreate(dir, secret.Of(old))
	require.NoError(t, err)
	require.NoDirExists(t, dir, "nothing is written when the key comes from the environment")
	sealed, err := a.Seal([]byte("x"), "a")
	require.NoError(t, err)
	b, _, err := secret.LoadOrCreate(dir, secret.Of(fresh+","+old))
	require.NoError(t, err)
	_, err = b.Open(sealed, "a")
	require.NoError(t, err)

	// A move from the file to SECRET_KEY keeps the old values readable.
	dir = t.TempDir()
	c, _, err := secret.LoadOrCreate(dir, secret.String{})
	require.NoError(t, err)
	sealed, err = c.Seal([]byte("x"), "a")
	require.NoError(t, err)
	d, _, err := secret.LoadOrCreate(dir, secret.Of(fresh))
	require.NoError(t, err)
	require.True(t, d.Stale(sealed))
	_, err = d.Open(sealed, "a")
	require.NoError(t, err)
}

func TestCheckRefusesWhatIsNotRandom(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	counting := make([]byte, 32)
	for i := range counting {
		counting[i] = byte(7 * i)
	}
	for _, bad := range []string{
		"changeme", "", "secret", secret.ExampleKey,
		strings.Repeat("changeme", 8), "Change-Me-" + b64(random()),
		b64(make([]byte, 32)), strings.Repeat("0", 64), strings.Repeat("f", 64),
		strings.Repeat("0123456789abcdef", 4), strings.Repeat("A", 44),
		b64(random()[:31]), hex.EncodeToString(random()[:16]),
		b64([]byte("correct horse battery staple, again and again")),
		b64([]byte(strings.Repeat("changeme", 4))), b64(counting),
		"not base64 at all, but long enough to be one!!",
	} {
		_, err := secret.Check(bad)
		require.Error(t, err, bad)
		require.Contains(t, err.Error(), "openssl rand", bad)
		if len(bad) > 8 {
			require.NotContains(t, err.Error(), bad)
		}
	}
	for range 2000 {
		b := random()
		for _, text := range []string{b64(b), base64.RawURLEncoding.EncodeToString(b), hex.EncodeToString(b)} {
			got, err := secret.Check(text)
			require.NoError(t, err, text)
			require.Equal(t, b, got)
		}
	}
}

func TestSigner(t *testing.T) {
	_, s, err := secret.LoadOrCreate(t.TempDir(), secret.String{})
	require.NoError(t, err)
	sig := s.Sign("a", "bc")
	require.True(t, s.Verify("a", "bc", sig))
	require.False(t, s.Verify("ab", "c", sig))
	require.False(t, s.Verify("a", "bd", sig))
	require.False(t, s.Verify("a", "bc", ""))
	require.False(t, s.Verify("a", "bc", sig[:len(sig)-1]))
}
