package when

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// recurring reads what repeats.
func (p *parser) recurring() (Schedule, bool) {
	p.take("on", "at") // "on every monday"
	switch {
	case p.take("every", "each"):
		return p.every()
	case p.take("hourly"):
		return cron("0 * * * *"), true
	case p.take("daily"):
		return p.onDays("*", "“daily”", true)
	case p.take("weekdays"):
		return p.onDays("1-5", "“weekdays”", true)
	case p.take("weekends"):
		return p.onDays("0,6", "“weekends”", true)
	case p.take("monthly"):
		p.take("on")
		return p.monthDay("“monthly”", true)
	case p.take("weekly"):
		p.take("on")
		if list := p.dayList(false); list != "" {
			return p.onDays(list, "“weekly”", false)
		}
		return p.only("“weekly” was understood: on which day?")
	case strings.HasSuffix(p.peek(0), "days"): // "mondays and thursdays at 9"
		if list := p.dayList(true); list != "" {
			return p.onDays(list, "the days", true)
		}
		return Schedule{}, false
	}
	return p.dayOfEvery()
}

func cron(expr string) Schedule { return Schedule{Kind: Cron, Expr: expr} }

// every reads what follows "every".
func (p *parser) every() (Schedule, bool) {
	word := p.peek(0)
	switch {
	case p.take("weekday"), p.take("workday"), word == "working" && p.peek(1) == "day" && p.skip(2):
		return p.onDays("1-5", "“every weekday”", false)
	case p.take("weekend"):
		return p.onDays("0,6", "“every weekend”", false)
	case p.take("month"):
		p.take("on")
		return p.monthDay("“every month”", false)
	}
	if _, ok := parts[word]; ok {
		return p.onDays("*", "“every "+word+"”", false)
	}
	if list := p.dayList(false); list != "" {
		return p.onDays(list, "“every "+word+"”", false)
	}
	n, counted := number(word)
	unit, ok := units[p.peek(btoi(counted))]
	if !ok {
		return Schedule{}, false
	}
	p.at += 1 + btoi(counted)
	if !counted {
		n = 1
	}
	return p.span(n, unit)
}

func (p *parser) skip(n int) bool { p.at += n; return true }

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// span reads what follows "every 2 hours".
func (p *parser) span(n int, unit Unit) (Schedule, bool) {
	said := fmt.Sprintf("“every %d %s”", n, unit)
	switch {
	case unit == Days && n == 1:
		return p.onDays("*", "“every day”", false)
	case unit == Weeks && n == 1:
		p.take("on")
		if list := p.dayList(false); list != "" {
			return p.onDays(list, "“every week”", false)
		}
		return p.stop("“every week” was understood: on which day?")
	case unit == Days || unit == Weeks:
		c, ok := p.atTime()
		if !ok {
			return p.stop("%s was understood: at what time?", said)
		}
		return Schedule{Kind: Every, N: n, Unit: unit, At: p.next(c)}, true
	}
	hours := "*"
	if p.peek(0) == "between" || p.peek(0) == "from" && p.isClock(1) {
		var ok bool
		if hours, ok = p.hours(unit, n); !ok {
			return Schedule{}, false
		}
	}
	onDays := "*"
	if p.peek(0) == "on" {
		start := p.at
		p.at++
		if onDays = p.dayList(true); onDays == "" {
			p.at, onDays = start, "*"
		}
	}
	switch {
	case unit == Minutes && 60%n == 0:
		return cron(fmt.Sprintf("%s %s * * %s", step("*", n), hours, onDays)), true
	case unit == Hours && (24%n == 0 || hours != "*"):
		return cron(fmt.Sprintf("0 %s * * %s", step(hours, n), onDays)), true
	case hours != "*" || onDays != "*":
		return p.stop("%s does not divide an hour or a day: it cannot be kept to hours or days", said)
	}
	if unit == Seconds {
		return Schedule{Kind: Every, N: n, Unit: unit, At: p.now.Truncate(time.Second).Add(spans[unit] * time.Duration(n))}, true
	}
	return Schedule{Kind: Every, N: n, Unit: unit, At: p.now.Truncate(time.Minute).Add(spans[unit] * time.Duration(n))}, true
}

