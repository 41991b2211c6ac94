package slack_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/slack"
	"lobstead/engine/channels/slacktest"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// patience is more than how often the listener tries by itself.
const patience = 8

var quick = &slack.Service{Pause: time.Millisecond}

func TestCheck(t *testing.T) {
	t.Parallel()
	s := slacktest.New(t)
	for _, socket := range []bool{false, true} {
		p, err := quick.Check(t.Context(), s.Account(socket))
		require.NoError(t, err)
		require.Equal(t, service.Profile{ID: slacktest.Bot, Name: "@lobstead", Link: "https://lobstead.slack.com/team/" + slacktest.Bot}, p)
	}
	s.Scopes("chat:write,im:history,app_mentions:read")
	p, err := quick.Check(t.Context(), s.Account(false))
	require.NoError(t, err)
	require.Equal(t, "it cannot read files (files:read is missing); it cannot send files (files:write is missing)", p.Note)

	bare := s.Account(false)
	delete(bare.Values, "signing_secret")
	_, err = quick.Check(t.Context(), bare)
	require.Equal(t, fault.Invalid, fault.KindOf(err), "nothing proves a request")

	wrong := s.Account(true)
	wrong.Values["app_token"] = wrong.Values["bot_token"]
	_, err = quick.Check(t.Context(), wrong)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	s.Revoke()
	_, err = quick.Check(t.Context(), s.Account(false))
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	servicetest.Silent(t, s.Account(true), err)
}

func TestOnlySignedRequestsAreRead(t *testing.T) {
	t.Parallel()
	s := slacktest.New(t)
	a, now := s.Account(false), time.Now()
	body, header := s.Request("interactive", map[string]any{"type": "block_actions"}, now)
	servicetest.Signed(t, quick, a, body, now, header, "X-Slack-Signature", "X-Slack-Request-Timestamp")

	for off, good := range map[time.Duration]bool{-299 * time.Second: true, 299 * time.Second: true, -302 * time.Second: false, 302 * time.Second: false} {
		_, err := quick.Receive(a, servicetest.Request(body, now.Add(off), header))
		require.Equal(t, good, err == nil, "%s", off)
	}
	app := s.Account(true)
	delete(app.Values, "signing_secret")
	_, err := quick.Receive(app, servicetest.Request(body, now, header))
	require.Equal(t, "service.signature", fault.As(err).Code, "an app of Socket Mode takes no requests")
}

func TestSlackAsksWhetherWeAreThere(t *testing.T) {
	t.Parallel()
	s := slacktest.New(t)
	body, header := s.Request("events_api", map[string]any{"token": "x", "challenge": "3eZbrw1aB", "type": "url_verification"}, time.Now())
	got, err := quick.Receive(s.Account(false), servicetest.Request(body, time.Now(), header))
	require.NoError(t, err)
	require.Equal(t, "3eZbrw1aB", string(got.Reply.Body))
	require.Empty(t, got.Events)
	for _, odd := range []string{`[]`, `{"type":"event_callback"}`, `{"type":"event_callback","event":{"type":"app_home_opened","channel":"D1"}}`, `nonsense`, `{"type":"event_callback","event":{"type":"message","channel":{"id":7}}}`} {
		body, header := raw(s, odd)
		got, err := quick.Receive(s.Account(false), servicetest.Request(body, time.Now(), header))
		require.NoError(t, err, odd)
		require.Empty(t, got.Events, odd)
	}
}

// both runs a test over requests and over Socket Mode.
func both(t *testing.T, f func(t *testing.T, s *slacktest.Server, a service.Account, ear *servicetest.Ear)) {
	for _, socket := range []bool{false, true} {
		t.Run(map[bool]string{false: "requests", true: "socket"}[socket], func(t *testing.T) {
			t.Parallel()
			s, ear := slacktest.New(t), &servicetest.Ear{}
			s.Patience = 100 * time.Millisecond
			a := s.Account(socket)
			require.Equal(t, socket, quick.Listens(a))
			if socket {
				servicetest.Listen(t, quick, a, ear.Hear)
				servicetest.Until(t, func() bool { return s.Lines() == 1 })
			} else {
				s.Hook(servicetest.Door(t, quick, a, ear.Hear))
			}
			f(t, s, a, ear)
		})
	}
}

