package when

import (
	"slices"
	"strings"
	"time"
)

// What stands behind a time, or before a word of time, may narrow it: then it is not passed over.
var (
	limits = []string{"except", "excluding", "unless", "until", "till", "through", "starting", "beginning", "but"}
	joins  = append([]string{"and", "or", "also", "only"}, limits...)
)

// joined tells whether the word before a place ties it to what was said earlier: "and friday", "until december 24".
func (p *parser) joined(from int) bool {
	for n := from - 1; n >= 0 && n >= from-2; n-- {
		switch w := p.words[n].word; {
		case slices.Contains(joins, w):
			return true
		case w != "on" && w != "the" && w != "not":
			return false
		}
	}
	return false
}

// rest looks at what follows a time: a zone, a second hour, a limit.
func (p *parser) rest(s Schedule, start int) (Schedule, bool) {
	s.Zone = p.zone
	if zone := p.namedZone(); zone != nil && zone.String() != p.zone.String() {
		again := &parser{words: p.words, at: start, now: p.now.In(zone), zone: zone}
		s, ok := again.schedule()
		p.at, p.problem, p.word = again.at, again.problem, again.word
		return s, ok
	}
	next := p.peek(0)
	switch {
	case p.problem != "":
		return Schedule{}, false
	case (next == "and" || next == "or") && p.isClock(1), p.isClock(0) && p.words[p.at-1].comma && (p.peek(1) == "and" || p.peek(1) == "or" || p.words[p.at].comma):
		return p.stop("there is a second time of day: one schedule has one")
	case slices.Contains(limits, next), next == "for" && p.lasts():
		return p.stop("“%s” was understood as a limit, and there is none: pause or delete it when it is over", next)
	}
	return s, true
}

// lasts tells whether "for" begins a span: "for 2 weeks", "for the next month".
func (p *parser) lasts() bool {
	for n := 1; n <= 4; n++ {
		word := p.peek(n)
		if _, unit := units[word]; unit || strings.HasPrefix(word, "month") || strings.HasPrefix(word, "year") {
			return true
		}
		if _, count := number(word); !count && word != "the" && word != "next" {
			return false
		}
	}
	return false
}

var shortZone = []string{"est", "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt", "et", "pt", "ct", "cet", "cest", "bst", "ist", "jst", "aest", "aedt", "eet", "eest", "msk"}

// namedZone takes a zone that stands behind a time: "UTC", "in Europe/Berlin", "Asia/Tokyo time", "in New York". Short names mean several
// zones, so they are asked about.
func (p *parser) namedZone() *time.Location {
	start := p.at
	in := p.take("in")
	word, raw := p.peek(0), ""
	if p.at < len(p.words) {
		raw = p.words[p.at].raw
	}
	switch {
	case word == "utc", word == "gmt":
		p.at++
		p.take("time")
		return time.UTC
	case slices.Contains(shortZone, word) && raw == strings.ToUpper(raw):
		p.stop("“%s” is the name of more than one time zone: write it like Europe/Berlin", raw)
	case strings.Contains(raw, "/"):
		if zone, err := time.LoadLocation(raw); err == nil {
			p.at++
			p.take("time")
			return zone
		}
		if area, _, _ := strings.Cut(raw, "/"); slices.Contains([]string{"Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}, area) {
			p.stop("“%s” is the name of no time zone: write it like Europe/Berlin", raw)
		}
	default:
		if zone := p.place(in); zone != nil {
			return zone
		}
	}
	p.at = start
	return nil
}
