package discord_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/discord"
	"lobstead/engine/channels/discordtest"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// quick speaks with short waits. Each test has one of its own: the limits of routes are remembered by account.
func quick() *discord.Service { return &discord.Service{Pause: 2 * time.Millisecond} }

func TestCheck(t *testing.T) {
	t.Parallel()
	s, d := discordtest.New(t), quick()
	p, err := d.Check(t.Context(), s.Account(true))
	require.NoError(t, err)
	require.Equal(t, service.Profile{ID: discordtest.Bot, Name: "@lobstead#4242",
		Link: "https://discord.com/oauth2/authorize?client_id=" + discordtest.App + "&scope=bot+applications.commands&permissions=274878008320"}, p)
	s.Flags(discordtest.ContentOff)
	s.Hook("https://elsewhere.example/x")
	p, err = d.Check(t.Context(), s.Account(false))
	require.NoError(t, err)
	require.Contains(t, p.Note, "Message Content Intent is off")
	require.Contains(t, p.Note, "Interactions Endpoint URL")

	wrong := s.Account(true)
	wrong.Values["public_key"] = secret.Of(strings.Repeat("ab", 32))
	_, err = d.Check(t.Context(), wrong)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	_, err = d.Check(t.Context(), servicetest.Account(s.URL, nil))
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	s.Revoke()
	_, err = d.Check(t.Context(), s.Account(false))
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	servicetest.Silent(t, s.Account(true), err)
}

func TestOnlySignedRequestsAreRead(t *testing.T) {
	t.Parallel()
	s, d := discordtest.New(t), quick()
	a, now := s.Account(true), time.Now()
	body, header := s.Request(map[string]any{"type": 1}, now)
	servicetest.Signed(t, d, a, body, now, header, "X-Signature-Ed25519", "X-Signature-Timestamp")
	got, err := d.Receive(a, servicetest.Request(body, now, header))
	require.NoError(t, err)
	require.JSONEq(t, `{"type":1}`, string(got.Reply.Body))
	for off, good := range map[time.Duration]bool{-299 * time.Second: true, 299 * time.Second: true, -302 * time.Second: false, 302 * time.Second: false} {
		_, err := d.Receive(a, servicetest.Request(body, now.Add(off), header))
		require.Equal(t, good, err == nil, "%s", off)
	}
	_, err = d.Receive(s.Account(false), servicetest.Request(body, now, header))
	require.Equal(t, "service.signature", fault.As(err).Code, "no public key, no requests")
	for _, odd := range []any{map[string]any{"type": 99}, []int{1}, map[string]any{"type": 3, "id": "1"}, map[string]any{"type": 2, "id": "1", "channel_id": "2", "context": 2, "user": map[string]any{"id": "3"}, "data": map[string]any{"name": "link"}}} {
		body, header := s.Request(odd, now)
		got, err := d.Receive(a, servicetest.Request(body, now, header))
		require.NoError(t, err)
		require.Empty(t, got.Events, "%v", odd)
	}
}

// listening starts a listener, and waits for its session.
func listening(t *testing.T, s *discordtest.Server, ear *servicetest.Ear) func() error {
	a, d := s.Account(false), quick()
	require.True(t, d.Listens(a))
	stop := servicetest.Listen(t, d, a, ear.Hear)
	servicetest.Until(t, func() bool { return s.Lines() == 1 })
	return stop
}

