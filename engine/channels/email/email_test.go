package email_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/email"
	"lobstead/engine/channels/emailtest"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/kit/fault"
)

const ada = "Ada Lovelace <ada@example.org>"

func start(t *testing.T) (*emailtest.Server, *email.Email, service.Account) {
	t.Parallel()
	s := emailtest.New(t)
	a := s.Account()
	return s, &email.Email{Roots: s.Roots, Poll: 10 * time.Millisecond, Pause: 2 * time.Millisecond}, a
}

func TestAMailIsHeardAndAnswered(t *testing.T) {
	s, e, a := start(t)
	ear := &servicetest.Ear{}
	servicetest.Listen(t, e, a, ear.Hear)
	id := s.Say(ada, "The report", "Hello,\nwhere is it?\n\n-- \nAda\nAnalytical Engines")
	got := ear.Wait(t, 1)[0]
	require.Equal(t, service.Said, got.Kind)
	require.Equal(t, "The report\n\nHello,\nwhere is it?", got.Text)
	require.Equal(t, service.Sender{ID: "ada@example.org", Name: "Ada Lovelace <ada@example.org>"}, got.Sender)
	require.Equal(t, service.Peer{ID: "ada@example.org", Thread: id, Direct: true, Name: "The report", Called: true}, got.Peer)
	require.Equal(t, id, got.Message)
	servicetest.Until(t, func() bool { return s.Unread() == 0 })

	sent, err := e.Send(t.Context(), a, service.Message{Key: "k1", Peer: got.Peer, ReplyTo: got.Message, Text: "It is **here**: <b>"})
	require.NoError(t, err)
	m := s.Sent()[0]
	require.Equal(t, sent, m.ID)
	require.Equal(t, "Re: The report", m.Subject)
	require.Equal(t, "ada@example.org", m.Peer)
	require.Equal(t, id, m.Thread)
	require.Equal(t, "It is *here*: <b>", m.Text)
	require.Contains(t, m.HTML, "It is <strong>here</strong>: &lt;b&gt;")
	require.Contains(t, m.Header.Get("From"), `"Lobstead" <agent@lobstead.example>`)
	require.Equal(t, "auto-replied", m.Header.Get("Auto-Submitted"))

	s.Reply(m, "Thank you!")
	next := ear.Wait(t, 2)[1]
	require.Equal(t, "Thank you!", next.Text)
	require.Equal(t, got.Peer, next.Peer, "it is the same conversation")
	require.Equal(t, m.ID, next.ReplyTo)
	s.Post(emailtest.Letter{From: ada, Subject: "AW: The report", Text: "And?", InReplyTo: m.ID, Bare: true})
	require.Equal(t, id, ear.Wait(t, 3)[2].Peer.Thread, "even by In-Reply-To alone")
	s.Say(ada, "Another thing", "New")
	require.NotEqual(t, id, ear.Wait(t, 4)[3].Peer.Thread)
	s.Post(emailtest.Letter{From: ada, Subject: "Re: late", Text: "the answer comes first", InReplyTo: "late@example.org", References: []string{"late@example.org"}})
	s.Post(emailtest.Letter{From: ada, Subject: "late", Text: "the question comes last", ID: "late@example.org"})
	all := ear.Wait(t, 6)
	require.Equal(t, "late@example.org", all[4].Peer.Thread)
	require.Equal(t, all[4].Peer.Thread, all[5].Peer.Thread)
}

func TestAMailThatIsSentAgainHasTheSameID(t *testing.T) {
	s, e, a := start(t)
	m := service.Message{Key: "k1", Peer: service.Peer{ID: "ada@example.org", Thread: "one@example.org", Name: "x"}, Text: "Hello"}
	s.Lose(1)
	_, err := e.Send(t.Context(), a, m)
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	servicetest.Silent(t, a, err)
	_, err = e.Send(t.Context(), a, m)
	require.NoError(t, err)
	sent := s.Sent()
	require.Len(t, sent, 2, "the server took both")
	require.Equal(t, sent[0].ID, sent[1].ID, "but mailboxes see that they are one")
	m.Key = "k2"
	other, err := e.Send(t.Context(), a, m)
	require.NoError(t, err)
	require.NotEqual(t, sent[0].ID, other)
}

