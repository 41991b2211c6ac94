package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/channels/discord"
	"lobstead/engine/channels/discordtest"
	"lobstead/engine/channels/email"
	"lobstead/engine/channels/emailtest"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/slack"
	"lobstead/engine/channels/slacktest"
	"lobstead/engine/channels/telegram"
	"lobstead/engine/channels/telegramtest"
	"lobstead/engine/channels/whatsapp"
	"lobstead/engine/channels/whatsapptest"
	"lobstead/kit/secret"
	"lobstead/models"
)

// hooker is a service as the internet sees it: calls that prove to be its own.
type hooker struct {
	kind    models.ChannelKind
	service service.Service
	url     string
	fields  map[string]string
	paths   []string // others by which it is called too
	proofs  []string // headers
	signs   bool     // the proof is of the body
	stamps  bool     // and of the time
	good    func(ch *models.Channel, values map[string]secret.String, at time.Time) (body []byte, header map[string]string)
}

// hookers are all services that call. Mail does not, so that no call can prove to be its own.
var hookers = map[string]func(t *testing.T) hooker{
	"telegram": func(t *testing.T) hooker {
		at := telegramtest.New(t)
		return hooker{kind: models.TelegramChannel, service: &telegram.Telegram{}, url: at.URL, fields: map[string]string{"bot_token": at.Token, "delivery": "webhook"}, paths: []string{"/api/webhooks/telegram"},
			proofs: []string{"X-Telegram-Bot-Api-Secret-Token"}, good: func(_ *models.Channel, values map[string]secret.String, _ time.Time) ([]byte, map[string]string) {
				return []byte(`{"update_id":7,"message":{"message_id":1,"date":1441645532,"chat":{"id":5,"type":"private"},"from":{"id":5,"is_bot":false,"first_name":"Eve"},"text":"hello"}}`),
					map[string]string{"X-Telegram-Bot-Api-Secret-Token": values["webhook_secret"].Reveal()}
			}}
	},
	"slack": func(t *testing.T) hooker {
		at := slacktest.New(t)
		return hooker{kind: models.SlackChannel, service: &slack.Service{}, url: at.URL, fields: map[string]string{"bot_token": at.BotToken, "signing_secret": at.SigningSecret},
			proofs: []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"}, signs: true, stamps: true, good: func(_ *models.Channel, _ map[string]secret.String, when time.Time) ([]byte, map[string]string) {
				return at.Request("events_api", map[string]any{"type": "event_callback", "team_id": slacktest.Team, "event_id": "Ev1", "event": map[string]any{"type": "message", "channel": "DEVE",
					"channel_type": "im", "user": "UEVE", "text": "hello", "ts": "1355517523.000005"}}, when)
			}}
	},
	"discord": func(t *testing.T) hooker {
		at := discordtest.New(t)
		return hooker{kind: models.DiscordChannel, service: &discord.Service{}, url: at.URL, fields: map[string]string{"bot_token": at.Token, "public_key": at.PublicKey},
			proofs: []string{"X-Signature-Ed25519", "X-Signature-Timestamp"}, signs: true, stamps: true, good: func(_ *models.Channel, _ map[string]secret.String, when time.Time) ([]byte, map[string]string) {
				return at.Request(map[string]any{"id": "77", "application_id": discordtest.App, "type": 2, "token": "t", "channel_id": discordtest.Direct("eve"), "context": 1,
					"user": map[string]any{"id": discordtest.User("eve"), "username": "eve"}, "data": map[string]any{"name": "hello"}}, when)
			}}
	},
	"whatsapp": func(t *testing.T) hooker {
		at := whatsapptest.New(t)
		return hooker{kind: models.WhatsAppChannel, service: &whatsapp.WhatsApp{}, url: at.URL, fields: map[string]string{"phone_number_id": at.Number, "access_token": at.Token, "app_secret": at.Secret},
			paths: []string{"/api/webhooks/whatsapp"}, proofs: []string{"X-Hub-Signature-256"}, signs: true, good: func(*models.Channel, map[string]secret.String, time.Time) ([]byte, map[string]string) {
				body, err := json.Marshal(map[string]any{"object": "whatsapp_business_account", "entry": []any{map[string]any{"changes": []any{map[string]any{"field": "messages", "value": map[string]any{
					"metadata": map[string]any{"phone_number_id": at.Number}, "messages": []any{map[string]any{"id": "wamid.1", "from": "15551", "timestamp": "1603086313", "type": "text", "text": map[string]any{"body": "hello"}}}}}}}}})
				require.NoError(t, err)
				return body, map[string]string{"X-Hub-Signature-256": at.Sign(body)}
			}}
	},
	"email": func(t *testing.T) hooker {
		at := emailtest.New(t)
		return hooker{kind: models.EmailChannel, service: &email.Email{Roots: at.Roots}, fields: at.Values()}
	},
}

