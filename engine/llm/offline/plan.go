package offline

import (
	"strings"

	"lobstead/engine/llm"
)

// parser reads one request.
type parser struct {
	masked
	tools map[string]bool
	path  string // what "it" means
	tail  string // the punctuation that ended the sentence, which may belong to a content
	depth int
}

var (
	numbered = late(`(?m)^\s*(?:step\s+)?(?:\d{1,2}[.):]|[-*•])\s+`)
	joiner   = late(`(?i)\s*(?:[,;.]\s*)?\b(?:and\s+then|then|after(?:wards| that)|finally|next)\b,?\s+`)
	softer   = late(`(?i)\s*(?:[;.!]\s+|,?\s+and\s+(?:also\s+)?|,\s+)`)
	lead     = late(`(?i)^(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|finally|lastly|and|also)\b[,:]?\s+`)
	polite   = late(`(?i)^(?:please|pls|kindly|hey|hi|hello|ok(?:ay)?|so|well|now|just|quickly|maybe|alright|great|thanks|thank you|` +
		`(?:can|could|would|will) (?:you|we)(?: please)?(?: help me(?: to)?)?(?: be able to)?|i(?: would|'d|’d) (?:like|love|want)(?: for)? (?:you )?to|` +
		`i (?:want|need) (?:you )?to|i(?:'d|’d) like you to|you (?:should|must|need to)|let(?:'|’)?s|let us|go ahead and|try to|help me(?: to)?|feel free to|` +
		`lobstead|lobby|agent|assistant|bot|there|do you mind|would you mind)\b[,:!.]*\s+`)
	closing = late(`[.!?]+$`)
	trailer = late(`(?i)(?:[\s,]+(?:please|pls|thanks|thank you|for me|right now|now|will you|would you|ok))*[\s.!?]*$`)
)

const (
	longest = 2000 // bytes of a request, masked, that is still looked at for several steps
	tooLong = 8000 // bytes that are still matched at all; the content of a code block does not count
)

// plan turns a request into steps. The same text with the same tools gives the same plan, always: that is how
// a later call knows which of the calls were made already.
func plan(s situation) []step {
	p := &parser{masked: mask(s.text), tools: s.tools, path: lastPath(s.before)}
	if len(p.text) > tooLong {
		return []step{{say: "That is more text than I can read as a request: I am the built-in offline model. If it is the content of a file, " +
			"put it into a code block behind " + code("write notes.txt with") + "."}}
	}
	var steps []step
	parts := []string{p.text}
	if len(p.text) <= longest { // splitting tries many readings: a pasted book is read as one sentence
		parts = p.split(p.text)
	}
	for _, part := range parts {
		steps = append(steps, p.sentence(part))
	}
	if len(steps) == 0 {
		steps = append(steps, step{say: fallback(s.text, s.tools)})
	}
	if len(steps) > 12 {
		steps = append(steps[:12], step{title: "The rest", say: "I take at most twelve steps from one message; please send the rest again."})
	}
	return steps
}

// split cuts a request into sentences: numbered lines, lines that are requests of their own, and what
// "then" or "and" joins, as long as each piece is understood.
func (p *parser) split(text string) []string {
	if len(numbered.FindAllString(text, -1)) > 1 {
		var out []string
		for i, piece := range numbered.Split(text, -1) {
			if piece = strings.TrimSpace(piece); piece == "" || i == 0 && !p.understands(piece) {
				continue // words above the list are its heading
			}
			out = append(out, p.splitJoined(piece)...)
		}
		return out
	}
	lines := strings.Split(text, "\n")
	if len(lines) > 1 {
		var out []string
		for _, l := range lines {
			l = strings.TrimSpace(l)
			if l == "" {
				continue
			}
			// A line that is no request belongs to the one above: the content of a file, say. So does a block of code.
			if _, block := p.span(l); len(out) > 0 && (block || strings.HasSuffix(out[len(out)-1], ":") || !p.understands(l)) {
				out[len(out)-1] += "\n" + l
				continue
			}
			out = append(out, l)
		}
		if len(out) > 1 {
			var all []string
			for _, o := range out {
				all = append(all, p.splitJoined(o)...)
			}
			return all
		}
		text = strings.TrimSpace(text)
	}
	return p.splitJoined(text)
}

