package models

import (
	"context"
	"time"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// SpentToken is something that may be used once and was.
type SpentToken struct {
	TokenHash string `gorm:"primaryKey"`
	ExpiresAt time.Time
}

// Spend uses a token up, over all processes: Conflict when it was used before. Trim forgets it after expires, when
// the token is refused for its age.
func (sy *System) Spend(ctx context.Context, token string, expires time.Time) error {
	err := translate(sy.write(ctx).Create(&SpentToken{TokenHash: secret.Hash(token), ExpiresAt: expires.UTC()}).Error)
	if isDuplicate(err) {
		return fault.Wrap(err, fault.Conflict, "sign_in.spent", "This was used already")
	}
	return err
}
