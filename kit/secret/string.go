// Package secret owns what must not be shown: values that print "[redacted]", the box that encrypts
// them at rest, the key behind it, bearer tokens and their hashes, and the scrubber of known values.
//
// It knows nothing of databases, requests or settings: callers pass bytes and keep the results.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what every spelling of a secret shows.
const Redacted = "[redacted]"

// String is text that no printer shows; only Reveal gives it out. The zero value is the empty secret.
//
// The content sits behind a pointer because fmt reads unexported fields of an enclosing struct by
// reflection, past every method: it then prints an address, not the text.
type String struct{ p *string }

// Of makes a secret of s.
func Of(s string) String {
	if s == "" {
		return String{}
	}
	return String{&s}
}

// Reveal gives the content. Each caller is a place to look at in a review.
func (s String) Reveal() string {
	if s.p == nil {
		return ""
	}
	return *s.p
}

// Empty reports whether there is no content.
func (s String) Empty() bool { return s.p == nil || *s.p == "" }

// Equal compares in constant time; two Strings must not be compared with ==.
func (s String) Equal(o String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

// String, GoString, Format, MarshalJSON, MarshalText and LogValue all show Redacted.
func (String) String() string { return Redacted }

// GoString is for %#v.
func (String) GoString() string { return Redacted }

// Format covers every verb, %x and %d included.
func (String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalJSON is for encoding/json.
func (String) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// MarshalText is for every other encoder.
func (String) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue is for slog.
func (String) LogValue() slog.Value { return slog.StringValue(Redacted) }

// UnmarshalText reads a secret from a flag, a variable or a JSON body.
func (s *String) UnmarshalText(b []byte) error {
	*s = Of(string(b))
	return nil
}
