package fleet

import (
	"strings"
	"time"

	"lobstead/api/wire"
	"lobstead/models"
)

// BindingList is by which ways people reach an agent.
type BindingList struct {
	Bindings []map[string]any `json:"bindings"`
}

// NewBindings presents them: the API's is always there.
func NewBindings(i *models.Instance, rows []models.ChannelBinding) BindingList {
	out := BindingList{Bindings: []map[string]any{{"id": i.ID, "uuid": i.ID, "channel": models.APIChannel, "status": "active", "created_at": wire.Time(i.CreatedAt)}}}
	for _, b := range rows {
		kind := string(b.Kind)
		out.Bindings = append(out.Bindings, map[string]any{"id": b.ID, "uuid": b.ID, "channel": kind, "status": "active", kind + "_user_id": b.SenderID, kind + "_username": b.SenderName, "created_at": wire.Time(b.CreatedAt)})
	}
	return out
}

// LinkCode is by what somebody links themselves.
type LinkCode struct {
	Code         string `json:"code"`
	ExpiresAt    string `json:"expires_at"`
	Instructions string `json:"instructions"`
}

// NewLinkCode says what to do with one; account is who to write to, "" for an account that is not connected yet.
func NewLinkCode(code string, expires time.Time, kind models.ChannelKind, account string) LinkCode {
	who := "the bot"
	if account != "" {
		who = account
	}
	how := "/link " + code
	if word := kind.LinkWord(); word != "/link" {
		how = word + " " + code + " (" + how + " where the app has that command)"
	}
	return LinkCode{Code: code, ExpiresAt: wire.Time(expires), Instructions: "Send this as a direct message to " + who + " on " + kind.Title() + ": " + how}
}

// DiscordStatus tells whether the caller is linked.
type DiscordStatus struct {
	Linked  bool            `json:"linked"`
	Binding *DiscordBinding `json:"binding"`
}

// DiscordBinding is how.
type DiscordBinding struct {
	Named
	DiscordUserID   string `json:"discord_user_id"`
	DiscordUsername string `json:"discord_username"`
	QueueMode       string `json:"queue_mode"`
	CreatedAt       string `json:"created_at"`
}

// SlackStatus is flat.
type SlackStatus struct {
	Linked           bool    `json:"linked"`
	SlackUserID      *string `json:"slack_user_id,omitempty"`
	SlackTeamID      *string `json:"slack_team_id,omitempty"`
	SlackUsername    *string `json:"slack_username,omitempty"`
	LinkedAt         *string `json:"linked_at,omitempty"`
	ChannelBindingID *string `json:"channel_binding_id,omitempty"`
}

// TelegramStatus is a third shape.
type TelegramStatus struct {
	Linked         bool             `json:"linked"`
	ChannelBinding *TelegramBinding `json:"channel_binding,omitempty"`
}

// TelegramBinding is how.
type TelegramBinding struct {
	Named
	TelegramUserID   string `json:"telegram_user_id"`
	TelegramUsername string `json:"telegram_username"`
	CreatedAt        string `json:"created_at"`
	Active           bool   `json:"active"`
	QueueMode        string `json:"queue_mode"`
}

// NewLinkStatus presents one in its channel's own shape; nil is not linked.
func NewLinkStatus(kind models.ChannelKind, b *models.ChannelBinding) any {
	switch kind {
	case models.DiscordChannel:
		if b == nil {
			return DiscordStatus{}
		}
		return DiscordStatus{true, &DiscordBinding{Name(b.ID), b.SenderID, b.SenderName, string(b.QueueMode), wire.Time(b.CreatedAt)}}
	case models.SlackChannel:
		if b == nil {
			return SlackStatus{}
		}
		at := wire.Time(b.CreatedAt)
		return SlackStatus{true, &b.SenderID, &b.TeamID, &b.SenderName, &at, &b.ID}
	}
	if b == nil {
		return TelegramStatus{}
	}
	return TelegramStatus{true, &TelegramBinding{Name(b.ID), b.SenderID, b.SenderName, wire.Time(b.CreatedAt), true, string(b.QueueMode)}}
}

// Unlinked answers the end of a link; one of the three channels says success too.
type Unlinked struct {
	Success *bool  `json:"success,omitempty"`
	Message string `json:"message"`
}

// NewUnlinked presents it.
func NewUnlinked(kind models.ChannelKind) Unlinked {
	u := Unlinked{Message: strings.ToUpper(string(kind[:1])) + string(kind[1:]) + " account unlinked successfully"}
	if kind == models.TelegramChannel {
		yes := true
		u.Success = &yes
	}
	return u
}
