package events

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"lobstead/kit/fault"
)

const (
	partsTTL = time.Hour
	partsMax = 8192 // a turn; what is older was rendered long ago and is in the log soon
)

// Part is a piece of a turn on its way: N counts up from zero within an attempt.
type Part struct {
	Turn    string `json:"t"`
	Attempt int    `json:"a"`
	N       int    `json:"n"`
	Kind    string `json:"k"` // "text", "thinking", …
	Text    string `json:"x"`
}

// PartsTopic is the topic on which a turn's parts are published; the payload is for DecodePart.
func PartsTopic(turn string) string { return partsKey(turn) }

func partsKey(turn string) string { return "parts:" + turn }

// DecodePart reads the payload of an event of PartsTopic.
func DecodePart(payload []byte) (Part, error) {
	var p Part
	if err := json.Unmarshal(payload, &p); err != nil || p.Turn == "" {
		return Part{}, fault.Wrap(err, fault.Internal, "events.part", "Not a part")
	}
	return p, nil
}

// AppendPart keeps a part and tells who follows the turn. It does not wait for Redis and does not fail
// when Redis is away: listeners here get the part in any case. The error is for a part without a turn.
func (b *Bus) AppendPart(_ context.Context, p Part) error {
	if p.Turn == "" {
		return fault.New(fault.Internal, "events.part", "A part needs its turn")
	}
	payload, err := json.Marshal(p)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "events.part", "Not a part")
	}
	b.parts.add(p)
	b.topics.deliver(Event{Topic: PartsTopic(p.Turn), Payload: payload})
	b.enqueue(command{topic: PartsTopic(p.Turn), payload: payload, part: &p})
	return nil
}

// Parts gives what is still known of an attempt, in order and each part once. There may be holes and a
// missing beginning; the log is the truth. An unreachable Redis is an error only when this process
// knows nothing of the turn itself.
func (b *Bus) Parts(ctx context.Context, turn string, attempt int) ([]Part, error) {
	local := b.parts.get(turn, attempt)
	whole := len(local) > 0 && local[0].N == 0 && local[len(local)-1].N == len(local)-1
	if b.rdb == nil || whole {
		return local, nil
	}
	entries, err := b.rdb.XRange(ctx, partsKey(turn), "-", "+").Result()
	if err != nil {
		if len(local) > 0 {
			return local, nil
		}
		return nil, fault.Wrap(err, fault.Unavailable, "events.redis", "Live text is not available")
	}
	for _, e := range entries {
		text, _ := e.Values["p"].(string)
		if p, err := DecodePart([]byte(text)); err == nil && p.Attempt == attempt {
			local = append(local, p)
		}
	}
	return tidy(local), nil
}

// ForgetParts drops the parts of a turn that has ended: its text is in the log now.
func (b *Bus) ForgetParts(turn string) { b.parts.drop(turn) }

// tidy sorts by N and keeps the first of each: a repeated XADD or a second source changes nothing.
func tidy(ps []Part) []Part {
	slices.SortStableFunc(ps, func(a, b Part) int { return a.N - b.N })
	return slices.CompactFunc(ps, func(a, b Part) bool { return a.N == b.N })
}

func addPart(ctx context.Context, pipe redis.Pipeliner, c command) {
	pipe.XAdd(ctx, &redis.XAddArgs{
		Stream: partsKey(c.part.Turn), MaxLen: partsMax, Approx: true,
		Values: []any{"p", c.payload},
	})
}
