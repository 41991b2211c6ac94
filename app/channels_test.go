package app_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/telegram"
	"lobstead/engine/channels/telegramtest"
	"lobstead/models"
)

// messenger is a world whose agent has a bot at Telegram.
type messenger struct {
	*apptest.World
	at    *telegramtest.Server
	agent string
}

func newMessenger(t *testing.T) messenger {
	t.Helper()
	at := telegramtest.New(t)
	w := apptest.Start(t, apptest.Options{Services: map[models.ChannelKind]service.Service{models.TelegramChannel: &telegram.Telegram{Poll: time.Second, Pause: 10 * time.Millisecond}},
		ServiceURLs: map[models.ChannelKind]string{models.TelegramChannel: at.URL}})
	m := messenger{w, at, ""}
	m.agent, _ = newAgent(t, w, `{"name":"reached","session_mode":"persistent","telegram_bot_token":"`+at.Token+`"}`)
	require.Eventually(t, func() bool {
		ch, err := w.Acme.Scope.ChannelOf(t.Context(), m.agent, models.TelegramChannel)
		return err == nil && ch.State == models.ChannelConnected && ch.Name == "@lobstead_bot"
	}, 10*time.Second, 20*time.Millisecond)
	return m
}

// link links somebody at Telegram to a member, by a code.
func (m messenger) link(t *testing.T, name string, who *apptest.Person) {
	t.Helper()
	a := m.Do(apptest.Call{Method: "POST", Path: "/v1/agent/" + m.agent + "/telegram/link", Who: who, ByKey: true, JSON: `{}`})
	require.Equal(t, 200, a.Status, a.Body)
	code := a.Map()["code"].(string)
	require.Regexp(t, `^[A-Z0-9]{6}$`, code)
	require.Contains(t, a.Map()["instructions"], "/link "+code)
	m.at.Say(name, "/link "+code)
	m.told(t, name, "You are linked as")
}

// told waits for a message of the bot to somebody that has some words.
func (m messenger) told(t *testing.T, name, words string) (found servicetest.Sent) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, s := range m.at.Sent() {
			if s.Peer == m.at.Peer(name).ID && strings.Contains(s.Text, words) {
				found = s
				return true
			}
		}
		return false
	}, 15*time.Second, 20*time.Millisecond, "%q was not told to %s; sent: %v", words, name, m.at.Sent())
	return found
}

// Somebody links themselves, writes, and is answered; strangers are not.
func TestChannelAnswersWhoIsLinked(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	m.at.Say("eve", "run `echo for eve`")
	m.told(t, "eve", "people whom my team knows")
	m.at.Say("eve", "hello? run `echo for eve`")
	m.at.Say("eve", "/link AAAAAA")
	m.told(t, "eve", "does not work")

	m.link(t, "ada", m.Acme.Member)
	m.at.Say("ada", "run `echo hello from telegram`")
	m.told(t, "ada", "hello from telegram")
	for _, s := range m.at.Sent() {
		require.NotContains(t, s.Text, "for eve")
	}
	require.Equal(t, 0, m.Count("SELECT count(*) FROM turns WHERE instance_id = ? AND created_by <> ?", m.agent, m.Acme.Member.UserID))
	status := m.Do(apptest.Call{Method: "GET", Path: "/v1/agent/" + m.agent + "/telegram/status", Who: m.Acme.Member, ByKey: true}).Map()
	require.Equal(t, true, status["linked"])
	require.Contains(t, status["channel_binding"].(map[string]any)["telegram_username"], "ada")
	require.Equal(t, map[string]any{"linked": false}, m.Do(apptest.Call{Method: "GET", Path: "/v1/agent/" + m.agent + "/telegram/status", Who: m.Acme.Owner, ByKey: true}).Map())

	require.Eventually(t, func() bool {
		return fleetMessages(t, m.World, m.agent, "?channel=telegram")[0]["status"] == "delivered"
	}, 10*time.Second, 20*time.Millisecond,
		"an answer is delivered when it has left")
	bindings := fleetDone(t, m.World, 200, "GET", "/"+m.agent+"/channels", nil)["bindings"].([]any)
	require.Len(t, bindings, 2)
	require.Equal(t, "api", bindings[0].(map[string]any)["channel"])

	gone := m.Do(apptest.Call{Method: "DELETE", Path: "/v1/agent/" + m.agent + "/telegram/unlink", Who: m.Acme.Member, ByKey: true})
	require.Equal(t, map[string]any{"success": true, "message": "Telegram account unlinked successfully"}, gone.Map())
	require.Equal(t, 404, m.Do(apptest.Call{Method: "DELETE", Path: "/v1/agent/" + m.agent + "/telegram/unlink", Who: m.Acme.Member, ByKey: true}).Status)
}

