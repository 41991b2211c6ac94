// Package emailtest is a mail provider for tests: one mailbox behind a real IMAP server and a real SMTP server, over TLS, with people who write to it
// and read what comes back. Its servers are those of github.com/emersion.
package emailtest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
)

// Server is a provider as one mailbox sees it.
type Server struct {
	Address              string
	Password             string
	AuthServ             string         // what its Authentication-Results are of
	Roots                *x509.CertPool // who vouches for it: email.Email.Roots
	IMAP                 string         // host:port, TLS from the start
	SMTP                 string
	IMAPPlain, SMTPPlain string // host:port, STARTTLS

	t       testing.TB
	user    *imapmemserver.User
	mu      sync.Mutex
	conns   map[net.Conn]struct{} // below our own
	sent    []Mail
	took    map[string][]byte // letters that were delivered, by Message-ID
	count   int
	fates   []fate
	closed  map[string]bool // addresses that are no more
	gone    bool            // the password works no more
	full    int             // sign-ins that find no room
	mute    bool            // new lines do not hear of IDLE
	stuck   int             // how many marks fail
	signIns int
}

type fate struct {
	code     int
	enhanced smtp.EnhancedCode
	lose     bool
}

// New starts a provider with an empty mailbox.
func New(t testing.TB) *Server {
	s := &Server{t: t, Address: "agent@lobstead.example", Password: "app-password-0815-geheim", AuthServ: "mx.lobstead.example", conns: map[net.Conn]struct{}{}, took: map[string][]byte{}, closed: map[string]bool{}}
	web := httptest.NewUnstartedServer(nil) // which has a certificate for 127.0.0.1
	web.StartTLS()
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(web.Certificate())
	config := &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	web.Close()

	s.user = imapmemserver.NewUser(s.Address, s.Password)
	if err := s.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	memory := imapmemserver.New()
	memory.AddUser(s.user)
	quiet := log.New(io.Discard, "", 0)
	in := imapserver.New(&imapserver.Options{Caps: imap.CapSet{imap.CapIMAP4rev1: {}}, TLSConfig: config, Logger: quiet, InsecureAuth: true, // of which it knows nothing: see line
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{memory.NewSession(), s}, nil, nil
		}})
	out := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &submission{s: s, c: c}, nil }))
	out.TLSConfig, out.ErrorLog, out.Domain, out.MaxMessageBytes, out.EnableSMTPUTF8, out.AllowInsecureAuth = config, quiet, "mx.lobstead.example", 36<<20, true, true
	s.IMAP = s.listen(config, in.Serve)
	s.IMAPPlain = s.listen(nil, in.Serve)
	s.SMTP = s.listen(config, out.Serve)
	s.SMTPPlain = s.listen(nil, out.Serve)
	t.Cleanup(func() {
		s.Cut()
		_ = out.Close()
		_ = in.Close()
	})
	return s
}

func (s *Server) listen(config *tls.Config, serve func(net.Listener) error) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	address := l.Addr().String()
	if config != nil {
		l = tls.NewListener(l, config)
	}
	go func() { _ = serve(&listener{l, s}) }()
	return address
}

// Account is the mailbox as Lobstead is told of it.
func (s *Server) Account() service.Account { return servicetest.Account("", s.Values()) }

// Values are its fields.
func (s *Server) Values() map[string]string {
	return map[string]string{"address": s.Address, "name": "Lobstead", "imap_host": "tls://" + s.IMAP, "imap_password": s.Password, "smtp_host": "tls://" + s.SMTP, "authserv_id": s.AuthServ}
}

// Cut cuts every line.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
	clear(s.conns)
}

// Revoke makes the password one that works no more; Restore takes that back.
func (s *Server) Revoke()  { s.set(func() { s.gone = true }) }
func (s *Server) Restore() { s.set(func() { s.gone = false }) }

// Full lets the next n sign-ins find no room at the IMAP server.
func (s *Server) Full(n int) { s.set(func() { s.full = n }) }

// Mute keeps the IMAP server from announcing new mail to who connects from now on.
func (s *Server) Mute() { s.set(func() { s.mute = true }) }

// Stick makes the next n marks on mails fail, and cuts the line.
func (s *Server) Stick(n int) { s.set(func() { s.stuck = n }) }

// Fail refuses the next n mails with a status.
func (s *Server) Fail(n, code int) {
	s.add(n, fate{code: code, enhanced: smtp.EnhancedCode{code / 100, 0, 0}})
}

// Refuse refuses the next n mails with a status and an enhanced one.
func (s *Server) Refuse(n, code int, enhanced [3]int) { s.add(n, fate{code: code, enhanced: enhanced}) }

// Shut ends an address: mails to it are refused for good.
func (s *Server) Shut(address string) { s.set(func() { s.closed[address] = true }) }

// RateLimit refuses the next n mails as too many: they may come again later.
func (s *Server) RateLimit(n int) { s.add(n, fate{code: 450, enhanced: smtp.EnhancedCode{4, 7, 1}}) }

// Lose takes the next n mails, and cuts the line before it says so.
func (s *Server) Lose(n int) { s.add(n, fate{lose: true}) }

// SignIns tells how often somebody signed in at the IMAP server.
func (s *Server) SignIns() (n int) { s.set(func() { n = s.signIns }); return n }

func (s *Server) set(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *Server) add(n int, f fate) {
	s.set(func() {
		for range n {
			s.fates = append(s.fates, f)
		}
	})
}

func (s *Server) fate() (f fate) {
	s.set(func() {
		if len(s.fates) > 0 {
			f, s.fates = s.fates[0], s.fates[1:]
		}
	})
	return f
}

// listener keeps its lines, so that they can be cut.
type listener struct {
	net.Listener
	s *Server
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	kept := &line{Conn: c, s: l.s, mute: l.s.mute}
	l.s.conns[c] = struct{}{}
	return kept, nil
}

type line struct {
	net.Conn
	s    *Server
	mute bool
}

func (l *line) Write(b []byte) (int, error) {
	if !l.mute {
		return l.Conn.Write(b)
	}
	if _, err := l.Conn.Write(bytes.ReplaceAll(b, []byte(" IDLE"), nil)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (l *line) Close() error {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	delete(l.s.conns, l.Conn)
	return l.Conn.Close()
}
