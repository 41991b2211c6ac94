package cloud

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// Checkout answers where to go and pay.
type Checkout struct {
	URL string `json:"url"`
}

// Received answers an event of Stripe's.
type Received struct {
	Received bool `json:"received"`
}

// ReadCheckout reads which plan is to be bought, and whether for a year; absent means monthly.
func ReadCheckout(f *wire.Fields) (plan models.Tier, annual bool, err error) {
	word, _ := f.Enum("plan", models.TierNames...)
	if b := f.OptionalBool("annual"); b != nil {
		annual = *b
	}
	return models.Tier(word), annual, f.Err()
}
