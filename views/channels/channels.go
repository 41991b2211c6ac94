// Package channels shows by which services people reach an agent: what to give to connect one, how it stands, and who is linked. It
// knows no handler and no protocol; props are models and plain data.
package channels

import (
	"fmt"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// IndexProps is /instances/:id/channels.
type IndexProps struct {
	Frame    layout.FrameProps
	Instance *models.Instance
	Rows     []Row
	BaseURL  string
}

// Row is one service: connected, or to be.
type Row struct {
	Kind    models.ChannelKind
	Says    string          // what it is for
	Channel *models.Channel // nil = not connected
	Linked  int
}

func (p IndexProps) path(r Row) string {
	return "/instances/" + p.Instance.ID + "/channels/" + string(r.Kind)
}

// ShowProps is /instances/:id/channels/:kind.
type ShowProps struct {
	Frame     layout.FrameProps
	Instance  *models.Instance
	Kind      models.ChannelKind
	Channel   *models.Channel // nil = not connected
	Proofs    []string        // labels of the fields of which one has to be given: they prove what comes in
	Steps     []string        // how to come by what the fields ask for
	Fields    []Field
	Error     string // of the form as a whole
	Hook      string // the address that its service is to call; "" = it is asked, or told by us
	Hooked    string // what else its service wants to know: "Verify token"
	HookValue string
	Bindings  []Binding
	Mine      *models.ChannelBinding // the reader's
	Code      string                 // a fresh one, shown once
	Expires   time.Time
	MayEdit   bool
	Dead      []models.Delivery // what could not be delivered by it, the newest first
	BaseURL   string
}

// Field is one thing to give.
type Field struct {
	Name, Label, Hint, Value, Error string
	Secret, Required, Set           bool
	Options                         []string
}

// Binding is somebody who is linked.
type Binding struct {
	models.ChannelBinding
	Person string
	Role   models.Role
	Mine   bool
}

func (p ShowProps) base() string { return "/instances/" + p.Instance.ID + "/channels" }
func (p ShowProps) path() string { return p.base() + "/" + string(p.Kind) }

func (p ShowProps) act(what string) string { return "/channels/" + p.Channel.ID + "/" + what }

// who says who somebody is here.
func (b *Binding) who() string {
	if b.Person == "" {
		return "is in the team no more: nothing is answered"
	}
	return "is " + b.Person + ", " + strings.ToLower(string(b.Role))
}

// proved says what a channel cannot be enabled without.
func (p ShowProps) proved() string {
	if len(p.Proofs) == 0 {
		return ""
	}
	one := "it"
	if len(p.Proofs) > 1 {
		one = "one of them"
	}
	return strings.Join(p.Proofs, " or ") + " proves that a message is " + p.Kind.Title() + "'s: without " + one + " the channel cannot be enabled."
}

// badges are how an account stands; never by colour alone.
var badges = map[models.ChannelState]ui.Badge{
	models.ChannelConnecting: {Kind: ui.Busy, Text: "Connecting"}, models.ChannelConnected: {Kind: ui.OK, Text: "Connected"},
	models.ChannelFailed: {Kind: ui.Bad, Text: "Failed"}, models.ChannelOff: {Kind: ui.Off, Text: "Off"},
}

// undelivered says what could not be delivered, "" for nothing.
func (p ShowProps) undelivered() string {
	if len(p.Dead) == 0 {
		return ""
	}
	return count(int64(len(p.Dead)), "message") + " could not be delivered. The last one: " + p.Dead[0].Trouble()
}

func count(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%s %ss", ui.Thousands(int(n)), one)
}

// facts are what is known of a connected account.
func (p ShowProps) facts() []ui.Pair {
	ch := p.Channel
	out := []ui.Pair{{Key: "State", Part: badges[ch.State]}}
	if ch.Name != "" {
		out = append(out, ui.Pair{Key: "Account", Part: account(ch)})
	}
	out = append(out, ui.Pair{Key: "So far", Value: count(ch.Received, "message") + " received, " + ui.Thousands(int(ch.Sent)) + " sent"})
	if ch.LastActiveAt != nil {
		out = append(out, ui.Pair{Key: "Last used", Part: ui.Time{At: *ch.LastActiveAt}})
	}
	return append(out, ui.Pair{Key: "Connected by", Value: ch.CreatedName})
}

func (f Field) kind() string {
	if f.Secret {
		return "password"
	}
	return "text"
}

func (f Field) placeholder() string {
	if f.Secret && f.Set {
		return "kept as it is"
	}
	return ""
}

func (f Field) options() []ui.Option {
	out := []ui.Option{}
	for _, o := range f.Options {
		text := o
		if o == "" {
			text = "polling"
		}
		out = append(out, ui.Option{Value: o, Text: text})
	}
	return out
}
