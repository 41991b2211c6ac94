package chat

import (
	"strconv"
	"strings"
)

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// turns tells signs that turn the reading direction: a command must read as it runs.
func turns(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

func unturned(s string) string {
	if strings.IndexFunc(s, turns) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if turns(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// clip shortens a line for display.
func clip(s string, most int) string {
	s = unturned(s)
	if len(s) <= most {
		return s
	}
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

// cap8K keeps the beginning and the end of what is too long for a card.
func cap8K(s string) string {
	s = unturned(s)
	const most, head = 8 << 10, 6 << 10
	if len(s) <= most {
		return s
	}
	front, back := s[:head], s[len(s)-(most-head):]
	if i := strings.LastIndexByte(front, '\n'); i > head/2 {
		front = front[:i]
	}
	if i := strings.IndexByte(back, '\n'); i >= 0 && i < (most-head)/2 {
		back = back[i+1:]
	}
	front = strings.ToValidUTF8(front, "")
	back = strings.ToValidUTF8(back, "")
	return front + "\n\n… " + size(len(s)-len(front)-len(back)) + " not shown …\n\n" + back
}

func size(n int) string {
	if n < 1024 {
		return strconv.Itoa(n) + " bytes"
	}
	if n < 1<<20 {
		return strconv.Itoa((n+512)/1024) + " KB"
	}
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB"
}

// terminal shows what a terminal would: without colours, and of a line that was written over only its last state.
func terminal(s string) string {
	s = unturned(s)
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }) < 0 {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	b.Grow(len(s))
	for line := range strings.SplitAfterSeq(s, "\n") {
		text, end := strings.CutSuffix(line, "\n")
		if i := strings.LastIndexByte(strings.TrimRight(text, "\r"), '\r'); i >= 0 {
			text = text[i+1:]
		}
		colourless(&b, text)
		if end {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func colourless(b *strings.Builder, s string) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == 0x1b:
			i = sequence(s, i)
		case c >= ' ' && c != 0x7f || c == '\t':
			b.WriteByte(c)
		}
	}
}

// sequence gives the last byte of an escape sequence.
func sequence(s string, i int) int {
	if i+1 >= len(s) {
		return i
	}
	switch s[i+1] {
	case '[':
		for i += 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i
			}
		}
		return i
	case ']':
		for i += 2; i < len(s); i++ {
			if s[i] == 0x07 || s[i] == '\\' && s[i-1] == 0x1b {
				return i
			}
		}
		return i
	}
	return i + 1
}

// short writes 96,400 as "96k".
func short(n int) string {
	switch {
	case n < 1000:
		return strconv.Itoa(n)
	case n < 10_000:
		return strconv.FormatFloat(float64(n)/1000, 'f', 1, 64) + "k"
	case n < 1_000_000:
		return strconv.Itoa(n/1000) + "k"
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + "M"
}

// Money writes billionths of a dollar; "" for nothing.
func Money(nanos int64) string {
	d := float64(nanos) / 1e9
	switch {
	case nanos <= 0:
		return ""
	case d < 0.0001:
		return "under $0.0001"
	case d < 1:
		return "$" + strconv.FormatFloat(d, 'f', 4, 64)
	}
	return "$" + strconv.FormatFloat(d, 'f', 2, 64)
}
