package telegram_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/telegram"
	"lobstead/engine/channels/telegramtest"
	"lobstead/kit/fault"
)

const secret = "hook_secret-123"

type rig struct {
	*testing.T
	s    *telegramtest.Server
	tg   *telegram.Telegram
	a    service.Account
	ear  servicetest.Ear
	peer service.Peer
}

func newRig(t *testing.T) *rig {
	s := telegramtest.New(t)
	r := &rig{T: t, s: s, tg: &telegram.Telegram{Poll: 5 * time.Second, Pause: 5 * time.Millisecond}, peer: s.Peer("ada"),
		a: servicetest.Account(s.URL, map[string]string{"bot_token": s.Token, "webhook_secret": secret})}
	return r
}

func (r *rig) listen() func() error { return servicetest.Listen(r.T, r.tg, r.a, r.ear.Hear) }

func (r *rig) send(m service.Message) string {
	r.Helper()
	if m.Peer.ID == "" {
		m.Peer = r.peer
	}
	id, err := r.tg.Send(r.Context(), r.a, m)
	require.NoError(r, err)
	return id
}

func TestFieldsAndCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, err := r.tg.Check(t.Context(), r.a)
	require.NoError(t, err)
	require.Equal(t, "7654321", p.ID)
	require.Equal(t, "@lobstead_bot", p.Name)
	require.Equal(t, "https://t.me/lobstead_bot", p.Link)
	require.Contains(t, p.Note, "privacy mode")
	r.s.Bot.CanReadAllGroupMessages = true
	p, err = r.tg.Check(t.Context(), r.a)
	require.NoError(t, err)
	require.Empty(t, p.Note)

	require.NoError(t, r.tg.Hook(t.Context(), r.a, "https://else.example/hook?x=1"))
	p, err = r.tg.Check(t.Context(), r.a)
	require.NoError(t, err)
	require.Contains(t, p.Note, "else.example")
	require.NotContains(t, p.Note, "hook?x")
	require.NoError(t, r.tg.Unhook(t.Context(), r.a))
	require.NoError(t, r.tg.Unhook(t.Context(), r.a))

	for _, token := range []string{"", "nonsense", "1:2/../x", "1:2"} {
		_, err = r.tg.Check(t.Context(), servicetest.Account(r.s.URL, map[string]string{"bot_token": token}))
		require.True(t, fault.Is(err, fault.Unauthenticated), "%q: %v", token, err)
	}
	r.s.Revoke()
	_, err = r.tg.Check(t.Context(), r.a)
	require.True(t, fault.Is(err, fault.Unauthenticated))
	require.NotContains(t, err.Error(), r.s.Token)

	proofs := 0
	for _, f := range r.tg.Fields() {
		require.NotEmpty(t, f.Label)
		require.NotEmpty(t, f.Hint)
		if f.Proof {
			proofs++
		}
	}
	require.Equal(t, 1, proofs)
}

func TestPolling(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stop := r.listen()
	id := r.s.Say("ada", "/link@lobstead_bot ABC123")
	e := r.ear.Wait(t, 1)[0]
	require.Equal(t, service.Event{ID: "880001", Kind: service.Said, Peer: service.Peer{ID: r.peer.ID, Direct: true, Name: "@ada", Called: true},
		Sender: service.Sender{ID: r.peer.ID, Name: "@ada"}, Message: id, Text: "/link ABC123", At: e.At}, e)
	require.WithinDuration(t, time.Now(), e.At, time.Minute)

	r.s.Edit(1001, id, "other words")
	e = r.ear.Wait(t, 2)[1]
	require.Equal(t, service.Edited, e.Kind)
	require.Equal(t, "other words", e.Text)
	require.Equal(t, id, e.Message)

	r.s.Block("ada")
	require.Equal(t, service.Left, r.ear.Wait(t, 3)[2].Kind)
	servicetest.Until(t, func() bool { return r.s.Pending() == 0 })
	require.ErrorIs(t, stop(), context.Canceled)
}

