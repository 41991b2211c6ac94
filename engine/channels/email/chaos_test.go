package email_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/emailtest"
	"lobstead/engine/channels/servicetest"
	"lobstead/kit/dial"
	"lobstead/kit/fault"
)

// Whatever goes wrong in between, each mail of a person is heard, under one id, and no other is.
func TestMailsSurviveEverything(t *testing.T) {
	s, e, a := start(t)
	ear := &servicetest.Ear{}
	servicetest.Listen(t, e, a, ear.Hear)
	r := rand.New(rand.NewPCG(7, 11))
	want := map[string]string{}
	last := ""
	for n := range 40 {
		switch r.IntN(6) {
		case 0:
			s.Cut()
		case 1:
			ear.Deaf(1)
		case 2:
			s.Stick(1)
		case 3:
			s.Full(1)
		case 4:
			if last != "" {
				s.Repeat(last)
			}
		}
		text := fmt.Sprintf("mail %d", n)
		switch r.IntN(4) {
		case 0:
			s.Post(emailtest.Letter{From: "eve@evil.example", Subject: "x", Text: text, Results: "spf=fail smtp.mailfrom=evil.example"})
		case 1:
			s.Post(emailtest.Letter{From: ada, Subject: "x", Text: text, Fields: []string{"List-Id: <l.example.org>"}})
		default:
			last = s.Post(emailtest.Letter{From: ada, Subject: "Re: x", Text: text, InReplyTo: "root@example.org"})
			want[last] = text
		}
	}
	servicetest.Until(t, func() bool { return len(ear.All()) >= len(want) && s.Unread() == 0 })
	require.Len(t, ear.All(), len(want))
	for _, got := range ear.All() {
		require.Equal(t, want[got.Message], got.Text)
	}
}

func TestLinesAreGuarded(t *testing.T) {
	s, e, a := start(t)
	a.Dial = dial.NewDialer(dial.Policy{Connect: time.Second})
	_, err := e.Check(t.Context(), a)
	require.Equal(t, "service.address", fault.As(err).Code, "%v", err)
	require.Zero(t, s.SignIns())
}