// What a service repeats, cuts or disorders is answered once, and nothing is lost.
func TestChannelTakesEachMessageOnce(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	m.link(t, "ada", m.Acme.Member)
	m.at.Disorder()
	m.at.Say("ada", "run `echo number one`")
	m.at.Say("ada", "run `echo number two`")
	m.at.Repeat()
	m.at.Cut()
	m.at.Say("ada", "run `echo number three`")
	m.at.Fail(2, 502)
	m.at.Repeat()
	m.at.RateLimit(1, time.Second)
	m.at.Say("ada", "run `echo number four`")
	require.Eventually(t, func() bool {
		return m.Count("SELECT count(*) FROM messages WHERE instance_id = ? AND role = 'assistant' AND delivered_at IS NULL", m.agent) == 0 &&
			m.Count("SELECT count(*) FROM turns WHERE instance_id = ? AND state <> 'done'", m.agent) == 0 && m.Count("SELECT count(*) FROM turns WHERE instance_id = ?", m.agent) == 4
	}, 30*time.Second, 50*time.Millisecond)
	require.Equal(t, 4, m.Count("SELECT count(*) FROM messages WHERE instance_id = ? AND role = 'user'", m.agent))
	require.Equal(t, m.Count("SELECT count(*) FROM messages WHERE instance_id = ? AND role = 'assistant'", m.agent)+1, len(m.at.Sent()), "one message for each answer, and the one that linked")
}

// A long answer comes in pieces, in order; files go both ways.
func TestChannelFilesAndLongAnswers(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	m.link(t, "ada", m.Acme.Member)
	m.at.Attach("ada", "what is this?", service.Upload{Name: "notes.txt", MediaType: "text/plain", Data: []byte("the notes of ada")})
	require.Eventually(t, func() bool { return string(m.Boxes.File(m.agent, "uploads/notes.txt")) == "the notes of ada" }, 15*time.Second, 20*time.Millisecond, "the agent has the file")
	m.Boxes.Say = strings.Repeat("a line of a long answer\n", 500)
	m.at.Say("ada", "run `say it`")
	require.Eventually(t, func() bool {
		return m.Count("SELECT count(*) FROM messages WHERE instance_id = ? AND role = 'assistant' AND delivered_at IS NOT NULL", m.agent) == 2
	}, 20*time.Second, 50*time.Millisecond)
	for _, s := range m.at.Sent() {
		require.LessOrEqual(t, len(s.Text), 4096*3)
	}
}

// Commands are for us, and never reach the agent.
func TestChannelCommands(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	m.link(t, "ada", m.Acme.Member)
	m.at.Say("ada", "/help")
	m.told(t, "ada", "/unlink")
	m.at.Say("ada", "run `wait long`")
	<-m.Boxes.Waiting
	m.at.Say("ada", "/stop")
	require.Eventually(t, func() bool {
		return m.Count("SELECT count(*) FROM turns WHERE instance_id = ? AND state = 'interrupted'", m.agent) == 1
	}, 10*time.Second, 20*time.Millisecond)
	m.at.Say("ada", "/new")
	m.told(t, "ada", "A new conversation")
	m.at.Say("ada", "run `echo again`")
	m.told(t, "ada", "again")
	require.Equal(t, 2, m.Count("SELECT count(*) FROM sessions WHERE instance_id = ?", m.agent))
	m.at.Say("ada", "/unlink")
	m.told(t, "ada", "not linked any more")
	m.at.Say("ada", "run `echo unheard`")
	m.told(t, "ada", "people whom my team knows")
	require.Equal(t, 0, m.Count("SELECT count(*) FROM events WHERE CAST(data AS TEXT) LIKE '%unheard%'"))
}