// What was not kept comes again, before all that came after it; what was kept does not.
func TestNothingIsAcknowledgedBeforeItIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ear.Deaf(2)
	for _, w := range []string{"one", "two", "three"} {
		r.s.Say("ada", w)
	}
	stop := r.listen()
	all := r.ear.Wait(t, 3)
	require.Equal(t, "one", all[0].Text)
	require.Equal(t, "three", all[2].Text)
	require.Equal(t, 1, r.ear.Times(all[0].ID))
	_ = stop()

	// A program that ends between hearing and acknowledging hears again: under the same id.
	heard := servicetest.Ear{}
	r.s.Say("ada", "four")
	ctx, cancel := context.WithCancel(t.Context())
	_ = r.tg.Listen(ctx, r.a, func(ctx context.Context, e service.Event) error {
		defer cancel()
		return heard.Hear(ctx, e)
	})
	r.listen()
	all = r.ear.Wait(t, 4)
	last := heard.All()
	require.Equal(t, last[len(last)-1].ID, all[3].ID)
}

func TestTroubleWhileListening(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.s.Polls.Fail(2, 502)
	r.s.Polls.RateLimit(1, 10*time.Millisecond)
	stop := r.listen()
	r.s.Say("ada", "one")
	r.ear.Wait(t, 1)
	r.s.Cut()
	r.s.Say("ada", "two")
	two := r.ear.Wait(t, 2)[1]
	r.s.Repeat()
	servicetest.Until(t, func() bool { return r.ear.Times(two.ID) == 2 }) // told apart by its id
	r.s.Disorder()
	r.s.Say("ada", "three")
	r.s.Polls.Lose(1) // an answer that never arrives
	r.s.Say("ada", "four")
	all := r.ear.Wait(t, 4)
	require.Equal(t, "three", all[2].Text)
	require.Equal(t, "four", all[3].Text)
	_ = stop()
}

// A webhook that is set stands in the way of polling and is taken off; another poller does not go away, and ends Listen; a revoked token too.
func TestWhoElseListens(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.tg.Hook(t.Context(), r.a, "https://else.example/hook"))
	r.listen()
	servicetest.Until(t, func() bool { return r.s.Hooked() == "" })
	r.s.Say("ada", "hi")
	r.ear.Wait(t, 1)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // insists
		for ctx.Err() == nil {
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, r.s.URL+"/bot"+r.s.Token+"/getUpdates?timeout=1", nil)
			if res, err := http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
			}
		}
	}()
	ended := make(chan error, 1)
	go func() { ended <- r.tg.Listen(ctx, r.a, r.ear.Hear) }()
	require.True(t, fault.Is(<-ended, fault.Conflict))
	cancel()
}

func TestRevokedTokenEndsListening(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ended := make(chan error, 1)
	go func() { ended <- r.tg.Listen(t.Context(), r.a, r.ear.Hear) }()
	r.s.Say("ada", "hi")
	r.ear.Wait(t, 1)
	r.s.Revoke()
	r.s.Cut()
	err := <-ended
	require.True(t, fault.Is(err, fault.Unauthenticated), "%v", err)
	servicetest.Silent(t, r.a, err)
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	web := servicetest.Door(t, r.tg, r.a, r.ear.Hear)
	require.NoError(t, r.tg.Hook(t.Context(), r.a, web))
	require.NoError(t, r.tg.Hook(t.Context(), r.a, web))
	r.ear.Deaf(2)
	r.s.Say("ada", "one")
	r.ear.Wait(t, 1)
	r.s.Repeat()
	r.s.Disorder()
	r.s.Say("ada", "two")
	r.s.Say("ada", "three")
	all := r.ear.Wait(t, 3)
	require.Equal(t, []string{"one", "three", "two"}, []string{all[0].Text, all[1].Text, all[2].Text})
	servicetest.Until(t, func() bool { return r.s.Pending() == 0 && r.ear.Times(all[0].ID) == 2 })
	bare := r.a
	bare.Values = nil
	require.True(t, fault.Is(r.tg.Hook(t.Context(), bare, web), fault.Invalid))
	require.False(t, r.tg.Listens(servicetest.Account("", map[string]string{"delivery": "webhook"})))
	require.True(t, r.tg.Listens(r.a))
}

