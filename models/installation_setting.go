package models

import (
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lobstead/kit/fault"
)

// InstallationSetting is one choice for everybody here.
type InstallationSetting struct {
	Key       string `gorm:"primaryKey"`
	Value     string
	UpdatedAt time.Time
}

// setting reads one, "" when it was never set.
func (sy *System) setting(db *gorm.DB, key string) (string, error) {
	row, err := first[InstallationSetting](db.Where("key = ?", key))
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return row.Value, nil
}

func (sy *System) set(tx *gorm.DB, key, value string) error {
	row := InstallationSetting{Key: key, Value: value, UpdatedAt: sy.store.now()}
	return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}
