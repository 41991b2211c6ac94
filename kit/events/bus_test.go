package events_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"lobstead/kit/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func next(t *testing.T, s *events.Subscription) events.Event {
	t.Helper()
	select {
	case e, ok := <-s.C():
		require.True(t, ok, "closed")
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no event")
		return events.Event{}
	}
}

func open(t *testing.T, opt *redis.Options) *events.Bus {
	t.Helper()
	rdb := redis.NewClient(opt)
	b := events.Open(rdb)
	t.Cleanup(func() { b.Close(); b.Close(); _ = rdb.Close() })
	return b
}

func mini(t *testing.T) (*miniredis.Miniredis, *redis.Options) {
	t.Helper()
	m := miniredis.NewMiniRedis()
	require.NoError(t, m.StartAddr("127.0.0.1:0"))
	t.Cleanup(m.Close)
	return m, &redis.Options{Addr: m.Addr()}
}

func TestLocalDeliveryIsImmediate(t *testing.T) {
	b := events.Open(nil)
	defer b.Close()
	s := b.Subscribe(4, "a", "b")
	defer s.Close()
	b.Publish(t.Context(), "a", []byte("1"))
	b.Publish(t.Context(), "other", []byte("x"))
	b.Publish(t.Context(), "b", []byte("2"))
	require.Len(t, s.C(), 2)
	require.Equal(t, events.Event{Topic: "a", Payload: []byte("1")}, next(t, s))
	require.Equal(t, events.Event{Topic: "b", Payload: []byte("2")}, next(t, s))
	s.Close()
	s.Close()
	b.Publish(t.Context(), "a", nil)
	_, ok := <-s.C()
	require.False(t, ok)
}

func TestFullBufferDropsAndAsksForResync(t *testing.T) {
	b := events.Open(nil)
	s := b.Subscribe(3, "a")
	defer s.Close()
	for i := range 10 {
		b.Publish(t.Context(), "a", []byte{byte(i)})
	}
	for i := range 3 {
		require.Equal(t, []byte{byte(i)}, next(t, s).Payload)
	}
	require.Equal(t, events.Event{Topic: "a", Resync: true}, next(t, s))
	require.Empty(t, s.C())
	b.Publish(t.Context(), "a", []byte("after"))
	require.Equal(t, "after", string(next(t, s).Payload))
}

// A reader that re-reads the truth on Resync ends with the newest value, however slow it is.
func TestSlowReaderConverges(t *testing.T) {
	b := events.Open(nil)
	s := b.Subscribe(2, "a")
	var truth atomic.Int64
	const last = 20000
	done := make(chan int64)
	go func() {
		var seen int64
		for e := range s.C() {
			if e.Resync {
				seen = truth.Load()
			} else {
				_, _ = fmt.Sscan(string(e.Payload), &seen)
			}
			if seen == last {
				done <- seen
				return
			}
		}
	}()
	for i := int64(1); i <= last; i++ {
		truth.Store(i)
		b.Publish(t.Context(), "a", fmt.Append(nil, i))
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the reader was left behind")
	}
	s.Close()
}

func TestListenersMayCancelInsideAndMidway(t *testing.T) {
	b := events.Open(nil)
	var n atomic.Int32
	var cancel func()
	cancel = b.Listen("a", func(events.Event) { n.Add(1); cancel(); cancel() })
	b.Publish(t.Context(), "a", nil)
	b.Publish(t.Context(), "a", nil)
	require.EqualValues(t, 1, n.Load())
}

func TestTenThousandListenersNeedNoGoroutine(t *testing.T) {
	b := events.Open(nil)
	before := runtime.NumGoroutine()
	var n atomic.Int64
	var cancels []func()
	for i := range 10000 {
		cancels = append(cancels, b.Listen("all", func(events.Event) { n.Add(1) }), b.Listen(fmt.Sprint(i), func(events.Event) { n.Add(1) }))
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
	b.Publish(t.Context(), "all", nil)
	b.Publish(t.Context(), "77", nil)
	require.EqualValues(t, 10001, n.Load())
	for _, c := range cancels {
		c()
	}
	b.Publish(t.Context(), "all", nil)
	require.EqualValues(t, 10001, n.Load())
}

func TestConcurrentUse(t *testing.T) {
	_, opt := mini(t)
	a, b := open(t, opt), open(t, opt)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 50 {
				s := a.Subscribe(1, "x", fmt.Sprint(i))
				b.Publish(context.Background(), "x", nil)
				a.Publish(context.Background(), fmt.Sprint(i), nil)
				_ = b.AppendPart(context.Background(), events.Part{Turn: fmt.Sprint(i), N: n, Text: "t"})
				s.Close()
			}
		})
	}
	wg.Wait()
}

func BenchmarkPublish(b *testing.B) {
	for _, listeners := range []int{1, 10000} {
		b.Run(fmt.Sprint(listeners), func(b *testing.B) {
			bus := events.Open(nil)
			for range listeners {
				bus.Listen("a", func(events.Event) {})
			}
			b.ReportAllocs()
			for b.Loop() {
				bus.Publish(b.Context(), "a", nil)
			}
		})
	}
}
