package slack

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"lobstead/engine/channels/service"
)

// callback is the envelope of the Events API, in a request and in Socket Mode alike.
type callback struct {
	Type           string          `json:"type"`
	Team           string          `json:"team_id"`
	App            string          `json:"api_app_id"`
	ID             string          `json:"event_id"`
	At             int64           `json:"event_time"`
	Event          json.RawMessage `json:"event"`
	Authorizations []struct {
		User string `json:"user_id"`
		Bot  bool   `json:"is_bot"`
	} `json:"authorizations"`
}

// message is an event about a message, and the message inside of one that was changed.
type message struct {
	Type        string   `json:"type"`
	Subtype     string   `json:"subtype"`
	Channel     place    `json:"channel"`
	ChannelType string   `json:"channel_type"`
	User        string   `json:"user"`
	BotID       string   `json:"bot_id"`
	App         string   `json:"app_id"`
	Username    string   `json:"username"`
	Team        string   `json:"user_team"`
	Source      string   `json:"source_team"`
	Text        string   `json:"text"`
	TS          string   `json:"ts"`
	Thread      string   `json:"thread_ts"`
	Parent      string   `json:"parent_user_id"`
	Files       []file   `json:"files"`
	Message     *message `json:"message"`
	Previous    *message `json:"previous_message"`
	Edited      *struct {
		TS string `json:"ts"`
	} `json:"edited"`
	Profile struct {
		Display string `json:"display_name"`
		Real    string `json:"real_name"`
	} `json:"user_profile"`
}

// place is a channel's id; a few events of the same name spell it as an object.
type place string

// UnmarshalJSON reads both spellings.
func (p *place) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*p = place(s)
		return nil
	}
	var o struct{ ID string }
	*p = ""
	if json.Unmarshal(b, &o) == nil {
		*p = place(o.ID)
	}
	return nil
}

// happened reads a callback; nothing for what does not concern us.
func happened(body []byte) []service.Event {
	var c callback
	var m message
	if json.Unmarshal(body, &c) != nil || c.Type != "event_callback" || json.Unmarshal(c.Event, &m) != nil || m.Channel == "" {
		return nil
	}
	var e service.Event
	ok := false
	switch m.Type {
	case "app_mention":
		e, ok = c.said(m, true)
	case "message":
		e, ok = c.message(m)
	case "member_left_channel":
		e, ok = c.left(m, m.User == c.bot() && m.User != "")
	case "channel_left", "group_left":
		e, ok = c.left(m, true)
	}
	if !ok {
		return nil
	}
	return []service.Event{e}
}

func (c callback) bot() string {
	for _, a := range c.Authorizations {
		if a.Bot {
			return a.User
		}
	}
	return ""
}

// message tells new words from changed ones. Slack calls a message changed for its link previews too; only other words are an edit.
func (c callback) message(m message) (service.Event, bool) {
	switch m.Subtype {
	case "", "file_share", "thread_broadcast", "me_message", "bot_message":
		return c.said(m, false)
	case "message_changed":
		if m.Message == nil || m.Message.Edited == nil || m.Previous != nil && m.Previous.Text == m.Message.Text {
			return service.Event{}, false
		}
		inner := *m.Message
		inner.Channel, inner.ChannelType = m.Channel, m.ChannelType
		e, ok := c.said(inner, false)
		e.Kind, e.ID, e.Files = service.Edited, "edit:"+e.ID+":"+inner.Edited.TS, nil
		return e, ok
	}
	return service.Event{}, false
}

// said makes the event of a message. The bot's own are passed over; other programs' are marked.
func (c callback) said(m message, mention bool) (service.Event, bool) {
	bot := c.bot()
	if m.TS == "" || m.User == bot && bot != "" || m.App != "" && m.App == c.App {
		return service.Event{}, false
	}
	p := conversation(string(m.Channel), m.ChannelType, m.Thread, m.TS)
	text, named := plain(m.Text, bot)
	p.Called = p.Direct || mention || named || m.Parent != "" && m.Parent == bot
	e := service.Event{ID: string(m.Channel) + ":" + m.TS, Kind: service.Said, Peer: p, Sender: c.sender(m), Message: m.TS, Text: text, At: moment(m.TS)}
	if m.Thread != "" && m.Thread != m.TS {
		e.ReplyTo = m.Thread
	}
	for _, f := range m.Files {
		e.Files = append(e.Files, f.event())
	}
	return e, e.Sender.ID != ""
}

// sender of a shared channel may be of another workspace, whose ids may be the same as ours: those carry their workspace.
func (c callback) sender(m message) service.Sender {
	s := service.Sender{ID: m.User, Bot: m.BotID != ""}
	for _, n := range []string{m.Profile.Display, m.Profile.Real, m.Username} {
		if n != "" {
			s.Name = "@" + n
			break
		}
	}
	if s.ID == "" {
		s.ID = m.BotID
	}
	team := m.Team
	if team == "" {
		team = m.Source
	}
	if s.Team = cmp.Or(team, c.Team); c.Team != "" && s.Team != c.Team && s.ID != "" {
		s.ID = s.Team + "/" + s.ID
	}
	return s
}

func (c callback) left(m message, us bool) (service.Event, bool) {
	p := service.Peer{ID: string(m.Channel)}
	return service.Event{ID: "left:" + c.ID, Kind: service.Left, Peer: p, At: time.Unix(c.At, 0).UTC()}, us && c.ID != ""
}

// conversation makes the peer. In a channel each conversation is a thread: the one that a message is in, or that an answer to it
// opens. Direct messages go without, unless the person made one.
func conversation(channel, kind, thread, ts string) service.Peer {
	p := service.Peer{ID: channel, Thread: thread, Direct: kind == "im" || strings.HasPrefix(channel, "D")}
	if !p.Direct && thread == "" {
		p.Thread = ts
	}
	return p
}

// moment reads Slack's message time, "1355517523.000005".
func moment(ts string) time.Time {
	s, part, _ := strings.Cut(ts, ".")
	sec, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}
	}
	micro, _ := strconv.ParseInt((part + "000000")[:6], 10, 64)
	return time.Unix(sec, micro*1000).UTC()
}
