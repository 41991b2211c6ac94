package whatsapp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// delivery is a request of the webhook, as far as it matters here. Each value and message is read by itself, so that one in a form that
// nobody knows does not keep the others from being read.
type delivery struct {
	Entry []struct {
		Changes []struct {
			Field string          `json:"field"`
			Value json.RawMessage `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

type value struct {
	Metadata struct {
		Number string `json:"phone_number_id"`
		Phone  string `json:"display_phone_number"`
	} `json:"metadata"`
	Contacts []contact         `json:"contacts"`
	Messages []json.RawMessage `json:"messages"`
	Statuses []json.RawMessage `json:"statuses"`
}

// status is what became of a message of ours.
type status struct {
	ID     string    `json:"id"`
	Status string    `json:"status"`
	At     string    `json:"timestamp"`
	To     string    `json:"recipient_id"`
	One    string    `json:"recipient_participant_id"` // of a group: whom it is about
	Errors []refusal `json:"errors"`
}

// contact is who wrote. People with a user name may hide their number: then there is only the id that they have for this business.
type contact struct {
	Phone   string `json:"wa_id"`
	User    string `json:"user_id"`
	Profile struct {
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"profile"`
}

type message struct {
	ID      string `json:"id"`
	From    string `json:"from"`
	User    string `json:"from_user_id"`
	Group   string `json:"group_id"`
	At      string `json:"timestamp"`
	Type    string `json:"type"`
	Context *struct {
		ID   string `json:"id"`
		From string `json:"from"`
	} `json:"context"`
	Text struct {
		Body string `json:"body"`
	} `json:"text"`
	Image    *media `json:"image"`
	Video    *media `json:"video"`
	Audio    *media `json:"audio"`
	Document *media `json:"document"`
	Sticker  *media `json:"sticker"`
	Location *struct {
		Latitude  float64 `json:"latitude"`
		Longitude float64 `json:"longitude"`
		Name      string  `json:"name"`
		Address   string  `json:"address"`
	} `json:"location"`
	Contacts []struct {
		Name struct {
			Whole string `json:"formatted_name"`
		} `json:"name"`
		Phones []struct {
			Phone string `json:"phone"`
		} `json:"phones"`
	} `json:"contacts"`
	Interactive struct {
		Button *choice `json:"button_reply"`
		List   *choice `json:"list_reply"`
	} `json:"interactive"`
	Button struct {
		Text string `json:"text"`
	} `json:"button"`
	Edit *struct {
		Original string   `json:"original_message_id"`
		Message  *message `json:"message"`
	} `json:"edit"`
}

type choice struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// events gives what a value tells of the account's own number; an app may have others.
func events(number string, raw json.RawMessage) []service.Event {
	var v value
	if json.Unmarshal(raw, &v) != nil || v.Metadata.Number != number || number == "" {
		return nil
	}
	var out []service.Event
	for _, raw := range v.Messages {
		var m message
		if json.Unmarshal(raw, &m) != nil || m.ID == "" {
			continue
		}
		if e, ok := event(v, m); ok {
			out = append(out, e)
		}
	}
	for _, raw := range v.Statuses {
		var st status
		if json.Unmarshal(raw, &st) == nil && st.Status == "failed" && st.ID != "" && st.One == "" { // the others of a group have it
			out = append(out, st.event())
		}
	}
	return out
}

// event tells that WhatsApp took a message of ours, and could not deliver it.
func (st status) event() service.Event {
	e := service.Event{ID: st.ID + " failed", Kind: service.Refused, Message: st.ID, Peer: service.Peer{ID: st.To, Direct: true}, Text: "WhatsApp could not deliver it", At: clock(st.At)}
	if len(st.Errors) > 0 {
		e.Text = fault.As(judged(st.Errors[0], 0)).Detail
	}
	return e
}

// clock reads WhatsApp's times, seconds as text.
func clock(s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func event(v value, m message) (service.Event, bool) {
	m.From = strings.TrimPrefix(m.From, "+")
	who := writer(v.Contacts, m)
	id := cmp.Or(who.User, m.User, m.From)
	if id == "" {
		return service.Event{}, false
	}
	e := service.Event{ID: m.ID, Kind: service.Said, Message: m.ID, Sender: service.Sender{ID: id, Name: who.Profile.Name}, At: clock(m.At)}
	if who.Profile.Username != "" {
		e.Sender.Name = "@" + strings.TrimPrefix(who.Profile.Username, "@")
	}
	e.Sender.Name = cmp.Or(e.Sender.Name, phone(m.From), id)
	e.Peer = service.Peer{ID: id, Direct: true, Called: true, Name: e.Sender.Name}
	if m.Group != "" {
		e.Peer = service.Peer{ID: m.Group, Called: called(digits(v.Metadata.Phone), m)}
	}
	if m.Context != nil {
		e.ReplyTo = m.Context.ID
	}
	if pressed := cmp.Or(m.Interactive.Button, m.Interactive.List); pressed != nil {
		e.Kind, e.Token, e.Message, e.ReplyTo = service.Pressed, pressed.ID, e.ReplyTo, ""
		return e, true
	}
	if m.Type == "edit" && m.Edit != nil && m.Edit.Message != nil {
		e.Kind, e.Message = service.Edited, m.Edit.Original
		m = *m.Edit.Message
	}
	e.Text, e.Files = words(m), files(m, e.Message)
	return e, e.Text != "" || len(e.Files) > 0
}

// called tells whether what was said in a group was said to the account: it answers a message of the account, names its number, or is a
// command. https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/group/
func called(number string, m message) bool {
	text := words(m)
	return number != "" && (m.Context != nil && digits(m.Context.From) == number || slices.Contains(strings.FieldsFunc(text, unicode.IsSpace), "@"+number)) || strings.HasPrefix(text, "/")
}

// writer finds the contact of a message.
func writer(contacts []contact, m message) contact {
	for _, c := range contacts {
		if m.From != "" && c.Phone == m.From || m.User != "" && c.User == m.User {
			return c
		}
	}
	if len(contacts) == 1 && (m.From == "" || contacts[0].Phone == "") {
		return contacts[0]
	}
	return contact{}
}

func phone(number string) string {
	if number == "" {
		return ""
	}
	return "+" + number
}

// words gives a message's text; what is neither text nor file is put into words. Reactions, and what WhatsApp itself cannot hand over,
// have none.
func words(m message) string {
	switch {
	case m.Text.Body != "":
		return m.Text.Body
	case m.Button.Text != "":
		return m.Button.Text
	case m.Location != nil:
		s := fmt.Sprintf("Location: %.6f, %.6f", m.Location.Latitude, m.Location.Longitude)
		if place := strings.Trim(m.Location.Name+", "+m.Location.Address, ", "); place != "" {
			s = fmt.Sprintf("Place: %s (%.6f, %.6f)", place, m.Location.Latitude, m.Location.Longitude)
		}
		return s
	case len(m.Contacts) > 0:
		var all []string
		for _, c := range m.Contacts {
			s := "Contact: " + c.Name.Whole
			for _, p := range c.Phones {
				s += ", " + p.Phone
			}
			all = append(all, s)
		}
		return strings.Join(all, "\n")
	}
	for _, f := range []*media{m.Image, m.Video, m.Document} {
		if f != nil && f.Caption != "" {
			return f.Caption
		}
	}
	return ""
}
