// Package discord speaks Discord's REST API, its gateway, and its signed interactions, without a library: see
// docs/adr/0033-slack-and-discord.md.
//
// Coming in, the gateway numbers what happens. The number that is told to Discord is that of the last event that was kept, and a
// cut connection is resumed from it, so what was not kept comes again. When Discord has forgotten the session, or nobody listened,
// what was said meanwhile in conversations that were heard before is read from their history: five hundred messages of each. What else
// happened then (edits, presses) does not come: the gateway has no queue.
//
// Going out, every message carries a nonce made of its key with enforce_nonce: for some minutes Discord answers a repetition with
// the message that it has. Changes are idempotent. Mentions notify nobody, and links have no previews.
package discord

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

const (
	name    = "Discord"
	address = "https://discord.com/api/v10"
)

// Service speaks for all accounts; the zero value is ready.
type Service struct {
	// Pause is the first wait before what failed is tried again, doubled each time; 0 = two seconds.
	Pause time.Duration

	mu   sync.Mutex
	shut map[string]time.Time // rate-limited routes of accounts, until when
}

var (
	_ service.Service  = (*Service)(nil)
	_ service.Listener = (*Service)(nil)
)

// Fields of an application with a bot. The gateway is proved by the token; the public key proves interactions, for who wants them
// as requests.
func (s *Service) Fields() []service.Field {
	return []service.Field{
		{Name: "bot_token", Label: "Bot token", Secret: true, Required: true, Proof: true,
			Hint: "Developer Portal → your application → Bot → Reset Token."},
		{Name: "public_key", Label: "Public key",
			Hint: "Only when the application has an Interactions Endpoint URL: General Information → Public Key."},
	}
}

// flags of an application (discord.com/developers/docs, Application Flags): verified ones have the first, others the second.
const messageContent = 1<<18 | 1<<19

// permissions that the bot asks for: see channels, send (in threads too), attach files, read history.
const permissions = "274878008320"

type application struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Flags     int64  `json:"flags"`
	Key       string `json:"verify_key"`
	Endpoint  string `json:"interactions_endpoint_url"`
	BotPublic bool   `json:"bot_public"`
}

// Check asks for the application and its bot.
func (s *Service) Check(ctx context.Context, a service.Account) (service.Profile, error) {
	if a.Value("bot_token") == "" {
		var is fault.Issues
		is.Required("bot_token", "string")
		return service.Profile{}, is.Err()
	}
	var app application
	var me user
	if err := s.do(ctx, a, http.MethodGet, "/applications/@me", nil, &app); err != nil {
		return service.Profile{}, err
	}
	if err := s.do(ctx, a, http.MethodGet, "/users/@me", nil, &me); err != nil {
		return service.Profile{}, err
	}
	if given := a.Value("public_key"); given != "" && !strings.EqualFold(given, app.Key) {
		var is fault.Issues
		is.Custom("public_key", "This is not the public key of the application that the token belongs to")
		return service.Profile{}, is.Err()
	}
	return service.Profile{ID: me.ID, Name: me.shown(), Note: app.note(a),
		Link: "https://discord.com/oauth2/authorize?client_id=" + app.ID + "&scope=bot+applications.commands&permissions=" + permissions}, nil
}

func (app application) note(a service.Account) string {
	var notes []string
	if app.Flags&messageContent == 0 {
		notes = append(notes, "in channels it can only read what mentions it (Message Content Intent is off)")
	}
	if app.Endpoint != "" && a.Value("public_key") == "" {
		notes = append(notes, "presses of its buttons are sent to its Interactions Endpoint URL: clear that, or give the public key")
	}
	return strings.Join(notes, "; ")
}

// key reads the public key of the account; nil when there is none.
func key(a service.Account) ed25519.PublicKey {
	k, err := hex.DecodeString(a.Value("public_key"))
	if err != nil || len(k) != ed25519.PublicKeySize {
		return nil
	}
	return k
}

type user struct {
	ID            string `json:"id"`
	Username      string `json:"username"`
	Global        string `json:"global_name"`
	Discriminator string `json:"discriminator"`
	Bot           bool   `json:"bot"`
}

// shown is "@ada", or "@Lobstead#1234" of a bot, which still have numbers.
func (u user) shown() string {
	if u.Username == "" {
		return ""
	}
	if u.Discriminator != "" && u.Discriminator != "0" {
		return "@" + u.Username + "#" + u.Discriminator
	}
	return "@" + u.Username
}
