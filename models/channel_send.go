package models

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// ChannelPayload is what is sent by an account. First it is Markdown, or names a message: its sender makes pieces of that, each a
// delivery of its own, in the same lane. A piece is in the service's own format, and is one visible thing.
type ChannelPayload struct {
	Peer    json.RawMessage `json:"peer"`
	ReplyTo string          `json:"reply_to,omitempty"`

	Answer   string `json:"answer,omitempty"`   // a message of the agent's, by id
	Markdown string `json:"markdown,omitempty"` // words of ours

	Piece   string          `json:"piece,omitempty"`
	File    string          `json:"file,omitempty"` // of the workspace
	Buttons []ChannelChoice `json:"buttons,omitempty"`
	Change  string          `json:"change,omitempty"` // the service's id of the message that the piece replaces
	Press   string          `json:"press,omitempty"`
	Ends    string          `json:"ends,omitempty"` // the message whose last piece this is
}

// ChannelChoice is a button; SecretMark in its token stands for the delivery's secret.
type ChannelChoice struct {
	Label string `json:"label"`
	Token string `json:"token"`
	Bad   bool   `json:"bad,omitempty"`
}

// ChannelButton is who may press the buttons under a message, and for what.
type ChannelButton struct {
	ID             string
	OrganizationID string
	ChannelID      string
	ApprovalID     string
	UserID         string
	TokenHash      string
	ExpiresAt      time.Time
	UsedAt         *time.Time
	CreatedAt      time.Time
}

// The prefixes of what a button brings back.
const (
	ApproveButton = "a:"
	DenyButton    = "d:"
)

// Channel reads a channel delivery's payload.
func (d *Delivery) Channel() (ChannelPayload, error) {
	var p ChannelPayload
	if err := json.Unmarshal([]byte(d.Payload), &p); err != nil {
		return p, fault.Wrap(err, fault.Internal, "delivery.payload", "The payload of a message cannot be read")
	}
	return p, nil
}

// peer is what is known here of a conversation at a service.
type peer struct {
	ID     string `json:"id"`
	Thread string `json:"thread,omitempty"`
	Direct bool   `json:"direct,omitempty"`
	Name   string `json:"name,omitempty"`
}

// place is the conversation without its name, which may change.
func (p peer) place() string {
	p.Name = ""
	text, _ := json.Marshal(p) // strings
	return string(text)
}

func readPeer(text string) peer {
	var p peer
	_ = json.Unmarshal([]byte(text), &p) // written by us
	return p
}

// byChannel writes something to be sent by an account: what goes to one conversation keeps its order.
func (sc *Scope) byChannel(tx *gorm.DB, channelID string, kind ChannelKind, p ChannelPayload, n newDelivery) error {
	to := readPeer(string(p.Peer))
	n.kind, n.to, n.lane, n.target, n.payload = ChannelDelivery, clip(string(kind)+" "+to.ID, maxDestination), channelID+"/"+to.ID+"/"+to.Thread, channelID, p
	_, err := sc.deliver(tx, n)
	return err
}

// tellPeer says something of ours to where an event came from.
func (sc *Scope) tellPeer(tx *gorm.DB, ch *Channel, h *Heard, text string) error {
	return sc.byChannel(tx, ch.ID, ch.Kind, ChannelPayload{Peer: json.RawMessage(h.Peer), ReplyTo: h.MessageID, Markdown: text},
		newDelivery{aboutKind: "channel", aboutID: ch.ID, key: "told-" + ch.ID + "-" + h.EventID})
}

// toAsker says something by the way that a message came, in answer to it.
func (sc *Scope) toAsker(tx *gorm.DB, m *Message, p ChannelPayload, n newDelivery) error {
	asked, err := first[ChannelEvent](tx.Where("turn_id = ?", m.TurnID).Order("id DESC"))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if asked != nil {
		p.ReplyTo = asked.MessageID
	}
	p.Peer = json.RawMessage(m.Peer)
	return sc.byChannel(tx, m.ChannelID, ChannelKind(m.Channel), p, n)
}