// Who left the team is not answered any more, and whoever is stopped is told why.
func TestChannelFollowsRoles(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	m.link(t, "ada", m.Acme.Member)
	fleetDone(t, m.World, 200, "POST", "/"+m.agent+"/stop", nil)
	m.at.Say("ada", "hello")
	m.told(t, "ada", "This instance is stopped")
	fleetDone(t, m.World, 200, "POST", "/"+m.agent+"/status", `{"status":"active"}`)
	m.Exec("DELETE FROM memberships WHERE user_id = ?", m.Acme.Member.UserID)
	m.at.Say("ada", "run `echo still here`")
	m.told(t, "ada", "may not use this agent any more")
	require.Equal(t, 0, m.Count("SELECT count(*) FROM turns WHERE instance_id = ?", m.agent))
}

// A token that is revoked is told on the page; what waits is sent when it is mended.
func TestChannelTokenRevoked(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	m.link(t, "ada", m.Acme.Member)
	m.at.Revoke()
	require.Eventually(t, func() bool {
		ch, err := m.Acme.Scope.ChannelOf(t.Context(), m.agent, models.TelegramChannel)
		return err == nil && ch.State == models.ChannelFailed && ch.LastError != ""
	}, 15*time.Second, 50*time.Millisecond)
	page := m.Do(apptest.Call{Method: "GET", Path: "/instances/" + m.agent + "/channels/telegram", Who: m.Acme.Owner})
	require.Equal(t, 200, page.Status)
	require.Contains(t, page.Body, "Failed")
	require.NotContains(t, page.Body, m.at.Token)
}

// The page connects an account after asking its service, and says what is wrong.
func TestChannelPages(t *testing.T) {
	t.Parallel()
	m := newMessenger(t)
	path := "/instances/" + m.Acme.Instance.ID + "/channels/telegram"
	post := func(who *apptest.Person, kv ...string) apptest.Answer {
		v := url.Values{}
		for n := 0; n < len(kv); n += 2 {
			v.Set(kv[n], kv[n+1])
		}
		return m.Do(apptest.Call{Method: "POST", Path: path, Who: who, Form: v})
	}
	require.Equal(t, 403, post(m.Acme.Member, "bot_token", m.at.Token).Status)
	wrong := post(m.Acme.Owner, "bot_token", "12345:wrong")
	require.Equal(t, 422, wrong.Status)
	require.Contains(t, wrong.Body, "Telegram")
	require.NotContains(t, wrong.Body, "12345:wrong", "what was typed into a secret field is not given back")
	require.Equal(t, 303, post(m.Acme.Owner, "bot_token", m.at.Token).Status)
	list := m.Do(apptest.Call{Method: "GET", Path: "/instances/" + m.agent + "/channels", Who: m.Acme.Member})
	require.Contains(t, list.Body, "@lobstead_bot")
	require.Contains(t, list.Body, "Connected")
	ch, err := m.Acme.Scope.ChannelOf(t.Context(), m.agent, models.TelegramChannel)
	require.NoError(t, err)
	code := m.Do(apptest.Call{Method: "POST", Path: "/channels/" + ch.ID + "/code", Who: m.Acme.Member, Form: url.Values{}})
	code = m.Follow(code, m.Acme.Member)
	require.Contains(t, code.Body, "?code=shown", "what shows it is left alone by the stream")
	require.Regexp(t, `/link [A-Z0-9]{6}`, code.Body)
	statuses := m.Do(apptest.Call{Method: "GET", Path: "/api/channels/status", Who: m.Acme.Owner, ByKey: true})
	require.True(t, strings.HasPrefix(statuses.Body, `[{"name":"web","connected":true`), statuses.Body)
	require.Contains(t, statuses.Body, `{"name":"a2a","connected":false,"sessions_active":0}]`)
	require.Equal(t, 303, m.Do(apptest.Call{Method: "POST", Path: "/channels/" + ch.ID + "/off", Who: m.Acme.Owner, Form: url.Values{}}).Status)
	require.Equal(t, 503, m.Do(apptest.Call{Method: "POST", Path: "/v1/webhooks/channels/" + ch.ID, JSON: `{}`}).Status)
	require.Equal(t, 303, m.Do(apptest.Call{Method: "POST", Path: "/channels/" + ch.ID + "/delete", Who: m.Acme.Owner, Form: url.Values{}}).Status)
	require.Equal(t, 404, m.Do(apptest.Call{Method: "POST", Path: "/v1/webhooks/channels/" + ch.ID, JSON: `{}`}).Status)
}
