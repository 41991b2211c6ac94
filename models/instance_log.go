package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/id"
)

// InstanceLog is one line of an instance's history.
type InstanceLog struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Level          LogLevel
	Message        string
	CreatedAt      time.Time
}

// LogLevel is how much a line matters.
type LogLevel string

// The levels of the contract.
const (
	LogInfo  LogLevel = "INFO"
	LogWarn  LogLevel = "WARN"
	LogError LogLevel = "ERROR"
)

// How much the detail shows (contract: last 50 log lines, last 100 metric points), and what is kept.
const (
	ShownLogs    = 50
	ShownMetrics = 100
	keptLogs     = 1000
	keptMetrics  = 1440
)

func (sc *Scope) log(tx *gorm.DB, instanceID string, l LogLevel, message string) error {
	return tx.Create(&InstanceLog{ID: id.New(), OrganizationID: sc.Org, InstanceID: instanceID, Level: l,
		Message: sc.store.line(message, 2000), CreatedAt: sc.store.now()}).Error
}

// Log adds a line to an instance's history.
func (sc *Scope) Log(ctx context.Context, instanceID string, l LogLevel, message string) error {
	return translate(sc.log(sc.write(ctx), instanceID, l, message))
}

// Logs reads the newest lines, newest first.
func (sc *Scope) Logs(ctx context.Context, instanceID string, n int) ([]InstanceLog, error) {
	return all[InstanceLog](sc.read(ctx).Where("instance_id = ?", instanceID).Order("id DESC").Limit(n))
}
