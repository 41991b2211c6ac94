package discord

import (
	"slices"
	"sync"

	"lobstead/engine/channels/service"
)

// world is what the gateway told of the bot's surroundings, as far as messages need it. It lives as long as one Listen.
type world struct {
	mu       sync.Mutex
	app, bot string
	guilds   map[string]guild
	channels map[string]channel
	heard    map[string]string // by conversation: the last message that was kept
	recent   []string          // conversations of heard, the latest last
}

// maxHeard is how many conversations are read again after a lost session.
const maxHeard = 200

type guild struct {
	role string // the bot's own, which people mention by mistake
}

// channel is a channel or a thread.
type channel struct {
	ID     string `json:"id"`
	Guild  string `json:"guild_id"`
	Parent string `json:"parent_id"`
	Name   string `json:"name"`
	Type   int    `json:"type"`
}

// Types of channels that are threads: of announcements, public, private.
func (c channel) thread() bool { return c.Type >= 10 && c.Type <= 12 }

func newWorld() *world {
	return &world{guilds: map[string]guild{}, channels: map[string]channel{}, heard: map[string]string{}}
}

// peer of what is known without a world: an interaction brings its channel along.
func (c channel) peer(guild, id string) service.Peer {
	if guild == "" {
		return service.Peer{ID: id, Direct: true}
	}
	if c.thread() && c.Parent != "" {
		return service.Peer{ID: c.Parent, Thread: id, Name: "#" + c.Name}
	}
	p := service.Peer{ID: id}
	if c.Name != "" {
		p.Name = "#" + c.Name
	}
	return p
}

func (w *world) peer(guild, id string) service.Peer {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.channels[id].peer(guild, id)
}

func (w *world) name(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.channels[id]; c.Name != "" {
		return "#" + c.Name
	}
	return ""
}

func (w *world) role(guild string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.guilds[guild].role
}

func (w *world) knows(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.channels[id]
	return ok
}

func (w *world) add(guild string, cs ...channel) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range cs {
		if c.Guild == "" {
			c.Guild = guild
		}
		w.channels[c.ID] = c
	}
}

func (w *world) remove(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(id)
}

// forget drops a channel; the lock is held.
func (w *world) forget(id string) {
	delete(w.channels, id)
	delete(w.heard, id)
	w.recent = slices.DeleteFunc(w.recent, func(r string) bool { return r == id })
}

// leave forgets a guild, and gives the conversations in it that were heard.
func (w *world) leave(guild string) []service.Peer {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []service.Peer
	for _, id := range slices.Clone(w.recent) {
		if c := w.channels[id]; c.Guild == guild {
			out = append(out, c.peer(guild, id))
		}
	}
	for id, c := range w.channels {
		if c.Guild == guild {
			w.forget(id)
		}
	}
	delete(w.guilds, guild)
	return out
}

// keep notes the last message of a conversation.
func (w *world) keep(m message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.channels[m.Channel]; m.Guild != "" && c.Guild == "" {
		c.ID, c.Guild = m.Channel, m.Guild
		w.channels[m.Channel] = c
	}
	if newer(m.ID, w.heard[m.Channel]) {
		w.heard[m.Channel] = m.ID
	}
	w.recent = append(slices.DeleteFunc(w.recent, func(r string) bool { return r == m.Channel }), m.Channel)
	if len(w.recent) > maxHeard {
		delete(w.heard, w.recent[0])
		w.recent = w.recent[1:]
	}
}

// newer compares Discord's ids, numbers that grow with time.
func newer(a, b string) bool { return len(a) > len(b) || len(a) == len(b) && a > b }
