package door

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"lobstead/engine/llm"
)

// Complexity is a sum of points that a person can check: each feature says what was seen and what it counts for. It is a
// guess about the work that a request is, made without a model, in one pass over its words.

// step is one row of a table: from so many on, so many points.
type step struct{ from, points int }

func points(n int, table []step) int {
	p := 0
	for _, s := range table {
		if n >= s.from {
			p = s.points
		}
	}
	return p
}

// The tables. Counts are of tokens, messages, tools, words.
var (
	promptPoints  = []step{{40, 4}, {150, 8}, {500, 14}, {2000, 20}}
	contextPoints = []step{{4_000, 4}, {16_000, 8}, {64_000, 12}}
	turnPoints    = []step{{3, 3}, {9, 6}}
	offerPoints   = []step{{1, 3}, {6, 5}}
	usedPoints    = []step{{1, 4}, {4, 8}, {11, 12}}
	reasonPoints  = []step{{1, 10}, {2, 18}, {4, 26}}
	answerPoints  = []step{{2_000, 4}, {8_000, 8}, {24_000, 12}}
	askPoints     = []step{{3, 5}, {6, 9}}
)

// tierPoints say from which complexity on a tier is called for.
var tierPoints = map[llm.Tier]int{llm.TierNano: 0, llm.TierSmall: 12, llm.TierStandard: 30, llm.TierPremium: 55, llm.TierFlagship: 80}

// TierFor gives the tier that a complexity calls for.
func TierFor(complexity int) llm.Tier {
	out := llm.TierNano
	for _, t := range llm.Tiers {
		if complexity >= tierPoints[t] {
			out = t
		}
	}
	return out
}

var (
	codeSigns = regexp.MustCompile("```|(?m)^\\s*(" + codeWords + ")\\b|[{};]\\s*\\n|=>|\\w+\\(\\)|\\b[\\w/]+" + codeEndings)
	codeLine  = regexp.MustCompile(`\A(` + codeWords + `)\b`)
	codeFile  = regexp.MustCompile(`\A` + codeEndings)
	mathSigns = regexp.MustCompile(`[∑∫√≤≥∀∃∂]|\\(frac|sum|int)|\b(theorem|lemma|equation|integral|derivative|matrix|probability)\b`)
	trivial   = regexp.MustCompile(`(?i)^\s*(hi|hello|hey|thanks|thank you|ok(ay)?|yes|no|good (morning|evening|night)|bye|cool|great|nice|hallo|danke|ja|nein|hola|gracias|bonjour|merci)\b[\s.!?,]*$`)
	mathParts = strings.Fields(`∑ ∫ √ ≤ ≥ ∀ ∃ ∂ \frac \sum \int theorem lemma equation integral derivative matrix probability`)

	reasonSigns = newWordSigns(reasonWords)
	longSigns   = newWordSigns(longWords)
	shapeSigns  = newWordSigns(shapeWords)
)

const (
	codeWords   = `func|def|class|import|#include|public|const|let|var|SELECT|CREATE TABLE`
	codeEndings = `\.(go|py|js|ts|rs|java|c|cpp|sql|sh|yaml|json)\b`
	reasonWords = `prove|proof|derive|analy[sz]e|analysis|compare|evaluate|design|architect(ure)?|plan|strategy|trade-?offs?|debug|root cause|refactor|optimi[sz]e|investigate|explain why|why|step by step|reason(ing)?|think (hard|carefully)|diagnose|algorithm|migrate|security review|audit|critique`
	longWords   = `essay|report|article|in detail|detailed|comprehensive|thorough|complete guide|whole (file|program)|\d{3,5} words|chapter|white ?paper|specification`
	shapeWords  = `json|schema|yaml|xml|csv|as a table|markdown table`
)

const maxScored = 12_000 // bytes of the newest message whose words are looked at

// gauge is what was seen of a request, taken once.
type gauge struct {
	complexity int
	features   []Feature
	input      int // tokens
	most       int // tokens of the answer that were asked for; 0 = not said
	images     bool
	tools      bool
}

