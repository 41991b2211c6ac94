package when

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// token is one word of what was written, and where it stands there.
type token struct {
	word       string // in lower case, without the punctuation around it
	raw        string // the same as it was written
	start, end int    // bytes of the text
	comma      bool   // one follows
}

var wordPattern = regexp.MustCompile(`[^\s,;]+`)

// maxWords bounds what is looked at: nobody writes a time after so many words.
const maxWords = 200

func tokens(text string) []token {
	var out []token
	for _, at := range wordPattern.FindAllStringIndex(text, maxWords) {
		raw := strings.Trim(text[at[0]:at[1]], `.!?:"'()“”`)
		if raw == "" {
			continue
		}
		out = append(out, token{word: strings.ToLower(raw), raw: raw, start: at[0], end: at[1], comma: at[1] < len(text) && text[at[1]] == ','})
	}
	return out
}

var numbers = map[string]int{"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
	"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "other": 2}

func number(word string) (int, bool) {
	if n, ok := numbers[word]; ok {
		return n, true
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n > 0 && n <= 10_000
}

var ordinals = map[string]int{"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "tenth": 10, "fifteenth": 15, "twentieth": 20}

var ordinalPattern = regexp.MustCompile(`^(\d{1,2})(st|nd|rd|th)$`)

// ordinal reads the day of a month: "first", "15th".
func ordinal(word string) (int, bool) {
	if n, ok := ordinals[word]; ok {
		return n, true
	}
	if m := ordinalPattern.FindStringSubmatch(word); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n, n >= 1 && n <= 31
	}
	return 0, false
}

var days = map[string]time.Weekday{}

var months = map[string]time.Month{}

func init() {
	for d := range time.Weekday(7) {
		name := strings.ToLower(d.String())
		days[name], days[name+"s"], days[name[:3]] = d, d, d
	}
	days["tues"], days["thur"], days["thurs"] = time.Tuesday, time.Thursday, time.Thursday
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		months[name], months[name[:3]] = m, m
	}
	months["sept"] = time.September
}

var units = map[string]Unit{"seconds": Seconds, "sec": Seconds, "secs": Seconds, "minute": Minutes, "minutes": Minutes, "min": Minutes, "mins": Minutes, "hour": Hours, "hours": Hours, "hr": Hours, "hrs": Hours,
	"day": Days, "days": Days, "week": Weeks, "weeks": Weeks}

// clock is a time of day.
type clock struct{ hour, minute int }

// parts are the times of day that have names.
var parts = map[string]clock{"noon": {12, 0}, "midday": {12, 0}, "midnight": {0, 0}, "morning": {8, 0}, "afternoon": {15, 0}, "evening": {18, 0}, "night": {21, 0}}

var (
	exactPattern = regexp.MustCompile(`^(\d{1,2})[:.](\d{2})(am|pm)?$`)
	hourPattern  = regexp.MustCompile(`^(\d{1,2})(am|pm)?$`)
)

// readClock reads "17:00", "9.30pm", "5pm", "noon", and "9" when bare allows it; vague means that it could be either half of
// the day.
func readClock(word string, half string) (c clock, bare, vague, ok bool) {
	if p, named := parts[word]; named && (word == "noon" || word == "midday" || word == "midnight") {
		return p, false, false, true
	}
	m := exactPattern.FindStringSubmatch(word)
	exact := m != nil
	if !exact {
		if m = hourPattern.FindStringSubmatch(word); m == nil {
			return clock{}, false, false, false
		}
		m = []string{m[0], m[1], "00", m[2]}
	}
	c.hour, _ = strconv.Atoi(m[1])
	c.minute, _ = strconv.Atoi(m[2])
	if m[3] != "" {
		half = m[3]
	}
	switch {
	case half != "" && (c.hour < 1 || c.hour > 12):
		return clock{}, false, false, false
	case half == "am" && c.hour == 12:
		c.hour = 0
	case half == "pm" && c.hour != 12:
		c.hour += 12
	case half == "" && !exact && !strings.HasPrefix(m[1], "0"):
		bare, vague = true, c.hour >= 1 && c.hour <= 6
	case half == "" && !exact:
		bare = true
	}
	return c, bare, vague, c.hour < 24 && c.minute < 60
}
