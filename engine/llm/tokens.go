package llm

import "unicode"

// imageTokens is a middle value: providers count 85 to 2,500 for one image, by size and detail.
const imageTokens = 1500

// EstimateTokens guesses how many tokens a text is, without a vocabulary, in one pass. It follows what the
// tokenizers of 2025–26 do on average: Latin prose about four characters a token, digits and punctuation (code)
// about two and a half, other alphabets about two, CJK about one, emoji about two tokens each. It errs on the
// high side by some 10 %. For budgets only: billing uses the provider's count.
func EstimateTokens(text string) int {
	hundredths := 0
	for _, r := range text {
		switch {
		case r < 0x80:
			hundredths += int(asciiWeight[r])
		case r < 0x250: // Latin with accents
			hundredths += 45
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul):
			hundredths += 100
		case r < 0x2000: // other alphabets
			hundredths += 50
		case r >= 0x1f000:
			hundredths += 200
		default:
			hundredths += 100
		}
	}
	return (hundredths + 99) / 100
}

// asciiWeight is what an ASCII character counts: most text is made of them.
var asciiWeight = func() (w [0x80]uint8) {
	for c := range w {
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			w[c] = 20
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			w[c] = 24
		default:
			w[c] = 40
		}
	}
	return w
}()

// EstimateMessage guesses the tokens of one message, its framing included.
func EstimateMessage(m Message) int {
	n := 4
	for _, p := range m.Parts {
		n += EstimateTokens(p.Text)
		if p.Thinking != nil {
			n += EstimateTokens(p.Thinking.Text)
		}
		if p.Image != nil {
			n += imageTokens
		}
		if p.Call != nil {
			n += 8 + EstimateTokens(p.Call.Name) + EstimateTokens(string(p.Call.Input))
		}
		if p.Result != nil {
			n += 8 + EstimateTokens(p.Result.Content)
		}
	}
	return n
}

// EstimateRequest guesses the tokens of a whole prompt: system, tools and messages.
func EstimateRequest(r Request) int {
	n := EstimateTokens(r.System) + 8
	for _, t := range r.Tools {
		n += 12 + EstimateTokens(t.Name) + EstimateTokens(t.Description) + EstimateTokens(string(t.Schema))
	}
	for _, m := range r.Messages {
		n += EstimateMessage(m)
	}
	return n
}
