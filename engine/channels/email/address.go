package email

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// normal gives an address in the one form by which people are known. Only ASCII letters change their case, and nothing is folded into anything
// that looks like it: a Kelvin sign is no k, and what is written in Cyrillic is another person.
func normal(s string) (string, bool) {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 || len(s) > 254 || !utf8.ValidString(s) {
		return "", false
	}
	local, domain := lower(s[:at]), lower(strings.TrimSuffix(s[at+1:], "."))
	for _, r := range local {
		if !unquotedRune(r) {
			return "", false
		}
	}
	ascii, err := idna.Punycode.ToASCII(domain)
	if err != nil || !hostname(ascii) {
		return "", false
	}
	return local + "@" + ascii, true
}

// lower makes ASCII letters small.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// unquotedRune tells what may stand before the @ without quotes. Quoted names are taken for nobody's: they read like addresses themselves.
func unquotedRune(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r)
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

func hostname(s string) bool {
	if len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	for l := range strings.SplitSeq(s, ".") {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, c := range []byte(l) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// aligned is DMARC's relaxed alignment (RFC 7489 section 3.1): both domains belong to one organization.
func aligned(proved, from string) bool {
	proved, from = strings.TrimSuffix(lower(proved), "."), strings.TrimSuffix(lower(from), ".")
	if proved == from {
		return hostname(proved)
	}
	one, err := publicsuffix.EffectiveTLDPlusOne(proved)
	if err != nil || !hostname(proved) {
		return false
	}
	two, err := publicsuffix.EffectiveTLDPlusOne(from)
	return err == nil && one == two
}

// from reads the one address that a mail says it is of: false for none, several, groups, and what has no plain form.
func (h *head) from() (address, display string, ok bool) {
	all := h.all("From")
	if len(all) != 1 || strings.ContainsAny(all[0], "\x00\r\n") || grouped(all[0]) {
		return "", "", false
	}
	p := mail.AddressParser{WordDecoder: words}
	list, err := p.ParseList(all[0])
	if err != nil || len(list) != 1 {
		return "", "", false
	}
	if address, ok = normal(list[0].Address); !ok {
		return "", "", false
	}
	display = clean(list[0].Name, 80)
	if display == "" || strings.ContainsAny(display, "@<>") { // a name that reads like another address
		return address, address, true
	}
	return address, display + " <" + address + ">", true
}

// grouped tells a group of addresses, or a route, by what stands outside of quotations and comments.
func grouped(v string) bool {
	for i := 0; i < len(v); i++ {
		n := 1
		switch v[i] {
		case '(':
			n = comment(v[i:])
		case '"':
			_, n = quotation(v[i:])
		case ':', ';':
			return true
		}
		if n < 0 {
			return true
		}
		i += n - 1
	}
	return false
}

// clean makes one line of what is shown: no control characters, nothing that turns the reading direction.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
