package fleet

import (
	"encoding/json"
	"time"

	"lobstead/api/wire"
	"lobstead/models"
)

// MessageSent answers a message that was taken; its answer is read later.
type MessageSent struct {
	Named
	Role      string `json:"role"`
	Content   string `json:"content"`
	Status    string `json:"status"`
	Channel   string `json:"channel"`
	QueueMode string `json:"queue_mode"`
	CreatedAt string `json:"created_at"`
}

// Message is one of a list.
type Message struct {
	Named
	Role        string          `json:"role"`
	Content     string          `json:"content"`
	Status      string          `json:"status"` // pending, delivered, read
	Channel     string          `json:"channel"`
	QueueMode   *string         `json:"queue_mode"`
	ReplyToID   *string         `json:"reply_to_id"`
	Metadata    json.RawMessage `json:"metadata,omitempty"` // an object, as it was sent
	CreatedAt   string          `json:"created_at"`
	DeliveredAt *string         `json:"delivered_at"`
	ReadAt      *string         `json:"read_at"`
}

// MessageList is a part of them.
type MessageList struct {
	Messages []Message `json:"messages"`
	HasMore  bool      `json:"has_more"`
}

// NewMessages presents a part of an agent's messages.
func NewMessages(rows []models.MessageRow, more bool) MessageList {
	out := MessageList{Messages: []Message{}, HasMore: more}
	for n := range rows {
		r := &rows[n]
		out.Messages = append(out.Messages, Message{Named: Name(r.ID), Role: string(r.Role), Content: r.Text, Status: string(r.Status), Channel: r.Channel, QueueMode: orNull(string(r.QueueMode)),
			ReplyToID: orNull(r.ReplyToID), Metadata: json.RawMessage(r.Metadata), CreatedAt: wire.Time(r.CreatedAt), DeliveredAt: wire.TimeOrNull(r.Given), ReadAt: wire.TimeOrNull(r.ReadAt)})
	}
	return out
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Conversation is what an agent and somebody said to each other, the newest first.
type Conversation struct {
	Counterparty  Counterparty          `json:"counterparty"`
	TotalMessages int                   `json:"total_messages"`
	UnreadCount   int                   `json:"unread_count"` // theirs, that the agent has not taken up
	LastMessageAt string                `json:"last_message_at"`
	Messages      []ConversationMessage `json:"messages"`
}

// Counterparty is who that is.
type Counterparty struct {
	UUID string `json:"uuid"`
	Type string `json:"type"` // user, agent
	Name string `json:"name"`
}

// ConversationMessage is one message between the two.
type ConversationMessage struct {
	Named
	Content       string `json:"content"`
	SenderType    string `json:"sender_type"`
	SenderUUID    string `json:"sender_uuid"`
	RecipientType string `json:"recipient_type"`
	RecipientUUID string `json:"recipient_uuid"`
	Status        string `json:"status"`
	CreatedAt     string `json:"created_at"`
}

// ConversationList is a part of them, the latest first.
type ConversationList struct {
	Conversations []Conversation `json:"conversations"`
	Pagination    Cursor         `json:"pagination"`
}

// Cursor leads to the next part: the time to give as before.
type Cursor struct {
	HasMore    bool    `json:"has_more"`
	NextCursor *string `json:"next_cursor"`
}

// NewConversation presents one of an agent.
func NewConversation(agent string, c models.Counterparty, rows []models.MessageRow) Conversation {
	out := Conversation{Counterparty: Counterparty{UUID: c.PersonID, Type: "user", Name: c.Name}, TotalMessages: c.Total, UnreadCount: c.Unread, LastMessageAt: wire.Time(c.LastAt),
		Messages: []ConversationMessage{}}
	if c.PersonID == "" { // its own token: the agent itself
		out.Counterparty = Counterparty{UUID: agent, Type: "agent", Name: "itself"}
	}
	other := out.Counterparty
	for n := range rows {
		r := &rows[n]
		m := ConversationMessage{Named: Name(r.ID), Content: r.Text, SenderType: other.Type, SenderUUID: other.UUID, RecipientType: "agent", RecipientUUID: agent,
			Status: string(r.Status), CreatedAt: wire.Time(r.CreatedAt)}
		if r.Role == models.FromAssistant {
			m.SenderType, m.SenderUUID, m.RecipientType, m.RecipientUUID = "agent", agent, other.Type, other.UUID
		}
		out.Messages = append(out.Messages, m)
	}
	return out
}

// NewCursor leads on from the last of a list.
func NewCursor(more bool, last time.Time) Cursor {
	if !more {
		return Cursor{}
	}
	at := wire.Time(last)
	return Cursor{HasMore: true, NextCursor: &at}
}
