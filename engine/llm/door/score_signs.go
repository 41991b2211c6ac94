package door

import (
	"regexp"
	"strings"
)

// The signs are patterns, for people to read. A pattern over twelve thousand bytes takes milliseconds, and every call is
// judged: so first a look for what a match cannot be without, and then the pattern where that stands.

// wordSigns match words and phrases, in any case.
type wordSigns struct {
	at     *regexp.Regexp  // anchored
	begins map[string]bool // the first three letters of each; 000 stands for digits
}

// newWordSigns takes an alternation of words, each of which begins with three letters or with digits. One of its
// inner alternatives is taken for a word as well, which costs a look and nothing else.
func newWordSigns(words string) wordSigns {
	s := wordSigns{at: regexp.MustCompile(`(?i)\A(?:` + words + `)\b`), begins: map[string]bool{}}
	for word := range strings.SplitSeq(words, "|") {
		s.begins[strings.Replace(word, `\d{3,5}`, "000", 1)[:3]] = true
	}
	return s
}

const longestSign = 64 // bytes: more than the longest phrase

// all gives what is found, at most n, from left to right.
func (s wordSigns) all(text string, n int) (found []string) {
	for i := 0; i+3 <= len(text) && len(found) < n; i++ {
		if !wordByte[text[i]] || i > 0 && wordByte[text[i-1]] || !s.begins[string(beginning(text[i:]))] {
			continue
		}
		if m := s.at.FindString(text[i:min(len(text), i+longestSign)]); m != "" {
			found = append(found, m)
			i += len(m) - 1
		}
	}
	return found
}

// first is the leftmost, "" = none.
func (s wordSigns) first(text string) string {
	for _, found := range s.all(text, 1) {
		return found
	}
	return ""
}

func beginning(text string) []byte {
	b := []byte{text[0], text[1], text[2]}
	for i, c := range b {
		switch {
		case c >= 'A' && c <= 'Z':
			b[i] = c | 0x20
		case c >= '0' && c <= '9':
			b[i] = '0'
		}
	}
	return b
}

// wordByte are the letters that \b and \w know.
var wordByte = func() (w [256]bool) {
	for c := range w {
		w[c] = c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	return w
}()

func spaceByte(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r' }

// pastSpace is where the white space from a place on ends.
func pastSpace(text string, at int) int {
	for at < len(text) && spaceByte(text[at]) {
		at++
	}
	return at
}

// mathSign is the first sign of mathematics.
func mathSign(text string) string {
	for _, part := range mathParts {
		if strings.Contains(text, part) {
			return mathSigns.FindString(text)
		}
	}
	return ""
}

// codeSign is the first sign of code: its pattern is tried only from a line on that holds one.
func codeSign(text string) string {
	line := 0 // where the line begins, or the empty ones before it
	for i := 0; i < len(text); i++ {
		if i == line {
			if i = pastSpace(text, line); i == len(text) {
				break
			}
			if codeLine.MatchString(text[i:min(len(text), i+longestSign)]) {
				return codeSigns.FindString(text[line:])
			}
		}
		if text[i] == '\n' {
			line = i + 1
		} else if codeAt(text, i) {
			return codeSigns.FindString(text[line:])
		}
	}
	return ""
}

// codeAt tells whether a sign of code is at this byte: for a call or a file's name, the one after its word.
func codeAt(text string, i int) bool {
	switch rest := text[i:]; text[i] {
	case '`':
		return strings.HasPrefix(rest, "```")
	case '=':
		return strings.HasPrefix(rest, "=>")
	case '{', '}', ';':
		return strings.Contains(text[i:pastSpace(text, i+1)], "\n")
	case '(':
		return strings.HasPrefix(rest, "()") && i > 0 && wordByte[text[i-1]]
	case '.':
		for i > 0 && text[i-1] == '/' {
			i--
		}
		return i > 0 && wordByte[text[i-1]] && codeFile.MatchString(rest[:min(len(rest), longestSign)])
	}
	return false
}

// items counts the points of lists, at most n: a number or a bullet at the beginning of a line, and something after it.
func items(text string, n int) (found int) {
	for at := 0; found < n; {
		at = pastSpace(text, at)
		end := at
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		if end < len(text) && (end > at && (text[end] == '.' || text[end] == ')') || end == at && (text[end] == '-' || text[end] == '*')) {
			if said := pastSpace(text, end+1); said > end+1 && said < len(text) {
				found++
				at = said
			}
		}
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			return found
		}
		at += next + 1
	}
	return found
}
