package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Signer makes and checks short signatures, for values that travel through a browser and must come
// back unchanged (OAuth state, preview links). It holds the same keys as the box, newest first.
type Signer struct{ keys []Key }

// Signer gives the signer of the same keys.
func (b *Box) Signer() Signer { return Signer{keys: b.keys} }

// Sign gives an unpadded base64url HMAC-SHA256 of msg for one purpose ("oauth.state"); signatures of
// one purpose are worthless for another.
func (s Signer) Sign(purpose, msg string) string {
	return base64.RawURLEncoding.EncodeToString(s.keys[0].sum(purpose, msg))
}

// Verify reports whether sig is Sign's result under any key, in constant time.
func (s Signer) Verify(purpose, msg, sig string) bool {
	got, err := base64.RawURLEncoding.Strict().DecodeString(sig)
	if err != nil {
		return false
	}
	for _, k := range s.keys {
		if hmac.Equal(got, k.sum(purpose, msg)) {
			return true
		}
	}
	return false
}

func (k Key) sum(purpose, msg string) []byte {
	h := hmac.New(sha256.New, k.mac[:])
	// The length keeps ("a", "bc") and ("ab", "c") apart.
	_, _ = fmt.Fprintf(h, "%d:%s%s", len(purpose), purpose, msg)
	return h.Sum(nil)
}
