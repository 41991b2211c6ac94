// Package service is the contract between the channels and the services that they lead to: what Telegram, Discord, Slack,
// WhatsApp and mail have in common, in our words. An implementation knows one protocol; it knows neither rows nor routes, keeps
// no conversation, and asks nothing of agents. Everything that it says of a request or an account it says to engine/channels.
package service

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"lobstead/kit/secret"
)

// Service is one kind of channel. Its methods are safe for concurrent use.
//
// Errors are faults, and their kind decides what follows: TooMany with RetryAt, Unavailable, Upstream and Timeout are tried again;
// Unauthenticated means that the account's credentials are refused, and stops the account until somebody mends it; Invalid,
// Forbidden and NotFound end the one message for good (the person blocked the bot, the chat is gone, the text is refused).
type Service interface {
	// Fields are what a person gives to connect an account, in the order of the form.
	Fields() []Field
	// Check asks the service itself who the account is: the live test of the page, and what precedes every connection.
	Check(ctx context.Context, a Account) (Profile, error)
	// Receive verifies a request of the service in constant time over its raw bytes, and only then reads it. Unauthenticated
	// service.signature when it does not prove to be the service's. What it does not know it passes over: no event, and the reply
	// that keeps the service from sending it again.
	Receive(a Account, r Request) (Received, error)
	// Split turns an agent's Markdown into messages in the service's own format, each within its limit. What has no words gives
	// none.
	Split(markdown string) []string
	// Send does exactly one visible thing: one text, one file, or one change of a message. Text is one of Split's. The answer is
	// the service's id of the message. Key is handed over where the service tells repetitions apart.
	Send(ctx context.Context, a Account, m Message) (id string, err error)
	// Typing shows for some seconds that somebody is at work for a message of the conversation ("" when it came by another way); a service
	// without it does nothing.
	Typing(ctx context.Context, a Account, p Peer, message string) error
}

// Listener is a service that can be asked for news instead of waiting to be called: by polling, or by a connection that it keeps. Listen goes on
// until ctx ends, connecting again by itself after what passes; it returns an error only when it cannot go on (Unauthenticated, or
// Conflict when another process has the account's connection). hear returns nil once an event is kept for good: only then is it
// acknowledged to the service, and an error makes it come again.
type Listener interface {
	Listen(ctx context.Context, a Account, hear func(ctx context.Context, e Event) error) error
	// Listens tells whether this account is one to listen for: by its settings.
	Listens(a Account) bool
}

// Hooked is a service that is told where to call. Hook is idempotent; Unhook of what is not hooked is no error.
type Hooked interface {
	Hook(ctx context.Context, a Account, url string) error
	Unhook(ctx context.Context, a Account) error
}

// Namer is a service whose events tell of people by their ids alone. Name asks what people call one; "" when it is not told.
type Namer interface {
	Name(ctx context.Context, a Account, sender string) (string, error)
}

// Field is one thing that a person gives.
type Field struct {
	Name     string // "bot_token"
	Label    string
	Hint     string // where to find it, one sentence
	Secret   bool   // sealed, and never shown again
	Required bool
	Proof    bool     // proves that a request is the service's: without it nothing can be received, so nothing is enabled
	Generate bool     // we make it: the person passes it on to the service
	Options  []string // the default first, which is also what is left out
	Max      int      // bytes; 0 = 500
}

// Account is one bot, app or mailbox of an organization. Values holds what its fields say; an implementation must not print them.
type Account struct {
	ID      string // the channel's
	Values  map[string]secret.String
	Client  *http.Client // guarded; every request goes through it
	Dial    Dialer       // guarded; for what is no HTTP
	BaseURL string       // instead of the service's own address; "" = that
	// Past gives, to who listens, the conversations that were heard before, for a service that keeps nothing for who is away; nil = none.
	Past func(ctx context.Context) ([]Mark, error)
}

// Mark is how far a conversation was heard.
type Mark struct {
	Peer    Peer   // its id and its thread
	Message string // the service's id of the last message that was kept
}

// Dialer opens guarded connections; *dial.Dialer is one.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Value reads one field; "" when it was not given.
func (a Account) Value(name string) string { return a.Values[name].Reveal() }

// Profile is who an account is at its service.
type Profile struct {
	ID   string // at the service
	Name string // for people: "@lobstead_bot"
	Link string // where people find it; empty when the service has no such address
	Note string // what is wrong with it though it works: "it cannot see messages in groups"
}

// Request is a call of a service, as it came.
type Request struct {
	Method  string
	Query   map[string]string
	Header  func(name string) string
	Body    []byte
	Arrived time.Time
}

// Received is what a request brought.
type Received struct {
	Events []Event
	Reply  Reply
}

// Reply is what the service wants to hear; the zero value is 200 {"ok":true}.
type Reply struct {
	Status int
	Type   string
	Body   []byte
}

// Event is one thing that happened at a service.
type Event struct {
	ID      string // unique within the account: what comes twice has it twice
	Kind    EventKind
	Peer    Peer
	Sender  Sender
	Message string // the service's id of the message; of a press, of the one with the button; of a refusal, of ours
	Text    string // of a refusal why; else plain, in the person's words: mentions of the bot are taken out, and "/link@our_bot CODE" is "/link CODE"
	Files   []File
	ReplyTo string    // the service's id of the message that it answers
	Token   string    // of a press: Button.Token
	Press   string    // of a press: what Message.Press gives back to acknowledge it
	At      time.Time // by the service's clock
}

// EventKind says what happened.
type EventKind string

// The kinds. Edited carries the message's whole new text. Left means that the bot was removed or blocked. Refused tells of a message of
// ours that the service had taken, and could not deliver after all.
const (
	Said    EventKind = "said"
	Edited  EventKind = "edited"
	Pressed EventKind = "pressed"
	Left    EventKind = "left"
	Refused EventKind = "refused"
)

// Peer is a conversation at a service: a person's own, or a group's, or one thread of it.
type Peer struct {
	ID     string `json:"id"`
	Thread string `json:"thread,omitempty"`
	Direct bool   `json:"direct"` // nobody else reads it
	Name   string `json:"name,omitempty"`
	// Called tells of an event in a group that it was said to the bot: by a mention, a reply or a command. In a direct
	// conversation everything is.
	Called bool `json:"-"`
}

// Sender is a person at a service.
type Sender struct {
	ID   string
	Name string // "@ada", else how the service shows them; "" where only a Namer knows
	Team string // the workspace that they write in, of services that have such
	Bot  bool   // a program: nothing that it says is answered
}

// File is an attachment of an event. Open fetches it; it is called once at most, before the event is acknowledged, and
// may give TooLarge.
type File struct {
	Name      string
	MediaType string
	Size      int64 // 0 = not said
	Open      func(ctx context.Context, a Account) (io.ReadCloser, error)
}

// Message is one thing to send. Exactly one of Text, File and Change.Message is what it is about; Buttons go with Text.
type Message struct {
	Key     string // idempotency key
	Peer    Peer
	ReplyTo string // the service's id of the message that this answers, "" for none
	Text    string // in the service's format
	File    *Upload
	Buttons []Button
	Change  string // the service's id of the message that Text and Buttons replace
	Press   string // of the press that this answers, where the service wants that said
}

// Upload is a file to send.
type Upload struct {
	Name      string
	MediaType string
	Data      []byte
}

// Button is one choice under a message. Token is at most 64 bytes: what a press brings back.
type Button struct {
	Label string
	Token string
	Bad   bool // it refuses or destroys
}