func TestWhatPeopleSay(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	stop := listening(t, s, ear)
	hi := s.Say("ada", "hello *there* <#"+discordtest.General+"> <@"+discordtest.User("bob")+"> <:lob:123> <t:1355517523:R>")
	e := ear.Wait(t, 1)[0]
	require.Equal(t, service.Event{ID: hi, Kind: service.Said, Peer: service.Peer{ID: discordtest.Direct("ada"), Direct: true, Called: true},
		Sender: service.Sender{ID: discordtest.User("ada"), Name: "@ada"}, Message: hi, Text: "hello *there* #general @somebody :lob: 2012-12-14 20:38 UTC", At: e.At}, e)
	require.WithinDuration(t, time.Now(), e.At, 5*time.Second)

	s.Write(discordtest.Words{User: "ada", Channel: discordtest.General, Text: "<@" + discordtest.Bot + ">, what now?"})
	s.Write(discordtest.Words{User: "ada", Channel: discordtest.General, Text: "hey <@&" + discordtest.BotRole + "> now"})
	s.Write(discordtest.Words{User: "bob", Channel: discordtest.Thread, Text: "among us"})
	s.Write(discordtest.Words{User: "rss", Channel: discordtest.General, Text: "news", Bot: true})
	all := ear.Wait(t, 5)[1:]
	require.Equal(t, "what now?", all[0].Text)
	require.Equal(t, service.Peer{ID: discordtest.General, Name: "#general", Called: true}, all[0].Peer)
	require.Equal(t, []any{"hey now", true}, []any{all[1].Text, all[1].Peer.Called})
	require.Equal(t, service.Peer{ID: discordtest.General, Thread: discordtest.Thread, Name: "#release"}, all[2].Peer)
	require.True(t, all[3].Sender.Bot)

	mine, err := quick().Send(t.Context(), s.Account(false), service.Message{Key: "k", Peer: all[0].Peer, Text: "this"})
	require.NoError(t, err)
	s.Write(discordtest.Words{User: "bob", Channel: discordtest.General, Text: "why?", Answers: mine})
	e = ear.Wait(t, 6)[5]
	require.Equal(t, []any{mine, true, "why?"}, []any{e.ReplyTo, e.Peer.Called, e.Text}, "a reply to the bot calls it, and its own words were passed over")

	s.Preview(hi)
	s.Edit(hi, "new words")
	s.Preview(hi)
	s.Edit(hi, "newer words")
	all = ear.Wait(t, 8)[6:]
	require.NotEqual(t, all[0].ID, all[1].ID)
	require.Equal(t, []any{service.Edited, hi, "new words", "newer words"}, []any{all[0].Kind, all[0].Message, all[0].Text, all[1].Text})

	s.Kick()
	left := ear.Wait(t, 10)[8:]
	var places []string
	for _, e := range left {
		require.Equal(t, service.Left, e.Kind)
		places = append(places, e.Peer.ID+"/"+e.Peer.Thread)
	}
	require.ElementsMatch(t, []string{discordtest.General + "/", discordtest.General + "/" + discordtest.Thread}, places)
	require.NoError(t, stop())
	servicetest.Until(t, func() bool { return s.Lines() == 0 })
}

func TestWithoutTheContentIntent(t *testing.T) {
	t.Parallel()
	s, ear := discordtest.New(t), &servicetest.Ear{}
	s.Flags(discordtest.ContentOff)
	listening(t, s, ear)
	s.Write(discordtest.Words{User: "ada", Channel: discordtest.General, Text: "not for you"})
	s.Write(discordtest.Words{User: "ada", Channel: discordtest.General, Text: "<@" + discordtest.Bot + "> for you"})
	require.Equal(t, "for you", ear.Wait(t, 1)[0].Text)
	require.Equal(t, 1, s.Identified(), "the intent was not even asked for")

	s = discordtest.New(t) // the application says that it may, and the gateway says that it may not
	s.Forbid(1 << 15)
	listening(t, s, &servicetest.Ear{})
	require.Equal(t, 1, s.Identified())
}

