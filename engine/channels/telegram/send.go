package telegram

import (
	"context"
	"maps"
	"strconv"
	"strings"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/text"
	"lobstead/kit/fault"
)

// to begins a request about a conversation.
func to(p service.Peer) (map[string]any, error) {
	id, err := strconv.ParseInt(p.ID, 10, 64)
	if err != nil {
		return nil, fault.New(fault.NotFound, "service.gone", "This is no conversation on Telegram")
	}
	in := map[string]any{"chat_id": id}
	if n, err := strconv.ParseInt(p.Thread, 10, 64); err == nil && n != 0 {
		in["message_thread_id"] = n
	}
	return in, nil
}

// Send sends a text or a file, or changes a message. A press is acknowledged first: its button turns until then.
// A text whose HTML Telegram does not read is sent again without formatting, and a group that got a new id is followed.
func (s *Telegram) Send(ctx context.Context, a service.Account, m service.Message) (string, error) {
	if m.Press != "" {
		err := invoke(ctx, a, "answerCallbackQuery", map[string]any{"callback_query_id": m.Press}, nil)
		if fault.KindOf(err) != fault.Invalid && err != nil { // an old press needs no answer any more
			return "", err
		}
		if m.Text == "" && m.File == nil {
			return m.Change, nil
		}
	}
	in, err := to(m.Peer)
	if err != nil {
		return "", err
	}
	id, err := once(ctx, a, in, m, false)
	why, moved := description(err)
	switch {
	case moved != 0:
		in["chat_id"] = moved
		delete(in, "message_thread_id")
		id, err = once(ctx, a, in, m, false)
	case m.File == nil && (strings.Contains(why, "can't parse entities") || strings.Contains(why, "unsupported start tag")):
		m.Text = text.Untag(m.Text)
		id, err = once(ctx, a, in, m, true)
	case m.Change != "" && strings.Contains(why, "message is not modified"):
		return m.Change, nil
	}
	return id, err
}

// once makes one request; base is not changed. plain sends a text as it is.
func once(ctx context.Context, a service.Account, base map[string]any, m service.Message, plain bool) (string, error) {
	in := maps.Clone(base)
	var out struct {
		ID int64 `json:"message_id"`
	}
	if n, err := strconv.ParseInt(m.ReplyTo, 10, 64); err == nil {
		in["reply_parameters"] = map[string]any{"message_id": n, "allow_sending_without_reply": true}
	}
	if m.File != nil {
		if err := upload(ctx, a, in, m.File, &out); err != nil {
			return "", err
		}
		return number(out.ID), nil
	}
	in["text"] = m.Text
	if !plain {
		in["parse_mode"] = "HTML"
	}
	in["link_preview_options"] = map[string]any{"is_disabled": true}
	if len(m.Buttons) > 0 {
		in["reply_markup"] = keyboard(m.Buttons)
	}
	if m.Change == "" {
		if err := invoke(ctx, a, "sendMessage", in, &out); err != nil {
			return "", err
		}
		return number(out.ID), nil
	}
	n, err := strconv.ParseInt(m.Change, 10, 64)
	if err != nil {
		return "", fault.New(fault.NotFound, "service.gone", "This is no message on Telegram")
	}
	delete(in, "message_thread_id")
	delete(in, "reply_parameters")
	in["message_id"] = n // without reply_markup the buttons go
	if err := invoke(ctx, a, "editMessageText", in, nil); err != nil {
		return "", err
	}
	return m.Change, nil
}

// keyboard puts few short buttons side by side, others below each other.
func keyboard(buttons []service.Button) map[string]any {
	row := []map[string]any{}
	long := len(buttons) > 3
	for _, b := range buttons {
		one := map[string]any{"text": b.Label, "callback_data": b.Token}
		if b.Bad {
			one["style"] = "danger"
		}
		row = append(row, one)
		long = long || len(b.Label) > 20
	}
	rows := [][]map[string]any{row}
	if long {
		rows = nil
		for _, b := range row {
			rows = append(rows, []map[string]any{b})
		}
	}
	return map[string]any{"inline_keyboard": rows}
}
