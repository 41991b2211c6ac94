package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// SpentToken is something that may be used once and was.
type SpentToken struct {
	TokenHash string `gorm:"primaryKey"`
	ExpiresAt time.Time
}

// Spend uses a token up, over all processes: Conflict when it was used before. It is forgotten after expires, when
// the token is refused for its age.
func (sy *System) Spend(ctx context.Context, token string, expires time.Time) error {
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("expires_at < ?", sy.store.now()).Delete(&SpentToken{}).Error; err != nil {
			return err
		}
		return tx.Create(&SpentToken{TokenHash: secret.Hash(token), ExpiresAt: expires.UTC()}).Error
	})
	if isDuplicate(err) {
		return fault.Wrap(err, fault.Conflict, "sign_in.spent", "This was used already")
	}
	return err
}
