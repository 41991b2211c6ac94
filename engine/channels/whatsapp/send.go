package whatsapp

import (
	"context"
	"strings"
	"unicode/utf8"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// What an interactive message holds. https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-reply-buttons-messages
const (
	maxButtons = 3
	maxRows    = 10
	maxLabel   = 20
	maxRow     = 24
	maxBody    = 1024 // over buttons; over a list as much as in a text
	maxText    = 4096
)

// Send sends a text, with buttons below it or a list of choices where there are more than three, or a file. A change is a new message that
// quotes the old one. A press needs no answer.
func (s *WhatsApp) Send(ctx context.Context, a service.Account, m service.Message) (string, error) {
	if m.Press != "" && m.Text == "" && m.File == nil {
		return m.Change, nil
	}
	in, err := to(m)
	if err != nil {
		return "", err
	}
	switch {
	case m.File != nil:
		sh, kind, err := place(m.File)
		if err != nil {
			return "", err
		}
		id, err := upload(ctx, a, m.File, kind)
		if err != nil {
			return "", err
		}
		what := map[string]any{"id": id}
		if sh.as == "document" {
			what["filename"] = m.File.Name
		}
		in["type"], in[sh.as] = sh.as, what
	case len(m.Buttons) > 0 && m.Peer.Direct: // groups have no interactive messages
		what, err := choices(m)
		if err != nil {
			return "", err
		}
		in["type"], in["interactive"] = "interactive", what
	case strings.TrimSpace(m.Text) == "":
		return "", fault.New(fault.Invalid, "service.refused", "WhatsApp sends no empty messages")
	default:
		if len(m.Buttons) > 0 {
			m.Text += "\n\n_WhatsApp shows no buttons in a group. Decide on the page of approvals._"
		}
		in["type"], in["text"] = "text", map[string]any{"preview_url": false, "body": m.Text}
	}
	var got struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if err := post(ctx, a, "/messages", in, &got); err != nil {
		return "", err
	}
	if len(got.Messages) == 0 {
		return "", fault.New(fault.Upstream, "whatsapp.answer", "WhatsApp's answer cannot be read")
	}
	return got.Messages[0].ID, nil
}

// to begins a message to somebody: by their number, or by the id that they have for this business.
func to(m service.Message) (map[string]any, error) {
	if m.Peer.ID == "" {
		return nil, fault.New(fault.NotFound, "service.gone", "This is no conversation on WhatsApp")
	}
	in := map[string]any{"messaging_product": "whatsapp", "recipient_type": "individual"}
	switch {
	case !m.Peer.Direct:
		in["recipient_type"], in["to"] = "group", m.Peer.ID
	case strings.Trim(m.Peer.ID, "0123456789") == "":
		in["to"] = m.Peer.ID
	default:
		in["recipient"] = m.Peer.ID
	}
	quoted := m.ReplyTo
	if m.Change != "" {
		quoted = m.Change
	}
	if quoted != "" {
		in["context"] = map[string]any{"message_id": quoted}
	}
	return in, nil
}

// choices makes buttons of up to three, and a list of more or under a longer text.
func choices(m service.Message) (map[string]any, error) {
	size := utf8.RuneCountInString(m.Text)
	if len(m.Buttons) > maxRows || size > maxText {
		return nil, fault.New(fault.Invalid, "whatsapp.choices", "WhatsApp shows at most %d choices under at most %d characters", maxRows, maxText)
	}
	body := map[string]any{"text": m.Text}
	if len(m.Buttons) <= maxButtons && size <= maxBody {
		var buttons []map[string]any
		for _, b := range m.Buttons {
			buttons = append(buttons, map[string]any{"type": "reply", "reply": map[string]any{"id": b.Token, "title": short(b.Label, maxLabel)}})
		}
		return map[string]any{"type": "button", "body": body, "action": map[string]any{"buttons": buttons}}, nil
	}
	var rows []map[string]any
	for _, b := range m.Buttons {
		rows = append(rows, map[string]any{"id": b.Token, "title": short(b.Label, maxRow)})
	}
	return map[string]any{"type": "list", "body": body, "action": map[string]any{"button": "Choose", "sections": []map[string]any{{"rows": rows}}}}, nil
}

// short cuts a label to what fits.
func short(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return strings.TrimSpace(string(r[:most-1])) + "…"
}
