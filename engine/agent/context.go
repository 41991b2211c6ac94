package agent

import (
	"context"
	"slices"
	"strings"

	"lobstead/engine/llm"
	"lobstead/models"
)

const (
	maxImages     = 12      // in one request, the newest
	maxImageBytes = 5 << 20 // what every provider takes
	keptResults   = 6       // newest tool outputs that stay whole when room gets scarce
	shortOutput   = 1200    // bytes of an older one that stay
	tightOutput   = 4000    // bytes of any one when nothing else helps
)

// request assembles what the model sees: system prompt, summary, messages, tools; within the window. squeeze
// asks for compaction whatever the estimate says, because the provider refused the length. An agent that is not to sum up what was said
// sees its tool outputs shortened, and no more can be done for it.
func (x *run) request(ctx context.Context, squeeze bool) (llm.Request, error) {
	for round := 0; ; round++ {
		req, err := x.assemble(ctx)
		if err != nil {
			return req, err
		}
		room := x.base.Room()
		full := x.fullAt(room)
		x.shortened = whole
		if !squeeze && fits(req, full) {
			return req, nil
		}
		short := req
		x.shortened = olderCut
		short.Messages = x.shortened.of(req.Messages)
		if !squeeze && fits(short, full) {
			return short, nil
		}
		if round < 2 && !x.rules.Compaction.Off() {
			done, err := x.compact(ctx, full*4/3)
			if err != nil {
				return req, err
			}
			if squeeze = false; done {
				continue
			}
		}
		if squeeze || !fits(short, room) {
			x.shortened = allCut
			short.Messages = x.shortened.of(req.Messages)
		}
		return short, nil
	}
}

// fullAt is the size, in tokens, from which on a request is made shorter.
func (x *run) fullAt(room int) int {
	full := room * 3 / 4
	if at := x.rules.Compaction.Threshold; at > 0 && !x.rules.Compaction.Off() {
		full = min(full, int(at))
	}
	return full
}

// shortening says how much of the tool outputs a model was shown; kept with each step as a number.
type shortening int

const (
	whole shortening = iota
	olderCut
	allCut
)

// of gives messages as they are shown.
func (s shortening) of(in []llm.Message) []llm.Message {
	if s >= olderCut {
		in = shorten(in, keptResults, shortOutput)
	}
	if s >= allCut {
		in = shorten(in, 0, tightOutput)
	}
	return in
}

// fits compares an estimate with a number of tokens; the bytes alone often settle it.
func fits(r llm.Request, tokens int) bool {
	return requestBytes(r)/2 < tokens || llm.EstimateRequest(r) < tokens
}

func requestBytes(r llm.Request) int {
	n := len(r.System)
	for _, t := range r.Tools {
		n += 60 + len(t.Name) + len(t.Description) + len(t.Schema)
	}
	for _, m := range r.Messages {
		n += 16
		for _, p := range m.Parts {
			n += len(p.Text)
			switch {
			case p.Thinking != nil:
				n += len(p.Thinking.Text)
			case p.Image != nil:
				n += 3000
			case p.Call != nil:
				n += 20 + len(p.Call.Name) + len(p.Call.Input)
			case p.Result != nil:
				n += 20 + len(p.Result.Content)
			}
		}
	}
	return n
}

func (x *run) assemble(ctx context.Context) (llm.Request, error) {
	if err := x.readMemories(ctx); err != nil {
		return llm.Request{}, err
	}
	if err := x.readSkills(ctx); err != nil {
		return llm.Request{}, err
	}
	messages, err := x.messages(ctx)
	if err != nil {
		return llm.Request{}, err
	}
	return llm.Request{Model: x.route.Model, System: x.systemPrompt(), Messages: messages, Tools: x.offered.Schemas()}, nil
}

