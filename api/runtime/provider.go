package runtime

import (
	"strings"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// KeyStored answers PUT /api/providers/:name/key (runtime-api.md, section 5).
type KeyStored struct {
	Stored   bool   `json:"stored"`
	Provider string `json:"provider"`
	Entry    string `json:"keystore_entry"`
}

// KeyRemoved answers DELETE; Removed is false when there was no key.
type KeyRemoved struct {
	Removed  bool   `json:"removed"`
	Provider string `json:"provider"`
	Entry    string `json:"keystore_entry"`
}

// KeyEntry is what the family calls the place of a provider's key.
func KeyEntry(provider string) string { return provider + "_api_key" }

// ReadProviderKey reads the body of PUT: {"api_key": string}.
func ReadProviderKey(f *wire.Fields) (secret.String, error) {
	key := strings.TrimSpace(f.Text("api_key"))
	if err := f.Err(); err != nil {
		return secret.String{}, err
	}
	if key == "" {
		return secret.String{}, fault.New(fault.Invalid, "provider.key", "api_key cannot be empty")
	}
	return secret.Of(key), nil
}