func TestWhatPeopleSay(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *slacktest.Server, a service.Account, ear *servicetest.Ear) {
		hi := s.Say("ada", "is 1 &lt; 2 &amp; <https://go.dev|go.dev> *so*? <@U1|bob> in <#C1|ops>")
		e := ear.Wait(t, 1)[0]
		require.Equal(t, service.Event{ID: "DADA:" + hi, Kind: service.Said, Peer: service.Peer{ID: "DADA", Direct: true, Called: true}, Sender: service.Sender{ID: "UADA", Team: slacktest.Team},
			Message: hi, Text: "is 1 < 2 & https://go.dev *so*? @bob in #ops", At: e.At}, e)
		require.WithinDuration(t, time.Now(), e.At, 5*time.Second)

		call := s.Write(slacktest.Words{User: "ada", Channel: slacktest.General, Text: "<@U0BOT>: hello"})
		s.Write(slacktest.Words{User: "bob", Channel: slacktest.General, Thread: call, Text: "me too"})
		s.Write(slacktest.Words{User: "other", Channel: slacktest.General, Text: "<@U0BOT> hello", Bot: true})
		all := ear.Wait(t, 4)[1:]
		require.Equal(t, "hello", all[0].Text)
		require.True(t, all[0].Peer.Called)
		require.Equal(t, call, all[0].Peer.Thread, "an answer opens a thread, which is the conversation")
		servicetest.Until(t, func() bool { return ear.Times(all[0].ID) >= 2 })
		require.Equal(t, []any{call, call, false}, []any{all[1].Peer.Thread, all[1].ReplyTo, all[1].Peer.Called})
		require.True(t, all[2].Sender.Bot)

		s.Edit(hi, "new words")
		s.Edit(hi, "newer words")
		all = ear.Wait(t, 6)[4:]
		require.NotEqual(t, all[0].ID, all[1].ID)
		require.Equal(t, []any{service.Edited, hi, "newer words"}, []any{all[1].Kind, all[1].Message, all[1].Text})

		s.Command("ada", "", "/link", "ABC123")
		e = ear.Wait(t, 7)[6]
		require.Equal(t, []any{service.Said, "/link ABC123", "UADA", "@ada", "DADA", true}, []any{e.Kind, e.Text, e.Sender.ID, e.Sender.Name, e.Peer.ID, e.Peer.Called})
		s.Kick(slacktest.General)
		e = ear.Wait(t, 8)[7]
		require.Equal(t, []any{service.Left, slacktest.General}, []any{e.Kind, e.Peer.ID})
	})
}

func TestButtons(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *slacktest.Server, a service.Account, ear *servicetest.Ear) {
		ask := service.Message{Key: "k", Peer: service.Peer{ID: "DADA", Direct: true}, Text: "*May I?*",
			Buttons: []service.Button{{Label: "Approve", Token: "tok-yes"}, {Label: strings.Repeat("Ü", 90), Token: "tok-no", Bad: true}}}
		id, err := quick.Send(t.Context(), a, ask)
		require.NoError(t, err)
		sent := s.Sent()
		require.Len(t, sent, 1)
		require.Equal(t, "*May I?*", sent[0].Text)
		require.Equal(t, service.Button{Label: "Approve", Token: "tok-yes"}, sent[0].Buttons[0])
		require.True(t, sent[0].Buttons[1].Bad)

		s.Press("ada", id, "tok-no")
		e := ear.Wait(t, 1)[0]
		require.Equal(t, []any{service.Pressed, "tok-no", id, "UADA", "@ada", ""}, []any{e.Kind, e.Token, e.Message, e.Sender.ID, e.Sender.Name, e.Peer.Thread})

		same, err := quick.Send(t.Context(), a, service.Message{Key: "k2", Peer: e.Peer, Text: "Denied by Ada", Change: id})
		require.NoError(t, err)
		require.Equal(t, id, same)
		sent = s.Sent()
		require.Equal(t, []any{1, "Denied by Ada", 0, 1}, []any{len(sent), sent[0].Text, len(sent[0].Buttons), sent[0].Edits})
	})
}

