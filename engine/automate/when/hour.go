package when

import (
	"slices"
	"strings"
)

// halves are the words that say which of two hours is meant.
var halves = map[string]string{"morning": "am", "afternoon": "pm", "evening": "pm", "night": "night", "tonight": "night"}

var partWords = []string{"morning", "afternoon", "evening", "night"}

// clockTime reads a time of day; a bare hour counts only where the words say that it is one. "In the evening" and the like,
// before it or behind it, say which half of the day is meant.
func (p *parser) clockTime(bareAllowed bool) (clock, bool) {
	word, half := p.peek(0), ""
	if next := p.peek(1); next == "am" || next == "pm" {
		half = next
	}
	c, bare, vague, ok := readClock(word, half)
	if !ok && strings.Contains(word, ":") && exactPattern.MatchString(word) {
		p.only("“%s” is no time: hours go to 23 and minutes to 59, with am and pm hours go from 1 to 12", word)
		return clock{}, false
	}
	oclock := p.peek(1) == "o'clock" || p.peek(1) == "oclock"
	if !ok || bare && !bareAllowed && !oclock {
		return clock{}, false
	}
	p.at++
	if half != "" || oclock {
		p.at++
	}
	if half == "" && !strings.HasSuffix(word, "m") && word != "noon" && word != "midday" && word != "midnight" {
		said := p.half
		if said == "" {
			said = p.halfAhead()
		}
		if said != "" {
			return p.inHalf(c, said, word)
		}
	}
	if vague && p.peek(0) == "yesterday" {
		p.stop("“yesterday” was understood: that is over")
	}
	if vague {
		p.stop("“%s” could be in the morning or in the afternoon: write %sam or %spm", word, word, word)
		return clock{}, false
	}
	return c, true
}

// halfAhead finds a half of the day behind an hour: "at 9 in the evening", "at 7 every evening", "at 8 tomorrow morning". What
// belongs to the hour alone is taken, the others' words stay for those who read days.
func (p *parser) halfAhead() string {
	switch {
	case p.peek(0) == "in" && p.peek(1) == "the" && halves[p.peek(2)] != "":
		p.at += 3
		return halves[p.words[p.at-1].word]
	case p.peek(0) == "at" && p.peek(1) == "night":
		p.at += 2
		return halves["night"]
	}
	for n := range 4 {
		word := p.peek(n)
		if h := halves[word]; h != "" && (n > 0 || word == "tonight") {
			return h
		}
		if _, day := days[word]; !day && !slices.Contains([]string{"every", "each", "this", "today", "tomorrow", "on", "next"}, word) {
			return ""
		}
	}
	return ""
}

// inHalf puts an hour into the half of the day that was said.
func (p *parser) inHalf(c clock, half, word string) (clock, bool) {
	switch {
	case c.hour == 0, half != "am" && c.hour > 12: // of twenty-four hours
	case half == "am" && c.hour > 12, half == "night" && (c.hour < 6 || c.hour == 12):
		p.stop("“%s” does not fit the time of day that stands beside it: write it like 21:00", word)
		return clock{}, false
	case half == "am":
		c.hour %= 12
	case c.hour < 12:
		c.hour += 12
	}
	return c, true
}

// atTime reads "at 9", "at noon", "9:30", "in the morning", "evening at 7".
func (p *parser) atTime() (clock, bool) {
	if p.early != nil {
		p.take(partWords...)
		return *p.early, true
	}
	start := p.at
	if c, ok := p.clockTime(p.take("at", "@")); ok || p.problem != "" {
		return c, ok
	}
	p.at = start
	if p.take("in") && !p.take("the") {
		p.at = start
		return clock{}, false
	}
	c, ok := parts[p.peek(0)]
	if !ok {
		p.at = start
		return clock{}, false
	}
	p.half = halves[p.peek(0)]
	p.at++
	behind := p.at
	if exact, ok := p.clockTime(p.take("at", "@")); ok || p.problem != "" {
		return exact, ok
	}
	p.at = behind
	return c, true
}
