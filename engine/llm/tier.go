package llm

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
