package app_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/channels/discord"
	"lobstead/engine/channels/discordtest"
	"lobstead/engine/channels/email"
	"lobstead/engine/channels/emailtest"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/slack"
	"lobstead/engine/channels/slacktest"
	"lobstead/engine/channels/telegram"
	"lobstead/engine/channels/telegramtest"
	"lobstead/engine/channels/whatsapp"
	"lobstead/engine/channels/whatsapptest"
	"lobstead/models"
)

// line is one way to one service: what people and the service itself do there, spelled by its test server. The cases of
// channel_cases_test.go ask for nothing else, so that another service is a function of this file. What a service does not have stays
// nil, and lacks says why a case is not for it.
type line struct {
	kind    models.ChannelKind
	service service.Service
	url     string            // instead of the service's own address; "" where the fields say it
	fields  map[string]string // what the page is given
	hook    func(t *testing.T, w *apptest.World, ch *models.Channel)
	lacks   map[string]string // by case

	say      func(who, text string) string // in the person's own conversation; gives the message's id
	shared   func(who, text string) string // where a conversation has more than one thread: an answer has to point at what it answers
	busy     func(who, text string)        // where work can be shown; nil = say
	attach   func(who, text string, f service.Upload)
	edit     func(who, id, text string)
	sent     func() []servicetest.Sent
	at       func(who string) string                        // Sent.Peer of the person's own conversation
	press    func(who string, s servicetest.Sent, n int)    // the n-th button
	forge    func(who string, s servicetest.Sent, t string) // a button that is not there, or not any more
	typed    func() int
	limit    func(n int) // the next n requests are too many, for a second
	timeless bool        // its limit tells no time
	fail     func(n int) // the service has trouble of its own
	twice    func(who, text string)
	swap     func(who, a, b string) // a, then b, told in the other order
	cut      func()
	open     func() int // connections that are kept; nil where none is
	revoke   func()
	mend     func()
	shut     func(who string)     // from now on nothing reaches the conversation of shutIn, else of say
	late     func(who, id string) // what was taken is given back
	shutIn   func(who, text string) string
}

// channelLines are all of them. Each is opened by a test of its own.
var channelLines = map[string]func(t *testing.T) *line{
	"telegram by polling": func(t *testing.T) *line { return telegramLine(t, "") },
	"telegram by webhook": func(t *testing.T) *line { return telegramLine(t, "webhook") },
	"slack by socket":     func(t *testing.T) *line { return slackLine(t, true) },
	"slack by events":     func(t *testing.T) *line { return slackLine(t, false) },
	"discord":             func(t *testing.T) *line { return discordLine(t, false) },
	"discord by requests": func(t *testing.T) *line { return discordLine(t, true) },
	"whatsapp":            whatsappLine,
	"email":               emailLine,
}

const calledBy = "it is called by its service, and keeps no connection"

func telegramLine(t *testing.T, delivery string) *line {
	at := telegramtest.New(t)
	group := at.Group("Ops")
	l := &line{kind: models.TelegramChannel, service: &telegram.Telegram{Poll: time.Second, Pause: 10 * time.Millisecond}, url: at.URL, fields: map[string]string{"bot_token": at.Token, "delivery": delivery},
		say: at.Say, attach: func(who, text string, f service.Upload) { at.Attach(who, text, f) }, sent: at.Sent, at: func(who string) string { return at.Peer(who).ID },
		shared: func(who, text string) string { return at.SayIn(group, who, "@lobstead_bot "+text) },
		edit: func(who, id, text string) {
			chat, err := strconv.ParseInt(at.Peer(who).ID, 10, 64)
			require.NoError(t, err)
			at.Edit(chat, id, text)
		},
		press: func(who string, s servicetest.Sent, n int) { at.Press(who, s.Peer, s.ID, n) },
		forge: func(who string, s servicetest.Sent, token string) { at.Forge(who, s.Peer, s.ID, token) },
		typed: func() int { return len(at.Actions()) }, limit: func(n int) { at.RateLimit(n, time.Second) }, fail: func(n int) { at.Fail(n, 502) },
		twice: func(who, text string) { at.Say(who, text); at.Repeat() }, cut: at.Cut, revoke: at.Revoke, mend: at.Restore, shut: at.Block,
		swap:  func(who, a, b string) { at.Disorder(); at.Say(who, a); at.Say(who, b) },
		lacks: map[string]string{"taken, and refused later": "Telegram refuses at once"}}
	if delivery == "webhook" {
		l.swap, l.cut = nil, nil
		l.lacks["out of order"] = "Telegram calls with one update after the other"
		l.lacks["connection cut"] = calledBy
	}
	return l
}