func TestButtonsAreLinesOfAnAnswer(t *testing.T) {
	s, e, a := start(t)
	ear := &servicetest.Ear{}
	servicetest.Listen(t, e, a, ear.Hear)
	s.Say(ada, "Do it", "please")
	peer := ear.Wait(t, 1)[0].Peer
	approve, deny := "a:_x_"+strings.Repeat("Zz9-_", 11), "d:_x_"+strings.Repeat("Zz9-_", 11)
	_, err := e.Send(t.Context(), a, service.Message{Key: "b", Peer: peer, Text: "May I run `rm`?", Buttons: []service.Button{{Label: "Approve", Token: approve}, {Label: "Deny", Token: deny, Bad: true}}})
	require.NoError(t, err)
	m := s.Sent()[0]
	require.Equal(t, []service.Button{{Label: "Approve", Token: approve}, {Label: "Deny", Token: deny, Bad: true}}, m.Buttons)
	require.Contains(t, m.HTML, `href="mailto:agent@lobstead.example?subject=Re%3A%20Do%20it&amp;body=APPROVE%20a%3A_x_`)
	s.Press(m, "Deny")
	p := ear.Wait(t, 2)[1]
	require.Equal(t, service.Pressed, p.Kind)
	require.Equal(t, deny, p.Token)
	require.Equal(t, m.ID, p.Message)
	require.Equal(t, "ada@example.org", p.Sender.ID)
	_, err = e.Send(t.Context(), a, service.Message{Key: "c", Peer: p.Peer, Change: p.Message, Press: p.Press, Text: "Denied by Ada."})
	require.NoError(t, err)
	require.Equal(t, m.ID, s.Sent()[1].Thread)
	s.Reply(m, "Approve everything2026")
	require.Equal(t, service.Said, ear.Wait(t, 3)[2].Kind, "a sentence is no button")
}

func TestFilesGoBothWays(t *testing.T) {
	s, e, a := start(t)
	ear := &servicetest.Ear{}
	servicetest.Listen(t, e, a, ear.Hear)
	data := []byte(strings.Repeat("\x00\xff\r\npdf", 5000))
	s.Post(emailtest.Letter{From: ada, Subject: "A file", Text: "Look", HTML: "<p>Look</p>", Files: []service.Upload{{Name: "../../é report.pdf", MediaType: "application/pdf", Data: data}, {Name: "p.png", MediaType: "image/png", Data: []byte("png")}}})
	got := ear.Wait(t, 1)[0]
	require.Equal(t, "A file\n\nLook", got.Text)
	require.Len(t, got.Files, 2)
	require.Equal(t, "é report.pdf", got.Files[0].Name)
	require.Equal(t, "application/pdf", got.Files[0].MediaType)
	require.EqualValues(t, len(data), got.Files[0].Size)
	body, err := got.Files[0].Open(t.Context(), a)
	require.NoError(t, err)
	read, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Equal(t, data, read)

	_, err = e.Send(t.Context(), a, service.Message{Key: "f", Peer: got.Peer, File: &service.Upload{Name: "größe \"1\".csv", MediaType: "text/csv; charset=utf-8", Data: data}})
	require.NoError(t, err)
	m := s.Sent()[0]
	require.Equal(t, "größe \"1\".csv", m.File.Name)
	require.Equal(t, "text/csv", m.File.MediaType)
	require.Equal(t, data, m.File.Data)
	require.Contains(t, m.Text, "größe")
	_, err = e.Send(t.Context(), a, service.Message{Key: "f", Peer: got.Peer, File: &service.Upload{Name: "x", Data: make([]byte, 26<<20)}})
	require.Equal(t, fault.TooLarge, fault.KindOf(err))
}

func TestNothingIsLostOrDoubled(t *testing.T) {
	s, e, a := start(t)
	ear := &servicetest.Ear{}
	ear.Deaf(2)
	first := s.Say(ada, "1", "before anybody listens")
	stop := servicetest.Listen(t, e, a, ear.Hear)
	ear.Wait(t, 1)
	s.Cut()
	s.Say(ada, "2", "while the line is cut")
	ear.Wait(t, 2)
	s.Repeat(first)
	s.Stick(1)
	s.Say(ada, "3", "which cannot be marked")
	ear.Wait(t, 3)
	servicetest.Until(t, func() bool { return s.Unread() == 0 })
	require.Greater(t, ear.Times(ear.All()[0].ID), 1, "a repeated mail has the same id")
	require.ErrorIs(t, stop(), context.Canceled)

	kept := s.Say(ada, "4", "while nobody listens")
	s.Anew(kept)
	again := &servicetest.Ear{}
	servicetest.Listen(t, e, a, again.Hear)
	got := again.Wait(t, 1)[0]
	require.Equal(t, kept, got.Message, "what is new counts, not numbers")
	s.Anew(kept)
	servicetest.Until(t, func() bool { return again.Times(got.ID) == 2 })
}