func TestOnlyTheSecretOpens(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const header = "X-Telegram-Bot-Api-Secret-Token"
	body := []byte(`{"update_id":7,"message":{"message_id":1,"from":{"id":5,"first_name":"A"},"chat":{"id":5,"type":"private"},"date":1,"text":"x"}}`)
	got, err := r.tg.Receive(r.a, servicetest.Request(body, time.Now(), map[string]string{header: secret}))
	require.NoError(t, err)
	require.Len(t, got.Events, 1)
	refused := func(a service.Account, given string) {
		t.Helper()
		got, err := r.tg.Receive(a, servicetest.Request(body, time.Now(), map[string]string{header: given}))
		require.True(t, fault.Is(err, fault.Unauthenticated))
		require.Equal(t, "service.signature", fault.As(err).Code)
		require.Empty(t, got.Events)
	}
	for i := range secret {
		bad := []byte(secret)
		bad[i] ^= 1
		refused(r.a, string(bad))
		refused(r.a, secret[:i])
	}
	refused(r.a, secret+"x")
	bare := r.a
	bare.Values = nil
	refused(bare, "")
	for _, b := range []string{"", "{", "[]", `{"update_id":0}`} {
		_, err := r.tg.Receive(r.a, servicetest.Request([]byte(b), time.Now(), map[string]string{header: secret}))
		require.True(t, fault.Is(err, fault.Invalid), "%q", b)
	}
	for _, b := range []string{`{"update_id":8,"poll_answer":{"x":1}}`, `{"update_id":8,"message":5}`, `{"update_id":8,"channel_post":{}}`} {
		got, err := r.tg.Receive(r.a, servicetest.Request([]byte(b), time.Now(), map[string]string{header: secret}))
		require.NoError(t, err)
		require.Equal(t, service.Received{}, got)
	}
}

func TestSending(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pieces := r.tg.Split("**Hello** <you> & `x<y`")
	require.Len(t, pieces, 1)
	first := r.send(service.Message{Text: pieces[0], Key: "k"})
	sent := r.s.Sent()
	require.Len(t, sent, 1)
	require.Equal(t, servicetest.Sent{ID: first, Peer: r.peer.ID, Text: "<b>Hello</b> &lt;you&gt; &amp; <code>x&lt;y</code>"}, sent[0])

	// Words that Telegram does not read as its HTML are sent as they are.
	r.send(service.Message{Text: "<b>not closed"})
	require.Equal(t, "not closed", r.s.Sent()[1].Text)
	require.True(t, r.bad(service.Message{Text: ""}, fault.Invalid))
	require.True(t, r.bad(service.Message{Text: strings.Repeat("x", 4097)}, fault.Invalid))

	// An answer to what is gone is still an answer.
	r.send(service.Message{Text: "re", ReplyTo: "999"})
	require.NoError(t, r.tg.Typing(t.Context(), r.a, r.peer, ""))
	require.Equal(t, []string{"typing " + r.peer.ID}, r.s.Actions())
}

// What an agent writes arrives with its formatting, in as many messages as it takes: Telegram reads each one, and none is sent as plain
// text for want of a tag.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	md := strings.Repeat("# Head & <more>\n\nSome **bold *and italic* words**, [a link](https://x.org/?a=1&b=2) and `code <x>`.\n\n- one\n  - ~~two~~\n\n```go\nif a < b && c > d {}\n```\n\n> quoted *words*\n\n| a | b |\n|--|--|\n| 1 | <2> |\n\n", 60)
	pieces := r.tg.Split(md)
	require.Greater(t, len(pieces), 2)
	for _, p := range pieces {
		r.send(service.Message{Text: p})
	}
	sent := r.s.Sent()
	require.Len(t, sent, len(pieces))
	for i := range sent {
		require.Equal(t, pieces[i], sent[i].Text)
	}
}