func TestNothingLostNothingDoubled(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *slacktest.Server, a service.Account, ear *servicetest.Ear) {
		s.Repeat(3)
		s.Say("ada", "twice")
		s.Disorder(3)
		for i := range 3 {
			s.Say("ada", fmt.Sprint("late ", i))
		}
		ear.Wait(t, 4)
		servicetest.Until(t, func() bool { return s.Unsettled() == 0 })
		ear.Deaf(3)
		s.Say("ada", "while the database is away")
		ear.Wait(t, 5)
		ear.Deaf(patience + 4)
		s.Say("ada", "while it is away for longer")
		all := ear.Wait(t, 6)
		servicetest.Until(t, func() bool { return s.Unsettled() == 0 })
		require.Greater(t, ear.Times(all[0].ID), 1)
		require.ElementsMatch(t, []string{"late 2", "late 1", "late 0"}, []string{all[1].Text, all[2].Text, all[3].Text})
	})
}

func TestReconnects(t *testing.T) {
	t.Parallel()
	s, ear := slacktest.New(t), &servicetest.Ear{}
	s.Patience = 200 * time.Millisecond
	stop := servicetest.Listen(t, quick, s.Account(true), ear.Hear)
	for i := range 4 {
		servicetest.Until(t, func() bool { return s.Opened() == i+1 && s.Lines() == 1 })
		s.Say("ada", fmt.Sprint("before ", i))
		if i%2 == 0 {
			s.Cut()
		} else {
			s.Refresh()
		}
		s.Say("ada", fmt.Sprint("after ", i))
	}
	s.Fail(2, 500)
	s.Cut()
	s.Say("ada", "after trouble")
	ear.Wait(t, 9)
	servicetest.Until(t, func() bool { return s.Unsettled() == 0 })
	require.NoError(t, stop())
}

func TestListeningEnds(t *testing.T) {
	t.Parallel()
	s, ear := slacktest.New(t), &servicetest.Ear{}
	a := s.Account(true)
	listen := func(a service.Account) error {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		return quick.Listen(ctx, a, ear.Hear)
	}
	s.Revoke()
	require.Equal(t, fault.Unauthenticated, fault.KindOf(listen(a)))
	s.Restore()
	a.Values["app_token"] = a.Values["bot_token"]
	err := listen(a)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "%v", err)
	a.Values["app_token"] = secret.Of("xapp-of-somebody-else")
	err = listen(a)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "%v", err)
	servicetest.Silent(t, a, err)
}

func TestFailures(t *testing.T) {
	t.Parallel()
	s := slacktest.New(t)
	a := s.Account(false)
	m := service.Message{Key: "one", Peer: service.Peer{ID: slacktest.General}, Text: "answer"}
	servicetest.Failures(t, quick, a, m, &s.Trouble, s.Sent)
	require.Len(t, s.Sent(), 1, "what was cut off was sent once")

	send := func(m service.Message) fault.Kind {
		_, err := quick.Send(t.Context(), a, m)
		require.Error(t, err)
		return fault.KindOf(err)
	}
	require.Equal(t, fault.NotFound, send(service.Message{Peer: service.Peer{ID: "C0NOWHERE"}, Text: "x"}))
	require.Equal(t, fault.NotFound, send(service.Message{Peer: service.Peer{ID: "DADA", Direct: true}, Text: "x", Change: "1.2"}))
	require.Equal(t, fault.Invalid, send(service.Message{Peer: m.Peer, Text: ""}))
	require.Equal(t, fault.Invalid, send(service.Message{Peer: m.Peer, Text: strings.Repeat("x", 3001), Buttons: []service.Button{{Label: "a", Token: "b"}}}))
	require.Equal(t, fault.Invalid, send(service.Message{Peer: m.Peer, Text: strings.Repeat("x", 40001)}))
	s.Kick(slacktest.General)
	require.Equal(t, fault.Forbidden, send(m2(m)))
	s.Scopes("files:read")
	require.Equal(t, fault.Forbidden, send(m2(m)))
	s.Revoke()
	require.Equal(t, fault.Unauthenticated, send(m2(m)))
}

