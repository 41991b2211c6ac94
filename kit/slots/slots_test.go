package slots_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/slots"
)

func TestSlots(t *testing.T) {
	t.Parallel()
	var s slots.Slots
	require.True(t, s.Spare(2))
	first, err := s.Take(t.Context(), 2)
	require.NoError(t, err)
	second, err := s.Take(t.Context(), 2)
	require.NoError(t, err)
	require.False(t, s.Spare(2))
	full, stop := context.WithCancel(t.Context())
	waits := make(chan error)
	go func() {
		_, err := s.Take(full, 2)
		waits <- err
	}()
	stop()
	require.ErrorIs(t, <-waits, context.Canceled)
	first()
	require.True(t, s.Spare(2))
	_, err = s.Take(full, 2)
	require.ErrorIs(t, err, context.Canceled, "whose time is up takes nothing, though a place is free")
	second()
}

func TestNeverMoreAtOnce(t *testing.T) {
	t.Parallel()
	var s slots.Slots
	var now, most atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			free, err := s.Take(t.Context(), 3)
			if err != nil {
				t.Error(err)
				return
			}
			defer free()
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			now.Add(-1)
		})
	}
	all.Wait()
	require.LessOrEqual(t, most.Load(), int64(3))
	require.True(t, s.Spare(3))
}