func TestNoMailStandsInTheWayOfOthers(t *testing.T) {
	s, e, a := start(t)
	ear := &servicetest.Ear{}
	s.Deliver("this is no header at all\n\nbody", time.Time{})
	s.Deliver("From: ada@example.org\nAuthentication-Results: mx.lobstead.example; dmarc=pass header.from=example.org\nContent-Type: multipart/mixed\n\nwithout a boundary", time.Time{})
	s.Deliver("From: ada@example.org\nAuthentication-Results: mx.lobstead.example; dmarc=pass header.from=example.org\nContent-Type: text/plain; charset=klingon\nContent-Transfer-Encoding: base64\nMessage-ID: <odd@example.org>\n\n!!!!", time.Time{})
	poison := s.Say(ada, "poison", "nobody can keep this")
	last := s.Say(ada, "last", "good")
	servicetest.Listen(t, e, a, func(ctx context.Context, ev service.Event) error {
		if ev.Message == poison {
			return fault.New(fault.Invalid, "test.poison", "this is never kept")
		}
		return ear.Hear(ctx, ev)
	})
	servicetest.Until(t, func() bool {
		for _, ev := range ear.All() {
			if ev.Message == last {
				return true
			}
		}
		return false
	})
	servicetest.Until(t, func() bool { return s.Unread() == 1 })
}

func TestAHugeMailIsToldOf(t *testing.T) {
	s, e, a := start(t)
	ear := &servicetest.Ear{}
	servicetest.Listen(t, e, a, ear.Hear)
	s.Post(emailtest.Letter{From: ada, Subject: "A film", Text: "See below\n" + strings.Repeat(strings.Repeat("x", 75)+"\n", 560_000)})
	got := ear.Wait(t, 1)[0]
	require.Equal(t, "A film\n\n(The mail is too large to be read.)", got.Text)
	servicetest.Until(t, func() bool { return s.Unread() == 0 })
}

func TestAServerWithoutAnnouncements(t *testing.T) {
	s, e, a := start(t)
	s.Mute()
	p, err := e.Check(t.Context(), a)
	require.NoError(t, err)
	require.Contains(t, p.Note, "once a minute")
	ear := &servicetest.Ear{}
	servicetest.Listen(t, e, a, ear.Hear)
	s.Say(ada, "1", "one")
	ear.Wait(t, 1)
	s.Say(ada, "2", "two")
	ear.Wait(t, 2)
	require.Equal(t, 2, s.SignIns(), "one line is enough")
}

func TestCheckTellsWhatIsWrong(t *testing.T) {
	s, e, a := start(t)
	p, err := e.Check(t.Context(), a)
	require.NoError(t, err)
	require.Equal(t, service.Profile{ID: s.Address, Name: s.Address, Link: "mailto:" + s.Address}, p)

	s.Say(ada, "x", "y")
	other := s.Values()
	other["authserv_id"] = "mx.google.com"
	p, err = e.Check(t.Context(), servicetest.Account("", other))
	require.NoError(t, err)
	require.Contains(t, p.Note, "Of the newest mails (1) none has Authentication-Results of mx.google.com")
	require.Contains(t, p.Note, "There are some of mx.lobstead.example.")

	s.Post(emailtest.Letter{From: "eve@evil.example", Subject: "x", Text: "y", Results: "dmarc=fail header.from=evil.example"})
	ear := &servicetest.Ear{}
	servicetest.Listen(t, e, a, ear.Hear)
	servicetest.Until(t, func() bool { return s.Unread() == 0 })
	p, err = e.Check(t.Context(), a)
	require.NoError(t, err)
	require.Contains(t, p.Note, "nothing proved who had sent it: 1 (")

	s.Full(1)
	_, err = e.Check(t.Context(), a)
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	s.Revoke()
	_, err = e.Check(t.Context(), a)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "%v", err)
	servicetest.Silent(t, a, err)
	for field, bad := range map[string]string{"address": "nobody", "imap_host": "http://x", "smtp_host": "x:y", "authserv_id": "", "folder": "Nowhere"} {
		v := s.Values()
		v[field] = bad
		s.Restore()
		_, err = e.Check(t.Context(), servicetest.Account("", v))
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", field, err)
	}
	strange := &email.Email{}
	_, err = strange.Check(t.Context(), a)
	require.Equal(t, "service.certificate", fault.As(err).Code, "a certificate that nobody vouches for")
}

func TestLinesThatBeginPlainAreEncrypted(t *testing.T) {
	s, e, _ := start(t)
	v := s.Values()
	v["imap_host"], v["smtp_host"] = "starttls://"+s.IMAPPlain, "starttls://"+s.SMTPPlain
	a := servicetest.Account("", v)
	_, err := e.Check(t.Context(), a)
	require.NoError(t, err)
	_, err = e.Send(t.Context(), a, service.Message{Key: "k", Peer: service.Peer{ID: "ada@example.org"}, Text: "Hello"})
	require.NoError(t, err)
	require.Equal(t, "Re: your message", s.Sent()[0].Subject)
	v["imap_host"] = "tls://" + s.IMAPPlain
	_, err = e.Check(t.Context(), servicetest.Account("", v))
	require.Error(t, err)
	_, err = (&email.Email{}).Check(t.Context(), a)
	require.Equal(t, "service.certificate", fault.As(err).Code)
}

