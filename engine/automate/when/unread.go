package when

import (
	"fmt"
	"slices"
	"strings"
)

// repeats are the words that say that something comes again.
var repeats = []string{"every", "each", "alternate", "hourly", "daily", "nightly", "weekly", "biweekly", "fortnightly", "monthly", "quarterly", "yearly", "annually", "weekdays", "weekends"}

// bounds are the words that make another time, or none, of the one behind them.
var bounds = append([]string{"after", "before", "by", "since", "from", "not", "other", "last"}, limits...)

// unread is the hint for words beside a time that were not read, and could make something else of it: "every second tuesday at
// noon" is not one tuesday, and "alternate fridays" are not all. "" = there are none. Behind the time, "every" may belong to what is to be done.
func (m match) unread(words []token) string {
	before, behind := words[:m.from], words[m.to:]
	for n := range before {
		p := &parser{words: before, at: n, zone: m.s.Zone}
		if zone := p.namedZone(); zone != nil && p.at == m.from && zone.String() != m.s.Zone.String() {
			return fmt.Sprintf("“%s” stands before the time: a time zone is written behind it, as in “every day at 9:00 in Europe/Berlin”", before[n].raw)
		}
	}
	if m.s.Kind != Once {
		for n, t := range before {
			if leads := t.word == "every" || t.word == "each" || t.word == "alternate"; leads && (n == m.from-1 || calendarAhead(before[n+1:])) || often(before[n:]) {
				return again(t.raw)
			}
		}
		return ""
	}
	for n, t := range before {
		noun := n > 0 && slices.Contains([]string{"the", "a", "an", "my", "our", "your", "this"}, before[n-1].word) && t.word != "every" && t.word != "each"
		if slices.Contains(repeats, t.word) && (m.bare || !noun) || often(before[n:]) {
			return again(t.raw)
		}
		if m.bare && calendarWord(t.word) {
			return fmt.Sprintf("“%s” was understood as a part of when, and not what it means there: write for example “on friday at 9:00” or “on 3 march at 9:00”, or begin with the time", t.raw)
		}
	}
	if m.from > 0 {
		beside := before[m.from-1]
		if _, nth := ordinal(beside.word); nth || slices.Contains(bounds, beside.word) {
			return fmt.Sprintf("“%s” stands before a single time, and makes another of it: write the date, or “the second tuesday of every month at 9:00”", beside.raw)
		}
	}
	for n, t := range behind {
		if (t.word == "every" || t.word == "each" || t.word == "alternate") && (n == 0 || n == 1 && behind[0].word == "on" || calendarAhead(behind[n+1:])) || often(behind[n:]) || n == 0 && slices.Contains(repeats, t.word) {
			return again(t.raw)
		}
	}
	if m.bare && calendarAhead(behind) {
		return fmt.Sprintf("“%s” stands behind the time, and was not understood as a day: write for example “on friday at 9:00”", behind[0].raw)
	}
	return ""
}

func again(word string) string {
	return fmt.Sprintf("“%s” was understood as something that repeats, and not how often: write for example “every tuesday at 9:00”, “every 2 weeks at 9:00” or “on the second tuesday of every month at 9:00”; for one time, begin with it", word)
}

// often tells whether words begin with a count: "twice a day", "3 times per week".
func often(words []token) bool {
	if len(words) == 0 {
		return false
	}
	n := 1
	if _, count := number(words[0].word); count && len(words) > 1 && words[1].word == "times" {
		n = 2
	} else if !slices.Contains([]string{"once", "twice", "thrice"}, words[0].word) {
		return false
	}
	return len(words) > n+1 && slices.Contains([]string{"a", "an", "per", "each", "every"}, words[n].word) && calendarWord(words[n+1].word)
}

// calendarAhead tells whether a word of the calendar is among the next few: "second tuesday", "in two months".
func calendarAhead(words []token) bool {
	for n := range min(len(words), 3) {
		word := words[n].word
		if _, unit := units[word]; unit || calendarWord(word) {
			return true
		}
		_, nth := ordinal(word)
		_, count := number(word)
		if !nth && !count && !slices.Contains([]string{"other", "leap", "odd", "even", "single", "next", "this", "last", "in", "on", "of", "the"}, word) {
			return false
		}
	}
	return false
}

// calendarWord tells a day, a month or a span of days. "May" and "march" are verbs as well.
func calendarWord(word string) bool {
	_, day := days[word]
	_, month := months[word]
	return day && len(word) > 4 || month && len(word) > 4 && word != "march" ||
		slices.Contains([]string{"day", "week", "weekday", "weekend", "month", "quarter", "year"}, strings.TrimSuffix(word, "s"))
}
