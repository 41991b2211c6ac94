package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	netmail "net/mail"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"lobstead/engine/outbox"
	"lobstead/kit/clock"
	"lobstead/kit/events"
	"lobstead/kit/mail"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestMain(m *testing.M) {
	if helper() {
		return
	}
	// gorm's cache of statements has a goroutine that nothing ends.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// taken is a letter that the mail server read to its end.
type taken struct{ To, ID, Text string }

// server is a mail server that does what a test says: each letter asks answer, nil takes it.
type server struct {
	t      *testing.T
	url    string
	mu     sync.Mutex
	got    []taken
	answer func(n int, l taken, c *smtp.Conn) error
}

// serve starts one.
func serve(t *testing.T, answer func(n int, l taken, c *smtp.Conn) error) *server {
	t.Helper()
	s := &server{t: t, answer: answer}
	srv := smtp.NewServer(s)
	srv.ErrorLog = quietLog{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	s.url = "smtp://" + l.Addr().String()
	return s
}

type quietLog struct{}

func (quietLog) Printf(string, ...any) {}
func (quietLog) Println(...any)        {}

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{server: s, conn: c}, nil
}

// letters gives what was read so far.
func (s *server) letters() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]taken{}, s.got...)
}

type session struct {
	*server
	conn *smtp.Conn
	to   string
}

func (s *session) Reset()                                    {}
func (s *session) Logout() error                             { return nil }
func (s *session) Mail(string, *smtp.MailOptions) error      { return nil }
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	text, _ := io.ReadAll(m.Body)
	l := taken{To: s.to, ID: m.Header.Get("Message-Id"), Text: string(text)}
	s.mu.Lock()
	s.got = append(s.got, l)
	n := len(s.got)
	s.mu.Unlock()
	if s.answer == nil {
		return nil
	}
	return s.answer(n, l, s.conn)
}

func refusal(code int, words string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: words}
}

// rig is one database with an organization and a worker's outbox.
type rig struct {
	t     *testing.T
	o     models.Options
	store *models.Store
	clock *clock.Fake
	bus   *events.Bus
	sc    *models.Scope
	sy    *models.System
	box   *outbox.Outbox
	queue *queue
}

// queue stands for asynq: it keeps what it is given, or refuses.
type queue struct {
	mu     sync.Mutex
	ids    []string
	broken bool
}

func (q *queue) Deliver(_ context.Context, id string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.broken {
		return errors.New("no Redis")
	}
	q.ids = append(q.ids, id)
	return nil
}

// newRig makes one that sends by a server.
func newRig(t *testing.T, s *server) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.NewFake(time.Now()), bus: events.Open(nil), queue: &queue{}, o: models.Options{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}}
	t.Cleanup(r.bus.Close)
	var err error
	r.o.Box, _, err = secret.LoadOrCreate(r.o.Dir, secret.String{})
	require.NoError(t, err)
	r.o.URL, r.o.Clock = modelstest.URL(t), r.clock
	r.store = modelstest.Open(t, r.o)
	r.sc, _ = modelstest.Found(t, r.store, "Acme")
	r.sy = r.store.AsSystem("test")
	r.box = r.outbox(s, "a")
	return r
}

func (r *rig) outbox(s *server, node string) *outbox.Outbox {
	sender, err := mail.New(secret.Of(s.url), "Lobstead <no-reply@example.org>")
	require.NoError(r.t, err)
	return &outbox.Outbox{Store: r.store, Bus: r.bus, Jobs: r.queue, Node: node, Log: slog.New(slog.DiscardHandler),
		Senders: map[models.DeliveryKind]outbox.Sender{models.MailDelivery: outbox.Mail{Server: sender}}}
}

// follow runs an outbox's ear until the test or stop ends it.
func (r *rig) follow(o *outbox.Outbox) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	wait := o.Follow(ctx)
	stop = sync.OnceFunc(func() { cancel(); wait() })
	r.t.Cleanup(stop)
	return stop
}

func (r *rig) invite(email string) *models.Delivery {
	r.t.Helper()
	in, err := r.sc.InviteByMail(r.t.Context(), email, models.Member, func(*models.Invitation) models.Mail {
		return models.Mail{Subject: "Join", Text: "https://x.example/join?token=" + models.SecretMark}
	})
	require.NoError(r.t, err)
	return in.Delivery
}

// letter writes one without a secret; several to one address stand in its lane.
func (r *rig) letter(to, text string) *models.Delivery {
	r.t.Helper()
	d, err := r.sy.AskTestMail(r.t.Context(), models.Actor{Name: "Staff", Staff: true, Reason: "for the test"}, to, models.Mail{Subject: "s", Text: text})
	require.NoError(r.t, err)
	return d
}

func (r *rig) deliver(d *models.Delivery) *models.Delivery {
	r.t.Helper()
	require.NoError(r.t, r.box.Deliver(r.t.Context(), d.ID))
	return r.row(d.ID)
}

func (r *rig) row(id string) *models.Delivery {
	r.t.Helper()
	d, err := r.sy.DeliveryByID(r.t.Context(), id)
	require.NoError(r.t, err)
	return &d.Delivery
}

// ends waits generously until a delivery is in a state.
func (r *rig) ends(id string, want models.DeliveryState) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.row(id).State == want }, 30*time.Second, 5*time.Millisecond, "%+v", r.row(id))
}
