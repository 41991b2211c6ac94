package events_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"lobstead/kit/events"
	"lobstead/kit/id"
)

func part(turn string, attempt, n int) events.Part {
	return events.Part{Turn: turn, Attempt: attempt, N: n, Kind: "text", Text: fmt.Sprintf("word %d ", n)}
}

func text(ps []events.Part) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.Text)
	}
	return b.String()
}

func TestPartsReachOtherProcessesInOrder(t *testing.T) {
	servers(t, func(t *testing.T, srv server) {
		a, b := open(t, srv.opt), open(t, srv.opt)
		turn := id.New()
		s := b.Subscribe(600, events.PartsTopic(turn))
		defer s.Close()
		for n := range 500 {
			require.NoError(t, a.AppendPart(t.Context(), part(turn, 1, n)))
		}
		for n := range 500 {
			p, err := events.DecodePart(next(t, s).Payload)
			require.NoError(t, err)
			require.Equal(t, part(turn, 1, n), p)
		}
		here, err := a.Parts(t.Context(), turn, 1)
		require.NoError(t, err)
		there, err := b.Parts(t.Context(), turn, 1)
		require.NoError(t, err)
		require.Equal(t, here, there)
		require.Len(t, there, 500)
		ttl := redis.NewClient(srv.opt)
		defer func() { _ = ttl.Close() }()
		left, err := ttl.TTL(t.Context(), "parts:"+turn).Result()
		require.NoError(t, err)
		require.Greater(t, left, 50*time.Minute)
	})
}

func TestPartsSurviveAFlush(t *testing.T) {
	servers(t, func(t *testing.T, srv server) {
		a, b := open(t, srv.opt), open(t, srv.opt)
		turn := id.New()
		s := b.Subscribe(64, events.PartsTopic(turn))
		defer s.Close()
		rdb := redis.NewClient(srv.opt)
		defer func() { _ = rdb.Close() }()
		for n := range 5 {
			require.NoError(t, a.AppendPart(t.Context(), part(turn, 1, n)))
			next(t, s)
		}
		require.NoError(t, rdb.FlushAll(t.Context()).Err())
		for n := 5; n < 8; n++ {
			require.NoError(t, a.AppendPart(t.Context(), part(turn, 1, n)))
			next(t, s)
		}
		ps, err := a.Parts(t.Context(), turn, 1)
		require.NoError(t, err)
		require.Equal(t, "word 0 word 1 word 2 word 3 word 4 word 5 word 6 word 7 ", text(ps))
		ps, err = b.Parts(t.Context(), turn, 1)
		require.NoError(t, err)
		require.Equal(t, "word 5 word 6 word 7 ", text(ps), "what is left, without an error")
		left, err := rdb.TTL(t.Context(), "parts:"+turn).Result()
		require.NoError(t, err)
		require.Positive(t, left, "the new stream ends by itself too")
	})
}

func TestPartsOfAnotherAttempt(t *testing.T) {
	_, opt := mini(t)
	a, b := open(t, opt), open(t, opt)
	s := b.Subscribe(64, events.PartsTopic("t"))
	defer s.Close()
	for _, p := range []events.Part{part("t", 1, 0), part("t", 1, 1), part("t", 2, 0), part("t", 1, 2), part("t", 2, 1), part("t", 2, 1)} {
		require.NoError(t, a.AppendPart(t.Context(), p))
		next(t, s)
	}
	for _, bus := range []*events.Bus{a, b} {
		ps, err := bus.Parts(t.Context(), "t", 2)
		require.NoError(t, err)
		require.Equal(t, []events.Part{part("t", 2, 0), part("t", 2, 1)}, ps)
		ps, err = bus.Parts(t.Context(), "t", 1)
		require.NoError(t, err)
		require.Len(t, ps, 3)
		ps, err = bus.Parts(t.Context(), "unknown", 1)
		require.NoError(t, err)
		require.Empty(t, ps)
	}
	require.Error(t, a.AppendPart(t.Context(), events.Part{Text: "of no turn"}))
}

func TestMemoryOfPartsIsBounded(t *testing.T) {
	b := events.Open(nil)
	big := strings.Repeat("x", 64<<10)
	for n := range 100 {
		require.NoError(t, b.AppendPart(t.Context(), events.Part{Turn: "big", N: n, Text: big}))
	}
	ps, err := b.Parts(t.Context(), "big", 0)
	require.NoError(t, err)
	require.Len(t, ps, 16)
	require.Equal(t, 99, ps[15].N, "the newest stay")
	for i := range 1000 {
		require.NoError(t, b.AppendPart(t.Context(), part(fmt.Sprint(i), 0, 0)))
	}
	ps, err = b.Parts(t.Context(), "big", 0)
	require.NoError(t, err)
	require.Empty(t, ps)
	ps, err = b.Parts(t.Context(), "999", 0)
	require.NoError(t, err)
	require.Len(t, ps, 1)
	b.ForgetParts("999")
	ps, err = b.Parts(t.Context(), "999", 0)
	require.NoError(t, err)
	require.Empty(t, ps)
}

func FuzzDecodePart(f *testing.F) {
	f.Add([]byte(`{"t":"x","a":1,"n":2,"k":"text","x":"y"}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := events.DecodePart(b)
		if (err == nil) != (p.Turn != "") {
			t.Fatalf("%q: %v %v", b, p, err)
		}
	})
}