func TestFailuresOfSending(t *testing.T) {
	s, e, a := start(t)
	m := service.Message{Key: "k", Peer: service.Peer{ID: "ada@example.org", Name: "x"}, Text: "Hello"}
	for _, c := range []struct {
		code     int
		enhanced [3]int
		kind     fault.Kind
	}{
		{450, [3]int{4, 7, 1}, fault.TooMany}, {452, [3]int{4, 3, 1}, fault.TooMany}, {451, [3]int{4, 3, 0}, fault.Upstream}, {421, [3]int{4, 3, 2}, fault.Unavailable},
		{550, [3]int{5, 7, 1}, fault.Forbidden}, {552, [3]int{5, 3, 4}, fault.TooLarge}, {554, [3]int{5, 6, 0}, fault.Invalid}, {535, [3]int{5, 7, 8}, fault.Unauthenticated},
	} {
		s.Refuse(1, c.code, c.enhanced)
		_, err := e.Send(t.Context(), a, m)
		require.Equal(t, c.kind, fault.KindOf(err), "%d: %v", c.code, err)
		if c.kind == fault.TooMany {
			require.Greater(t, time.Until(fault.As(err).RetryAt), time.Minute)
		}
		servicetest.Silent(t, a, err)
	}
	require.Empty(t, s.Sent())
	gone := m
	gone.Peer.ID = "nobody@example.org"
	_, err := e.Send(t.Context(), a, gone)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
	for _, bad := range []string{"", "ada", "ada@example.org\r\nBcc: eve@evil.example", "\"a b\"@example.org", "ada@example.org, eve@evil.example"} {
		gone.Peer.ID = bad
		_, err = e.Send(t.Context(), a, gone)
		require.Equal(t, fault.NotFound, fault.KindOf(err), bad)
	}
	s.Revoke()
	_, err = e.Send(t.Context(), a, m)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "%v", err)
	servicetest.Silent(t, a, err)
	s.Restore()
	late, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.Send(late, a, m)
	require.Error(t, err)
	away := s.Values()
	away["smtp_host"] = "127.0.0.1:1"
	_, err = e.Send(t.Context(), servicetest.Account("", away), m)
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	servicetest.Silent(t, a, err)
}

func TestHeadersCannotBeSmuggledIn(t *testing.T) {
	s, e, a := start(t)
	_, err := e.Send(t.Context(), a, service.Message{Key: "k\r\nX: y", Text: "Hello", ReplyTo: "x>\r\nBcc: <eve@evil.example",
		Peer: service.Peer{ID: "ada@example.org", Thread: "a@b>\r\nBcc: eve@evil.example", Name: "Hi\r\nBcc: eve@evil.example\r\n\r\nbody"}})
	require.NoError(t, err)
	m := s.Sent()[0]
	require.False(t, m.Header.Has("Bcc"))
	require.False(t, m.Header.Has("In-Reply-To"))
	require.Equal(t, "Re: Hi Bcc: eve@evil.example body", m.Subject)
}

func TestARefusedPasswordEndsListening(t *testing.T) {
	s, e, a := start(t)
	ear := &servicetest.Ear{}
	ended := make(chan error, 1)
	go func() { ended <- e.Listen(t.Context(), a, ear.Hear) }()
	s.Say(ada, "1", "one")
	ear.Wait(t, 1)
	s.Full(2)
	s.Cut()
	s.Say(ada, "2", "two")
	ear.Wait(t, 2)
	s.Revoke()
	s.Cut()
	require.Equal(t, fault.Unauthenticated, fault.KindOf(<-ended))
}

func TestNobodyCalls(t *testing.T) {
	t.Parallel()
	e := &email.Email{}
	_, err := e.Receive(service.Account{}, servicetest.Request(nil, time.Now(), nil))
	require.Equal(t, "service.signature", fault.As(err).Code)
	require.True(t, e.Listens(service.Account{}))
	require.Empty(t, e.Split("  "))
	require.Equal(t, []string{"# Hi"}, e.Split("# Hi"))
	var proof int
	for _, f := range e.Fields() {
		if f.Proof {
			proof++
			require.True(t, f.Required)
		}
	}
	require.Equal(t, 1, proof)
	require.NoError(t, e.Typing(t.Context(), service.Account{}, service.Peer{}, ""))
}
