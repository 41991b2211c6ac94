package deliveries_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/views/deliveries"
)

// What is due and stands behind another one has no time of its own, least of all one that is past.
func TestNextAttempt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	d := &models.Delivery{State: models.DeliveryPending, NextAt: now.Add(time.Minute)}
	require.NotNil(t, deliveries.Next(d, now).Part)
	d.NextAt = now.Add(-time.Second)
	require.NotNil(t, deliveries.Next(d, now).Part, "it begins")
	d.NextAt = now.Add(-time.Minute)
	require.Contains(t, deliveries.Next(d, now).Value, "goes first")
	until := now.Add(time.Second)
	d.LeaseUntil = &until
	require.NotNil(t, deliveries.Next(d, now).Part, "somebody is at it")
}
