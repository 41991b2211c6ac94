package llm

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Tier is how capable, and how dear, a model is; the words are those of the agent API.
type Tier string

// The tiers, from the smallest.
const (
	TierNano     Tier = "nano"
	TierSmall    Tier = "small"
	TierStandard Tier = "standard"
	TierPremium  Tier = "premium"
	TierFlagship Tier = "flagship"
)

// Tiers lists them, the smallest first.
var Tiers = []Tier{TierNano, TierSmall, TierStandard, TierPremium, TierFlagship}

// Rank is the tier's place, 0 for the smallest; an unknown word counts as standard.
func (t Tier) Rank() int {
	if n := slices.Index(Tiers, t); n >= 0 {
		return n
	}
	return 2
}

// Upper bounds of a tier's output price, in micro-dollars for one million tokens: 1 $, 5 $, 12 $, 25 $.
var tierBounds = []int64{1_000_000, 5_000_000, 12_000_000, 25_000_000}

// Tier follows from what the model's answer costs today; a model without a price is TierStandard.
func (e Entry) Tier(day string) Tier {
	p, ok := e.row(0, day)
	if !ok {
		return TierStandard
	}
	for n, bound := range tierBounds {
		if p.Output <= bound {
			return Tiers[n]
		}
	}
	return TierFlagship
}

// parameters finds a model's size in its name, in billions: "llama3.1:8b", "qwen3-235b-a22b", "phi-4-mini-3.8b".
var parameters = regexp.MustCompile(`(?:^|[-_:/ ])(\d+(?:\.\d+)?)b(?:$|[-_:. ])`)

// TierOfName guesses the tier of a model that has no price, from the size in its name: up to 4 billion parameters nano, 15
// small, 150 standard, above premium. A name without a size is TierStandard.
func TierOfName(model string) Tier {
	m := parameters.FindStringSubmatch(strings.ToLower(model))
	if m == nil {
		return TierStandard
	}
	size, err := strconv.ParseFloat(m[1], 64)
	switch {
	case err != nil:
		return TierStandard
	case size <= 4:
		return TierNano
	case size <= 15:
		return TierSmall
	case size <= 150:
		return TierStandard
	}
	return TierPremium
}

// Talks reports whether a model's name is one of a model that chats: services list embeddings, speech and pictures too.
func Talks(model string) bool {
	id := strings.ToLower(model)
	return !slices.ContainsFunc(mute, func(word string) bool { return strings.Contains(id, word) })
}

var mute = []string{"embed", "rerank", "whisper", "bge-", "tts", "audio", "realtime", "transcribe", "moderation", "image", "dall-e", "sora", "veo", "imagen",
	"davinci", "babbage", "deep-research", "computer-use", "search-api", "search-preview", "guard", "ocr", "-live"}
