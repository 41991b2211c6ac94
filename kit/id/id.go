// Package id makes and reads the one kind of identifier: "c" and a UUIDv7 in 25 base-36 digits.
//
// Ids sort by time of creation, look like the cuids that the cloud API shows, and convert to and from
// the UUIDs that the fleet API shows. They are opaque and they are not capabilities.
package id

import (
	"math/big"
	"strings"

	"github.com/google/uuid"
)

const (
	digits   = 25 // base-36 digits that hold 128 bits
	alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
)

// New makes an id; it fails only when the system's random source does.
func New() string { return FromUUID(uuid.Must(uuid.NewV7())) }

// FromUUID spells a UUID as an id.
func FromUUID(u uuid.UUID) string {
	s := new(big.Int).SetBytes(u[:]).Text(36)
	return "c" + strings.Repeat("0", digits-len(s)) + s
}

// UUID gives the UUID that an id spells, false when it spells none.
func UUID(s string) (uuid.UUID, bool) {
	if len(s) != digits+1 || s[0] != 'c' || strings.Trim(s, alphabet) != "" {
		return uuid.Nil, false
	}
	n, ok := new(big.Int).SetString(s[1:], 36)
	if !ok || n.BitLen() > 128 {
		return uuid.Nil, false
	}
	var u uuid.UUID
	n.FillBytes(u[:])
	return u, true
}
