package email

import (
	"errors"
	"strings"

	"golang.org/x/net/idna"
)

// A mail's From proves nothing. The mailbox's own server checks SPF, DKIM and DMARC when it takes a mail in, and writes what it found
// into an Authentication-Results field with its own name on top of all others (RFC 8601); it has to remove what came with that name,
// as all large providers do. Only the topmost field with that name is read, so whatever a sender wrote into the mail lies below it.

// proved tells whether the mailbox's server vouches for a mail's From: by DMARC, by an aligned DKIM signature, or by an aligned SPF pass.
// A DMARC failure beats both: the domain may ask for more than we do.
func (h *head) proved(b *box, from string) bool {
	domain := domainOf(from)
	for _, v := range h.all("Authentication-Results") {
		r, err := parseResults(v)
		if err != nil {
			return false // it may be our server's, spoilt by what it quotes
		}
		if strings.EqualFold(r.by, b.authserv) {
			return r.vouch(domain)
		}
	}
	return false
}

func (r results) vouch(domain string) bool {
	ok := false
	for _, m := range r.methods {
		switch m.method {
		case "dmarc":
			switch {
			case m.result == "fail", m.result == "pass" && bare(m.props["header.from"]) != domain:
				return false
			case m.result == "pass":
				ok = true
			}
		case "dkim":
			signed := m.props["header.d"]
			if signed == "" {
				signed = m.props["header.i"]
			}
			ok = ok || m.result == "pass" && aligned(bare(signed), domain)
		case "spf":
			ok = ok || m.result == "pass" && aligned(bare(m.props["smtp.mailfrom"]), domain)
		}
	}
	return ok
}

// bare gives the domain of what is one, or an address.
func bare(s string) string {
	s = strings.TrimSuffix(lower(s[strings.LastIndexByte(s, '@')+1:]), ".")
	if ascii, err := idna.Punycode.ToASCII(s); err == nil {
		return ascii
	}
	return s
}

// results is one Authentication-Results field.
type results struct {
	by      string // who says so
	methods []result
}

type result struct {
	method, result string
	props          map[string]string // "header.d"
}

var errResults = errors.New("authentication results cannot be read")

// parseResults reads a field as RFC 8601 section 2.2 writes it. Parts of it were written by the mail's sender: comments are skipped and quotations
// kept together before anything is told apart, and a method that says a thing twice says nothing.
func parseResults(v string) (results, error) {
	sections, err := cutResults(v)
	if err != nil || len(sections) == 0 || len(sections[0]) == 0 {
		return results{}, errResults
	}
	first := sections[0]
	r := results{by: first[0].text}
	if len(first) > 2 || len(first) == 2 && first[1].text != "1" || first[0].equals >= 0 {
		return r, errResults
	}
	for _, s := range sections[1:] {
		if m, ok := readResult(s); ok {
			r.methods = append(r.methods, m)
		}
	}
	return r, nil
}

func readResult(s []token) (result, bool) {
	if len(s) == 0 || s[0].equals < 1 {
		return result{}, false
	}
	method, _, _ := strings.Cut(lower(s[0].text[:s[0].equals]), "/")
	m := result{method: method, result: lower(s[0].text[s[0].equals+1:]), props: map[string]string{}}
	for _, t := range s[1:] {
		if t.equals < 1 {
			continue
		}
		key := lower(t.text[:t.equals])
		if _, twice := m.props[key]; twice {
			return result{}, false
		}
		m.props[key] = t.text[t.equals+1:]
	}
	return m, true
}

// token is what stands between spaces. equals is where its first = is that is not in quotes, -1 for none.
type token struct {
	text   string
	equals int
}

// cutResults parts a field at its semicolons, and each part at its spaces.
func cutResults(v string) ([][]token, error) {
	c := cutter{at: token{equals: -1}}
	for i := 0; i < len(v); {
		n, err := c.step(v[i:])
		if err != nil {
			return nil, err
		}
		i += n
	}
	c.endSection()
	return c.sections, nil
}

type cutter struct {
	sections [][]token
	section  []token
	at       token
	open     bool // at has begun
	joins    bool // at ends with its =, so that spaces do not end it
}

// step takes the next character, quotation or comment, and gives its length.
func (c *cutter) step(v string) (int, error) {
	switch ch := v[0]; {
	case ch == '(':
		n := comment(v)
		if n < 0 {
			return 0, errResults
		}
		c.space()
		return n, nil
	case ch == '"':
		text, n := quotation(v)
		if n < 0 {
			return 0, errResults
		}
		c.put(text)
		return n, nil
	case ch == ';':
		c.endSection()
	case ch == ' ' || ch == '\t':
		c.space()
	case ch == '=':
		if !c.open && len(c.section) > 0 && c.section[len(c.section)-1].equals < 0 { // spaces before it
			c.at, c.open = c.section[len(c.section)-1], true
			c.section = c.section[:len(c.section)-1]
		}
		if c.at.equals < 0 {
			c.at.equals = len(c.at.text)
			c.put("=")
			c.joins = true
			return 1, nil
		}
		c.put("=")
	case ch < ' ' || ch == 0x7f:
		return 0, errResults
	default:
		c.put(v[:1])
	}
	return 1, nil
}

func (c *cutter) put(s string) { c.at.text, c.open, c.joins = c.at.text+s, true, false }

func (c *cutter) space() {
	if c.open && !c.joins {
		c.section = append(c.section, c.at)
		c.at, c.open = token{equals: -1}, false
	}
}

func (c *cutter) endSection() {
	c.joins = false
	c.space()
	c.sections = append(c.sections, c.section)
	c.section = nil
}

// comment gives the length of a comment, which may hold others; -1 when it does not end.
func comment(v string) int {
	depth := 0
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// quotation gives what is quoted, and its length with the quotes; -1 when it does not end.
func quotation(v string) (string, int) {
	var b strings.Builder
	for i := 1; i < len(v); i++ {
		switch v[i] {
		case '\\':
			if i++; i < len(v) {
				b.WriteByte(v[i])
			}
		case '"':
			return b.String(), i + 1
		default:
			b.WriteByte(v[i])
		}
	}
	return "", -1
}
