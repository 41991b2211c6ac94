package secret

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ExampleKey is the key that the documentation shows; it is refused like every published one.
const ExampleKey = "Lw8SC4yQv0mTq1r5oXh2n7JkZs9aPdE6gUbVfWiYc3M="

// known are fragments of keys that people leave in place, lower case, without signs.
var known = []string{"changeme", "replaceme", "yoursecret", "secretkey", "password", "insecure", "example", "default", "lobstead"}

// minDistinct of 32 random bytes are different with all but a chance of 10⁻¹⁴.
const minDistinct = 16

// Check decodes the text of a master key, base64 or hex, and refuses what is short, published or
// plainly not random. The errors say what to do and never repeat the text.
func Check(text string) ([]byte, error) {
	const advice = "make one with: openssl rand -base64 32"
	text = strings.TrimSpace(text)
	if text == ExampleKey || isKnown(text) {
		return nil, errors.New("this key is a published or default one; " + advice)
	}
	raw, ok := decode(text)
	if !ok {
		return nil, errors.New("a key is base64 or hex of at least 32 random bytes; " + advice)
	}
	if len(raw) < KeySize {
		return nil, fmt.Errorf("the key has %d bytes and needs at least %d; %s", len(raw), KeySize, advice)
	}
	if isKnown(string(raw)) || weak(raw) {
		return nil, errors.New("the key is not random; " + advice)
	}
	return raw, nil
}

func decode(text string) ([]byte, bool) {
	// Hex first: 64 hex digits are valid base64 too, of something else.
	if b, err := hex.DecodeString(text); err == nil {
		return b, len(b) > 0
	}
	text = strings.TrimRight(text, "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(text); err == nil {
			return b, len(b) > 0
		}
	}
	return nil, false
}

func isKnown(text string) bool {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_ .,/+", r) {
			return -1
		}
		return r
	}, strings.ToLower(text))
	for _, k := range known {
		if strings.Contains(text, k) {
			return true
		}
	}
	return false
}

// weak finds the patterns of hands: few different bytes, plain text, counting up or down.
func weak(raw []byte) bool {
	var seen [256]bool
	distinct, printable, steady := 0, true, true
	for i, b := range raw {
		if !seen[b] {
			seen[b] = true
			distinct++
		}
		printable = printable && b >= ' ' && b <= '~'
		steady = steady && (i < 2 || b-raw[i-1] == raw[1]-raw[0])
	}
	return distinct < minDistinct || printable || steady
}
