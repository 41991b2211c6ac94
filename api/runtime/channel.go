package runtime

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// Hook answers a call of a service.
type Hook struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

// NewHook answers with a refusal, "" for none.
func NewHook(refusal string) Hook { return Hook{OK: refusal == "", Error: refusal} }

// ChannelStatus is how one way to an agent does.
type ChannelStatus struct {
	Name             string  `json:"name"`
	Connected        bool    `json:"connected"`
	MessagesReceived *int64  `json:"messages_received,omitempty"`
	MessagesSent     *int64  `json:"messages_sent,omitempty"`
	LastError        *string `json:"last_error,omitempty"`
	LastActivity     *string `json:"last_activity,omitempty"`
	SessionsActive   *int    `json:"sessions_active,omitempty"`
}

// NewChannelStatuses presents the web first, then each account, then agents of others, of which there are none.
func NewChannelStatuses(rows []models.Channel) []ChannelStatus {
	zero, none := int64(0), 0
	out := []ChannelStatus{{Name: "web", Connected: true, MessagesReceived: &zero, MessagesSent: &zero}}
	for n := range rows {
		ch := &rows[n]
		s := ChannelStatus{Name: string(ch.Kind), Connected: ch.State == models.ChannelConnected, MessagesReceived: &ch.Received, MessagesSent: &ch.Sent, LastActivity: wire.TimeOrNull(ch.LastActiveAt)}
		if ch.LastError != "" {
			s.LastError = &ch.LastError
		}
		out = append(out, s)
	}
	return append(out, ChannelStatus{Name: "a2a", SessionsActive: &none})
}
