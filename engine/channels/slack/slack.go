// Package slack speaks Slack's Web API, its Events API (requests that it signs) and Socket Mode (a connection that we keep), with
// github.com/slack-go/slack. See docs/adr/0033-slack-and-discord.md.
//
// Coming in, Slack repeats what was not acknowledged, three times within some minutes; ids are made of the channel and the
// message, so that an app_mention and a message event of the same words are one event. Going out, a repetition of a text is told
// by client_msg_id, of which Slack documents only the errors: a text that was cut off can come twice, at worst; a file too.
package slack

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

const name = "Slack"

// Service speaks for all accounts; the zero value is ready.
type Service struct {
	// Pause is the first wait before an event that could not be kept is tried again, doubled each time; 0 = half a second.
	Pause time.Duration
}

var (
	_ service.Service  = (*Service)(nil)
	_ service.Listener = (*Service)(nil)
	_ service.Namer    = (*Service)(nil)
)

// Fields of an app. Either proof suffices: the signing secret for requests, or the app token for Socket Mode.
func (s *Service) Fields() []service.Field {
	return []service.Field{
		{Name: "bot_token", Label: "Bot token", Secret: true, Required: true,
			Hint: "OAuth & Permissions → Bot User OAuth Token. It begins with xoxb-."},
		{Name: "signing_secret", Label: "Signing secret", Secret: true, Proof: true,
			Hint: "Basic Information → App Credentials. Needed unless Socket Mode is used."},
		{Name: "app_token", Label: "App-level token", Secret: true, Proof: true,
			Hint: "Only for Socket Mode: Basic Information → App-Level Tokens, with connections:write. It begins with xapp-."},
	}
}

// Check asks who the bot is, which scopes it has, and, with an app token, whether Socket Mode would let us in.
func (s *Service) Check(ctx context.Context, a service.Account) (service.Profile, error) {
	if err := proved(a); err != nil {
		return service.Profile{}, err
	}
	api := client(a)
	me, err := api.AuthTestContext(ctx)
	if err != nil {
		return service.Profile{}, failed(err)
	}
	if a.Value("app_token") != "" {
		if _, _, err := api.StartSocketModeContext(ctx); err != nil {
			return service.Profile{}, connecting(err)
		}
	}
	p := service.Profile{ID: me.UserID, Name: "@" + me.User, Note: missing(me.Header)}
	if strings.HasPrefix(me.URL, "https://") {
		p.Link = strings.TrimSuffix(me.URL, "/") + "/team/" + me.UserID
	}
	if me.BotID == "" {
		p.Note = "this token is a person's, not a bot's: what it sends is sent in their name"
	}
	return p, nil
}

func proved(a service.Account) error {
	var is fault.Issues
	if a.Value("bot_token") == "" {
		is.Required("bot_token", "string")
	}
	if a.Value("signing_secret") == "" && a.Value("app_token") == "" {
		is.Custom("signing_secret", "Give the signing secret, or an app-level token for Socket Mode: without one of them nothing can be received")
	}
	return is.Err()
}

// wanted are the scopes without which something is missing, and what that is.
var wanted = []struct{ scope, lost string }{
	{"chat:write", "it cannot send"},
	{"im:history", "it cannot read direct messages"},
	{"app_mentions:read", "it does not hear when it is mentioned"},
	{"files:read", "it cannot read files"},
	{"files:write", "it cannot send files"},
}

// missing says what the token's scopes leave out; "" when Slack does not tell the scopes.
func missing(h http.Header) string {
	all := h.Get("X-Oauth-Scopes")
	if all == "" {
		return ""
	}
	have := strings.FieldsFunc(all, func(r rune) bool { return r == ',' || r == ' ' })
	var out []string
	for _, w := range wanted {
		if !slices.Contains(have, w.scope) {
			out = append(out, w.lost+" ("+w.scope+" is missing)")
		}
	}
	return strings.Join(out, "; ")
}

// Name asks what people call a sender: events carry only ids. Needs the scope users:read. Who is of another workspace is asked for without it.
func (s *Service) Name(ctx context.Context, a service.Account, sender string) (string, error) {
	u, err := client(a).GetUserInfoContext(ctx, sender[strings.LastIndex(sender, "/")+1:])
	if err != nil {
		return "", failed(err)
	}
	for _, n := range []string{u.Profile.DisplayName, u.Profile.RealName, u.Name} {
		if n != "" {
			return "@" + n, nil
		}
	}
	return "", nil
}
