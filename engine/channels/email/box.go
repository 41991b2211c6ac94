package email

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"strings"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// box is what an account's fields say.
type box struct {
	address  string // normalised
	name     string
	folder   string
	authserv string
	imap     endpoint
	smtp     endpoint
}

// endpoint is a server and who we are at it.
type endpoint struct {
	host, port     string
	upgrade        bool // the line begins plain and must be encrypted by STARTTLS
	user, password string
}

func settings(a service.Account) (*box, error) {
	b := &box{name: clean(a.Value("name"), 100), folder: cmp.Or(a.Value("folder"), "INBOX"), authserv: strings.TrimSpace(a.Value("authserv_id"))}
	var ok bool
	var is fault.Issues
	if b.address, ok = normal(a.Value("address")); !ok {
		is.BadString("address", "email")
	}
	if b.authserv == "" {
		is.Custom("authserv_id", "Without the name in Authentication-Results nobody can be believed")
	}
	if b.imap, ok = server(a.Value("imap_host"), "993"); !ok {
		is.Custom("imap_host", "This is no server: write imap.example.com:993")
	}
	if b.smtp, ok = server(a.Value("smtp_host"), "465"); !ok {
		is.Custom("smtp_host", "This is no server: write smtp.example.com:465")
	}
	b.imap.user, b.imap.password = cmp.Or(a.Value("imap_user"), b.address), a.Value("imap_password")
	b.smtp.user, b.smtp.password = cmp.Or(a.Value("smtp_user"), b.imap.user), cmp.Or(a.Value("smtp_password"), b.imap.password)
	return b, is.Err()
}

// server reads HOST, HOST:PORT, tls://HOST:PORT or starttls://HOST:PORT. The well-known ports of lines that begin plain are upgraded.
func server(s, port string) (endpoint, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	way, rest, named := strings.Cut(s, "://")
	if !named {
		way, rest = "", s
	}
	e := endpoint{host: rest, port: port}
	if host, p, err := net.SplitHostPort(rest); err == nil {
		e.host, e.port = host, p
	}
	n, err := strconv.Atoi(e.port)
	if err != nil || n < 1 || n > 65535 || e.host == "" || strings.ContainsAny(e.host, "/@?#[] \t\r\n") {
		return endpoint{}, false
	}
	switch way {
	case "":
		e.upgrade = n == 143 || n == 587 || n == 25 || n == 2525
	case "starttls":
		e.upgrade = true
	case "tls", "imaps", "smtps":
	default:
		return endpoint{}, false
	}
	return e, true
}

// line connects to a server; its TLS is made unless the line is to be upgraded. The line is cut when ctx ends.
func (s *Email) line(ctx context.Context, a service.Account, e endpoint) (net.Conn, error) {
	conn, err := a.Dial.DialContext(ctx, "tcp", net.JoinHostPort(e.host, e.port))
	if err != nil {
		return nil, call.Failed(name, err)
	}
	if e.upgrade {
		return conn, nil
	}
	safe := tls.Client(conn, s.tls(e))
	if err := safe.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, lineFailed(err)
	}
	return safe, nil
}

func (s *Email) tls(e endpoint) *tls.Config {
	return &tls.Config{ServerName: e.host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

// lineFailed is call.Failed, and tells of certificates.
func lineFailed(err error) error {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fault.Wrap(err, fault.Unavailable, "service.certificate", "The certificate of the mail server is not valid for its name")
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fault.Wrap(err, fault.Unavailable, "service.certificate", "The certificate of the mail server is not valid for its name")
	}
	return call.Failed(name, err)
}

// signedOut says that a server refuses who we are.
func signedOut(err error) error {
	return fault.Wrap(err, fault.Unauthenticated, "service.credentials", "The mail server refuses the user and password of this mailbox").
		Hinting("Give it a new password; where the account has a second factor, an app password.")
}
