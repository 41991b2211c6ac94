package models

import (
	"context"
	"time"

	"lobstead/kit/id"
)

// InstanceMetric is one reading of a running sandbox. Counts are since the reading before it.
type InstanceMetric struct {
	ID             string
	OrganizationID string
	InstanceID     string
	CPUPercent     float64 `gorm:"column:cpu_percent"`
	CPUSeconds     float64 `gorm:"column:cpu_seconds"` // since the sandbox started
	MemoryMB       float64 `gorm:"column:memory_mb"`
	DiskMB         float64 `gorm:"column:disk_mb"`
	Processes      int
	RequestCount   int
	TokenCount     int
	CreatedAt      time.Time
}

// Reading is what a driver measured.
type Reading struct {
	CPUSeconds  float64
	MemoryBytes int64
	DiskBytes   int64
	Processes   int
}

// Measure stores a reading; the CPU share and the counts are since the last one.
func (sc *Scope) Measure(ctx context.Context, instanceID string, r Reading) (*InstanceMetric, error) {
	now := sc.store.now()
	row := &InstanceMetric{ID: id.New(), OrganizationID: sc.Org, InstanceID: instanceID, CPUSeconds: r.CPUSeconds,
		MemoryMB: float64(r.MemoryBytes) / (1 << 20), DiskMB: float64(r.DiskBytes) / (1 << 20), Processes: r.Processes, CreatedAt: now}
	last, err := sc.Metrics(ctx, instanceID, 1)
	if err != nil {
		return nil, err
	}
	since := now.Add(-time.Minute)
	if len(last) > 0 {
		since = last[0].CreatedAt
		if d := now.Sub(since).Seconds(); d > 0 && r.CPUSeconds >= last[0].CPUSeconds {
			row.CPUPercent = 100 * (r.CPUSeconds - last[0].CPUSeconds) / d
		}
	}
	var sums struct{ Requests, Tokens int }
	err = sc.read(ctx).Model(&LedgerEntry{}).Select("count(*) AS requests, coalesce(sum(input_tokens + output_tokens), 0) AS tokens").
		Where(settledOnly+" AND instance_id <> '' AND instance_id = ? AND created_at > ?", instanceID, since).Scan(&sums).Error
	if err != nil {
		return nil, translate(err)
	}
	row.RequestCount, row.TokenCount = sums.Requests, sums.Tokens
	return row, translate(sc.write(ctx).Create(row).Error)
}

// Metrics reads the newest points, newest first.
func (sc *Scope) Metrics(ctx context.Context, instanceID string, n int) ([]InstanceMetric, error) {
	return all[InstanceMetric](sc.read(ctx).Where("instance_id = ?", instanceID).Order("id DESC").Limit(n))
}
