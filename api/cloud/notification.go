package cloud

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// Notification is what the caller was told.
type Notification struct {
	ID        string  `json:"id"`
	Kind      string  `json:"kind"`
	Title     string  `json:"title"`
	Text      string  `json:"text"`
	Link      string  `json:"link"` // a path of this server
	AboutKind string  `json:"aboutKind"`
	AboutID   string  `json:"aboutId"`
	Count     int     `json:"count"` // how often since it was read
	ReadAt    *string `json:"readAt"`
	CreatedAt string  `json:"createdAt"`
	LastAt    string  `json:"lastAt"`
}

// Notifications is a page of them. Next is what to ask for as "before" to get the next one.
type Notifications struct {
	Notifications []Notification `json:"notifications"`
	Unread        int            `json:"unread"`
	Next          *string        `json:"next"`
}

// NotificationChoice is by which ways the caller is told of a kind.
type NotificationChoice struct {
	Kind    string `json:"kind"`
	Mail    bool   `json:"mail"`
	Webhook bool   `json:"webhook"`
	Channel string `json:"channel"` // the kind of account that a message goes to; empty = to none
	Digest  string `json:"digest"`  // once, hourly, daily
}

// NewNotification presents one.
func NewNotification(n *models.Notification) Notification {
	return Notification{ID: n.ID, Kind: string(n.Kind), Title: n.Title, Text: n.Text, Link: n.Link, AboutKind: n.AboutKind, AboutID: n.AboutID, Count: n.Count,
		ReadAt: wire.TimeOrNull(n.ReadAt), CreatedAt: wire.Time(n.CreatedAt), LastAt: wire.Time(n.At)}
}

// NewNotifications presents a page of them.
func NewNotifications(rows []models.Notification, unread int, next string) Notifications {
	out := Notifications{Notifications: make([]Notification, len(rows)), Unread: unread, Next: text(next)}
	for n := range rows {
		out.Notifications[n] = NewNotification(&rows[n])
	}
	return out
}

// NewNotificationChoices presents a person's choices.
func NewNotificationChoices(rows []models.NotificationChoice) []NotificationChoice {
	out := make([]NotificationChoice, len(rows))
	for n, c := range rows {
		out[n] = NotificationChoice{string(c.Kind), c.Mail, c.Webhook, string(c.Channel), string(c.Digest)}
	}
	return out
}
