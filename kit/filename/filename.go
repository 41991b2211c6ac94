// Package filename owns how names of files are spelled where only text can go: JSON, forms, addresses, rows. A name on a
// disk is any bytes but NUL and a slash, and programs make such as hold newlines, or no UTF-8. It knows nothing of disks.
package filename

import (
	"strings"
	"unicode/utf8"
)

// first is where the runes begin that stand for bytes: in an area of Unicode for private use, as other systems do it.
const first = 0xF700

// odd are the bytes that are spelled: control characters, and those of which no UTF-8 text came.
func odd(b byte) bool { return b < ' ' || b >= 0x7f }

// Spell gives a name or a path as text: valid UTF-8 without control characters. Plain ones stay as they are. Each other
// byte b becomes the rune U+F700+b, and so do the bytes of runes that would stand for one. Bytes is the way back.
func Spell(name string) string {
	if Plain(name) {
		return name
	}
	var b strings.Builder
	for n := 0; n < len(name); {
		r, size := utf8.DecodeRuneInString(name[n:])
		if r == utf8.RuneError && size == 1 || size == 1 && odd(name[n]) || stands(r) {
			for _, c := range []byte(name[n : n+size]) {
				b.WriteRune(first + rune(c))
			}
		} else {
			b.WriteString(name[n : n+size])
		}
		n += size
	}
	return b.String()
}

// Plain tells whether a name is text that needs no spelling.
func Plain(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || stands(r) }) < 0
}

func stands(r rune) bool { return r >= first && r < first+0x100 && odd(byte(r-first)) }

// Bytes gives the name that Spell spelled. What was never spelled stays as it is.
func Bytes(spelled string) string {
	if strings.IndexFunc(spelled, stands) < 0 {
		return spelled
	}
	var b strings.Builder
	for n := 0; n < len(spelled); {
		r, size := utf8.DecodeRuneInString(spelled[n:])
		if stands(r) {
			b.WriteByte(byte(r - first))
		} else {
			b.WriteString(spelled[n : n+size])
		}
		n += size
	}
	return b.String()
}
