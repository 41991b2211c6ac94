// Package email speaks IMAP and SMTP: one mailbox, which it listens to, and out of which it answers. It knows no rows and no agents.
//
// From is what anybody may write, so a mail counts only when the mailbox's own server proved its sender: see proof.go. What programs
// send is never answered (automatic.go), and what we send says that it is automatic: two programs do not write to each other for ever.
//
// What mail guarantees: a mail stays unread until it was kept, and comes again with the same id until then; when the line is cut between keeping and marking it
// comes twice. Sending has no idempotency: an answer of the server that was lost leaves the sender in doubt. A mail that is sent
// again has the same Message-ID, by which most mailboxes show it once. Mails cannot be changed: a change is a mail that answers the one before.
package email

import (
	"context"
	"crypto/x509"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/text"
)

const name = "The mail server"

// Email implements service.Service and service.Listener. The zero value is ready.
type Email struct {
	Poll  time.Duration  // between two looks at a server that does not announce new mail; 0 = a minute
	Pause time.Duration  // after a failure, doubled with each one (clock.Backoff); 0 = a second
	Roots *x509.CertPool // in tests: who may vouch for a server; nil = those of the system
	Log   *slog.Logger   // of what is passed over; nil = nowhere
}

// Fields of an account.
func (*Email) Fields() []service.Field {
	return []service.Field{
		{Name: "address", Label: "Address", Required: true, Max: 254,
			Hint: "The agent's own address, with a mailbox that nobody else reads: what is unread in it, up to a week old, is taken as written to the agent."},
		{Name: "name", Label: "Name", Hint: "How answers name their sender. Without it they show the address only.", Max: 100},
		{Name: "imap_host", Label: "IMAP server", Required: true, Max: 260,
			Hint: "Where mail comes in, such as imap.example.com:993. The line is always encrypted; on port 143 by STARTTLS."},
		{Name: "imap_user", Label: "IMAP user", Hint: "Without it the address.", Max: 254},
		{Name: "imap_password", Label: "Password", Secret: true, Required: true,
			Hint: "Of the mailbox. Where the account has a second factor, make an app password."},
		{Name: "folder", Label: "Folder", Hint: "Without it INBOX.", Max: 200},
		{Name: "smtp_host", Label: "SMTP server", Required: true, Max: 260,
			Hint: "Where answers go out, such as smtp.example.com:465. The line is always encrypted; on port 587 by STARTTLS."},
		{Name: "smtp_user", Label: "SMTP user", Hint: "Without it the IMAP user.", Max: 254},
		{Name: "smtp_password", Label: "SMTP password", Secret: true, Hint: "Without it the one above."},
		{Name: "authserv_id", Label: "Name in Authentication-Results", Required: true, Proof: true, Max: 255,
			Hint: "Proves who wrote: the first word of the Authentication-Results line that your mail server puts into each mail, such as mx.google.com. Open any mail's source to see it."},
	}
}

// Listens is always so: mail has to be fetched.
func (*Email) Listens(service.Account) bool { return true }

// Receive refuses everything: no mail server calls.
func (*Email) Receive(service.Account, service.Request) (service.Received, error) {
	return service.Received{}, call.Signature("what mail comes by")
}

// Split gives Markdown: Send writes it as plain text and as HTML.
func (*Email) Split(markdown string) []string { return text.MailSplit(markdown) }

// Typing does nothing: mail has no such sign.
func (*Email) Typing(context.Context, service.Account, service.Peer, string) error { return nil }

// Check signs in at both servers, and looks whether what proves senders is there.
func (s *Email) Check(ctx context.Context, a service.Account) (service.Profile, error) {
	b, err := settings(a)
	if err != nil {
		return service.Profile{}, err
	}
	in, err := s.open(ctx, a, b)
	if err != nil {
		return service.Profile{}, err
	}
	defer in.close()
	notes, err := in.notes(b)
	if err != nil {
		return service.Profile{}, err
	}
	out, err := s.submit(ctx, a, b)
	if err != nil {
		return service.Profile{}, err
	}
	out.quit()
	return service.Profile{ID: b.address, Name: b.address, Link: "mailto:" + b.address, Note: strings.Join(notes, " ")}, nil
}

// looked is how many mails are looked at for who proves their senders.
const looked = 20

// notes tells what is wrong with a mailbox that works.
func (in *inbox) notes(b *box) ([]string, error) {
	var notes []string
	unproved, err := in.count(unprovedMark)
	if err != nil {
		return nil, err
	}
	heads, err := in.recent(looked)
	if err != nil {
		return nil, err
	}
	found, others := false, []string{}
	for _, raw := range heads {
		h, err := readHead(raw)
		if err != nil {
			continue
		}
		for _, v := range h.all("Authentication-Results") {
			switch r, err := parseResults(v); {
			case err != nil:
			case strings.EqualFold(r.by, b.authserv):
				found = true
			case len(others) < 3 && !contains(others, r.by):
				others = append(others, r.by)
			}
		}
	}
	if len(heads) > 0 && !found {
		note := "Of the newest mails (" + strconv.Itoa(len(heads)) + ") none has Authentication-Results of " + b.authserv + ", without which nobody is believed."
		if len(others) > 0 {
			note += " There are some of " + strings.Join(others, ", ") + "."
		}
		notes = append(notes, note)
	}
	if unproved > 0 {
		notes = append(notes, "Passed over in the last week, because nothing proved who had sent it: "+strconv.Itoa(unproved)+" (with the keyword "+string(unprovedMark)+").")
	}
	if !in.idles() {
		notes = append(notes, "This server does not announce new mail: Lobstead looks once a minute.")
	}
	return notes, nil
}

func contains(all []string, s string) bool {
	for _, one := range all {
		if strings.EqualFold(one, s) {
			return true
		}
	}
	return false
}