func (r *rig) bad(m service.Message, k fault.Kind) bool {
	r.Helper()
	if m.Peer.ID == "" {
		m.Peer = r.peer
	}
	_, err := r.tg.Send(r.Context(), r.a, m)
	require.Equal(r, k, fault.KindOf(err), "%v", err)
	servicetest.Silent(r, r.a, err)
	return true
}

func TestFilesOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	png := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 100)...)
	r.send(service.Message{File: &service.Upload{Name: `we"ird é.txt`, MediaType: "text/plain", Data: []byte("hello")}})
	r.send(service.Message{File: &service.Upload{Name: "p.png", MediaType: "image/png", Data: png}})
	r.send(service.Message{File: &service.Upload{Name: "fake.png", MediaType: "image/png", Data: []byte("no picture")}})
	sent := r.s.Sent()
	require.Len(t, sent, 3)
	require.Equal(t, &service.Upload{Name: `we"ird é.txt`, MediaType: "text/plain", Data: []byte("hello")}, sent[0].File)
	require.Equal(t, png, sent[1].File.Data)
	require.Equal(t, "fake.png", sent[2].File.Name)
	require.Equal(t, []string{"sendDocument", "sendPhoto", "sendPhoto", "sendDocument"}, r.s.Asked())
	r.bad(service.Message{File: &service.Upload{Name: "empty"}}, fault.Invalid)
	r.bad(service.Message{File: &service.Upload{Name: "big", Data: make([]byte, 50<<20+1)}}, fault.TooLarge)
}

func TestFilesIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.listen()
	r.s.Attach("ada", "see", service.Upload{Name: "a.txt", MediaType: "text/plain", Data: []byte("there")})
	r.s.Attach("ada", "", service.Upload{MediaType: "image/jpeg", Data: []byte("jpeg of many bytes")})
	r.s.Attach("ada", "", service.Upload{Name: "big", MediaType: "x/y", Data: make([]byte, 20<<20+1)})
	all := r.ear.Wait(t, 3)
	require.Equal(t, "see", all[0].Text)
	f := all[0].Files[0]
	require.Equal(t, "a.txt text/plain 5", f.Name+" "+f.MediaType+" "+string(rune('0'+f.Size)))
	require.Equal(t, "there", r.read(f))
	require.Equal(t, "photo-2.jpg", all[1].Files[0].Name)
	require.Equal(t, "jpeg of many bytes", r.read(all[1].Files[0]))
	_, err := all[2].Files[0].Open(t.Context(), r.a)
	require.True(t, fault.Is(err, fault.TooLarge))
}

func (r *rig) read(f service.File) string {
	r.Helper()
	body, err := f.Open(r.Context(), r.a)
	require.NoError(r, err)
	b, err := io.ReadAll(body)
	require.NoError(r, err)
	require.NoError(r, body.Close())
	return string(b)
}

func TestButtons(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.listen()
	token := strings.Repeat("t", 64)
	id := r.send(service.Message{Text: "Run <code>rm</code>?", Buttons: []service.Button{{Label: "Approve", Token: "yes"}, {Label: "Deny", Token: token, Bad: true}}})
	require.Equal(t, []service.Button{{Label: "Approve", Token: "yes"}, {Label: "Deny", Token: token, Bad: true}}, r.s.Sent()[0].Buttons)
	r.s.Press("ada", r.peer.ID, id, 1)
	e := r.ear.Wait(t, 1)[0]
	require.Equal(t, service.Pressed, e.Kind)
	require.Equal(t, []string{token, id, "@ada", r.peer.ID}, []string{e.Token, e.Message, e.Sender.Name, e.Peer.ID})
	change := service.Message{Text: "Denied by Ada", Change: id, Press: e.Press}
	require.Equal(t, id, r.send(change))
	require.Equal(t, id, r.send(change), "a change may be repeated")
	sent := r.s.Sent()
	require.Len(t, sent, 1)
	require.Empty(t, sent[0].Buttons)
	require.Equal(t, 1, sent[0].Edits)
	require.Equal(t, 1, r.s.Answered())
	r.send(service.Message{Press: "long ago"})
	r.bad(service.Message{Text: "x", Change: "777"}, fault.NotFound)
	r.bad(service.Message{Text: "x", Buttons: []service.Button{{Label: "a", Token: token + "t"}}}, fault.Invalid)
}

