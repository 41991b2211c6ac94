package cloud

import (
	"time"

	"lobstead/api/wire"
	"lobstead/models"
)

// APIKey is a key without the key: neither it nor its hash can be read again.
type APIKey struct {
	ID              string   `json:"id"`
	Name            string   `json:"name"`
	Prefix          string   `json:"prefix"`
	Scopes          []string `json:"scopes"` // ours: capabilities; empty = all that its creator may
	CreatedAt       string   `json:"createdAt"`
	ExpiresAt       *string  `json:"expiresAt"`
	LastUsedAt      *string  `json:"lastUsedAt"`
	LastUsedAddress *string  `json:"lastUsedAddress"` // ours
	UserID          string   `json:"userId"`          // ours: whose role it acts with
}

// APIKeyCreated is the one answer that holds the key.
type APIKeyCreated struct {
	APIKey
	Key string `json:"key"`
}

// NewAPIKey presents a key.
func NewAPIKey(k *models.APIKey) APIKey {
	return APIKey{ID: k.ID, Name: k.Name, Prefix: k.Prefix, Scopes: models.ParseScopes(k.Scopes).Words(), CreatedAt: wire.Time(k.CreatedAt), ExpiresAt: wire.TimeOrNull(k.ExpiresAt),
		LastUsedAt: wire.TimeOrNull(k.LastUsedAt), LastUsedAddress: text(k.LastUsedAddress), UserID: k.UserID}
}

// NewAPIKeys presents a list.
func NewAPIKeys(rows []models.APIKey) []APIKey {
	out := make([]APIKey, len(rows))
	for n := range rows {
		out[n] = NewAPIKey(&rows[n])
	}
	return out
}

// ReadNewAPIKey reads a key's name, its life in days (1 to 365, absent = for ever) and its scopes.
func ReadNewAPIKey(f *wire.Fields, now time.Time) (models.NewAPIKey, error) {
	n := models.NewAPIKey{Name: readName(f)}
	if days := f.OptionalInt("expiresInDays", 1, 365); days != nil {
		at := now.AddDate(0, 0, *days)
		n.Expires = &at
	}
	for _, s := range f.OptionalStrings("scopes") {
		n.Scopes = append(n.Scopes, models.Can(s))
	}
	return n, f.Err()
}
