package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
)

const (
	tokenBytes  = 32
	tokenDigits = 43 // base-62 digits that hold 256 bits: no sign breaks a double click or a URL
	shownDigits = 6
)

// Token makes a bearer token of a prefix ("lob_") and 32 random bytes in base 62, and the hash to keep.
// The token is shown once and never stored.
func Token(prefix string) (token String, hash string) {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	s := new(big.Int).SetBytes(b[:]).Text(62)
	s = prefix + strings.Repeat("0", tokenDigits-len(s)) + s
	return Of(s), Hash(s)
}

// Hash gives the SHA-256 of a token in hex: what the database keeps and looks up. A slow hash is not
// needed for 256 random bits, and the lookup by hash leaks nothing through its timing.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Prefix gives the part of a token that may be shown in lists: "lob_Ab12Cd".
func Prefix(token string) string {
	n := strings.LastIndexByte(token, '_') + 1 + shownDigits
	// Never more than a quarter of a foreign, short token.
	return token[:min(n, max(len(token)/4, 0))]
}

// SigningKey makes a key of a prefix ("whsec_") and 24 random bytes in base64, as Standard Webhooks writes the keys that
// both sides sign and verify with.
func SigningKey(prefix string) String {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	return Of(prefix + base64.StdEncoding.EncodeToString(b[:]))
}
