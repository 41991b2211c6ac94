package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strconv"

	"lobstead/engine/llm"
)

// pile is what some messages come to.
type pile struct {
	tokens int
	sum    [sha256.Size]byte
}

// measured sizes up the messages of a step. Those of the earlier turns do not change from step to step, unless they are
// shortened: they are measured once.
func (x *run) measured(messages []llm.Message) (tokens int, digest string) {
	n := x.earlier()
	earlier := x.seen.earlier
	if earlier == nil || x.shortened != whole {
		earlier = measure(messages[:n])
	}
	if x.shortened == whole {
		x.seen.earlier = earlier
	}
	rest := measure(messages[n:])
	both := sha256.Sum256(append(earlier.sum[:], rest.sum[:]...))
	return earlier.tokens + rest.tokens, hex.EncodeToString(both[:16])
}

// earlier is how many messages are of earlier turns alone: the last one of them may have been joined to.
func (x *run) earlier() int { return max(len(x.history)-1, 0) }

// measure sizes up messages. The sum tells later whether messages that were made again are the same: the rules by which they
// are made may change between two versions of this program.
func measure(messages []llm.Message) *pile {
	h, out := sha256.New(), &pile{}
	for _, m := range messages {
		out.tokens += llm.EstimateMessage(m)
		put(h, "message", string(m.Role))
		for _, p := range m.Parts {
			put(h, "text", p.Text)
			switch {
			case p.Thinking != nil:
				put(h, "thinking", p.Thinking.Text, p.Thinking.Signature)
			case p.Image != nil:
				put(h, "image", p.Image.MediaType, strconv.Itoa(len(p.Image.Data)))
			case p.Call != nil:
				put(h, "call", p.Call.ID, p.Call.Name, string(p.Call.Input))
			case p.Result != nil:
				put(h, "result", p.Result.CallID, p.Result.Content, strconv.FormatBool(p.Result.Error))
			}
		}
	}
	h.Sum(out.sum[:0])
	return out
}

// put writes words with their lengths, so that none can pass for another.
func put(h hash.Hash, words ...string) {
	var b [20]byte
	for _, w := range words {
		_, _ = h.Write(append(strconv.AppendInt(b[:0], int64(len(w)), 10), ':')) // a hash never fails
		_, _ = io.WriteString(h, w)
	}
}
