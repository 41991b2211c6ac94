package models

import (
	"strings"
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

// storable makes the JSON of an event fit both databases, and takes out the secrets that are known.
func (s *Store) storable(text []byte) string {
	out := string(text)
	if s.scrub != nil {
		out = s.scrub(out)
	}
	if strings.Contains(out, `\u0000`) {
		out = escapedNULs(out)
	}
	return out
}

// escapedNULs replaces the escape of NUL, which Postgres refuses in JSON, but not an escaped backslash that
// happens to stand before u0000.
func escapedNULs(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		if strings.HasPrefix(s[i:], `\u0000`) {
			b.WriteString(`\ufffd`)
			i += 5
			continue
		}
		b.WriteString(s[i : i+2])
		i++
	}
	return b.String()
}
