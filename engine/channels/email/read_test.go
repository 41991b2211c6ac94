package email_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/email"
	"lobstead/engine/channels/service"
)

func event(t *testing.T, head, body string) service.Event {
	t.Helper()
	e, err := email.Read(email.Mailbox("agent@lobstead.example", mx), pass+strings.ReplaceAll("From: ada@example.org\nMessage-ID: <m1@example.org>\n"+head+"\n"+body, "\n", "\r\n"))
	require.NoError(t, err)
	return e
}

func TestWhatIsSaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ head, body, want string }{
		{"Subject: Hi\n", "there", "Hi\n\nthere"},
		{"Subject: Hi\nIn-Reply-To: <x@y>\n", "there", "there"},
		{"Subject: Only this\n", "", "Only this"},
		{"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n", "sch=F6n", "Grüße\n\nschön"},
		{"Subject: =?iso-2022-jp?B?GyRCJDMkcxsoQg==?=\nContent-Type: text/plain; charset=windows-1252\nContent-Transfer-Encoding: 8bit\n", "\x80 5", "こん\n\n€ 5"},
		{"Subject: x\nContent-Type: text/plain; charset=klingon\n", "nuqneH", "x\n\nnuqneH"},
		{"Subject: x\nContent-Type: text/html\n", "<p>Hello <b>you</b></p><script>alert(1)</script><img src=\"https://evil.example/p.gif\">", "x\n\nHello you"},
		{"Subject: Hello\n", "/link ABC234\n\n-- \nAda", "/link ABC234"},
		{"Subject: /link ABC234\n", "", "/link ABC234"},
		{"Subject: /LINK abc234\n", "Sent from my iPhone", "/LINK abc234"},
		{"Subject: Re: x\nIn-Reply-To: <x@y>\n", "/stop\n\nOn Mon, 23 Nov 2026 at 10:00, Bot <b@x.org> wrote:\n> hi", "/stop"},
		{"Subject: paths\n", "/etc/passwd is a file", "paths\n\n/etc/passwd is a file"},
		{"Subject: x\nContent-Type: multipart/alternative; boundary=b\n", "--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--", "x\n\nplain"},
		{"Subject: x\nContent-Type: multipart/alternative; boundary=b\n", "--b\nContent-Type: text/plain\n\n\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--", "x\n\nrich"},
		{"Subject: x\nContent-Type: multipart/mixed; boundary=b\n", "--b\nContent-Type: text/plain\n\none\n--b\nContent-Type: text/plain\n\ntwo\n--b--", "x\n\none\n\ntwo"},
		{"Subject: x\nContent-Type: text/plain; format=flowed\n", "a line that \ngoes on\nand another", "x\n\na line that goes on\nand another"},
		{"Subject: Re[2]: AW: x\n", "y", "x\n\ny"},
	} {
		require.Equal(t, c.want, event(t, c.head, c.body).Text, "%q", c)
	}
	deep := strings.Builder{}
	for range 400 {
		deep.WriteString("Content-Type: multipart/mixed; boundary=b\n\n--b\n")
	}
	require.Equal(t, "x", event(t, "Subject: x\n"+deep.String(), "").Text)
}

func TestFilesOfAMail(t *testing.T) {
	t.Parallel()
	e := event(t, "Subject: x\nContent-Type: multipart/mixed; boundary=o\n", "--o\nContent-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n<p>See <img src=\"cid:p\" alt=\"the plan\"></p>\n--r\nContent-Type: image/png\nContent-ID: <p>\nContent-Disposition: inline\nContent-Transfer-Encoding: base64\n\naGk=\n--r--\n"+
		"--o\nContent-Type: message/rfc822\n\nFrom: eve@evil.example\nSubject: inner\n\n/link AAAAAA\n--o\nContent-Type: text/plain; name=\"=?utf-8?q?n=C3=B6te.txt?=\"\n\nnote\n--o\nContent-Type: application/pgp-signature\n\nx\n--o\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename*=utf-8''..%2F..%2Fetc%2Fp%C3%A4ss\n\nzz\n--o--\n")
	require.Equal(t, "x\n\nSee the plan", e.Text)
	names := []string{}
	for _, f := range e.Files {
		names = append(names, f.Name+" "+f.MediaType)
	}
	require.Equal(t, []string{"attachment-1.png image/png", "attachment-2.eml message/rfc822", "nöte.txt text/plain", "päss application/octet-stream"}, names)
}

