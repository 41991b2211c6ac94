package models

// Tier is an instance's size; an organization's plan uses the same words.
type Tier string

// The tiers of the contract (cloud-api.md, "Tiers").
const (
	Starter  Tier = "STARTER"
	Pro      Tier = "PRO"
	Business Tier = "BUSINESS"
)

// Size is what a tier gives an instance.
type Size struct {
	Tier      Tier `gorm:"primaryKey"`
	MemoryMB  int
	StorageMB int
	Processes int
	CPUs      float64 `gorm:"column:cpus"`
}

// Sizes lists the tiers as the contract has them, smallest first. What holds is in the table of plans, which begins
// with these numbers.
var Sizes = []Size{
	{Starter, 512, 1024, 64, 1},
	{Pro, 2048, 10240, 256, 2},
	{Business, 8192, 102400, 512, 4},
}

// TierNames are the words that an API accepts.
var TierNames = []string{string(Starter), string(Pro), string(Business)}

// Size gives what a tier means in the contract, false for an unknown one.
func (t Tier) Size() (Size, bool) {
	for _, s := range Sizes {
		if s.Tier == t {
			return s, true
		}
	}
	return Size{}, false
}
