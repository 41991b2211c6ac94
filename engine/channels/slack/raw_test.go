package slack_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/slacktest"
)

// raw signs any bytes, independently of the test server.
func raw(s *slacktest.Server, body string) ([]byte, map[string]string) {
	at := strconv.FormatInt(time.Now().Unix(), 10)
	h := hmac.New(sha256.New, []byte(s.SigningSecret))
	h.Write([]byte("v0:" + at + ":" + body))
	return []byte(body), map[string]string{"Content-Type": "application/json", "X-Slack-Request-Timestamp": at, "X-Slack-Signature": "v0=" + hex.EncodeToString(h.Sum(nil))}
}

// Payloads in the shape of Slack's documents.
func TestDocumentedPayloads(t *testing.T) {
	t.Parallel()
	s := slacktest.New(t)
	const head = `{"token":"z","team_id":"T1","api_app_id":"A1","type":"event_callback","event_id":"Ev1","event_time":1355517523,"authorizations":[{"team_id":"T1","user_id":"UB","is_bot":true}],"event":`
	read := func(event string) []service.Event {
		body, header := raw(s, head+event+"}")
		got, err := quick.Receive(s.Account(false), servicetest.Request(body, time.Now(), header))
		require.NoError(t, err)
		return got.Events
	}
	one := func(event string) service.Event {
		es := read(event)
		require.Len(t, es, 1, event)
		return es[0]
	}
	e := one(`{"type":"message","channel":"C1","channel_type":"channel","user":"U2","text":"hello <!here> and <!subteam^S1|@ops>, <!date^139^{date}|Feb 18>, <mailto:a@b.c|a@b.c>, <https://x.y/z|that>, <@UB|bot> thanks","ts":"1355517523.000005","user_team":"T9"}`)
	require.Equal(t, "hello @here and @ops, Feb 18, a@b.c, that (https://x.y/z), thanks", e.Text)
	require.Equal(t, "T9/U2", e.Sender.ID, "a stranger of a shared channel is no namesake of ours")
	require.True(t, e.Peer.Called)
	require.Equal(t, time.Unix(1355517523, 5000).UTC(), e.At)
	e = one(`{"type":"message","channel":"C1","channel_type":"channel","user":"U2","text":"yes","ts":"2.000001","thread_ts":"1.000001","parent_user_id":"UB"}`)
	require.True(t, e.Peer.Called, "an answer in a thread that the bot began")
	e = one(`{"type":"message","subtype":"file_share","channel":"D1","channel_type":"im","user":"U2","text":"","ts":"2.000001","files":[{"id":"F1","file_access":"check_file_info"}]}`)
	require.Equal(t, "F1", e.Files[0].Name)

	for what, event := range map[string]string{
		"its own words":      `{"type":"message","channel":"D1","channel_type":"im","user":"UB","bot_id":"B1","text":"me","ts":"2.1"}`,
		"its own app":        `{"type":"message","channel":"D1","channel_type":"im","user":"U7","app_id":"A1","bot_id":"B1","text":"me","ts":"2.1"}`,
		"a link preview":     `{"type":"message","subtype":"message_changed","channel":"D1","message":{"user":"U2","text":"a","ts":"1.1","edited":{"ts":"1.2"}},"previous_message":{"user":"U2","text":"a","ts":"1.1"}}`,
		"a deleted message":  `{"type":"message","subtype":"message_deleted","channel":"D1","deleted_ts":"1.1","ts":"1.2"}`,
		"somebody who joins": `{"type":"message","subtype":"channel_join","channel":"C1","user":"U2","text":"joined","ts":"1.2"}`,
		"another who leaves": `{"type":"member_left_channel","channel":"C1","user":"U2"}`,
		"a reaction":         `{"type":"reaction_added","user":"U2","item":{"channel":"C1"}}`,
	} {
		require.Empty(t, read(event), what)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	s, a := slacktest.New(t), ""
	for range 400 {
		a += "A **bold** word & a <!channel> mention.\n\n"
	}
	pieces := quick.Split(a)
	require.Greater(t, len(pieces), 1)
	for i, p := range pieces {
		require.NotContains(t, p, "<!")
		m := service.Message{Key: strconv.Itoa(i), Peer: service.Peer{ID: slacktest.General}, Text: p, Buttons: []service.Button{{Label: "x", Token: "y"}}}
		_, err := quick.Send(t.Context(), s.Account(false), m)
		require.NoError(t, err, "every piece can have buttons")
		require.Equal(t, p, s.Sent()[i].Text)
	}
	require.Contains(t, pieces[0], "*bold*")
	require.Empty(t, quick.Split(" \n"))
}

// What the library does not know is acknowledged, and passed over; what it cannot read, but we can, is heard.
func TestOddEnvelopes(t *testing.T) {
	t.Parallel()
	s, ear := slacktest.New(t), &servicetest.Ear{}
	s.Patience = 100 * time.Millisecond
	servicetest.Listen(t, quick, s.Account(true), ear.Hear)
	servicetest.Until(t, func() bool { return s.Lines() == 1 })
	s.Happen(map[string]any{"type": "of_next_year", "channel": 5})
	s.Happen(map[string]any{"type": "message", "channel": "D1", "channel_type": "im", "user": "U2", "text": "hi", "ts": "1.000001", "blocks": "no list"})
	require.Equal(t, "hi", ear.Wait(t, 1)[0].Text)
	servicetest.Until(t, func() bool { return s.Unsettled() == 0 })
}

func FuzzReceive(f *testing.F) {
	s := slacktest.New(f)
	a := s.Account(false)
	for _, seed := range []string{`{"type":"event_callback","event":{"type":"message","channel":"C","user":"U","text":"<@U|x> <!date^1|> <","ts":"1.2","files":[{}]}}`, `{"type":"url_verification"}`, "payload=%7B%7D", "command=/x&channel_id=D"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, body string, form bool) {
		b, header := raw(s, body)
		if form {
			header["Content-Type"] = "application/x-www-form-urlencoded"
		}
		got, err := quick.Receive(a, servicetest.Request(b, time.Now(), header))
		require.NoError(t, err)
		for _, e := range got.Events {
			require.True(t, e.ID != "" && e.Peer.ID != "" && e.Kind != "")
		}
	})
}
