package app

import (
	"context"
	"sort"
	"strings"
	"sync"
	"time"

	"lobstead/engine/agent"
	"lobstead/kit/events"
	"lobstead/models"
	"lobstead/views/chat"
	"lobstead/views/markdown"
)

// liveTurn is the text of one running turn on its way, rendered once for all who watch. It exists while
// somebody does. What it shows is disposable: the log brings the same words when a step ends.
type liveTurn struct {
	hub     *liveHub
	turn    string
	attempt int
	cancel  func()

	mu       sync.Mutex
	watchers map[*chatFeed]func() // wakes its stream
	blocks   []*liveBlock
	settled  map[string]bool // keys whose words are in the log
	next     int             // the part that is expected
	waiting  map[int]events.Part
	patches  []livePatch // since start; version = how many there were
	dropped  int         // patches that are no longer kept
	timer    *time.Timer
	flushed  time.Time
}

// livePatch is one change of one block; it is not sent any more once the block's words are in the log.
type livePatch struct{ key, html string }

type liveBlock struct {
	key    string
	md     *markdown.Stream // text and thinking
	raw    strings.Builder  // output
	closed []string
	tail   string
	dirty  bool
}

const (
	flushEvery  = 50 * time.Millisecond
	keptPatches = 256
)

// watch lets a feed follow a turn. Who watches is decided under the hub's lock, so that a turn that the last
// watcher leaves is never joined; the bus is asked outside the turn's own lock, which its callback takes.
func (h *liveHub) watch(ctx context.Context, t *models.Turn, f *chatFeed, wake func()) *liveTurn {
	h.mu.Lock()
	lt, ok := h.turns[t.ID]
	fresh := !ok || lt.attempt != t.Attempt
	if fresh {
		lt = &liveTurn{hub: h, turn: t.ID, attempt: t.Attempt, watchers: map[*chatFeed]func(){}, settled: map[string]bool{}, waiting: map[int]events.Part{}}
		lt.cancel = h.app.Bus.Listen(events.PartsTopic(t.ID), lt.heard)
		h.turns[t.ID] = lt
	}
	lt.mu.Lock()
	lt.watchers[f] = wake
	lt.mu.Unlock()
	h.mu.Unlock()
	if fresh {
		lt.load(ctx)
	}
	return lt
}

// unwatch forgets a feed, and the turn with its last one.
func (lt *liveTurn) unwatch(f *chatFeed) {
	lt.hub.mu.Lock()
	defer lt.hub.mu.Unlock()
	lt.mu.Lock()
	delete(lt.watchers, f)
	last := len(lt.watchers) == 0
	if last && lt.timer != nil {
		lt.timer.Stop()
	}
	lt.mu.Unlock()
	if !last {
		return
	}
	lt.cancel()
	if lt.hub.turns[lt.turn] == lt {
		delete(lt.hub.turns, lt.turn)
	}
}

// load reads the parts that were said before anybody watched.
func (lt *liveTurn) load(ctx context.Context) {
	parts, err := lt.hub.app.Bus.Parts(ctx, lt.turn, lt.attempt)
	if err != nil {
		lt.hub.app.Log.Debug("parts", "error", err) // the log brings them
	}
	lt.mu.Lock()
	defer lt.mu.Unlock()
	if len(parts) > 0 && lt.next < parts[0].N {
		lt.next = parts[0].N // older ones were trimmed
	}
	for _, p := range parts {
		lt.take(p)
	}
	lt.flush()
}

// heard is called inside the publisher.
func (lt *liveTurn) heard(e events.Event) {
	if e.Resync {
		go lt.load(lt.hub.app.base)
		return
	}
	p, err := events.DecodePart(e.Payload)
	if err != nil || p.Attempt != lt.attempt {
		return
	}
	lt.mu.Lock()
	defer lt.mu.Unlock()
	lt.take(p)
	lt.schedule()
}

// take puts a part where it belongs; one that comes early waits for those before it.
func (lt *liveTurn) take(p events.Part) {
	if p.N < lt.next {
		return
	}
	lt.waiting[p.N] = p
	if len(lt.waiting) > keptPatches { // a part was lost: go on without it
		lt.skip()
	}
	for q, ok := lt.waiting[lt.next]; ok; q, ok = lt.waiting[lt.next] {
		delete(lt.waiting, lt.next)
		lt.next++
		lt.say(q)
	}
}

