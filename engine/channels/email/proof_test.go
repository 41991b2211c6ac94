package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/email"
)

const mx = "mx.lobstead.example"

func TestWhoIsVouchedFor(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"mx.lobstead.example; dmarc=pass (p=REJECT sp=NONE dis=NONE) header.from=example.org",
		"MX.Lobstead.Example 1; DMARC=Pass header.From=Example.ORG.",
		"mx.lobstead.example;\r\n\tdkim=pass (2048-bit key; unprotected) header.d=example.org header.i=@example.org header.b=\"a;b\"",
		"mx.lobstead.example; dkim=fail header.d=example.org; dkim=pass header.i=@mail.example.org header.s=x header.b=AbC/+=",
		"mx.lobstead.example; spf = pass (domain of ada@example.org designates 1.2.3.4 as permitted) smtp.mailfrom = ada@example.org; dkim=none",
		"mx.lobstead.example; spf=pass smtp.mailfrom=bounces.example.org smtp.helo=evil.example",
		"(a (nested \\) one) comment; with mx.evil.example) mx.lobstead.example (more); spf=pass smtp.mailfrom=\"odd;local\"@example.org",
		"\"mx.lobstead.example\"; dmarc=pass header.from=example.org",
		"mx.lobstead.example; dmarc=none header.from=example.org; dkim/1=pass header.d=example.org",
	} {
		require.True(t, email.Vouches(good, mx, "example.org"), good)
	}
	for _, bad := range []string{
		"", "mx.lobstead.example", "mx.lobstead.example; none", "mx.lobstead.example; dkim=pass", "mx.lobstead.example; spf=pass",
		"mx.evil.example; dmarc=pass header.from=example.org",
		"mx.lobstead.example.evil.example; dmarc=pass header.from=example.org",
		"evil; mx.lobstead.example; dmarc=pass header.from=example.org",
		"mx.lobstead.example 2; dmarc=pass header.from=example.org",
		"mx.lobstead.example; dmarc=pass header.from=evil.example",
		"mx.lobstead.example; dmarc=pass header.from=example.org; dmarc=pass header.from=evil.example",
		"mx.lobstead.example; dmarc=fail header.from=example.org; dkim=pass header.d=example.org; spf=pass smtp.mailfrom=example.org",
		"mx.lobstead.example; dkim=pass header.d=org", "mx.lobstead.example; dkim=pass header.d=example.com", "mx.lobstead.example; dkim=pass header.d=notexample.org",
		"mx.lobstead.example; dkim=fail header.d=example.org", "mx.lobstead.example; dkim=neutral header.d=example.org", "mx.lobstead.example; dkim=passed header.d=example.org",
		"mx.lobstead.example; spf=softfail smtp.mailfrom=example.org", "mx.lobstead.example; spf=pass smtp.helo=example.org", "mx.lobstead.example; spf=pass smtp.mailfrom=example.org@evil.example",
		"mx.lobstead.example; spf=pass smtp.mailfrom=\"x smtp.mailfrom=y@example.org\"@evil.example",
		"mx.lobstead.example; spf=pass smtp.mailfrom=x smtp.mailfrom=y@example.org",
		"mx.lobstead.example; spf=fail (x; dmarc=pass header.from=example.org) smtp.mailfrom=evil.example",
		"mx.lobstead.example; spf=fail smtp.mailfrom=\"; dmarc=pass header.from=example.org; \"@evil.example",
		"mx.lobstead.example; spf=fail (unclosed; dmarc=pass header.from=example.org",
		"mx.lobstead.example; spf=fail \"unclosed; dmarc=pass header.from=example.org",
		"mx.lobstead.example; x-dmarc=pass header.from=example.org", "mx.lobstead.example; arc=pass header.from=example.org; iprev=pass",
		"mx.lobstead.example dmarc=pass header.from=example.org", "dmarc=pass header.from=example.org; mx.lobstead.example",
	} {
		require.False(t, email.Vouches(bad, mx, "example.org"), bad)
	}
	require.False(t, email.Aligned("a.co.uk", "b.co.uk"), "a public suffix is nobody's organization")
	require.False(t, email.Aligned("co.uk", "b.co.uk"))
	require.False(t, email.Aligned("ada.github.io", "eve.github.io"))
	require.False(t, email.Aligned("", ""))
	require.True(t, email.Aligned("MAIL.b.co.uk.", "b.co.uk"))
}

