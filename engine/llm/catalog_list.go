package llm

// Entries lists what the catalogue knows of a provider's models with tools, as our adapters name the provider. None for
// openrouter, which serves everybody's, and for local servers.
func Entries(provider string) []Entry {
	if v, ok := vendors[provider]; ok {
		provider = v
	}
	var out []Entry
	models := loaded().Models
	for i := range models {
		if models[i].Provider == provider && models[i].Tools {
			out = append(out, models[i])
		}
	}
	return out
}

// PriceOn is the price list of a day for a short prompt; false when nobody knows.
func (e Entry) PriceOn(day string) (Price, bool) { return e.row(0, day) }