// sendAnswer hands an agent's answer to the channel by which it was asked.
func (sc *Scope) sendAnswer(tx *gorm.DB, m *Message) error {
	if m.ChannelID == "" {
		return nil
	}
	return sc.toAsker(tx, m, ChannelPayload{Answer: m.ID}, newDelivery{aboutKind: "message", aboutID: m.ID, key: "answer-" + m.ID})
}

// sendFailure tells by the channel why no answer comes: nobody is left to wonder.
func (sc *Scope) sendFailure(tx *gorm.DB, asked *Message, e TurnEnded) error {
	if asked.ChannelID == "" || e.State != TurnFailed {
		return nil
	}
	text := "I could not answer."
	if e.Reason != "" {
		text += " " + e.Reason
	}
	return sc.toAsker(tx, asked, ChannelPayload{Markdown: text}, newDelivery{aboutKind: "turn", aboutID: asked.TurnID, key: "failure-" + asked.TurnID})
}

// askByChannel asks for a decision where the call was caused: with buttons when that person may decide.
func (sc *Scope) askByChannel(tx *gorm.DB, a *Approval) error {
	m, err := first[Message](tx.Where("turn_id = ? AND role = ? AND channel_id <> ''", a.TurnID, FromUser))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p, n := a.question("I would like")
	n.key = "approval-" + a.ID + "-channel"
	who, err := sc.member(tx, m.PersonID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if err != nil || !who.Membership.Role.May(CanApprove) {
		p.Markdown += "\n\nSomebody who may approve it has to decide."
		return sc.toAsker(tx, m, p, n)
	}
	if err := sc.putButtons(tx, a, m.ChannelID, m.PersonID, &p, &n); err != nil {
		return err
	}
	return sc.toAsker(tx, m, p, n)
}

// question is the message that asks for a decision; who says whose wish it is.
func (a *Approval) question(who string) (ChannelPayload, newDelivery) {
	return ChannelPayload{Markdown: who + " to run **" + a.Tool + "**:\n\n```\n" + clip(a.Input, 1500) + "\n```\n\n" + a.Reason},
		newDelivery{aboutKind: aboutApproval, aboutID: a.ID, expires: &a.ExpiresAt}
}

// putButtons puts those under a question that one person alone may press, by one account. Whether they may decide is asked when they press.
func (sc *Scope) putButtons(tx *gorm.DB, a *Approval, channelID, userID string, p *ChannelPayload, n *newDelivery) error {
	token, hash := secret.Token("")
	p.Buttons = []ChannelChoice{{Label: "Approve", Token: ApproveButton + SecretMark}, {Label: "Deny", Token: DenyButton + SecretMark, Bad: true}}
	n.secret = token
	return tx.Create(&ChannelButton{ID: id.New(), OrganizationID: sc.Org, ChannelID: channelID, ApprovalID: a.ID, UserID: userID, TokenHash: hash, ExpiresAt: a.ExpiresAt, CreatedAt: sc.store.now()}).Error
}

// tellWaiting says by the channel that a turn waits for money.
func (sc *Scope) tellWaiting(tx *gorm.DB, turnID, why string) error {
	m, err := first[Message](tx.Where("turn_id = ? AND role = ? AND channel_id <> ''", turnID, FromUser))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return sc.toAsker(tx, m, ChannelPayload{Markdown: "Your message waits: " + why}, newDelivery{aboutKind: "turn", aboutID: turnID, key: "waits-" + turnID})
}

// ChannelAnswer reads the words of an agent's message, and whether who asked may read the files that it links to.
func (sc *Scope) ChannelAnswer(ctx context.Context, messageID string) (words string, files bool, err error) {
	e, err := first[Event](sc.read(ctx).Where("id = ?", messageID))
	if err != nil {
		return "", false, err
	}
	m, err := first[Message](sc.read(ctx).Where("id = ?", messageID))
	if err != nil {
		return "", false, err
	}
	who, err := sc.member(sc.read(ctx), m.PersonID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", false, err
	}
	words, werr := e.words()
	return words, err == nil && who.User.BlockedAt == nil && who.Membership.Role.May(CanReadFiles), werr
}

// SendPieces writes what a delivery is made of, in one transaction: however often it is tried, each piece is one delivery. The buttons and
// their secret go with the last.
func (sy *System) SendPieces(ctx context.Context, c *Claim, pieces []ChannelPayload) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		for n, p := range pieces {
			d := newDelivery{kind: ChannelDelivery, to: c.Destination, target: c.TargetID, aboutKind: c.AboutKind, aboutID: c.AboutID, key: c.IdempotencyKey + "-" + strconv.Itoa(n+1), payload: p, expires: c.ExpiresAt}
			to := readPeer(string(p.Peer))
			d.lane = c.TargetID + "/" + to.ID + "/" + to.Thread
			if len(p.Buttons) > 0 {
				d.secret = c.Secret
			}
			if _, err := sy.store.deliver(tx, c.OrganizationID, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// SentByChannel notes that something has left by an account and how its service calls it, and that a message has left whole.
func (sy *System) SentByChannel(ctx context.Context, c *Claim, externalID, ends string) error {
	now := sy.store.now()
	return sy.tx(ctx, func(tx *gorm.DB) error {
		if _, err := changed(tx.Model(&Delivery{}).Where("id = ?", c.ID), map[string]any{"external_id": clip(externalID, 300)}); err != nil {
			return err
		}
		if _, err := changed(tx.Model(&Channel{}).Where("id = ?", c.TargetID), map[string]any{"sent": gorm.Expr("sent + 1"), "last_active_at": now}); err != nil {
			return err
		}
		if ends == "" {
			return nil
		}
		_, err := changed(tx.Model(&Message{}).Where("id = ? AND delivered_at IS NULL", ends), map[string]any{"delivered_at": now})
		return err
	})
}

// Pressed is a button that somebody pressed.
type Pressed struct {
	Button  ChannelButton
	Approve bool
	Actor   Actor // the member who pressed it
}

var errNoButton = fault.New(fault.NotFound, "channel.button", "This button is not yours, or its time is over")

// PressedButton finds what a press means: NotFound channel.button when the token is unknown, used, over, or another person's.
func (sc *Scope) PressedButton(ctx context.Context, channelID, senderID, token string) (*Pressed, error) {
	if len(token) < 3 || token[:2] != ApproveButton && token[:2] != DenyButton {
		return nil, errNoButton
	}
	b, err := first[ChannelButton](sc.read(ctx).Where("channel_id = ? AND token_hash = ? AND expires_at > ? AND used_at IS NULL", channelID, secret.Hash(token[2:]), sc.store.now()))
	if fault.Is(err, fault.NotFound) {
		return nil, errNoButton
	}
	if err != nil {
		return nil, err
	}
	binding, err := first[ChannelBinding](sc.read(ctx).Where("channel_id = ? AND sender_id = ?", channelID, senderID))
	if fault.Is(err, fault.NotFound) || err == nil && binding.UserID != b.UserID {
		return nil, errNoButton
	}
	if err != nil {
		return nil, err
	}
	m, err := sc.boundMember(sc.read(ctx), binding)
	if err != nil {
		return nil, err
	}
	return &Pressed{Button: *b, Approve: token[:2] == ApproveButton, Actor: Actor{UserID: m.User.ID, Name: m.User.Name, Role: m.Membership.Role}}, nil
}

// AnswerPress shows under the message what was decided, and takes its buttons away; a repeated press is answered once.
func (sc *Scope) AnswerPress(ctx context.Context, channelID string, h Heard, buttonID, press, text string) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		ch, err := first[Channel](tx.Omit("secrets_sealed").Where("id = ?", channelID))
		if err != nil {
			return err
		}
		if buttonID != "" {
			if _, err := changed(tx.Model(&ChannelButton{}).Where("id = ? AND used_at IS NULL", buttonID), map[string]any{"used_at": sc.store.now()}); err != nil {
				return err
			}
		}
		p := ChannelPayload{Peer: json.RawMessage(h.Peer), Markdown: text, Change: h.MessageID, Press: press}
		return sc.byChannel(tx, ch.ID, ch.Kind, p, newDelivery{aboutKind: "channel", aboutID: ch.ID, key: "press-" + ch.ID + "-" + h.EventID})
	})
}