func slackLine(t *testing.T, socket bool) *line {
	at := slacktest.New(t)
	at.Patience = 200 * time.Millisecond
	threads := map[string]string{}
	l := &line{kind: models.SlackChannel, service: &slack.Service{Pause: 10 * time.Millisecond}, url: at.URL, fields: map[string]string{"bot_token": at.BotToken, "signing_secret": at.SigningSecret},
		say: func(who, text string) string { id := at.Say(who, text); threads[who] = id; return id },
		shared: func(who, text string) string {
			return at.Write(slacktest.Words{User: who, Channel: slacktest.General, Text: "<@" + slacktest.Bot + "> " + text})
		},
		busy:   func(who, text string) { at.Write(slacktest.Words{User: who, Thread: threads[who], Text: text}) },
		attach: func(who, text string, f service.Upload) { at.Write(slacktest.Words{User: who, Text: text, File: &f}) },
		edit:   func(_, id, text string) { at.Edit(id, text) }, sent: at.Sent, at: slacktest.Direct,
		press: func(who string, s servicetest.Sent, n int) { at.Press(who, s.ID, s.Buttons[n].Token) },
		forge: func(who string, s servicetest.Sent, token string) { at.Forge(who, s.ID, token) },
		typed: func() int { return len(at.Statuses()) }, limit: func(n int) { at.RateLimit(n, time.Second) }, fail: func(n int) { at.Fail(n, 502) },
		twice: func(who, text string) { at.Repeat(1); at.Say(who, text) }, swap: func(who, a, b string) { at.Disorder(2); at.Say(who, a); at.Say(who, b) },
		cut: at.Cut, open: at.Lines, revoke: func() { at.Revoke(); at.Cut() }, mend: at.Restore, shut: func(string) { at.Kick(slacktest.General) },
		lacks: map[string]string{"taken, and refused later": "Slack refuses at once"}}
	l.shutIn = l.shared
	if socket {
		l.fields["app_token"] = at.AppToken
		return l
	}
	l.hook = func(_ *testing.T, w *apptest.World, ch *models.Channel) { at.Hook(w.Channels.Hook(ch)) }
	l.cut = nil
	l.lacks["connection cut"] = calledBy
	return l
}

// discordLine hears what is said by the gateway; presses come by it too, or as requests.
func discordLine(t *testing.T, requests bool) *line {
	at := discordtest.New(t)
	return &line{kind: models.DiscordChannel, service: &discord.Service{Pause: 10 * time.Millisecond}, url: at.URL, fields: map[string]string{"bot_token": at.Token, "public_key": at.PublicKey},
		say: at.Say, attach: func(who, text string, f service.Upload) { at.Write(discordtest.Words{User: who, Text: text, File: &f}) },
		shared: func(who, text string) string {
			return at.Write(discordtest.Words{User: who, Channel: discordtest.General, Text: "<@" + discordtest.Bot + "> " + text})
		},
		edit: func(_, id, text string) { at.Edit(id, text) }, sent: at.Sent, at: discordtest.Direct,
		press: func(who string, s servicetest.Sent, n int) { at.Press(who, s.ID, s.Buttons[n].Token) },
		forge: func(who string, s servicetest.Sent, token string) { at.Forge(who, s.ID, token) },
		typed: func() int { return len(at.Typed()) }, limit: func(n int) { at.RateLimit(n, time.Second) }, fail: func(n int) { at.Fail(n, 502) },
		twice: func(who, text string) { at.Repeat(1); at.Say(who, text) }, swap: func(who, a, b string) { at.Disorder(2); at.Say(who, a); at.Say(who, b) },
		cut: at.Cut, open: at.Lines, revoke: func() { at.Revoke(); at.Cut() }, mend: at.Restore, shut: at.Block,
		hook: func(t *testing.T, w *apptest.World, ch *models.Channel) {
			servicetest.Until(t, func() bool { return at.Lines() == 1 }) // it keeps nothing for who comes later
			if requests {
				at.Hook(w.Channels.Hook(ch))
			}
		},
		lacks: map[string]string{"taken, and refused later": "Discord refuses at once"}}
}

