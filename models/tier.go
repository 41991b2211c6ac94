package models

// Tier is an instance's size; an organization's plan uses the same words.
type Tier string

// The tiers of the contract (cloud-api.md, "Tiers").
const (
	Starter  Tier = "STARTER"
	Pro      Tier = "PRO"
	Business Tier = "BUSINESS"
)

// Size is what a tier gives.
type Size struct {
	Tier      Tier
	MemoryMB  int
	StorageMB int
	Processes int
	CPUs      float64
}

// Sizes lists the tiers, smallest first.
var Sizes = []Size{
	{Starter, 512, 1024, 64, 1},
	{Pro, 2048, 10240, 256, 2},
	{Business, 8192, 102400, 512, 4},
}

// TierNames are the words that an API accepts.
var TierNames = []string{string(Starter), string(Pro), string(Business)}

// Size gives what a tier means, false for an unknown one.
func (t Tier) Size() (Size, bool) {
	for _, s := range Sizes {
		if s.Tier == t {
			return s, true
		}
	}
	return Size{}, false
}