func (lt *liveTurn) skip() {
	early := make([]int, 0, len(lt.waiting))
	for n := range lt.waiting {
		early = append(early, n)
	}
	sort.Ints(early)
	lt.next = early[0]
}

func (lt *liveTurn) say(p events.Part) {
	kind, step, _ := strings.Cut(p.Kind, "/")
	if kind == agent.PartReset {
		lt.forget(agent.PartText+"/"+step, false)
		lt.forget(agent.PartThinking+"/"+step, false)
		return
	}
	if lt.settled[p.Kind] {
		return
	}
	b := lt.block(p.Kind)
	if b.md != nil {
		b.md.Write(p.Text)
	} else {
		b.raw.WriteString(p.Text)
	}
	b.dirty = true
}

func (lt *liveTurn) block(key string) *liveBlock {
	for _, b := range lt.blocks {
		if b.key == key {
			return b
		}
	}
	b := &liveBlock{key: key}
	if !strings.HasPrefix(key, agent.PartOutput+"/") {
		b.md = new(markdown.Stream)
	}
	lt.blocks = append(lt.blocks, b)
	return b
}

// schedule renders the first words at once and then at most every flushEvery.
func (lt *liveTurn) schedule() {
	if lt.timer != nil {
		return
	}
	wait := flushEvery - time.Since(lt.flushed)
	lt.timer = time.AfterFunc(max(wait, 0), func() {
		lt.mu.Lock()
		defer lt.mu.Unlock()
		lt.timer = nil
		lt.flush()
	})
}

// flush renders what is new, a patch for each block, and wakes who watches.
func (lt *liveTurn) flush() {
	pushed := false
	for _, b := range lt.blocks {
		if !b.dirty {
			continue
		}
		b.dirty = false
		from := len(b.closed)
		if b.md != nil {
			more, tail := b.md.Flush()
			b.closed, b.tail = append(b.closed, more...), tail
		} else {
			b.tail = b.raw.String()
		}
		lt.push(livePatch{b.key, chat.LivePatch(lt.turn, b.view(), from)})
		pushed = true
	}
	if pushed {
		lt.wake()
	}
}

func (lt *liveTurn) push(p livePatch) {
	lt.patches = append(lt.patches, p)
	if len(lt.patches) > keptPatches {
		drop := len(lt.patches) / 2
		lt.patches, lt.dropped = append([]livePatch(nil), lt.patches[drop:]...), lt.dropped+drop
	}
}

func (lt *liveTurn) wake() {
	lt.flushed = time.Now()
	for _, wake := range lt.watchers {
		wake()
	}
}

// settle takes away a block whose words came with the log.
func (lt *liveTurn) settle(key string) {
	lt.mu.Lock()
	defer lt.mu.Unlock()
	lt.forget(key, true)
}

func (lt *liveTurn) forget(key string, forGood bool) {
	if forGood {
		lt.settled[key] = true
	}
	for n, b := range lt.blocks {
		if b.key == key {
			lt.blocks = append(lt.blocks[:n:n], lt.blocks[n+1:]...)
			if !forGood {
				lt.push(livePatch{key, chat.LiveGone(lt.turn, key)})
				lt.wake()
			}
			return
		}
	}
}

// since gives what a watcher that saw version is missing; whole when it missed too much.
func (lt *liveTurn) since(version int) (patch string, now int, whole bool) {
	lt.mu.Lock()
	defer lt.mu.Unlock()
	now = lt.dropped + len(lt.patches)
	if version < lt.dropped || version > now {
		return "", now, true
	}
	var out strings.Builder
	for _, p := range lt.patches[version-lt.dropped:] {
		if !lt.settled[p.key] {
			out.WriteString(p.html)
		}
	}
	return out.String(), now, false
}

// view is the whole of it, for a page or a stream that begins.
func (lt *liveTurn) view() (chat.LiveTurn, int) {
	lt.mu.Lock()
	defer lt.mu.Unlock()
	v := chat.LiveTurn{TurnID: lt.turn, Attempt: lt.attempt}
	for _, b := range lt.blocks {
		v.Blocks = append(v.Blocks, b.view())
	}
	return v, lt.dropped + len(lt.patches)
}

func (b *liveBlock) view() chat.LiveBlock {
	return chat.LiveBlock{Key: b.key, Closed: append([]string(nil), b.closed...), Tail: b.tail}
}
