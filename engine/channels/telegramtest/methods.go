package telegramtest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-telegram/bot/models"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/text"
)

// methods are those of the Bot API that there are. s.mu is held while they run.
var methods map[string]func(*Server, *http.Request, input) (any, *wrong)

func init() {
	methods = map[string]func(*Server, *http.Request, input) (any, *wrong){
		"getme":               func(s *Server, _ *http.Request, _ input) (any, *wrong) { return s.Bot, nil },
		"getupdates":          getUpdates,
		"setwebhook":          setWebhook,
		"deletewebhook":       deleteWebhook,
		"getwebhookinfo":      webhookInfo,
		"sendmessage":         sendMessage,
		"editmessagetext":     editMessage,
		"sendphoto":           func(s *Server, _ *http.Request, in input) (any, *wrong) { return s.sendFile(in, "photo", 10<<20) },
		"senddocument":        func(s *Server, _ *http.Request, in input) (any, *wrong) { return s.sendFile(in, "document", 50<<20) },
		"sendchataction":      action,
		"answercallbackquery": answer,
		"getfile":             getFile,
	}
}

func setWebhook(s *Server, _ *http.Request, in input) (any, *wrong) {
	to, secret := in.values["url"], in.values["secret_token"]
	if to == "" {
		return deleteWebhook(s, nil, in)
	}
	if !strings.HasPrefix(to, "https://") && !strings.HasPrefix(to, "http://127.0.0.1") { // the latter for tests
		return nil, bad("bad webhook: An HTTPS URL must be provided for webhook")
	}
	if len(secret) > 256 || strings.Trim(secret, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return nil, bad("secret token contains unallowed characters")
	}
	s.hook, s.secret, s.why = to, secret, ""
	s.stir()
	if !s.sending {
		s.sending = true
		go s.push()
	}
	return true, nil
}

func deleteWebhook(s *Server, _ *http.Request, in input) (any, *wrong) {
	s.hook, s.secret = "", ""
	if in.values["drop_pending_updates"] == "true" {
		s.queue = nil
	}
	return true, nil
}

func webhookInfo(s *Server, _ *http.Request, _ input) (any, *wrong) {
	info := models.WebhookInfo{URL: s.hook, PendingUpdateCount: len(s.queue)}
	if s.why != "" {
		info.LastErrorMessage, info.LastErrorDate = s.why, int(s.whyAt.Unix())
	}
	return info, nil
}

// room finds a conversation in which the bot may write.
func (s *Server) room(in input) (*room, *wrong) {
	r := s.chats[in.number("chat_id")]
	switch {
	case in.values["chat_id"] == "":
		return nil, bad("chat_id is empty")
	case r == nil:
		return nil, bad("chat not found")
	case r.moved != 0:
		w := bad("group chat was upgraded to a supergroup chat")
		w.moved = r.moved
		return nil, w
	case strings.HasPrefix(r.closed, "Forbidden"):
		return nil, &wrong{code: 403, why: r.closed}
	case r.closed != "":
		return nil, bad("%s", r.closed)
	}
	if n := int(in.number("message_thread_id")); n != 0 && !r.topics[n] {
		return nil, bad("message thread not found")
	}
	return r, nil
}

// words reads a text as the Bot API does.
func words(in input, key string, most int) (string, []models.MessageEntity, *wrong) {
	sent := in.values[key]
	plain, entities := sent, []models.MessageEntity(nil)
	switch mode := strings.ToLower(in.values["parse_mode"]); mode {
	case "":
	case "html":
		var err error
		if plain, entities, err = ParseHTML(sent); err != nil {
			return "", nil, bad("can't parse entities: %s", err)
		}
	default:
		return "", nil, bad("unsupported parse_mode")
	}
	plain = strings.TrimSpace(plain)
	switch {
	case plain == "" && key == "text":
		return "", nil, bad("message text is empty")
	case text.UTF16(plain) > most:
		return "", nil, bad("message is too long")
	}
	return plain, entities, nil
}

// ready reads what all messages have in common.
func (s *Server) ready(r *room, in input, m *post) *wrong {
	if n := int(in.number("message_thread_id")); n != 0 {
		m.MessageThreadID, m.IsTopicMessage = n, true
	}
	if raw := in.values["reply_parameters"]; raw != "" {
		var p models.ReplyParameters
		if json.Unmarshal([]byte(raw), &p) != nil {
			return bad("can't parse reply parameters")
		}
		old := r.find(strconv.Itoa(p.MessageID))
		if old == nil && !p.AllowSendingWithoutReply {
			return bad("message to be replied not found")
		}
		if old != nil {
			m.ReplyToMessage = &old.Message
		}
	}
	return m.keyboard(in)
}

func (m *post) keyboard(in input) *wrong {
	m.buttons, m.ReplyMarkup = nil, nil
	raw := in.values["reply_markup"]
	if raw == "" {
		return nil
	}
	var k models.InlineKeyboardMarkup
	if json.Unmarshal([]byte(raw), &k) != nil {
		return bad("can't parse reply keyboard markup JSON object")
	}
	for _, row := range k.InlineKeyboard {
		for _, b := range row {
			if b.Text == "" {
				return bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
			}
			if len(b.CallbackData) == 0 || len(b.CallbackData) > 64 {
				return bad("BUTTON_DATA_INVALID")
			}
			m.buttons = append(m.buttons, service.Button{Label: b.Text, Token: b.CallbackData, Bad: b.Style == "danger"})
		}
	}
	m.ReplyMarkup = &k
	return nil
}

// drop takes back a message that was refused half way.
func (r *room) drop() { r.messages = r.messages[:len(r.messages)-1]; r.next-- }

func sendMessage(s *Server, _ *http.Request, in input) (any, *wrong) {
	r, err := s.room(in)
	if err != nil {
		return nil, err
	}
	plain, entities, err := words(in, "text", 4096)
	if err != nil {
		return nil, err
	}
	m := r.message(&s.Bot)
	if err := s.ready(r, in, m); err != nil {
		r.drop()
		return nil, err
	}
	m.ours, m.sent, m.Text, m.Entities = true, in.values["text"], plain, entities
	s.written = append(s.written, m)
	return m.Message, nil
}

func editMessage(s *Server, _ *http.Request, in input) (any, *wrong) {
	r, err := s.room(in)
	if err != nil {
		return nil, err
	}
	m := r.find(in.values["message_id"])
	if m == nil {
		return nil, bad("message to edit not found")
	}
	if !m.ours {
		return nil, bad("message can't be edited")
	}
	plain, entities, err := words(in, "text", 4096)
	if err != nil {
		return nil, err
	}
	if plain == m.Text && (in.values["reply_markup"] == "") == (m.ReplyMarkup == nil) {
		return nil, bad("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	if err := m.keyboard(in); err != nil {
		return nil, err
	}
	m.sent, m.Text, m.Entities, m.EditDate = in.values["text"], plain, entities, int(time.Now().Unix())
	m.edits++
	return m.Message, nil
}

func action(s *Server, _ *http.Request, in input) (any, *wrong) {
	r, err := s.room(in)
	if err != nil {
		return nil, err
	}
	if in.values["action"] != "typing" {
		return nil, bad("wrong parameter action in request")
	}
	s.actions = append(s.actions, "typing "+itoa(r.ID))
	return true, nil
}

func answer(s *Server, _ *http.Request, in input) (any, *wrong) {
	q := in.values["callback_query_id"]
	if _, known := s.presses[q]; !known {
		return nil, bad("query is too old and response timeout expired or query ID is invalid")
	}
	s.presses[q] = true
	return true, nil
}
