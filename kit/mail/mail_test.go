package mail_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/kit/mail"
	"lobstead/kit/secret"
)

// box is a mail server that keeps what it is sent.
type box struct {
	mu     sync.Mutex
	to     []string
	body   bytes.Buffer
	refuse bool
	code   int
}

func (b *box) NewSession(*smtp.Conn) (smtp.Session, error) { return b, nil }
func (b *box) Reset()                                      {}
func (b *box) Logout() error                               { return nil }
func (b *box) Mail(string, *smtp.MailOptions) error        { return nil }
func (b *box) Rcpt(to string, _ *smtp.RcptOptions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse {
		return &smtp.SMTPError{Code: b.code, EnhancedCode: smtp.EnhancedCode{b.code / 100, 1, 1}, Message: "no such mailbox"}
	}
	b.to = append(b.to, to)
	return nil
}
func (b *box) Data(r io.Reader) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, err := b.body.ReadFrom(r)
	return err
}

func serve(t *testing.T, b *box) string {
	t.Helper()
	s := smtp.NewServer(b)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return "smtp://" + l.Addr().String()
}

func TestALetterArrives(t *testing.T) {
	b := &box{}
	s, err := mail.New(secret.Of(serve(t, b)), "Lobstead <no-reply@example.org>")
	require.NoError(t, err)
	require.NoError(t, s.Check(t.Context()))
	answer, err := s.Send(t.Context(), mail.Letter{Key: "one", To: "alice@example.com", Subject: "Einladung – ü", Text: "Hello\nhttps://x/join?token=1\n.\nend"})
	require.NoError(t, err)
	require.Contains(t, answer, "OK")
	require.Contains(t, b.body.String(), "<one@example.org>")
	require.Equal(t, []string{"alice@example.com"}, b.to)
	require.Contains(t, b.body.String(), "no-reply@example.org")
	require.Contains(t, b.body.String(), "Hello")
	_, err = s.Send(t.Context(), mail.Letter{To: "alice@example.com\r\nBcc: eve@example.com", Subject: "x", Text: "x"})
	require.Equal(t, mail.Refused, fault.As(err).Code)
	require.Len(t, b.to, 1, "no address was smuggled in")
}

func TestWhatIsRefusedIsSaid(t *testing.T) {
	for code, want := range map[int]string{550: mail.Refused, 450: mail.Failed} {
		s, err := mail.New(secret.Of(serve(t, &box{refuse: true, code: code})), "a@example.org")
		require.NoError(t, err)
		answer, err := s.Send(t.Context(), mail.Letter{To: "alice@example.com", Subject: "x", Text: "x"})
		require.True(t, fault.Is(err, fault.Upstream))
		require.Equal(t, want, fault.As(err).Code)
		require.Equal(t, fmt.Sprintf("%d %d.1.1 no such mailbox", code, code/100), answer)
	}
	s, err := mail.New(secret.Of("smtp://user:hunter2@127.0.0.1:1"), "a@example.org")
	require.NoError(t, err)
	_, err = s.Send(t.Context(), mail.Letter{To: "alice@example.com", Subject: "x", Text: "x"})
	require.True(t, fault.Is(err, fault.Upstream))
	require.Equal(t, mail.Failed, fault.As(err).Code, "a server that is away comes back")
	require.NotContains(t, err.Error(), "hunter2")
	require.Error(t, s.Check(t.Context()))
	for _, bad := range []string{"", "http://x", "smtp://", "::"} {
		_, err := mail.New(secret.Of(bad), "a@example.org")
		require.True(t, fault.Is(err, fault.Invalid), bad)
	}
	_, err = mail.New(secret.Of("smtp://x"), "nobody")
	require.True(t, fault.Is(err, fault.Invalid))
}
