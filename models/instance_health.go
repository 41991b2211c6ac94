package models

import (
	"context"
	"time"
)

// InstanceHealth is how an instance does, by its state and its last reading.
type InstanceHealth struct {
	Status       string          // healthy, degraded, down
	Memory, Disk float64         // percent of what its tier gives
	Uptime       time.Duration   // since it runs; 0 = it does not
	Last         *InstanceMetric // nil = nothing was measured yet
}

const (
	nearlyFull   = 95.0            // percent of memory or disk that degrades
	staleReading = 5 * time.Minute // without one, nobody knows how it does
)

// InstanceHealth reads how an instance does now.
func (sc *Scope) InstanceHealth(ctx context.Context, i *Instance) (InstanceHealth, error) {
	last, err := sc.Metrics(ctx, i.ID, 1)
	if err != nil {
		return InstanceHealth{}, err
	}
	now, h := sc.store.now(), InstanceHealth{Status: "down"}
	if len(last) > 0 {
		h.Last = &last[0]
		h.Memory, h.Disk = percent(h.Last.MemoryMB, i.MemoryMB), percent(h.Last.DiskMB, i.StorageMB)
	}
	if i.State != Running {
		return h, nil
	}
	h.Status, h.Uptime = "healthy", now.Sub(i.StateSince)
	known := i.StateSince
	if h.Last != nil && h.Last.CreatedAt.After(known) {
		known = h.Last.CreatedAt
	}
	if h.Memory >= nearlyFull || h.Disk >= nearlyFull || now.Sub(known) > staleReading && !i.Asleep() {
		h.Status = "degraded"
	}
	return h, nil
}

func percent(used float64, of int) float64 {
	if of <= 0 {
		return 0
	}
	return 100 * used / float64(of)
}