func TestConversationsAndIDs(t *testing.T) {
	t.Parallel()
	e := event(t, "References: <root@x> <two@x>\nIn-Reply-To: <two@x>\n", "x")
	require.Equal(t, "root@x", e.Peer.Thread)
	require.Equal(t, "two@x", e.ReplyTo)
	require.Equal(t, "m1@example.org", e.Message)
	require.Equal(t, "m1@example.org ada@example.org", e.ID)
	long := strings.Repeat("x", 200) + "@example.org"
	e = event(t, "References: <"+long+">\n", "x")
	require.Len(t, e.Peer.Thread, 32)
	none, err := email.Read(email.Mailbox("agent@lobstead.example", mx), pass+"From: ada@example.org\r\nSubject: s\r\n\r\nx")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(none.ID, "none-"), none.ID)
	require.Empty(t, none.Message)
	again, err := email.Read(email.Mailbox("agent@lobstead.example", mx), pass+"From: ada@example.org\r\nSubject: s\r\n\r\nx")
	require.NoError(t, err)
	require.Equal(t, none.ID, again.ID)
}

func TestNewWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"gmail":      {"Yes.\n\nOn Mon, Nov 23, 2026 at 10:00 AM Lobstead <a@b.example>\nwrote:\n\n> old\n> words\n", "Yes."},
		"german":     {"Ja.\n\nAm Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Lobstead <\na@b.example>:\n\n> alt\n", "Ja."},
		"french":     {"Oui.\n\nLe lun. 23 nov. 2026 à 10:00, Lobstead <a@b.example> a écrit :\n\n> vieux\n", "Oui."},
		"outlook":    {"Yes.\n\n________________________________\nFrom: Lobstead <a@b.example>\nSent: Monday\nTo: Ada\nSubject: x\n\nold", "Yes."},
		"outlook de": {"Ja.\n\nVon: Lobstead <a@b.example>\nGesendet: Montag\nAn: Ada\nBetreff: x\n\nalt", "Ja."},
		"original":   {"Yes.\n\n-----Original Message-----\nFrom: x\nold", "Yes."},
		"bare":       {"Yes.\n> old\n> words\n\n", "Yes."},
		"signature":  {"Yes.\n\n-- \nAda\nTel. 1", "Yes."},
		"phone":      {"Yes.\n\nSent from my iPhone\n", "Yes."},
		"between":    {"> one\nfirst\n> two\nsecond", "> one\nfirst\n> two\nsecond"},
		"below":      {"On Monday Bob <b@x.org> wrote:\n> one\n\nI disagree.", "On Monday Bob <b@x.org> wrote:\n> one\n\nI disagree."},
		"only":       {"> all of it", "> all of it"},
		"prose":      {"On Monday I wrote:\nsomething else", "On Monday I wrote:\nsomething else"},
		"heading":    {"From: the desk of Ada\nhello", "From: the desk of Ada\nhello"},
		"dashes":     {"one\n--\n" + strings.Repeat("long\n", 30) + "end", "one\n--\n" + strings.Repeat("long\n", 30) + "end"},
		"forward":    {"See this.\n\n---------- Forwarded message ---------\nFrom: Bob <b@x.org>\nDate: x\nSubject: y\nTo: z\n\nthe thing", "See this.\n\n---------- Forwarded message ---------\nFrom: Bob <b@x.org>\nDate: x\nSubject: y\nTo: z\n\nthe thing"},
	} {
		require.Equal(t, c.want, email.NewWords(c.in, false), name)
	}
	require.Contains(t, email.NewWords("See\n\n-----Original Message-----\nFrom: x\nold", true), "old", "what is forwarded is meant")
}

func TestHTMLBecomesText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"<div>Hello&nbsp;<b>you</b>,</div><div><br></div><div>bye</div>":                                                   "Hello you,\n\nbye",
		"<p>one</p>\n<p>two<br>three</p>":                                                                                  "one\n\ntwo\nthree",
		"<ul><li>a</li><li>b</li></ul>":                                                                                    "- a\n- b",
		"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>":                                        "a | b\nc | d",
		"<a href=\"https://example.org/x\">here</a> and <a href=\"https://example.org\">https://example.org</a>":           "here (https://example.org/x) and https://example.org",
		"<style>p{}</style><title>t</title><p>x</p><script>y</script><!-- z -->":                                           "x",
		"Yes.<div class=\"gmail_quote\"><div>On Monday Bob &lt;b@x.org&gt; wrote:</div><blockquote>old</blockquote></div>": "Yes.\nOn Monday Bob <b@x.org> wrote:\n\n> old",
		"<pre>a\n  b</pre>":    "a\n  b",
		"1 &lt; 2 &amp; 3":     "1 < 2 & 3",
		"<script><p>never</p>": "",
	} {
		require.Equal(t, want, email.HTMLText(in), in)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx")
	f.Add("Subject: x\r\nContent-Type: text/html\r\n\r\n<blockquote><p>On x wrote:</p>")
	f.Fuzz(func(t *testing.T, raw string) {
		e, err := email.Read(email.Mailbox("agent@lobstead.example", mx), pass+"From: ada@example.org\r\n"+raw)
		if err == nil {
			require.NotEmpty(t, e.ID)
		}
		email.NewWords(raw, false)
		email.HTMLText(raw)
		email.Unflow(raw, true)
	})
}