const pass = "Authentication-Results: mx.lobstead.example; dmarc=pass header.from=example.org\r\n"

func TestWhoWroteAMail(t *testing.T) {
	t.Parallel()
	box := email.Mailbox("agent@lobstead.example", mx)
	for raw, want := range map[string]string{
		pass + "From: ada@example.org\r\n\r\n":                                                                                          "ada@example.org",
		pass + "From: \"Ada, Countess\" <ADA@Example.Org>\r\n\r\n":                                                                      "ada@example.org",
		pass + "fRoM: =?utf-8?q?Ad=C3=A1?=\r\n <ada@example.org> (a comment)\r\n\r\n":                                                   "ada@example.org",
		pass + "From: \"bob@example.org\" <ada@example.org>\r\n\r\n":                                                                    "ada@example.org",
		pass + "Authentication-Results: mx.evil.example; dmarc=fail\r\nFrom: ada@example.org\r\n\r\n":                                   "ada@example.org",
		"Authentication-Results: mx.evil.example; dmarc=fail\r\n" + pass + "From: ada@example.org\r\n\r\n":                              "ada@example.org",
		"authentication-results:\r\n mx.lobstead.example\r\n ; dmarc=pass\r\n header.from=example.org\r\nFrom: ada@example.org\r\n\r\n": "ada@example.org",
		pass + "From: \"Lovelace: Ada; Countess\" <ada@example.org> (of: them)\r\n\r\n":                                                 "ada@example.org",
	} {
		got, what, why := email.Judge(box, raw)
		require.Equal(t, want, got, "%s %s %s", raw, what, why)
	}
	for _, raw := range []string{
		"From: ada@example.org\r\n\r\n",
		"From: ada@example.org\r\nX: y\r\n\r\n" + pass,
		"Authentication-Results: mx.lobstead.example; dmarc=fail header.from=example.org\r\n" + pass + "From: ada@example.org\r\n\r\n",
		"Authentication-Results: mx.lobstead.example; none\r\n" + pass + "From: ada@example.org\r\n\r\n",
		"Authentication-Results: mx.lobstead.example; spf=fail (unclosed smtp.mailfrom=evil.example\r\n" + pass + "From: ada@example.org\r\n\r\n",
		"Authentication-Results: mx.evil.example; dmarc=pass header.from=example.org\r\nFrom: ada@example.org\r\n\r\n",
		"X-Authentication-Results: mx.lobstead.example; dmarc=pass header.from=example.org\r\nFrom: ada@example.org\r\n\r\n",
		"ARC-Authentication-Results: i=1; mx.lobstead.example; dmarc=pass header.from=example.org\r\nFrom: ada@example.org\r\n\r\n",
		pass + "From: ada@example.org\r\nFrom: eve@example.org\r\n\r\n",
		pass + "From: ada@example.org\r\nFrom : eve@example.org\r\n\r\n",
		pass + "From: ada@example.org, eve@example.org\r\n\r\n",
		pass + "From: Friends: ada@example.org;\r\n\r\n",
		pass + "From: Friends: ada@example.org, eve@example.org;\r\n\r\n",
		pass + "From: undisclosed:;\r\n\r\n",
		pass + "From: <@evil.example:ada@example.org>\r\n\r\n",
		pass + "From: \"ada@example.org\"@example.org\r\n\r\n",
		pass + "From: \"a b\"@example.org\r\n\r\n",
		pass + "From: ada@example.org\x00\r\n\r\n",
		pass + "From: \r\n\r\n", pass + "Sender: ada@example.org\r\n\r\n", pass + "From: ada@[192.0.2.1]\r\n\r\n", pass + "From: ada@localhost\r\n\r\n",
		pass + "From: ada@\u0435xample.org\r\n\r\n",      // Cyrillic
		pass + "From: ada@\uff45xample.org\r\n\r\n",      // full width
		pass + "From: ada@mail.example.org.evil\r\n\r\n", // another's
	} {
		got, _, _ := email.Judge(box, raw)
		require.Empty(t, got, raw)
	}
}