func m2(m service.Message) service.Message { m.Key = "two"; return m }

func TestThreadsAndTyping(t *testing.T) {
	t.Parallel()
	s := slacktest.New(t)
	a := s.Account(false)
	ts := s.Write(slacktest.Words{User: "ada", Channel: slacktest.General, Text: "<@U0BOT> hi"})
	for _, m := range []service.Message{{Peer: service.Peer{ID: slacktest.General, Thread: ts}, Text: "a"}, {Peer: service.Peer{ID: slacktest.General}, ReplyTo: ts, Text: "b"},
		{Peer: service.Peer{ID: "DADA", Direct: true}, ReplyTo: "1.1", Text: "c"}} {
		_, err := quick.Send(t.Context(), a, m)
		require.NoError(t, err)
	}
	sent := s.Sent()
	require.Equal(t, []string{ts, ts, ""}, []string{sent[0].Thread, sent[1].Thread, sent[2].Thread})

	require.NoError(t, quick.Typing(t.Context(), a, service.Peer{ID: "DADA", Direct: true}, ""))
	require.NoError(t, quick.Typing(t.Context(), a, service.Peer{ID: slacktest.General, Thread: ts}, ""), "refused, and nobody minds")
	require.NoError(t, quick.Typing(t.Context(), a, service.Peer{ID: "DADA", Thread: "1.1", Direct: true}, ""))
	require.Equal(t, []string{"DADA 1.1 is working…"}, s.Statuses())
	s.Fail(1, 503)
	require.Equal(t, fault.Upstream, fault.KindOf(quick.Typing(t.Context(), a, service.Peer{ID: "DADA", Thread: "1.1", Direct: true}, "")))
	name, err := quick.Name(t.Context(), a, "UADA")
	require.NoError(t, err)
	require.Equal(t, "@ada", name)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *slacktest.Server, a service.Account, ear *servicetest.Ear) {
		up := &service.Upload{Name: "plan.csv", MediaType: "text/csv", Data: []byte("a,b\n1,2\n")}
		_, err := quick.Send(t.Context(), a, service.Message{Peer: service.Peer{ID: "DADA", Direct: true}, File: up})
		require.NoError(t, err)
		require.Equal(t, up.Data, s.Sent()[0].File.Data)
		require.Equal(t, "plan.csv", s.Sent()[0].File.Name)
		_, err = quick.Send(t.Context(), a, service.Message{Peer: service.Peer{ID: "DADA"}, File: &service.Upload{Name: "none"}})
		require.Equal(t, fault.Invalid, fault.KindOf(err))

		s.Write(slacktest.Words{User: "ada", Text: "look", File: up})
		s.Write(slacktest.Words{User: "ada", File: &service.Upload{Name: "big", Data: make([]byte, call.MaxFile+1)}})
		all := ear.Wait(t, 2)
		f := all[0].Files[0]
		require.Equal(t, []any{"look", "plan.csv", "text/csv", int64(8)}, []any{all[0].Text, f.Name, f.MediaType, f.Size})
		r, err := f.Open(t.Context(), a)
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.Equal(t, up.Data, b)

		_, err = all[1].Files[0].Open(t.Context(), a)
		require.Equal(t, fault.TooLarge, fault.KindOf(err))
		s.Scopes("chat:write")
		_, err = f.Open(t.Context(), a)
		require.Equal(t, fault.Forbidden, fault.KindOf(err), "Slack leads to its sign-in page")
		s.Scopes("files:read")
		moved := a
		moved.BaseURL = "https://slack.example"
		_, err = f.Open(t.Context(), moved)
		require.Equal(t, "service.file", fault.As(err).Code, "the token goes to no other host")
	})
}

func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	a := slacktest.New(t).Account(true)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		servicetest.Silent(t, a, fmt.Errorf(verb, a))
	}
}
