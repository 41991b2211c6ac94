package door

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The short ways give what the patterns give over the whole text.
func TestSignsAreThoseOfThePatterns(t *testing.T) {
	t.Parallel()
	words := func(s string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b(` + s + `)\b`) }
	reason, long, shape, item := words(reasonWords), words(longWords), words(shapeWords), regexp.MustCompile(`(?m)^\s*(\d+[.)]|[-*])\s+\S`)
	pieces := strings.Split("prove|Analyse|analysis|plan|trade-off|tradeoffs|root cause|explain why|why|step by step|reasoning|think hard|security review|"+
		"essay|in detail|detailed|whole file|1234 words|99 words|white paper|json|as a table|markdown table|xml|"+
		"```|func|import|#include|SELECT|CREATE TABLE|{|};|;|=>|f()|()|main.go|/|a/b.rs|.go|x.c|x.golang|"+
		"√|≤|\\frac|\\int|theorem|matrix|matrixes|1.|12)|-|*|7|x|_|é|“|the| |  |\n|\n\n|\t|\r|\f|.|,|?|日", "|")
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 40).Draw(t, "pieces"), rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "between"))
		for name, pair := range map[string][2]string{
			"code":   {codeSigns.FindString(text), codeSign(text)},
			"math":   {mathSigns.FindString(text), mathSign(text)},
			"long":   {long.FindString(text), longSigns.first(text)},
			"shape":  {shape.FindString(text), shapeSigns.first(text)},
			"reason": {strings.Join(reason.FindAllString(text, 5), "|"), strings.Join(reasonSigns.all(text, 5), "|")},
			"items":  {strings.Repeat("+", len(item.FindAllStringIndex(text, 12))), strings.Repeat("+", items(text, 12))},
		} {
			if pair[0] != pair[1] {
				t.Fatalf("%s: %q, should be %q, in %q", name, pair[1], pair[0], text)
			}
		}
	})
}

// Every word is found by its beginning.
func TestSignsAreFoundByTheirBeginnings(t *testing.T) {
	t.Parallel()
	for text, s := range map[string]wordSigns{
		"prove proof derive analyse analyze analysis compare evaluate design architect architecture plan strategy trade-off tradeoffs debug refactor optimise optimize investigate why reason reasoning diagnose algorithm migrate audit critique": reasonSigns,
		"essay report article detailed comprehensive thorough chapter whitepaper specification": longSigns,
		"json schema yaml xml csv": shapeSigns,
	} {
		if n := len(s.all(text, 100)); n != len(strings.Fields(text)) {
			t.Errorf("%d of %q", n, text)
		}
	}
	for _, phrase := range []string{"root cause", "explain why", "step by step", "think hard", "think carefully", "security review"} {
		if reasonSigns.first(phrase) != phrase {
			t.Error(phrase)
		}
	}
	for _, phrase := range []string{"in detail", "complete guide", "whole file", "whole program", "500 words", "12345 words", "white paper"} {
		if longSigns.first(phrase) != phrase {
			t.Error(phrase)
		}
	}
}