func TestPeopleWhoLookAlikeAreDifferent(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, s := range []string{"kate@example.org", "\u212aate@example.org", "\uff4bate@example.org", "k\u0430te@example.org", "kate+x@example.org", "k.ate@example.org", "kate@\u0435xample.org", "kate@\uff45xample.org", "kate@examp\u217ce.org"} {
		n, ok := email.Normal(s)
		if !ok {
			continue
		}
		require.NotContains(t, seen, n, s)
		seen[n] = s
	}
	for a, b := range map[string]string{"KATE@EXAMPLE.ORG": "kate@example.org", "kate@example.org.": "kate@example.org", "kate@bücher.example": "kate@xn--bcher-kva.example", "kate@XN--BCHER-KVA.example": "kate@xn--bcher-kva.example"} {
		n, ok := email.Normal(a)
		require.True(t, ok, a)
		require.Equal(t, b, n)
	}
}

func TestProgramsAreNotAnswered(t *testing.T) {
	t.Parallel()
	box := email.Mailbox("agent@lobstead.example", mx)
	for _, field := range []string{"Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated; x=y", "auto-submitted: AUTO-NOTIFIED", "Precedence: bulk", "Precedence: List", "Precedence: junk", "List-Id: <x.example.org>", "List-Unsubscribe: <mailto:x@example.org>", "Return-Path: <>",
		"Content-Type: multipart/report; report-type=delivery-status", "X-Autoreply: yes", "X-Autorespond: x", "X-Loop: x", "X-Failed-Recipients: a@b"} {
		_, what, _ := email.Judge(box, pass+field+"\r\nFrom: ada@example.org\r\n\r\n")
		require.Equal(t, "automatic", what, field)
	}
	for _, from := range []string{"MAILER-DAEMON@example.org", "postmaster@example.org", "no-reply@example.org", "noreply-x@example.org", "Agent@Lobstead.example"} {
		_, what, _ := email.Judge(box, pass+"From: "+from+"\r\n\r\n")
		require.Equal(t, "automatic", what, from)
	}
	for _, field := range []string{"Auto-Submitted: no", "Precedence: normal", "Return-Path: <ada@example.org>", "X-Auto-Response-Suppress: DR, OOF"} {
		_, what, why := email.Judge(box, pass+field+"\r\nFrom: ada@example.org\r\n\r\n")
		require.Empty(t, what, "%s %s", field, why)
	}
}

// Whatever stands below the server's own field, nobody is believed whom it does not name.
func FuzzProof(f *testing.F) {
	f.Add("From: ada@example.org", "spf=pass smtp.mailfrom=x@evil.example")
	f.Add(pass+"From: ada@example.org", "dmarc=fail header.from=example.org (x")
	f.Fuzz(func(t *testing.T, below, said string) {
		if strings.ContainsAny(said, "\r\n") || strings.Contains(strings.ToLower(said), "pass") {
			return
		}
		raw := "Authentication-Results: mx.lobstead.example; " + said + "\r\n" + strings.TrimLeft(below, " \t") + "\r\n\r\n"
		who, _, _ := email.Judge(email.Mailbox("agent@lobstead.example", mx), raw)
		require.Empty(t, who)
	})
}