func TestGroups(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.listen()
	g := r.s.Group("Team", 42)
	r.s.SayIn(g, "ada", "nothing for the bot")
	r.s.SayIn(g, "ada", "hey @Lobstead_bot what is up")
	r.s.SayIn(g, "ada", "/status@other_bot")
	r.s.SayIn(g, "ada", "/status@lobstead_bot now")
	r.s.SayIn(g, "ada", "/status")
	r.s.Write("bob", telegramtest.Words{Chat: g, Topic: 42, Text: "in a topic 👍 @lobstead_bot"})
	r.s.SayIn(g, "ada", "@lobstead_bot")
	all := r.ear.Wait(t, 7)
	type seen struct {
		text   string
		called bool
	}
	var got []seen
	for _, e := range all {
		require.False(t, e.Peer.Direct)
		require.Equal(t, "Team", e.Peer.Name)
		got = append(got, seen{e.Text, e.Peer.Called})
	}
	require.Equal(t, []seen{{"nothing for the bot", false}, {"hey what is up", true}, {"/status@other_bot", false}, {"/status now", true}, {"/status", true}, {"in a topic 👍", true}, {"", true}}, got)
	require.Equal(t, "42", all[5].Peer.Thread)

	id := r.send(service.Message{Text: "yes?", Peer: all[5].Peer, ReplyTo: all[5].Message})
	require.Equal(t, "42", r.s.Sent()[0].Thread)
	r.s.Write("bob", telegramtest.Words{Chat: g, Text: "go on", ReplyTo: id})
	e := r.ear.Wait(t, 8)[7]
	require.True(t, e.Peer.Called)
	require.Equal(t, id, e.ReplyTo)

	gone := all[0].Peer
	gone.Thread = "43"
	r.bad(service.Message{Text: "x", Peer: gone}, fault.NotFound)
	moved := r.s.Move(g)
	r.send(service.Message{Text: "still here", Peer: all[0].Peer})
	sent := r.s.Sent()
	found := false
	for _, m := range sent {
		found = found || m.Text == "still here" && strings.HasPrefix(m.Peer, "-") && m.Peer != all[0].Peer.ID
	}
	require.True(t, found, "%d %v", moved, sent)

	h := r.s.Group("Other")
	r.s.Kick(h, "ada")
	e = r.ear.Wait(t, 9)[8]
	require.Equal(t, service.Left, e.Kind)
	r.bad(service.Message{Text: "x", Peer: e.Peer}, fault.Forbidden)
	r.bad(service.Message{Text: "x", Peer: service.Peer{ID: "12345"}}, fault.NotFound)
	r.bad(service.Message{Text: "x", Peer: service.Peer{ID: "no number"}}, fault.NotFound)
}

func TestFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	servicetest.Failures(t, r.tg, r.a, service.Message{Text: "x", Peer: r.peer}, &r.s.Trouble, r.s.Sent)
	r.s.Block("ada")
	r.bad(service.Message{Text: "x"}, fault.Forbidden)
	r.s.Revoke()
	r.bad(service.Message{Text: "x"}, fault.Unauthenticated)
}

// The token is part of every address; a redirect that fails repeats it.
func TestTheTokenIsNeverShown(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path+"/again", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(web.Close)
	a := servicetest.Account(web.URL, map[string]string{"bot_token": "1:secretsecret"})
	_, err := (&telegram.Telegram{}).Check(t.Context(), a)
	require.Error(t, err)
	servicetest.Silent(t, a, err)
	a.BaseURL = "http://127.0.0.1:1"
	_, err = (&telegram.Telegram{}).Check(t.Context(), a)
	require.True(t, fault.Is(err, fault.Unavailable))
	servicetest.Silent(t, a, err)
	late, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err = (&telegram.Telegram{}).Check(late, a)
	require.True(t, fault.Is(err, fault.Timeout), "%v", err)
}
