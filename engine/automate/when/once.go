package when

import (
	"strconv"
	"time"
)

// once reads what happens one time.
func (p *parser) once() (Schedule, bool) {
	switch {
	case p.peek(0) == "in":
		return p.in()
	case p.take("today"):
		return p.onDate(0, "today")
	case p.take("tonight"):
		return p.tonight()
	case p.peek(0) == "this" && halves[p.peek(1)] != "":
		p.at++
		return p.onDate(0, "this "+p.peek(0))
	case p.take("tomorrow"):
		return p.onDate(1, "tomorrow")
	case p.take("yesterday"):
		if p.peek(0) == "at" || p.isClock(0) {
			return p.stop("“yesterday” was understood: that is over")
		}
		return p.only("“yesterday” was understood: that is over")
	}
	if s, ok := p.weekday(); ok || p.problem != "" {
		return s, ok
	}
	if s, ok := p.date(); ok || p.problem != "" {
		return s, ok
	}
	led := p.peek(0) == "at" || p.peek(0) == "@"
	if next := p.peek(1); !led && (!p.isClock(0) || next != "tomorrow" && next != "today") { // "noon tomorrow"
		return Schedule{}, false
	}
	c, ok := p.atTime()
	if !ok {
		return Schedule{}, false
	}
	if p.take("tonight") {
		return p.when(c, 0)
	}
	for ahead, word := range []string{"today", "tomorrow"} { // "at 5pm tomorrow"
		if p.take(word) {
			p.take(partWords...)
			return p.when(c, ahead)
		}
	}
	if p.peek(0) == "this" && halves[p.peek(1)] != "" {
		p.at += 2
		return p.when(c, 0)
	}
	if next := p.peek(0); next == "on" || next == "next" { // "at 9 on friday"
		p.early = &c
		for _, read := range []func() (Schedule, bool){p.weekday, p.date} {
			if s, ok := read(); ok || p.problem != "" {
				return s, ok
			}
		}
	}
	p.bare = true
	return Schedule{Kind: Once, At: p.next(c)}, true
}

// in reads "in 20 minutes", "in an hour", "in half an hour".
func (p *parser) in() (Schedule, bool) {
	p.at++
	if p.take("half") && p.take("an") && p.take("hour") {
		return Schedule{Kind: Once, At: p.minute().Add(30 * time.Minute)}, true
	}
	n, ok := number(p.peek(0))
	unit, known := units[p.peek(1)]
	if !ok || !known {
		return Schedule{}, false
	}
	p.at += 2
	at := p.minute().Add(time.Duration(n) * spans[unit])
	if unit == Seconds {
		at = p.now.Add(time.Second - 1).Truncate(time.Second).Add(time.Duration(n) * time.Second)
	}
	if unit == Days || unit == Weeks {
		count := n
		if unit == Weeks {
			count *= 7
		}
		c, timed := p.atTime()
		if !timed {
			c = clock{p.now.Hour(), p.now.Minute()}
		}
		return p.when(c, count)
	}
	return Schedule{Kind: Once, At: at}, true
}

// minute is now, rounded up: nothing is due too early.
func (p *parser) minute() time.Time { return p.now.Add(time.Minute - 1).Truncate(time.Minute) }

func (p *parser) tonight() (Schedule, bool) {
	p.half = halves["tonight"]
	c, ok := p.atTime()
	switch {
	case p.problem != "":
		return Schedule{}, false
	case !ok:
		c = parts["night"]
	}
	return p.when(c, 0)
}

// onDate reads the time of a day so many days ahead.
func (p *parser) onDate(ahead int, said string) (Schedule, bool) {
	c, ok := p.atTime()
	if !ok {
		return p.only("“%s” was understood: at what time?", said)
	}
	return p.when(c, ahead)
}

func (p *parser) when(c clock, ahead int) (Schedule, bool) {
	return p.on(p.now.Year(), p.now.Month(), p.now.Day()+ahead, c), true
}

func (p *parser) on(year int, month time.Month, day int, c clock) Schedule {
	return Schedule{Kind: Once, At: wall(time.Date(year, month, day, c.hour, c.minute, 0, 0, time.UTC), p.zone)}
}

// next is the first such time of day after now.
func (p *parser) next(c clock) time.Time {
	s, _ := p.when(c, 0)
	if !s.At.After(p.now) {
		s, _ = p.when(c, 1)
	}
	return s.At
}

// weekday reads "next tuesday noon", "on friday at 9". The same day of the week as today is a week away.
func (p *parser) weekday() (Schedule, bool) {
	start := p.at
	led := p.take("on")
	led = p.take("next", "this") || led
	d, ok := days[p.peek(0)]
	if !ok || p.peek(0)[len(p.peek(0))-1] == 's' && p.peek(0) != "tues" && p.peek(0) != "thurs" {
		p.at = start
		return Schedule{}, false
	}
	word := p.peek(0)
	p.at++
	ahead := (int(d)-int(p.now.Weekday())+6)%7 + 1
	c, timed := p.atTime()
	switch {
	case timed:
		return p.when(c, ahead)
	case !led: // a word of what is to be done
		p.at = start
		return Schedule{}, false
	}
	return p.only("“%s” was understood: at what time?", word)
}

// date reads "2026-12-01 at 08:30", "on 3 march at 9", "on march 3rd 2027 at 9".
func (p *parser) date() (Schedule, bool) {
	start := p.at
	p.take("on")
	year, month, day, ok := p.calendar()
	if !ok {
		p.at = start
		return Schedule{}, false
	}
	if time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() != day {
		return p.stop("there is no day %d in %s %d", day, month, year)
	}
	c, ok := p.atTime()
	if !ok {
		return p.only("the date was understood: at what time?")
	}
	return p.on(year, month, day, c), true
}

func (p *parser) calendar() (year int, month time.Month, day int, ok bool) {
	if at, err := time.Parse(time.DateOnly, p.peek(0)); err == nil {
		p.at++
		return at.Year(), at.Month(), at.Day(), true
	}
	month, first := months[p.peek(0)]
	word := p.peek(btoi(first))
	if !first {
		month, ok = months[p.peek(1)]
		if word = p.peek(0); !ok {
			return 0, 0, 0, false
		}
	}
	day, ok = ordinal(word)
	if !ok {
		n, err := strconv.Atoi(word)
		day, ok = n, err == nil && n >= 1 && n <= 31
	}
	if !ok {
		return 0, 0, 0, false
	}
	p.at += 2
	year = p.now.Year()
	if n, err := strconv.Atoi(p.peek(0)); err == nil && n >= 2000 && n < 3000 {
		p.at++
		return n, month, day, true
	}
	if time.Date(year, month, day+1, 0, 0, 0, 0, p.zone).Before(p.now) {
		year++
	}
	for range 8 { // the next year that has such a day: 29 february
		if month != time.February || day != 29 || time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() == day {
			break
		}
		year++
	}
	return year, month, day, true
}
