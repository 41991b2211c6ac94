// Package provision drives instances from what is wanted to what is there, one idempotent step at a time,
// and records each step where people can watch it. It owns the verbs that edges call (Desk), the reconciler,
// the observer of running sandboxes and the sweep. It must not know HTTP or asynq, and it keeps nothing that
// matters in memory: rows say what is wanted, drivers say what is there.
package provision

import (
	"context"
	"encoding/json"

	"lobstead/kit/events"
)

// What says which part of an instance a hint is about.
type What string

// The parts.
const (
	State   What = "state" // the row: state, reason, wish, name, tier; also its removal
	Steps   What = "steps"
	Logs    What = "logs"
	Metrics What = "metrics"
)

// Change is the payload of the hints on InstanceTopic and OrgTopic, published after the commit.
type Change struct {
	Instance string `json:"instance"`
	What     []What `json:"what"`
}

// InstanceTopic carries the hints of one instance.
func InstanceTopic(id string) string { return "instance:" + id }

// OrgTopic carries the hints of all instances of an organization.
func OrgTopic(org string) string { return "org:" + org }

// ReadChange decodes a hint; false for a resync and for anything else: then read everything again.
func ReadChange(e events.Event) (Change, bool) {
	var c Change
	return c, !e.Resync && json.Unmarshal(e.Payload, &c) == nil && c.Instance != ""
}

func publish(ctx context.Context, bus *events.Bus, org, id string, what ...What) {
	payload, err := json.Marshal(Change{Instance: id, What: what})
	if err != nil {
		return // two strings have a JSON form
	}
	bus.Publish(ctx, InstanceTopic(id), payload)
	bus.Publish(ctx, OrgTopic(org), payload)
}

// wishTopic tells every worker that a wish was written. A worker that hears it starts at once; one that does
// not is told by the queue, and by the sweep. Doubles are harmless: the lease lets one through.
//
// Why not the queue alone: asynq polls, and a look is a script in Redis for each queue. With the embedded Redis
// on two busy cores an idle worker used 12 % of a core at a 20 ms check and 1.2 % at 250 ms, while the hint has
// the first step running 2 to 3 ms after the row was written. Hence the hint for speed, and a slow check for
// what hints miss.
const wishTopic = "instance-wishes"

type wish struct {
	Org      string `json:"org"`
	Instance string `json:"instance"`
}

func publishWish(ctx context.Context, bus *events.Bus, org, id string) {
	if payload, err := json.Marshal(wish{org, id}); err == nil {
		bus.Publish(ctx, wishTopic, payload)
	}
}

func readWish(e events.Event) (wish, bool) {
	var w wish
	return w, !e.Resync && json.Unmarshal(e.Payload, &w) == nil && w.Org != "" && w.Instance != ""
}