// cost is what the request costs at a route, about: nobody knows how long the answer gets.
func (g gauge) cost(r Route, now time.Time) int64 {
	answer := 200 + 20*g.complexity
	if g.most > 0 {
		answer = min(answer, g.most)
	}
	return r.cost(llm.Usage{Input: g.input, Output: answer}, now)
}

// Score judges a request. The features are those that count; their points sum to complexity before it is held in 0–100.
func Score(r llm.Request) (complexity int, features []Feature) {
	g := measure(r)
	return g.complexity, g.features
}

func measure(r llm.Request) gauge {
	s := scorer{}
	seen := survey(r)
	g := gauge{input: llm.EstimateRequest(r), most: r.MaxTokens, images: seen.images > 0, tools: len(r.Tools) > 0}
	size := llm.EstimateTokens(seen.text)
	text := seen.text[:min(len(seen.text), maxScored)]
	s.count("prompt", size, "tokens in the newest message", promptPoints)
	s.count("context", g.input, "tokens in all", contextPoints)
	s.count("turns", seen.turns, "messages of people", turnPoints)
	s.count("tools offered", len(r.Tools), "tools", offerPoints)
	s.count("tools used", seen.calls, "calls since the newest message", usedPoints)
	s.count("reasoning", distinctWords(reasonSigns.all(text, 50)), "words that call for reasoning", reasonPoints)
	s.count("several parts", max(strings.Count(text, "?"), items(text, 12)), "questions or items", askPoints)
	s.count("answer length", r.MaxTokens, "tokens asked for at most", answerPoints)
	s.flag("long answer", longSigns.first(text), 8)
	s.flag("code", clip(strings.TrimSpace(codeSign(text)), 20), 12)
	s.flag("mathematics", clip(mathSign(text), 20), 10)
	s.flag("structured output", shapeSigns.first(text), 5)
	if seen.failed > 0 {
		s.add("failed tools", fmt.Sprintf("%d results were errors", seen.failed), min(4+2*seen.failed, 12))
	}
	if seen.images > 0 {
		s.add("images", fmt.Sprintf("%d", seen.images), 8)
	}
	switch r.Effort {
	case llm.EffortHigh:
		s.add("effort", "high", 25)
	case llm.EffortMedium:
		s.add("effort", "medium", 8)
	case llm.EffortLow:
		s.add("effort", "low", -10)
	}
	if trivial.MatchString(text) && seen.calls == 0 {
		s.add("small talk", clip(strings.TrimSpace(text), 20), -15)
	}
	g.complexity, g.features = min(max(s.sum, 0), 100), s.features
	return g
}

type scorer struct {
	sum      int
	features []Feature
}

func (s *scorer) add(name, value string, points int) {
	if points == 0 {
		return
	}
	s.sum += points
	s.features = append(s.features, Feature{Name: name, Value: value, Points: points})
}

func (s *scorer) count(name string, n int, unit string, table []step) {
	s.add(name, fmt.Sprintf("%d %s", n, unit), points(n, table))
}

func (s *scorer) flag(name, found string, points int) {
	if found != "" {
		s.add(name, found, points)
	}
}

func distinctWords(words []string) int {
	found := map[string]bool{}
	for _, w := range words {
		found[strings.ToLower(w)] = true
	}
	return len(found)
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// seenIn is what a request holds.
type seenIn struct {
	text                         string // of the newest message of a person
	turns, calls, failed, images int    // calls and failures since that message; images in all
}

func survey(r llm.Request) (s seenIn) {
	for _, m := range r.Messages {
		words := ""
		for _, p := range m.Parts {
			switch {
			case p.Text != "" && !p.Remark && m.Role == llm.User:
				words += p.Text + "\n"
			case p.Image != nil:
				s.images++
			case p.Call != nil:
				s.calls++
			case p.Result != nil && p.Result.Error:
				s.failed++
			}
		}
		if words != "" {
			s.turns++
			s.text, s.calls, s.failed = words, 0, 0
		}
	}
	return s
}
