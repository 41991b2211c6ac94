// Package telegram speaks Telegram's Bot API: one bot, by polling or by webhook. It knows no rows and no agents.
//
// What Telegram guarantees: an update comes again until it is acknowledged, for a day, under the same update_id; Listen acknowledges
// only what was kept, and a webhook by its reply. Sending has no idempotency: an answer that was lost on its way leaves the sender in
// doubt, and to send again may show a message twice. A change of a message may be repeated, and so may the answer to a press.
package telegram

import (
	"context"
	"crypto/sha256"
	"strconv"
	"strings"
	"sync"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/text"
	"lobstead/kit/fault"
)

const (
	name = "Telegram"
	home = "https://api.telegram.org"
)

// Telegram implements service.Service, service.Listener and service.Hooked. The zero value is ready.
type Telegram struct {
	Poll  time.Duration // how long one question for news waits; 0 = 25 s
	Pause time.Duration // after a failure, doubled with each one (clock.Backoff); 0 = 300 ms

	mu sync.Mutex
	me map[[32]byte]user // by the token's hash
}

// Fields of an account.
func (*Telegram) Fields() []service.Field {
	return []service.Field{
		{Name: "bot_token", Label: "Bot token", Secret: true, Required: true, Max: 100,
			Hint: "Write to @BotFather on Telegram, send /newbot, and copy the token that it gives."},
		{Name: "delivery", Label: "How messages arrive", Options: []string{"polling", "webhook"},
			Hint: "Polling: Lobstead asks Telegram, which works behind every firewall. Webhook: Telegram calls this server, which must be on the internet."},
		{Name: "webhook_secret", Label: "Webhook secret", Secret: true, Required: true, Proof: true, Generate: true, Max: 256,
			Hint: "Proves that a call is Telegram's. It is handed to Telegram by itself."},
	}
}

// Listens tells whether the account is asked for news.
func (*Telegram) Listens(a service.Account) bool { return a.Value("delivery") != "webhook" }

// Split gives messages in the Bot API's HTML.
func (*Telegram) Split(markdown string) []string { return text.Telegram.Split(markdown) }

// Check asks Telegram who the bot is, and what stands in its way.
func (s *Telegram) Check(ctx context.Context, a service.Account) (service.Profile, error) {
	me, err := s.ask(ctx, a)
	if err != nil {
		return service.Profile{}, err
	}
	var hook struct {
		URL  string `json:"url"`
		Last int64  `json:"last_error_date"`
		Why  string `json:"last_error_message"`
	}
	if err := invoke(ctx, a, "getWebhookInfo", nil, &hook); err != nil {
		return service.Profile{}, err
	}
	var notes []string
	switch {
	case s.Listens(a) && hook.URL != "":
		notes = append(notes, "Another program receives this bot's messages by a webhook at "+host(hook.URL)+". It is taken off when Lobstead begins to listen.")
	case !s.Listens(a) && hook.Why != "" && time.Since(time.Unix(hook.Last, 0)) < time.Hour:
		notes = append(notes, "Telegram could not deliver messages here: "+hook.Why+".")
	}
	if !me.ReadsAll {
		notes = append(notes, "In groups it sees only commands, mentions and replies to it. To let it read along, turn its privacy mode off with @BotFather (/setprivacy) and add it to the group again.")
	}
	return service.Profile{ID: strconv.FormatInt(me.ID, 10), Name: "@" + me.Username, Link: "https://t.me/" + me.Username, Note: strings.Join(notes, " ")}, nil
}

// ask asks who the bot is, and remembers it: mentions of it are told by its name.
func (s *Telegram) ask(ctx context.Context, a service.Account) (user, error) {
	var me user
	if err := invoke(ctx, a, "getMe", nil, &me); err != nil {
		return user{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.me == nil || len(s.me) > 10000 {
		s.me = map[[32]byte]user{}
	}
	s.me[sha256.Sum256([]byte(a.BaseURL+a.Value("bot_token")))] = me
	return me, nil
}

// self gives who the bot is, asking Telegram once.
func (s *Telegram) self(ctx context.Context, a service.Account) (user, error) {
	s.mu.Lock()
	me, ok := s.me[sha256.Sum256([]byte(a.BaseURL+a.Value("bot_token")))]
	s.mu.Unlock()
	if ok {
		return me, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return s.ask(ctx, a)
}

// news are the kinds of updates that are asked for.
var news = []string{"message", "edited_message", "callback_query", "my_chat_member"}

// Hook tells Telegram to call an address.
func (s *Telegram) Hook(ctx context.Context, a service.Account, url string) error {
	if a.Value("webhook_secret") == "" {
		return fault.New(fault.Invalid, "telegram.secret", "A webhook needs its secret")
	}
	return invoke(ctx, a, "setWebhook", map[string]any{"url": url, "secret_token": a.Value("webhook_secret"), "allowed_updates": news}, nil)
}

// Unhook lets Telegram keep what is new until it is asked for.
func (s *Telegram) Unhook(ctx context.Context, a service.Account) error {
	return invoke(ctx, a, "deleteWebhook", map[string]any{}, nil)
}

// Typing shows "typing…" for five seconds.
func (s *Telegram) Typing(ctx context.Context, a service.Account, p service.Peer, _ string) error {
	in, err := to(p)
	if err != nil {
		return err
	}
	in["action"] = "typing"
	return invoke(ctx, a, "sendChatAction", in, nil)
}

func host(address string) string {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		rest = address
	}
	h, _, _ := strings.Cut(rest, "/")
	return h
}
