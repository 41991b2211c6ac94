package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"lobstead/kit/fault"
)

const (
	sealVersion = 1
	keyIDSize   = 4
	headSize    = 1 + keyIDSize
	// KeySize is the least number of random bytes in a master key.
	KeySize = 32
)

// Key is one master key with the sub-keys derived from it. It prints as "key <id>".
type Key struct {
	id   [keyIDSize]byte
	aead cipher.AEAD
	mac  *[KeySize]byte // behind a pointer for the reason given at String
}

// NewKey derives a key from at least KeySize random bytes.
func NewKey(master []byte) (Key, error) {
	if len(master) < KeySize {
		return Key{}, fmt.Errorf("secret: a key needs at least %d bytes, got %d", KeySize, len(master))
	}
	enc, err := hkdf.Key(sha256.New, master, nil, "lobstead seal v1", KeySize)
	if err != nil {
		return Key{}, fmt.Errorf("secret: derive: %w", err)
	}
	mac, err := hkdf.Key(sha256.New, master, nil, "lobstead sign v1", KeySize)
	if err != nil {
		return Key{}, fmt.Errorf("secret: derive: %w", err)
	}
	id, err := hkdf.Key(sha256.New, master, nil, "lobstead key id v1", keyIDSize)
	if err != nil {
		return Key{}, fmt.Errorf("secret: derive: %w", err)
	}
	block, err := aes.NewCipher(enc)
	if err != nil {
		return Key{}, fmt.Errorf("secret: cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return Key{}, fmt.Errorf("secret: cipher: %w", err)
	}
	return Key{id: [keyIDSize]byte(id), aead: aead, mac: (*[KeySize]byte)(mac)}, nil
}

// ID names the key in sealed values and in logs; it tells nothing about the key.
func (k Key) ID() string { return fmt.Sprintf("%x", k.id) }

// String prints the id only.
func (k Key) String() string { return "key " + k.ID() }

// Format keeps every verb to the id.
func (k Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, k.String()) }

// Box encrypts at rest with AES-256-GCM. The first key seals, all keys open. Safe for concurrent use.
type Box struct{ keys []Key }

// NewBox makes a box; keys come newest first and there must be one at least.
func NewBox(keys ...Key) *Box {
	if len(keys) == 0 {
		panic("secret: a box needs a key")
	}
	return &Box{keys: keys}
}

// Seal encrypts plain and binds it to aad, which names the place of the value (row id and column), so
// that a sealed value copied to another row does not open there. Layout: version, key id, nonce,
// ciphertext, tag. The nonce is random: one key is good for some 2³² values, far above our use.
func (b *Box) Seal(plain []byte, aad string) ([]byte, error) {
	k := b.keys[0]
	out := append(make([]byte, 0, headSize+len(plain)+k.aead.Overhead()), sealVersion)
	out = append(out, k.id[:]...)
	return k.aead.Seal(out, nil, plain, bind(out, aad)), nil //nolint:gosec // this AEAD makes its own random nonce
}

// Open decrypts what Seal made under the same aad.
// Errors: fault.Internal secret.sealed (not a sealed value), secret.key (the key is not here any
// more), secret.open (changed, or sealed for another place).
func (b *Box) Open(sealed []byte, aad string) ([]byte, error) {
	if len(sealed) < headSize || sealed[0] != sealVersion {
		return nil, fault.New(fault.Internal, "secret.sealed", "Stored secret is damaged")
	}
	for _, k := range b.keys {
		if [keyIDSize]byte(sealed[1:headSize]) != k.id {
			continue
		}
		plain, err := k.aead.Open(nil, nil, sealed[headSize:], bind(sealed[:headSize], aad))
		if err != nil {
			return nil, fault.Wrap(err, fault.Internal, "secret.open", "Stored secret does not open")
		}
		return plain, nil
	}
	return nil, fault.New(fault.Internal, "secret.key", "Stored secret was sealed with key %x, which is not configured", sealed[1:headSize])
}

// Stale reports whether a sealed value should be sealed again because a newer key exists.
func (b *Box) Stale(sealed []byte) bool {
	return len(sealed) >= headSize && [keyIDSize]byte(sealed[1:headSize]) != b.keys[0].id
}

// bind puts the head under the tag as well, so that neither version nor key id can be exchanged.
func bind(head []byte, aad string) []byte { return append(head[:headSize:headSize], aad...) }
