// Package deliveries shows what an organization sent and what came of it: letters, calls of webhooks, messages of
// channels. The back office shows its pieces for all organizations.
package deliveries

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// Path is where the list is.
const Path = "/deliveries"

// IndexProps is the page /deliveries.
type IndexProps struct {
	Frame        layout.FrameProps
	Deliveries   []models.Delivery
	Counts       map[models.DeliveryState]int
	Text         string // as typed
	State        string
	Kind         string
	Before, Next string // ids: where this page begins, and the next one
	BaseURL      string
}

// ShowProps is the page of one.
type ShowProps struct {
	Frame    layout.FrameProps
	Delivery *models.Delivery
	Problem  string // why an act was refused
	BaseURL  string
}

func (p IndexProps) narrowed() bool { return p.Text != "" || p.State != "" || p.Kind != "" }

func (p IndexProps) address(before string) string {
	v := url.Values{}
	for k, text := range map[string]string{"q": p.Text, "state": p.State, "kind": p.Kind, "before": before} {
		if text != "" {
			v.Set(k, text)
		}
	}
	if len(v) == 0 {
		return Path
	}
	return Path + "?" + v.Encode()
}

func (p IndexProps) newest() string {
	if p.Before == "" {
		return ""
	}
	return p.address("")
}

func (p IndexProps) older() string {
	if p.Next == "" {
		return ""
	}
	return p.address(p.Next)
}

func (p IndexProps) states() []ui.Option {
	out := []ui.Option{{Value: "", Text: "Every state"}}
	for _, s := range models.DeliveryStates {
		out = append(out, ui.Option{Value: string(s), Text: string(s) + " (" + strconv.Itoa(p.Counts[s]) + ")"})
	}
	return out
}

func (p IndexProps) kinds() []ui.Option {
	out := []ui.Option{{Value: "", Text: "Every kind"}}
	for _, k := range models.DeliveryKinds {
		out = append(out, ui.Option{Value: string(k), Text: string(k)})
	}
	return out
}

// About says what a delivery tells of, in a word.
func About(d *models.Delivery) string {
	if d.Event != "" {
		return d.Event
	}
	return d.AboutKind
}

// Attempts is "2 of 10".
func Attempts(d *models.Delivery) string {
	return strconv.Itoa(d.Attempts) + " of " + strconv.Itoa(d.MaxAttempts)
}

// Watched tells whether something is about to happen to a delivery: then its page asks again.
func Watched(d *models.Delivery, now time.Time) bool {
	return d.State == models.DeliveryPending && d.NextAt.Before(now.Add(15*time.Second))
}

// inTurn is how long what is due may take to begin; after it something else stands before it.
const inTurn = 3 * time.Second

// Next says when a delivery that waits is tried.
func Next(d *models.Delivery, now time.Time) ui.Pair {
	if d.LeaseUntil == nil && d.NextAt.Before(now.Add(-inTurn)) {
		return ui.Pair{Key: "Next attempt", Value: "in its turn: what was written to the same address before goes first"}
	}
	return ui.Pair{Key: "Next attempt", Part: ui.Time{At: d.NextAt}}
}

func (p ShowProps) facts() []ui.Pair {
	d := p.Delivery
	out := []ui.Pair{{Key: "Kind", Value: string(d.Kind)}, {Key: "To", Value: d.Destination, Mono: true}}
	if d.Kind == models.WebhookDelivery {
		out = append(out, ui.Pair{Key: "Webhook", Part: link("/settings/webhooks/"+d.TargetID, "Open its settings")})
	}
	out = append(out, ui.Pair{Key: "About", Value: strings.TrimSpace(About(d))}, ui.Pair{Key: "Attempts", Value: Attempts(d)}, ui.Pair{Key: "Written", Part: ui.Time{At: d.CreatedAt}})
	if d.State == models.DeliveryPending {
		out = append(out, Next(d, time.Now()))
	}
	if d.EndedAt != nil {
		out = append(out, ui.Pair{Key: "Ended", Part: ui.Time{At: *d.EndedAt}})
	}
	if d.Reason != "" {
		out = append(out, ui.Pair{Key: "Why", Value: d.Reason})
	}
	return append(out, ui.Pair{Key: "Idempotency key", Value: d.IdempotencyKey, Mono: true}, ui.Pair{Key: "Id", Value: d.ID, Mono: true})
}

// node is the process of a lease's owner, without the number of the try.
func node(owner string) string {
	if at := strings.LastIndexByte(owner, '/'); at > 0 {
		return owner[:at]
	}
	return owner
}

func took(t models.DeliveryTry) string { return ui.Took(time.Duration(t.Millis) * time.Millisecond) }

// said is how an attempt ended, in two words.
func said(t models.DeliveryTry) string {
	out := "Not taken"
	if t.Error == "" {
		out = "Taken"
	}
	if t.Status > 0 {
		out += ": " + strconv.Itoa(t.Status)
	}
	return out
}

// public takes out what only the operator of the mail server should read.
func public(d *models.Delivery) []models.DeliveryTry {
	list := d.Log()
	for n := range list {
		if d.Kind == models.MailDelivery && list[n].Error != "" {
			list[n].Error = ""
			if list[n].Response == "" {
				list[n].Response = "The mail server did not take it"
			}
			list[n].Status = 0
			continue
		}
	}
	return list
}