func TestButtonsOverTheGatewayAndByRequest(t *testing.T) {
	t.Parallel()
	for _, hooked := range []bool{false, true} {
		t.Run(fmt.Sprint(hooked), func(t *testing.T) {
			t.Parallel()
			s, ear, d := discordtest.New(t), &servicetest.Ear{}, quick()
			a := s.Account(true)
			listening(t, s, ear)
			if hooked {
				s.Hook(servicetest.Door(t, d, a, ear.Hear))
			}
			peer := service.Peer{ID: discordtest.General}
			id, err := d.Send(t.Context(), a, service.Message{Key: "k", Peer: peer, Text: "**May I?**",
				Buttons: []service.Button{{Label: "Approve", Token: "tok-yes"}, {Label: strings.Repeat("Ü", 90), Token: "tok-no", Bad: true}}})
			require.NoError(t, err)
			require.Equal(t, service.Button{Label: "Approve", Token: "tok-yes"}, s.Sent()[0].Buttons[0])
			require.True(t, s.Sent()[0].Buttons[1].Bad)

			pressed := s.Press("ada", id, "tok-no")
			e := ear.Wait(t, 1)[0]
			require.Equal(t, []any{pressed, service.Pressed, "tok-no", id, discordtest.User("ada"), "@ada", discordtest.General, "", true},
				[]any{e.ID, e.Kind, e.Token, e.Message, e.Sender.ID, e.Sender.Name, e.Peer.ID, e.Peer.Thread, e.Peer.Called})
			servicetest.Until(t, func() bool { return s.Answered(pressed) == 6 })

			same, err := d.Send(t.Context(), a, service.Message{Key: "k2", Peer: e.Peer, Text: "Denied by Ada", Change: id})
			require.NoError(t, err)
			require.Equal(t, id, same)
			require.Equal(t, []any{1, "Denied by Ada", 0, 1}, []any{len(s.Sent()), s.Sent()[0].Text, len(s.Sent()[0].Buttons), s.Sent()[0].Edits})

			linked := s.Command("bob", "", "link", "ABC123")
			s.Command("bob", discordtest.Thread, "link", "DEF456")
			all := ear.Wait(t, 3)[1:]
			require.Equal(t, []any{service.Said, "/link ABC123", true, discordtest.Direct("bob")}, []any{all[0].Kind, all[0].Text, all[0].Peer.Direct, all[0].Peer.ID})
			require.Equal(t, []any{discordtest.General, discordtest.Thread, false}, []any{all[1].Peer.ID, all[1].Peer.Thread, all[1].Peer.Direct})
			servicetest.Until(t, func() bool { return s.Answered(linked) == 4 })
			servicetest.Until(t, func() bool { return len(s.Commands()) == 1 })
			require.Equal(t, []string{"link"}, s.Commands())
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	s := discordtest.New(t)
	a := s.Account(false)
	m := service.Message{Key: "one", Peer: service.Peer{ID: discordtest.General}, Text: "answer @everyone"}
	// A limit shuts its route, so each failure has a service of its own.
	for status, kind := range map[int]fault.Kind{500: fault.Upstream, 502: fault.Upstream, 503: fault.Upstream, 403: fault.Upstream, 413: fault.Invalid} {
		s.Fail(1, status)
		_, err := quick().Send(t.Context(), a, m)
		require.Equal(t, kind, fault.KindOf(err), "%d: %v", status, err)
		servicetest.Silent(t, a, err)
	}
	d := quick()
	s.RateLimit(1, 7*time.Second)
	for range 2 {
		_, err := d.Send(t.Context(), a, m)
		require.Equal(t, fault.TooMany, fault.KindOf(err))
		require.InDelta(t, 7, time.Until(fault.As(err).RetryAt).Seconds(), 1)
	}
	require.NoError(t, d.Typing(t.Context(), a, service.Peer{ID: discordtest.Thread}, ""), "another route is open")
	require.Len(t, s.Asked(), 1, "what is limited is not asked again")
	require.Empty(t, s.Sent())

	d = quick()
	s.Lose(1)
	_, err := d.Send(t.Context(), a, m)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	servicetest.Silent(t, a, err)
	_, err = d.Send(t.Context(), a, m)
	require.NoError(t, err)
	require.Len(t, s.Sent(), 1, "what was cut off was sent once")
	require.LessOrEqual(t, len(s.Sent()[0].Key), 25)

	send := func(m service.Message) fault.Kind {
		_, err := quick().Send(t.Context(), a, m)
		require.Error(t, err)
		return fault.KindOf(err)
	}
	require.Equal(t, fault.NotFound, send(service.Message{Peer: service.Peer{ID: "77"}, Text: "x"}))
	require.Equal(t, fault.NotFound, send(service.Message{Peer: m.Peer, Text: "x", Change: "77"}))
	require.Equal(t, fault.Invalid, send(service.Message{Peer: m.Peer}))
	require.Equal(t, fault.Invalid, send(service.Message{Peer: m.Peer, Text: strings.Repeat("é", 2001)}))
	s.Block("ada")
	require.Equal(t, fault.Forbidden, send(service.Message{Peer: service.Peer{ID: discordtest.Direct("ada"), Direct: true}, Text: "x"}))
	s.Kick()
	require.Equal(t, fault.Forbidden, send(service.Message{Key: "two", Peer: m.Peer, Text: "x"}))
	s.Revoke()
	require.Equal(t, fault.Unauthenticated, send(m))
	away := a
	away.BaseURL = "http://127.0.0.1:1"
	_, err = quick().Send(t.Context(), away, m)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	servicetest.Silent(t, a, err)
}

func TestRateLimitBuckets(t *testing.T) {
	t.Parallel()
	s, d := discordtest.New(t), quick()
	s.Bucket(2, 100*time.Millisecond)
	for i := range 7 {
		_, err := d.Send(t.Context(), s.Account(false), service.Message{Key: fmt.Sprint(i), Peer: service.Peer{ID: discordtest.General}, Text: fmt.Sprint(i)})
		require.NoError(t, err, "a limit that ends soon is waited for")
	}
	require.Len(t, s.Sent(), 7)
	s.Bucket(1, time.Minute)
	d = quick()
	_, err := d.Send(t.Context(), s.Account(false), service.Message{Peer: service.Peer{ID: discordtest.General}, Text: "a"})
	require.NoError(t, err)
	asked := len(s.Asked())
	_, err = d.Send(t.Context(), s.Account(false), service.Message{Peer: service.Peer{ID: discordtest.General}, Text: "b"})
	require.Equal(t, fault.TooMany, fault.KindOf(err))
	require.WithinDuration(t, time.Now().Add(time.Minute), fault.As(err).RetryAt, 10*time.Second)
	require.Len(t, s.Asked(), asked, "a used-up limit is not run into")
}

func TestRepliesTypingAndFiles(t *testing.T) {
	t.Parallel()
	s, ear, d := discordtest.New(t), &servicetest.Ear{}, quick()
	a := s.Account(false)
	listening(t, s, ear)
	up := &service.Upload{Name: "plan \"q\".csv", MediaType: "text/csv", Data: []byte("a,b\n1,2\n")}
	asked := s.Write(discordtest.Words{User: "ada", Channel: discordtest.General, Text: "look", File: &service.Upload{Name: "plan.csv", MediaType: "text/csv; charset=utf-8", Data: up.Data}})
	s.Write(discordtest.Words{User: "ada", File: &service.Upload{Name: "big.bin", Data: make([]byte, call.MaxFile+1)}})
	for _, m := range []service.Message{{Key: "1", Peer: service.Peer{ID: discordtest.General}, ReplyTo: asked, Text: "a"}, {Key: "2", Peer: service.Peer{ID: discordtest.General, Thread: discordtest.Thread}, ReplyTo: "9", Text: "b"},
		{Key: "3", Peer: service.Peer{ID: discordtest.Direct("ada"), Direct: true}, ReplyTo: asked, File: up}} {
		_, err := d.Send(t.Context(), a, m)
		require.NoError(t, err)
	}
	sent := s.Sent()
	require.Equal(t, []string{asked, "", ""}, []string{sent[0].Thread, sent[1].Thread, sent[2].Thread})
	require.Equal(t, discordtest.Thread, sent[1].Peer)
	require.Equal(t, &service.Upload{Name: "plan _q_.csv", MediaType: "text/csv", Data: up.Data}, sent[2].File)
	require.NoError(t, d.Typing(t.Context(), a, service.Peer{ID: discordtest.General, Thread: discordtest.Thread}, ""))
	require.Equal(t, []string{discordtest.Thread}, s.Typed())

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
	moved := a
	moved.BaseURL = "https://discord.example"
	_, err = f.Open(t.Context(), moved)
	require.Equal(t, "service.file", fault.As(err).Code, "only Discord's hosts are asked")
}

func TestSplit(t *testing.T) {
	t.Parallel()
	s, d, text := discordtest.New(t), quick(), ""
	for range 200 {
		text += "A **bold** word and @everyone, <@123>.\n\n"
	}
	pieces := d.Split(text)
	require.Greater(t, len(pieces), 1)
	for i, p := range pieces {
		require.NotContains(t, p, "@everyone")
		_, err := d.Send(t.Context(), s.Account(false), service.Message{Key: fmt.Sprint(i), Peer: service.Peer{ID: discordtest.General}, Text: p})
		require.NoError(t, err)
	}
	require.Contains(t, pieces[0], "**bold**")
	require.Empty(t, d.Split(" \n"))
}

func FuzzReceive(f *testing.F) {
	s, d := discordtest.New(f), quick()
	a := s.Account(true)
	for _, seed := range []string{`{"type":1}`, `{"type":3,"id":"1","channel_id":"2","user":{"id":"3"},"data":{"custom_id":"x"}}`, `{"type":2,"id":"1","guild_id":"7","channel":{"id":"2","type":11,"parent_id":"5"},"member":{"user":{"id":"3"}},"data":{"name":"link","options":[{"value":5}]}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		b, header := s.Request(json.RawMessage(body), time.Now())
		got, err := d.Receive(a, servicetest.Request(b, time.Now(), header))
		require.NoError(t, err)
		for _, e := range got.Events {
			require.True(t, e.ID != "" && e.Peer.ID != "" && e.Kind != "")
		}
	})
}
