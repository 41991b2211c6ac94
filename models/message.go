package models

import (
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// Message is what goes in or out of an agent by a channel. Its words are the event's; the row says by which way, from whom, and how
// far it got.
type Message struct {
	ID             string // the event's
	OrganizationID string
	InstanceID     string
	SessionID      string
	TurnID         string
	Seq            int64 // of the event
	Role           MessageRole
	Channel        string
	ChannelID      string // the account that it came by; "" for the API's
	PersonID       string // user: whom the agent talks to
	QueueMode      QueueMode
	ReplyToID      string
	Metadata       string     // JSON object of the sender's, "" for none
	Peer           string     // JSON: where the answer goes
	DeliveredAt    *time.Time // of the assistant's: when it had left
	CreatedAt      time.Time
}

// MessageRole is who speaks.
type MessageRole string

// The roles.
const (
	FromUser      MessageRole = "user"
	FromAssistant MessageRole = "assistant"
)

// QueueMode is what a message means for the work that is under way.
type QueueMode string

// The modes: it waits, and is answered together with those that wait beside it; or it ends the current work.
const (
	Collect   QueueMode = "collect"
	Interrupt QueueMode = "interrupt"
)

// APIChannel is the way of programs: their messages wait to be read.
const APIChannel = "api"

// MessageChannels are the ways by which messages come.
var MessageChannels = []string{APIChannel, "discord", "slack", "telegram", "whatsapp", "email"}

// maxMetadata bounds what a sender may say of a message, in bytes of JSON.
const maxMetadata = 16 << 10

// NewMessage is what a message by a channel says of itself.
type NewMessage struct {
	Channel   string
	ChannelID string
	QueueMode QueueMode
	Metadata  map[string]any
	Peer      string // JSON of the channel's
}

func (m *NewMessage) check(is *fault.Issues) {
	if !slices.Contains(MessageChannels, m.Channel) {
		is.NotOneOf("channel", m.Channel, MessageChannels...)
	}
	if m.QueueMode != Collect && m.QueueMode != Interrupt {
		is.NotOneOf("queue_mode", string(m.QueueMode), string(Collect), string(Interrupt))
	}
	if text, err := m.metadata(); err != nil || len(text) > maxMetadata {
		is.TooBig("metadata", maxMetadata)
	}
}

func (m *NewMessage) metadata() (string, error) {
	if len(m.Metadata) == 0 {
		return "", nil
	}
	text, err := json.Marshal(m.Metadata)
	return string(text), err
}

// noteMessage writes the row of a message that was just accepted, and asks the current work to stop where the message says so.
func (sc *Scope) noteMessage(tx *gorm.DB, t *Turn, e *Event, m *NewMessage) error {
	metadata, err := m.metadata()
	if err != nil {
		return err
	}
	row := Message{ID: e.ID, OrganizationID: sc.Org, InstanceID: t.InstanceID, SessionID: t.SessionID, TurnID: t.ID, Seq: e.Seq, Role: FromUser, Channel: m.Channel,
		ChannelID: m.ChannelID, PersonID: t.CreatedBy, QueueMode: m.QueueMode, Metadata: sc.store.storable([]byte(metadata)), Peer: m.Peer, CreatedAt: e.CreatedAt}
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	if m.QueueMode != Interrupt {
		return nil
	}
	busy, err := all[Turn](locked(tx).Where("session_id = ? AND id <> ? AND state <> ? AND "+isOpen, t.SessionID, t.ID, TurnQueued))
	for n := range busy {
		if _, err := sc.interrupt(tx, &busy[n], "A newer message took its place"); err != nil {
			return err
		}
	}
	return err
}

// answerMessage writes the row of an answer in the transaction that ends its turn.
func (sc *Scope) answerMessage(tx *gorm.DB, t *Turn, e TurnEnded) error {
	if t.AutomationID != "" {
		return sc.keepRunMessages(tx, t, e)
	}
	if t.Channel == "" || t.JoinedTo != "" {
		return nil
	}
	asked, err := first[Message](tx.Where("turn_id = ? AND role = ?", t.ID, FromUser))
	if err != nil {
		return err
	}
	if e.State != TurnDone {
		return sc.sendFailure(tx, asked, e)
	}
	row, err := sc.keepAnswer(tx, t, asked)
	if err != nil || row == nil {
		return err
	}
	return sc.sendAnswer(tx, row)
}

// keepAnswer writes the row of what a turn said last; nil when it said nothing.
func (sc *Scope) keepAnswer(tx *gorm.DB, t *Turn, asked *Message) (*Message, error) {
	said, err := first[Event](tx.Where("turn_id = ? AND kind = ?", t.ID, KindAssistant).Order("seq DESC"))
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	row := Message{ID: said.ID, OrganizationID: sc.Org, InstanceID: t.InstanceID, SessionID: t.SessionID, TurnID: t.ID, Seq: said.Seq, Role: FromAssistant, Channel: asked.Channel,
		ChannelID: asked.ChannelID, PersonID: asked.PersonID, ReplyToID: asked.ID, Peer: asked.Peer, CreatedAt: said.CreatedAt}
	if asked.ChannelID == "" { // there it lies, to be read
		now := sc.store.now()
		row.DeliveredAt = &now
	}
	return &row, tx.Create(&row).Error
}
