package emailtest

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"lobstead/engine/channels/service"
)

// Letter is a mail of somebody to the mailbox.
type Letter struct {
	From       string // "Ada <ada@example.org>"
	Subject    string
	Text, HTML string
	ID         string // made when ""; "-" for none
	InReplyTo  string
	References []string
	Fields     []string // more of the header, whole lines, below ours
	Files      []service.Upload
	Results    string // Authentication-Results without its name; made when "", "-" for none
	Arrived    time.Time
	Bare       bool // answers with In-Reply-To alone
}

// Say delivers a mail whose sender is proved, and gives its Message-ID.
func (s *Server) Say(from, subject, text string) string {
	return s.Post(Letter{From: from, Subject: subject, Text: text})
}

// Post delivers a mail, and gives its Message-ID.
func (s *Server) Post(l Letter) string {
	raw, id := s.write(l)
	s.Deliver(raw, l.Arrived)
	return id
}

// Deliver puts a mail into the mailbox as it is.
func (s *Server) Deliver(raw string, at time.Time) {
	s.t.Helper()
	raw = strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\n", "\r\n")
	if _, err := s.user.Append("INBOX", literal{strings.NewReader(raw)}, &imap.AppendOptions{Time: at}); err != nil {
		s.t.Fatal(err)
	}
}

type literal struct{ *strings.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// Repeat delivers a mail once more, as servers do when an answer was lost between them.
func (s *Server) Repeat(id string) {
	var raw []byte
	s.set(func() { raw = s.took[id] })
	s.Deliver(string(raw), time.Time{})
}

// Reply answers a mail of ours as people do: their words above what they quote.
func (s *Server) Reply(m Mail, text string) string {
	quoted := "On Mon, 23 Nov 2026 at 10:00, Lobstead <" + s.Address + "> wrote:\n\n> " + strings.ReplaceAll(m.Text, "\n", "\n> ")
	refs, _ := m.Header.MsgIDList("References")
	return s.Post(Letter{From: m.Peer, Subject: m.Subject, Text: text + "\n\n" + quoted, InReplyTo: m.ID, References: append(refs, m.ID)})
}

// Press does what a mail of ours asks for: it answers with the line of a choice.
func (s *Server) Press(m Mail, label string) string {
	s.t.Helper()
	for _, b := range m.Buttons {
		if b.Label == label {
			word := "APPROVE"
			if b.Bad {
				word = "DENY"
			}
			return s.Reply(m, word+" "+b.Token)
		}
	}
	s.t.Fatalf("there is no choice %q", label)
	return ""
}

func (s *Server) write(l Letter) (raw, id string) {
	s.set(func() { s.count++ })
	address := l.From
	if _, rest, ok := strings.Cut(l.From, "<"); ok {
		address, _, _ = strings.Cut(rest, ">")
	}
	_, domain, _ := strings.Cut(address, "@")
	if id = l.ID; id == "" {
		s.set(func() { id = fmt.Sprintf("%d.%d@%s", s.count, time.Now().UnixNano(), domain) })
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Return-Path: <%s>", address)
	line("Received: from mail.%s by %s; Mon, 23 Nov 2026 10:00:00 +0000", domain, s.AuthServ)
	if results := l.Results; results != "-" {
		if results == "" {
			results = fmt.Sprintf("dkim=pass (2048-bit key) header.d=%s header.s=one;\n\tspf=pass smtp.mailfrom=%s;\n\tdmarc=pass (p=NONE) header.from=%s", domain, address, domain)
		}
		line("Authentication-Results: %s;\n\t%s", s.AuthServ, results)
	}
	line("From: %s\nTo: <%s>\nSubject: %s\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0", l.From, s.Address, l.Subject)
	if id != "-" {
		line("Message-ID: <%s>", id)
	}
	if l.InReplyTo != "" {
		line("In-Reply-To: <%s>", l.InReplyTo)
	}
	if len(l.References) > 0 && !l.Bare {
		line("References: <%s>", strings.Join(l.References, ">\n <"))
	}
	for _, f := range l.Fields {
		line("%s", f)
	}
	l.body(&b)
	s.set(func() { s.took[id] = []byte(b.String()) })
	return b.String(), id
}

func (l *Letter) body(b *strings.Builder) {
	part := func(kind, words string) {
		fmt.Fprintf(b, "Content-Type: %s; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s\n", kind, words)
	}
	if len(l.Files) > 0 {
		fmt.Fprintf(b, "Content-Type: multipart/mixed; boundary=outer\n\n--outer\n")
	}
	switch {
	case l.Text != "" && l.HTML != "":
		fmt.Fprintf(b, "Content-Type: multipart/alternative; boundary=inner\n\n--inner\n")
		part("text/plain", l.Text)
		fmt.Fprintf(b, "--inner\n")
		part("text/html", l.HTML)
		fmt.Fprintf(b, "--inner--\n")
	case l.HTML != "":
		part("text/html", l.HTML)
	default:
		part("text/plain", l.Text)
	}
	for _, f := range l.Files {
		fmt.Fprintf(b, "--outer\nContent-Type: %s\nContent-Disposition: attachment; filename=\"%s\"\nContent-Transfer-Encoding: base64\n\n", f.MediaType, f.Name)
		for data := base64.StdEncoding.EncodeToString(f.Data); data != ""; {
			n := min(76, len(data))
			fmt.Fprintln(b, data[:n])
			data = data[n:]
		}
	}
	if len(l.Files) > 0 {
		fmt.Fprintf(b, "--outer--\n")
	}
}

// Unread tells how many mails nobody has read.
func (s *Server) Unread() int {
	d, err := s.user.Status("INBOX", &imap.StatusOptions{NumUnseen: true})
	if err != nil {
		s.t.Error(err)
		return -1
	}
	return int(*d.NumUnseen)
}

// Anew makes the mailbox another with the same unread mails: its numbers mean nothing any more.
func (s *Server) Anew(unread ...string) {
	s.t.Helper()
	if err := s.user.Delete("INBOX"); err != nil {
		s.t.Fatal(err)
	}
	if err := s.user.Create("INBOX", nil); err != nil {
		s.t.Fatal(err)
	}
	s.Cut()
	for _, id := range unread {
		s.Repeat(id)
	}
}