func whatsappLine(t *testing.T) *line {
	at := whatsapptest.New(t)
	return &line{kind: models.WhatsAppChannel, service: &whatsapp.WhatsApp{}, url: at.URL, fields: map[string]string{"phone_number_id": at.Number, "access_token": at.Token, "app_secret": at.Secret},
		hook: func(t *testing.T, w *apptest.World, ch *models.Channel) {
			require.NoError(t, at.Hook(w.Channels.Hook(ch), ch.Shown()["verify_token"]))
		},
		say: at.Say, attach: func(who, text string, f service.Upload) { at.Attach(who, text, f) }, sent: at.Sent, at: func(who string) string { return at.Peer(who).ID },
		edit: func(who, id, text string) {
			at.Write(who, map[string]any{"type": "edit", "edit": map[string]any{"original_message_id": id, "message": map[string]any{"type": "text", "text": map[string]any{"body": text}}}})
		},
		press: func(who string, s servicetest.Sent, n int) { at.Press(who, s.ID, n) },
		forge: func(who string, s servicetest.Sent, token string) { at.Forge(who, s.ID, token) },
		typed: func() int { return len(at.Read()) }, limit: func(n int) { at.RateLimit(n, time.Second) }, fail: func(n int) { at.Fail(n, 503) },
		twice: func(who, text string) { at.Say(who, text); at.Repeat() }, swap: func(who, a, b string) { at.Disorder(); at.Say(who, a); at.Say(who, b) },
		revoke: at.Revoke, mend: at.Restore, shut: at.Gone, late: func(who, id string) { at.Status(who, id, "failed") },
		lacks: map[string]string{"connection cut": calledBy, "points at what it answers": "WhatsApp's groups are not for every number, and the test server has none"}}
}

func emailLine(t *testing.T) *line {
	at := emailtest.New(t)
	address := func(who string) string { return who + "@example.org" }
	from := func(who string) string { return "The " + who + " <" + address(who) + ">" }
	find := func(id string) (m emailtest.Mail) {
		for _, m = range at.Sent() {
			if m.ID == id {
				return m
			}
		}
		t.Errorf("no mail %s was sent", id)
		return emailtest.Mail{}
	}
	say := func(who, text string) string { return at.Say(from(who), "", text) }
	return &line{kind: models.EmailChannel, service: &email.Email{Roots: at.Roots, Pause: 10 * time.Millisecond, Poll: 100 * time.Millisecond}, fields: at.Values(),
		say: say, shared: say, at: address,
		attach: func(who, text string, f service.Upload) {
			at.Post(emailtest.Letter{From: from(who), Subject: "files", Text: text, Files: []service.Upload{f}})
		},
		sent: func() (out []servicetest.Sent) {
			for _, m := range at.Sent() {
				out = append(out, m.Sent)
			}
			return out
		},
		press: func(who string, s servicetest.Sent, n int) {
			m := find(s.ID)
			m.Peer = from(who)
			at.Press(m, s.Buttons[n].Label)
		},
		forge: func(who string, s servicetest.Sent, token string) {
			m := find(s.ID)
			m.Peer = from(who)
			at.Reply(m, "APPROVE "+token)
		},
		limit: at.RateLimit, timeless: true, fail: func(n int) { at.Fail(n, 451) },
		twice: func(who, text string) { at.Repeat(say(who, text)) },
		cut:   at.Cut, revoke: func() { at.Revoke(); at.Cut() }, mend: at.Restore, shut: func(who string) { at.Shut(address(who)) },
		lacks: map[string]string{"edited before it was read": "a mail cannot be changed", "work is shown": "mail has no sign for it", "out of order": "a mailbox has an order",
			"taken, and refused later": "a bounce is a mail of a program, which is passed over"}}
}
