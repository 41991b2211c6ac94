package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// MinScrub is the least length of a value that is scrubbed: shorter ones would eat ordinary words.
const MinScrub = 8

// Scrubber replaces known secret values in text, as they are and in base64, hex, URL and JSON
// spelling. It stands where events are appended and in front of the log. It catches accidents, not
// an agent that spells a secret backwards. The zero value is ready; safe for concurrent use.
type Scrubber struct {
	mu    sync.Mutex
	count map[string]int // how often each value was added and not removed
	now   atomic.Pointer[compiled]
}

// compiled is one set of values; the replacer is built by the first text after a change, so that
// adding a thousand values one by one does not build a thousand replacers.
type compiled struct {
	values []string
	build  sync.Once
	r      *strings.Replacer
}

// Add registers values; those under MinScrub bytes are left out. A value counts as often as it is added.
func (s *Scrubber) Add(values ...String) { s.change(values, 1) }

// Remove takes values out again, one count each.
func (s *Scrubber) Remove(values ...String) { s.change(values, -1) }

func (s *Scrubber) change(values []String, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == nil {
		s.count = map[string]int{}
	}
	same := true
	for _, v := range values {
		text := v.Reveal()
		if len(text) < MinScrub {
			continue
		}
		was := s.count[text]
		if s.count[text] += by; s.count[text] <= 0 {
			delete(s.count, text)
		}
		same = same && was > 0 == (s.count[text] > 0)
	}
	if same { // a key is added at every use
		return
	}
	if len(s.count) == 0 {
		s.now.Store(nil)
		return
	}
	c := &compiled{values: make([]string, 0, len(s.count))}
	for v := range s.count {
		c.values = append(c.values, v)
	}
	s.now.Store(c)
}

// Scrub gives text with every known value replaced by Redacted.
func (s *Scrubber) Scrub(text string) string {
	if s == nil {
		return text
	}
	c := s.now.Load()
	if c == nil || len(text) < MinScrub {
		return text
	}
	c.build.Do(c.compile)
	return c.r.Replace(text)
}

// ScrubBytes is Scrub for bytes; it gives b itself when nothing is known.
func (s *Scrubber) ScrubBytes(b []byte) []byte {
	if s == nil || len(b) < MinScrub || s.now.Load() == nil {
		return b
	}
	return []byte(s.Scrub(string(b)))
}

func (c *compiled) compile() {
	var all []string
	for _, v := range c.values {
		all = append(all, spellings(v)...)
	}
	// Longest first: a value that begins with another one must go as a whole.
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(all))
	for _, a := range all {
		pairs = append(pairs, a, Redacted)
	}
	c.r, c.values = strings.NewReplacer(pairs...), nil
}

func spellings(v string) []string {
	out := []string{v, url.QueryEscape(v), url.PathEscape(v), hex.EncodeToString([]byte(v)), strings.ToUpper(hex.EncodeToString([]byte(v)))}
	if b, err := json.Marshal(v); err == nil {
		out = append(out, string(b[1:len(b)-1]))
	}
	// The base64 of a value depends on where it stands in the whole ("user:value" of a Basic header),
	// in three ways; only the digits that the value alone decides are searched for.
	for before := range 3 {
		padded := append(make([]byte, before), v...)
		from, to := (before*8+5)/6, len(padded)*8/6
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			out = append(out, enc.EncodeToString(padded)[from:to])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