func step(field string, n int) string {
	if n == 1 {
		return field
	}
	return field + "/" + strconv.Itoa(n)
}

func (p *parser) isClock(ahead int) bool {
	_, _, _, ok := readClock(p.peek(ahead), "")
	return ok
}

// hours reads "between 9 and 17". Minutes stop before the last hour, hours include it.
func (p *parser) hours(unit Unit, n int) (string, bool) {
	p.at++
	from, ok := p.clockTime(true)
	if ok = ok && p.take("and", "to", "until"); !ok {
		p.stop("“between” needs two hours: between 9:00 and 17:00")
		return "", false
	}
	to, ok := p.clockTime(true)
	last := to.hour - btoi(unit == Minutes)
	if !ok || from.minute != 0 || to.minute != 0 || last < from.hour {
		p.stop("“between” needs two full hours, the earlier one first: between 9:00 and 17:00")
		return "", false
	}
	return fmt.Sprintf("%d-%d", from.hour, last), true
}

func (c clock) fields() string { return fmt.Sprintf("%d %d", c.minute, c.hour) }

// onDays reads the time for days of the week; without one, a word alone may be no time at all.
func (p *parser) onDays(list, said string, word bool) (Schedule, bool) {
	c, ok := p.atTime()
	switch {
	case ok:
		return cron(c.fields() + " * * " + list), true
	case word:
		return p.only("%s was understood: at what time?", said)
	}
	return p.stop("%s was understood: at what time?", said)
}

// dayList reads "monday", "monday, tuesday and friday", "weekdays"; "" = none.
func (p *parser) dayList(plural bool) string {
	if plural && p.take("weekdays") {
		return "1-5"
	}
	if plural && p.take("weekends") {
		return "0,6"
	}
	var list []int
	for {
		d, ok := days[p.peek(0)]
		if !ok {
			break
		}
		list = append(list, int(d))
		comma := p.words[p.at].comma
		p.at++
		if _, more := days[p.peek(1)]; more && (p.peek(0) == "and" || p.peek(0) == "or") {
			p.at++
			continue
		}
		if _, more := days[p.peek(0)]; !more || !comma {
			break
		}
	}
	slices.Sort(list)
	words := []string{}
	for _, d := range slices.Compact(list) {
		words = append(words, strconv.Itoa(d))
	}
	return strings.Join(words, ",")
}

// dayOfEvery reads "the first of each month", "the last day of every month", "first monday of the month".
func (p *parser) dayOfEvery() (Schedule, bool) {
	p.take("the")
	day := p.dayField()
	if day == "" || !p.take("of") || !p.take("each", "every", "the") || !p.take("month") {
		return Schedule{}, false
	}
	return p.timed(day, "the day of the month")
}

// monthDay reads the day after "every month on".
func (p *parser) monthDay(said string, word bool) (Schedule, bool) {
	p.take("the")
	day := p.dayField()
	switch {
	case day == "" && word:
		return p.only("%s was understood: on which day?", said)
	case day == "":
		return p.stop("%s was understood: on which day?", said)
	}
	return p.timed(day, said)
}

// dayField reads a day of a month as the last three fields of a cron expression.
func (p *parser) dayField() string {
	if p.take("last") {
		if p.take("day") {
			return "L * *"
		}
		if d, ok := days[p.peek(0)]; ok && p.skip(1) {
			return fmt.Sprintf("* * %dL", d)
		}
		return ""
	}
	n, ok := ordinal(p.peek(0))
	if !ok {
		return ""
	}
	p.at++
	if d, weekday := days[p.peek(0)]; weekday && n <= 5 && p.skip(1) {
		return fmt.Sprintf("* * %d#%d", d, n)
	}
	p.take("day")
	return fmt.Sprintf("%d * *", n)
}

func (p *parser) timed(day, said string) (Schedule, bool) {
	c, ok := p.atTime()
	if !ok {
		return p.stop("%s was understood: at what time?", said)
	}
	return cron(c.fields() + " " + day), true
}