// splitJoined cuts at "then" where the rest is understood, at "and" and commas where it is understood beyond doubt.
func (p *parser) splitJoined(text string) []string {
	for _, cut := range []struct {
		at   *regex
		firm bool
	}{{joiner, false}, {softer, true}} {
		for _, m := range cut.at.FindAllStringIndex(text, -1) {
			head, tail := strings.TrimSpace(text[:m[0]]), strings.TrimSpace(text[m[1]:])
			if head == "" || tail == "" || !p.understands(p.clean(head)) {
				continue
			}
			if cut.firm && !p.firmly(tail) || !cut.firm && !p.understands(firstSentence(tail)) {
				continue
			}
			return append([]string{head}, p.splitJoined(tail)...)
		}
	}
	return []string{text}
}

// firstSentence is the piece of a rest up to the next joiner.
func firstSentence(s string) string {
	if m := joiner.FindStringIndex(s); len(m) > 0 && m[0] > 0 {
		return s[:m[0]]
	}
	return s
}

// clean takes politeness and punctuation off both ends.
func (p *parser) clean(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "’", "'"))
	for range 8 {
		t := lead.ReplaceAllString(s, "")
		t = polite.ReplaceAllString(t, "")
		if t == s || strings.TrimSpace(t) == "" {
			break
		}
		s = strings.TrimSpace(t)
	}
	if t := strings.TrimSpace(trailer.ReplaceAllString(s, "")); t != "" {
		s = t
	}
	return strings.TrimPrefix(strings.TrimPrefix(s, ": "), ", ")
}

// understands reports whether a sentence is a request of the grammar, without planning it.
func (p *parser) understands(s string) bool {
	q := *p // the trial must not move "it", and "it" may come from a step before
	if q.path == "" {
		q.path = "it.sh"
	}
	if q.depth++; q.depth > 3 {
		return false
	}
	_, ok := q.match(s)
	return ok
}

var firm = late(`(?i)^(?:\S+ ){0,4}?(?:it|them|that|the (?:file|result|output|script|program)|this server|\S*[./]\S+|\S*[\x{E000}-\x{F8FF}]\S*|the files|files|my memory)\b?`)

// firmly reports whether a rest behind "and" is surely a request: it is understood and names a thing.
func (p *parser) firmly(s string) bool { return firm.MatchString(p.clean(s)) && p.understands(s) }

// sentence plans one sentence; what is not understood gets an honest answer.
func (p *parser) sentence(s string) step {
	st, ok := p.match(s)
	if !ok {
		return step{say: fallback(p.value(s), p.tools), title: "Not understood"}
	}
	if st.path != "" {
		p.path = st.path
	}
	return st
}

// match tries the grammar from the most special rule to the most general one.
func (p *parser) match(s string) (step, bool) {
	raw := strings.TrimSpace(s)
	cleaned := p.clean(raw)
	p.tail = ""
	if m := closing.FindString(raw); strings.HasSuffix(raw, cleaned+m) {
		p.tail = m
	}
	for _, text := range []string{cleaned, raw} {
		for _, r := range grammar {
			if m := r.re.FindStringSubmatch(text); m != nil {
				if st, ok := r.build(p, m); ok {
					return st, true
				}
			}
		}
	}
	return step{}, false
}

// lastPath is the file that the conversation last touched.
func lastPath(before []llm.Message) string {
	for i := len(before) - 1; i >= 0; i-- {
		for _, part := range before[i].Parts {
			if part.Call == nil {
				continue
			}
			if path := stringArg(part.Call.Input, "path"); path != "" && part.Call.Name != "list_files" && part.Call.Name != "search_files" {
				return path
			}
		}
	}
	return ""
}
