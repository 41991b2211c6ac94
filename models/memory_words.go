package models

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The index of memories holds words with their instance in front: "3f2a90c1" + "deploy". The list of a word is
// then that of one instance, however many others use it, in FTS5 and in a GIN index alike. The prefix is a hash:
// what two instances share by accident is taken out again by the row's own instance_id.

const (
	scopeLength  = 8    // of the prefix; the prefix lists of 0014_memory.sqlite.sql count from here
	maxWordRunes = 32   // a longer word is found by its beginning
	maxIndexed   = 2000 // words of one row
	maxWords     = 12   // of a query
	maxBeginning = 6    // letters of a beginning that have a list of their own (0014_memory.sqlite.sql)
)

func wordScope(instanceID string) string {
	sum := sha256.Sum256([]byte(instanceID))
	return hex.EncodeToString(sum[:])[:scopeLength]
}

// single are the scripts that put no spaces between words: each sign is a word.
var single = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// searchWords gives the different words of a text in order: runs of letters, digits and marks, in lower case,
// Latin without its accents. Nothing else of the text is left, so that nothing of it means anything to a database.
func searchWords(text string, most int) []string {
	out, seen := []string{}, map[string]bool{}
	word, runes := []rune{}, 0
	flush := func() {
		if w := string(word); len(word) > 0 && !seen[w] && len(out) < most {
			seen[w] = true
			out = append(out, w)
		}
		word, runes = word[:0], 0
	}
	if !plainASCII(text) {
		text = norm.NFKD.String(cleanText(text))
	}
	for _, r := range text {
		r = unicode.ToLower(r)
		switch {
		case r < 0x80 && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9'):
			if runes++; runes <= maxWordRunes {
				word = append(word, r)
			}

		case r >= 0x300 && r <= 0x36f: // accents, apart from their letters by now
		case unicode.In(r, single...) && unicode.IsLetter(r):
			flush()
			word = append(word, r)
			flush()
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r) && len(word) > 0:
			if runes++; runes <= maxWordRunes {
				word = append(word, r)
			}
		default:
			if flush(); len(out) >= most {
				return out
			}
		}
	}
	flush()
	return out
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// indexWords is the column words of a row.
func indexWords(instanceID string, texts ...string) string {
	scope := wordScope(instanceID)
	words := searchWords(strings.Join(texts, " "), maxIndexed)
	var b strings.Builder
	b.WriteString(scope) // never empty
	for _, w := range words {
		b.WriteString(" " + scope + w)
	}
	return b.String()
}

// terms is a query: the beginnings of words; all of them or any.
type terms struct {
	words []string
	any   bool
}

// long tells whether a word is longer than the lists of beginnings: SQLite would have to join the lists of all words
// that begin so.
func long(word string) bool { return len([]rune(word)) > maxBeginning }

// fts5 spells the query for SQLite. The words have no quotes in them (searchWords). Long words are whole, or else
// cut: what begins otherwise must be left out by their conditions then.
func (q terms) fts5(scope string, whole bool) string {
	return q.spell(scope, whole, `"`, `"*`, " AND ", " OR ")
}

// tsquery spells it for Postgres, whose index has the beginnings as terms.
func (q terms) tsquery(scope string, whole bool) string {
	return q.spell(scope, whole, "'", "'", " & ", " | ")
}

func (q terms) spell(scope string, whole bool, quote, end, and, or string) string {
	out := make([]string, len(q.words))
	for n, w := range q.words {
		switch {
		case long(w) && whole:
			out[n] = quote + scope + w + quote
		case long(w):
			out[n] = quote + scope + string([]rune(w)[:maxBeginning]) + end
		default:
			out[n] = quote + scope + w + end
		}
	}
	if q.any {
		return strings.Join(out, or)
	}
	return strings.Join(out, and)
}

// beginning is what the column words holds of a word that begins so.
func beginning(scope, word string) string { return " " + scope + word }
