package when

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"lobstead/kit/fault"
)

// Parsed is what was understood of a sentence.
type Parsed struct {
	Schedule
	When string // the words that say when
	Task string // the other words: what to do
}

// maxText bounds a sentence, in bytes.
const maxText = 8000

// Parse reads a time out of English: "every weekday at 9 send the report", "remind me in 20 minutes to stretch". It guesses
// nothing: what could mean two things is what Unclear gives. Times are those of the zone, unless a zone stands behind them.
func Parse(text string, now time.Time, zone *time.Location) (Parsed, error) {
	if len(text) > maxText {
		return Parsed{}, Unclear("It is too long")
	}
	words := tokens(text)
	best, found := match{}, 0
	why, vague := "", "" // vague counts only when nothing else was found: "the weekly report" is no time
	for from := 0; from < len(words); {
		p := &parser{words: words, at: from, now: now.In(zone), zone: zone}
		s, ok := p.schedule()
		switch {
		case p.problem == "":
		case p.word && !p.joined(from):
			vague = cmp.Or(vague, p.problem)
		default:
			why = cmp.Or(why, p.problem)
		}
		if !ok {
			from++
			continue
		}
		found++
		if found == 1 {
			best = match{s, from, p.at, p.bare}
		}
		from = p.at
	}
	switch {
	case why != "":
		return Parsed{}, Unclear(why)
	case found == 1 && best.bare && vague != "": // "monthly at 9" is not today at nine
		return Parsed{}, Unclear(vague)
	case found == 0:
		return Parsed{}, Unclear(cmp.Or(vague, NoTime))
	case found > 1:
		return Parsed{}, Unclear(fmt.Sprintf("“%s” was understood, and there is a second time behind it: one schedule has one", best.when(text, words)))
	}
	if hint := best.unread(words); hint != "" {
		return Parsed{}, Unclear(hint)
	}
	if err := best.s.Check(now); err != nil {
		return Parsed{}, Unclear(fmt.Sprintf("“%s” was understood, but that is never, or over", best.when(text, words)))
	}
	return Parsed{Schedule: best.s, When: best.when(text, words), Task: best.task(text, words)}, nil
}

// NoTime is the hint where nothing was found that could be a time.
const NoTime = "No time was found in it: write for example “every weekday at 9:00”, “tomorrow at 5pm” or “in 20 minutes”"

// Unclear is the refusal of what cannot be understood: a fault.Unclear schedule.unclear, whose Hint says what was understood
// and what is missing.
func Unclear(why string) error {
	return fault.New(fault.Unclear, "schedule.unclear", "Could not understand the schedule").Hinting(why)
}

// match is a time and the words that it was read from.
type match struct {
	s        Schedule
	from, to int
	bare     bool // it names no day
}

func (m match) when(text string, words []token) string {
	return strings.Trim(text[words[m.from].start:words[m.to-1].end], ` .,!?`)
}

// task is the rest, without the words that only lead to it.
func (m match) task(text string, words []token) string {
	rest := strings.TrimSpace(strings.TrimRight(text[:words[m.from].start], " ,") + " " + strings.TrimLeft(text[words[m.to-1].end:], " ,;:"))
	for again := true; again; {
		again = false
		for _, lead := range []string{"please ", "remind me ", "remind us ", "to ", "that ", "then "} {
			if len(rest) > len(lead) && strings.EqualFold(rest[:len(lead)], lead) {
				rest, again = strings.TrimSpace(rest[len(lead):]), true
			}
		}
	}
	return rest
}

// parser reads one schedule from a place on. Its methods take words or leave them; problem says why words that are plainly a
// time cannot be used.
type parser struct {
	words   []token
	at      int
	now     time.Time // in the zone
	zone    *time.Location
	early   *clock // a time of day that stood before the days: "at 5pm every monday"
	half    string // of the day, as a word before the hour says: "tonight at 9"
	bare    bool   // what was read names no day
	problem string
	word    bool // the problem is of a single word, that may belong to what is to be done
}

func (p *parser) peek(ahead int) string {
	if p.at+ahead < len(p.words) {
		return p.words[p.at+ahead].word
	}
	return ""
}

// take takes the next word when it is one of these.
func (p *parser) take(options ...string) bool {
	for _, o := range options {
		if p.at < len(p.words) && p.words[p.at].word == o {
			p.at++
			return true
		}
	}
	return false
}

// stop notes why the words cannot be used.
func (p *parser) stop(format string, args ...any) (Schedule, bool) {
	if p.problem == "" {
		p.problem = fmt.Sprintf(format, args...)
	}
	return Schedule{}, false
}

// only notes why one word cannot be used as a time.
func (p *parser) only(format string, args ...any) (Schedule, bool) {
	p.word = p.problem == ""
	return p.stop(format, args...)
}

func (p *parser) schedule() (Schedule, bool) {
	start := p.at
	for _, read := range []func() (Schedule, bool){p.timeFirst, p.recurring, p.once} {
		p.at, p.early, p.half = start, nil, ""
		s, ok := read()
		if p.problem != "" {
			return Schedule{}, false
		}
		if ok {
			return p.rest(s, start)
		}
	}
	return Schedule{}, false
}

// timeFirst reads "at 5pm every monday".
func (p *parser) timeFirst() (Schedule, bool) {
	c, ok := p.clockTime(p.take("at", "@"))
	if !ok {
		return Schedule{}, false
	}
	next := p.peek(btoi(p.peek(0) == "on"))
	if next != "every" && next != "each" && next != "daily" && !strings.HasSuffix(next, "days") {
		return Schedule{}, false
	}
	p.early = &c
	return p.recurring()
}
