package telegram

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"lobstead/engine/channels/service"
)

// event says in our words what an update tells; false for what is passed over.
func event(me user, u update) (service.Event, bool) {
	e := service.Event{ID: strconv.FormatInt(u.ID, 10)}
	switch {
	case u.Message != nil:
		e.Kind = service.Said
		return said(me, e, u.Message)
	case u.Edited != nil:
		e.Kind = service.Edited
		return said(me, e, u.Edited)
	case u.Callback != nil:
		q := u.Callback
		if q.Message == nil || q.Data == "" { // of an inline message, which we never send
			return e, false
		}
		e.Kind, e.Peer, e.Sender = service.Pressed, peer(q.Message), person(q.From)
		e.Peer.Called = true
		e.Message, e.Token, e.Press, e.At = number(q.Message.ID), q.Data, q.ID, time.Now().UTC()
		return e, true
	case u.Member != nil:
		m := u.Member
		out := m.New.Status == "left" || m.New.Status == "kicked" || m.New.Status == "restricted" && m.New.Inside != nil && !*m.New.Inside
		if !out {
			return e, false
		}
		e.Kind, e.Sender, e.At = service.Left, person(m.From), time.Unix(m.Date, 0).UTC()
		e.Peer = peer(&message{Chat: m.Chat})
		return e, true
	}
	return e, false
}

// said reads a message. Posts of channels and what is no message of a person (somebody joined, a title changed) are passed over.
func said(me user, e service.Event, m *message) (service.Event, bool) {
	if m.From == nil || m.From.ID == me.ID || m.Chat.Type == "channel" {
		return e, false
	}
	e.Peer, e.Sender, e.Message = peer(m), person(*m.From), number(m.ID)
	e.At = time.Unix(max(m.Date, m.EditDate), 0).UTC()
	if m.Sender != nil && m.Sender.ID != 0 { // an anonymous admin, or a channel that speaks in its group: nobody who could be linked
		e.Sender = service.Sender{ID: number(m.Sender.ID), Name: m.Sender.Title, Bot: true}
	}
	answers := m.Reply != nil && m.Reply.Created == nil // in a topic everything answers the message that opened it
	if answers {
		e.ReplyTo = number(m.Reply.ID)
	}
	words, entities := m.Text, m.Entities
	if words == "" {
		words, entities = m.Caption, m.CaptionEntities
	}
	var called bool
	e.Text, called = plain(me, words, entities)
	e.Files = files(m)
	if e.Text == "" {
		e.Text = other(m)
	}
	e.Peer.Called = called || e.Peer.Direct || answers && m.Reply.From != nil && m.Reply.From.ID == me.ID
	return e, e.Text != "" || len(e.Files) > 0 || called
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func peer(m *message) service.Peer {
	p := service.Peer{ID: number(m.Chat.ID), Direct: m.Chat.Type == "private", Name: m.Chat.Title}
	if m.Topic && m.Thread != 0 {
		p.Thread = number(m.Thread)
	}
	if p.Name == "" {
		p.Name = person(user{First: m.Chat.First, Last: m.Chat.Last, Username: m.Chat.Username}).Name
	}
	return p
}

func person(u user) service.Sender {
	s := service.Sender{ID: number(u.ID), Name: strings.TrimSpace(u.First + " " + u.Last), Bot: u.Bot}
	if u.Username != "" {
		s.Name = "@" + u.Username
	}
	return s
}

// plain takes the bot's name out of a text and tells whether it was called by it. A command for another bot stays as it is.
func plain(me user, words string, entities []entity) (string, bool) {
	units := utf16.Encode([]rune(words))
	var out []uint16
	called, at := false, 0
	ours := "@" + me.Username
	for _, n := range entities {
		if n.Offset < at || n.Length <= 0 || n.Offset > len(units) || n.Length > len(units)-n.Offset {
			continue
		}
		end := n.Offset + n.Length
		part := string(utf16.Decode(units[n.Offset:end]))
		cut, keep := false, ""
		switch n.Type {
		case "mention":
			cut = strings.EqualFold(part, ours)
		case "text_mention":
			cut = n.User != nil && n.User.ID == me.ID
		case "bot_command":
			command, to, named := strings.Cut(part, "@")
			cut, keep = named && strings.EqualFold("@"+to, ours), command
			called = called || !named && n.Offset == 0
		}
		if !cut {
			continue
		}
		called = true
		out = append(append(out, units[at:n.Offset]...), utf16.Encode([]rune(keep))...)
		if at = end; keep == "" && at < len(units) && units[at] == ' ' && (len(out) == 0 || out[len(out)-1] == ' ') {
			at++
		}
	}
	out = append(out, units[at:]...)
	return strings.TrimSpace(string(utf16.Decode(out))), called
}

// other puts into words what is neither text nor file.
func other(m *message) string {
	switch {
	case m.Venue != nil && m.Location != nil:
		return fmt.Sprintf("Place: %s, %s (%.6f, %.6f)", m.Venue.Title, m.Venue.Address, m.Location.Latitude, m.Location.Longitude)
	case m.Location != nil:
		return fmt.Sprintf("Location: %.6f, %.6f", m.Location.Latitude, m.Location.Longitude)
	case m.Contact != nil:
		return "Contact: " + strings.TrimSpace(m.Contact.First+" "+m.Contact.Last) + ", " + m.Contact.Phone
	case m.Poll != nil:
		s := "Poll: " + m.Poll.Question
		for _, o := range m.Poll.Options {
			s += "\n- " + o.Text
		}
		return s
	case m.Dice != nil:
		return fmt.Sprintf("%s %d", m.Dice.Emoji, m.Dice.Value)
	case m.Sticker != nil:
		return m.Sticker.Emoji
	}
	return ""
}