// What does not prove to be the service's is refused in the family's shape, and nothing of it is kept; what is told again is kept once.
func TestChannelHooksAreProved(t *testing.T) {
	t.Parallel()
	for name, open := range hookers {
		t.Run(name, func(t *testing.T) { t.Parallel(); proved(t, open(t)) })
	}
}

func proved(t *testing.T, c hooker) {
	log := &locked{}
	w := apptest.Start(t, apptest.Options{NoWorker: true, Log: log, Services: map[models.ChannelKind]service.Service{c.kind: c.service}, ServiceURLs: map[models.ChannelKind]string{c.kind: c.url}})
	given := map[string]secret.String{}
	for k, v := range c.fields {
		given[k] = secret.Of(v)
	}
	ch, err := w.Channels.Connect(t.Context(), w.Acme.Scope, w.Acme.Instance.ID, c.kind, given)
	require.NoError(t, err)
	values, err := w.Store.ChannelValues(ch)
	require.NoError(t, err)
	hook := "/v1/webhooks/channels/" + ch.ID
	call := func(path string, body []byte, header map[string]string) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: path, Body: bytes.NewReader(body), Type: "application/json", Header: header})
	}
	before := w.Dump(w.Acme.ID)
	refused := func(what string, body []byte, header map[string]string) {
		t.Helper()
		for _, path := range append([]string{hook}, c.paths...) {
			a := call(path, body, header)
			require.Equal(t, 401, a.Status, "%s at %s: %s", what, path, a.Body)
			words, ok := a.Map()["error"].(string)
			require.True(t, ok && words != "", "%s at %s: %s", what, path, a.Body)
			if path != hook {
				require.Equal(t, false, a.Map()["ok"], a.Body)
			}
			for _, v := range values {
				require.False(t, len(v.Reveal()) > 8 && strings.Contains(a.Body, v.Reveal()))
			}
		}
	}
	refused("nothing", nil, nil)
	require.Contains(t, call(hook, nil, nil).Map()["error"], "The request is not the service's: ", "no Bearer is asked for")
	require.Equal(t, map[string]any{"error": "Channel not found"}, call("/v1/webhooks/channels/nope", nil, nil).Map())
	refused("no proof", []byte(`{"update_id":1}`), map[string]string{"X-Hub-Signature-256": "sha256=", "X-Slack-Signature": "v0=", "X-Signature-Ed25519": strings.Repeat("00", 64)})
	if c.good == nil {
		require.Equal(t, before, w.Dump(w.Acme.ID))
		return
	}
	now := time.Now()
	body, header := c.good(ch, values, now)
	change := func(name, value string) map[string]string {
		out := map[string]string{}
		for k, v := range header {
			out[k] = v
		}
		out[name] = value
		return out
	}
	for _, p := range c.proofs {
		refused("without "+p, body, change(p, ""))
		refused("half of "+p, body, change(p, header[p][:len(header[p])/2]))
		for _, n := range []int{0, len(header[p]) / 2, len(header[p]) - 1} {
			bad := []byte(header[p])
			bad[n] ^= 1
			refused(fmt.Sprintf("byte %d of %s", n, p), body, change(p, string(bad)))
		}
	}
	if c.signs {
		for _, n := range []int{0, len(body) / 2, len(body) - 1} {
			bad := bytes.Clone(body)
			bad[n] ^= 1
			refused(fmt.Sprintf("byte %d of the body", n), bad, header)
		}
		refused("a longer body", append(bytes.Clone(body), ' '), header)
		_, other := c.good(ch, values, now)
		refused("the proof of another call", []byte(`{}`), other)
	}
	if c.stamps {
		for _, off := range []time.Duration{-301 * time.Second, 302 * time.Second, -24 * time.Hour} {
			old, stamped := c.good(ch, values, now.Add(off))
			refused("of "+off.String(), old, stamped)
		}
	}
	require.Equal(t, before, w.Dump(w.Acme.ID), "what is refused is not noted")

	noted := func() int { return w.Count("SELECT count(*) FROM channel_events WHERE channel_id = ?", ch.ID) }
	for range 3 {
		for _, path := range append([]string{hook}, c.paths...) {
			a := call(path, body, header)
			require.Equal(t, 200, a.Status, "%s: %s", path, a.Body)
		}
	}
	require.Equal(t, 1, noted(), "what is replayed is known")
	require.Equal(t, 1, w.Count("SELECT count(*) FROM deliveries WHERE target_id = ? AND payload LIKE '%markdown%'", ch.ID), "and is answered once")
	_, err = w.Channels.Switch(t.Context(), w.Acme.Scope, ch.ID, false)
	require.NoError(t, err)
	require.Equal(t, 503, call(hook, body, header).Status)
	w.Stop()
	for _, f := range c.service.Fields() {
		if v := values[f.Name].Reveal(); f.Secret && v != "" {
			require.NotContains(t, log.String(), v, "the log shows %s", f.Name)
		}
	}
}
