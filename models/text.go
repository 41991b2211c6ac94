package models

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"lobstead/kit/fault"
)

// cleanText makes text storable in both databases: valid UTF-8 without NUL. It is for what programs print;
// what people send is refused instead (CheckText).
func cleanText(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// CheckText notes text that cannot be stored as it is, or is longer than max bytes.
func CheckText(is *fault.Issues, path, s string, max int) {
	switch {
	case !utf8.ValidString(s), strings.ContainsRune(s, 0):
		is.BadString(path, "utf8")
	case len(s) > max:
		is.TooBig(path, max)
	}
}

// line makes what programs say fit a column: storable, without the secrets that are known, at most n bytes.
func (s *Store) line(text string, n int) string {
	if s.scrub != nil {
		text = s.scrub(text) // before the cut, which could leave half a secret
	}
	return clip(cleanText(text), n)
}

// storable makes the JSON of an event fit both databases, and takes out the secrets that are known.
func (s *Store) storable(text []byte) string {
	out := string(text)
	if s.scrub != nil {
		out = s.scrub(out)
	}
	if strings.Contains(out, `\u`) {
		out = badEscapes(out)
	}
	return out
}

// badEscapes replaces the escapes that Postgres refuses in JSON: NUL, and halves of a surrogate pair (they
// come from models, in the input of a tool call). An escaped backslash before a "u0000" is left alone.
func badEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		r, ok := escaped(s[i:])
		low, second := rune(0), false
		if ok && utf16.IsSurrogate(r) {
			low, second = escaped(s[i+6:])
		}
		switch {
		case !ok:
			b.WriteString(s[i : i+2])
			i += 2
		case second && utf16.DecodeRune(r, low) != utf8.RuneError:
			b.WriteString(s[i : i+12])
			i += 12
		case r == 0 || utf16.IsSurrogate(r):
			b.WriteString(`\ufffd`)
			i += 6
		default:
			b.WriteString(s[i : i+6])
			i += 6
		}
	}
	return b.String()
}

// escaped reads the \uXXXX that s begins with.
func escaped(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}