// messages makes the conversation of the log: the summary, the earlier turns, the current one. It goes by the book, the
// summary and whether the model can see, and by nothing else: so it can be made again (see Turns.Seen).
func (x *run) messages(ctx context.Context) ([]llm.Message, error) {
	blocks := x.book.blocks(x.turn.ID)
	if x.history == nil {
		t := transcript{images: x.imageReader(ctx, blocks)}
		if x.session.Summary != "" {
			t.add(llm.User, llm.Part{Text: summaryHead + x.session.Summary})
		}
		for _, b := range blocks {
			if b.turn != x.turn.ID {
				if err := t.block(b); err != nil {
					return nil, err
				}
			}
		}
		x.history, x.seen.earlier = t.out, nil
		if x.history == nil {
			x.history = []llm.Message{}
		}
	}
	t := transcript{out: cloneLast(x.history), thinking: true, images: x.imageReader(ctx, blocks)}
	if n := len(blocks); n > 0 && blocks[n-1].turn == x.turn.ID {
		if err := t.block(blocks[n-1]); err != nil {
			return nil, err
		}
	}
	return t.out, nil
}

// cloneLast copies what the current turn's messages may be joined to.
func cloneLast(ms []llm.Message) []llm.Message {
	out := slices.Clone(ms)
	if n := len(out); n > 0 {
		out[n-1].Parts = slices.Clone(out[n-1].Parts)
	}
	return out
}

// imageReader gives the pictures of messages to models that can see, the newest ones only. They are read from
// the database once in a turn.
func (x *run) imageReader(ctx context.Context, blocks []block) func(models.AttachmentNote) *llm.Image {
	if !x.base.Images {
		return nil
	}
	shown := map[string]string{} // attachment → turn
	for _, b := range slices.Backward(blocks) {
		for _, e := range b.events {
			if e.Kind != models.KindUser {
				continue
			}
			m, err := models.Decode[models.UserMessage](e)
			if err != nil {
				continue
			}
			for _, a := range m.Attachments {
				if len(shown) < maxImages && pictures[a.MediaType] && a.Size <= maxImageBytes {
					shown[a.ID] = b.turn
				}
			}
		}
	}
	return func(a models.AttachmentNote) *llm.Image {
		if shown[a.ID] == "" {
			return nil
		}
		if img, ok := x.images[a.ID]; ok {
			return img
		}
		if x.images == nil {
			x.images = map[string]*llm.Image{}
		}
		x.images[a.ID] = nil
		if row, err := x.sc.Attachment(ctx, a.ID); err == nil {
			x.images[a.ID] = &llm.Image{MediaType: a.MediaType, Data: row.Data}
		}
		return x.images[a.ID]
	}
}

var pictures = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}

// shorten cuts tool outputs to their head and tail, but the newest keep ones. The input is not changed.
func shorten(in []llm.Message, keep, limit int) []llm.Message {
	out, seen := slices.Clone(in), 0
	for i := len(out) - 1; i >= 0; i-- {
		copied := false
		for j := len(out[i].Parts) - 1; j >= 0; j-- {
			r := out[i].Parts[j].Result
			if r == nil {
				continue
			}
			if seen++; seen <= keep || len(r.Content) <= limit {
				continue
			}
			if !copied {
				out[i].Parts, copied = slices.Clone(out[i].Parts), true
			}
			c := *r
			c.Content, _ = clipMiddle(r.Content, limit)
			out[i].Parts[j].Result = &c
		}
	}
	return out
}

// clipMiddle keeps the head and the tail of a text and says how much went between.
func clipMiddle(s string, limit int) (string, bool) {
	if len(s) <= limit {
		return s, false
	}
	const note = "\n[… %d bytes left out …]\n"
	head := wholeRunes(s[:limit*2/3])
	tail := len(s) - limit/3
	for tail < len(s) && s[tail]&0xc0 == 0x80 {
		tail++
	}
	return s[:head] + strings.Replace(note, "%d", itoa(tail-head), 1) + s[tail:], true
}
