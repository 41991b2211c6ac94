package secret_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

func newKey(t require.TestingT) secret.Key {
	b := make([]byte, secret.KeySize)
	_, _ = rand.Read(b)
	k, err := secret.NewKey(b)
	require.NoError(t, err)
	return k
}

func TestBoxRoundTrip(t *testing.T) {
	box := secret.NewBox(newKey(t))
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		aad := rapid.String().Draw(t, "aad")
		sealed, err := box.Seal(plain, aad)
		require.NoError(t, err)
		got, err := box.Open(sealed, aad)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, got))
		_, err = box.Open(sealed, aad+"x")
		require.Equal(t, "secret.open", fault.As(err).Code)
	})
}

func TestBoxEveryByteCounts(t *testing.T) {
	box := secret.NewBox(newKey(t))
	sealed, err := box.Seal([]byte("plain text"), "row:column")
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "plain")
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		_, err := box.Open(bad, "row:column")
		require.Error(t, err, "byte %d", i)
		_, err = box.Open(sealed[:i], "row:column")
		require.Error(t, err, "cut at %d", i)
	}
	again, err := box.Seal([]byte("plain text"), "row:column")
	require.NoError(t, err)
	require.NotEqual(t, sealed, again)
}

func TestBoxRotation(t *testing.T) {
	old, fresh := newKey(t), newKey(t)
	sealed, err := secret.NewBox(old).Seal([]byte("x"), "a")
	require.NoError(t, err)

	both := secret.NewBox(fresh, old)
	got, err := both.Open(sealed, "a")
	require.NoError(t, err)
	require.Equal(t, "x", string(got))
	require.True(t, both.Stale(sealed))

	renewed, err := both.Seal(got, "a")
	require.NoError(t, err)
	require.False(t, both.Stale(renewed))
	_, err = secret.NewBox(old).Open(renewed, "a")
	require.Equal(t, "secret.key", fault.As(err).Code)
	require.Contains(t, fault.As(err).Detail, fresh.ID())
}

func TestKeyPrintsItsIDOnly(t *testing.T) {
	k, err := secret.NewKey(bytes.Repeat([]byte("0123456789abcdef"), 2))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%x"} {
		require.Equal(t, "key "+k.ID(), fmt.Sprintf(verb, k))
	}
	_, err = secret.NewKey(make([]byte, 31))
	require.Error(t, err)
}

func FuzzBoxOpen(f *testing.F) {
	box := secret.NewBox(newKey(f))
	sealed, _ := box.Seal([]byte("x"), "a")
	f.Add(sealed, "a")
	f.Add([]byte{1}, "")
	f.Fuzz(func(t *testing.T, b []byte, aad string) {
		if _, err := box.Open(b, aad); err == nil && !bytes.Equal(b, sealed) {
			t.Fatal("forged")
		}
	})
}
