// Package apptest starts a whole web side for tests: a real listener over a real database, with a worker that
// answers by the offline model in sandboxes that live in memory. For tests only.
package apptest

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app"
	"lobstead/engine/agent"
	"lobstead/engine/automate"
	"lobstead/engine/billing"
	"lobstead/engine/billing/billingtest"
	"lobstead/engine/channels"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/telegram"
	"lobstead/engine/files"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/engine/llm/offline"
	"lobstead/engine/outbox"
	"lobstead/engine/provision"
	"lobstead/engine/terminal"
	"lobstead/jobs"
	"lobstead/kit/dial"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/kit/limit"
	"lobstead/kit/mail"
	"lobstead/kit/secret"
	"lobstead/kit/testservices"
	"lobstead/models"
	"lobstead/models/modelstest"
	setupview "lobstead/views/setup"
)

// World is one installation: a server, a worker and a database. Acme is whose data a test looks at, Rival is
// who must never see it.
type World struct {
	T           testing.TB
	Store       *models.Store
	DB          *sql.DB // past the store, for what no verb does: demote, block, count
	App         *app.App
	Bus         *events.Bus
	Turns       *agent.Turns
	Automations *automate.Desk
	Channels    *channels.Desk
	Boxes       *Boxes
	Files       *files.Checkpoints
	Redis       *jobs.Redis
	Outbox      *outbox.Outbox
	URL         string
	Address     string
	Dir         string // the data directory
	Acme, Rival *Org

	dialect string
	box     *secret.Box
	stop    func()
	awake   *atomic.Bool // workers hear of what is written: not of what a world begins with
}

// Options change what New starts.
type Options struct {
	PublicURL string // "" = where it listens
	Empty     bool   // no organizations: a fresh installation
	NoWorker  bool   // turns stay queued
	Pace      time.Duration
	Limits    app.Limits              // none without
	SignIn    []models.SignInProvider // of the environment
	Passwords bool                    // for everybody, whatever the page says
	Proxies   bool                    // the test is one, and says where requests come from
	Mail      *mail.Sender
	Billing   *billingtest.Stripe // nil = nothing is paid, and nothing limited
	Model     llm.Provider        // answers for the connected services; nil = one like the offline model
	Images    *http.Client        // of the gateway

	Services    map[models.ChannelKind]service.Service // by which people reach agents
	ServiceURLs map[models.ChannelKind]string
	Log         io.Writer
}

// New starts a world with both organizations.
func New(t testing.TB) *World { return Start(t, Options{}) }

// Start is New with options.
func Start(t testing.TB, o Options) *World {
	t.Helper()
	w := &World{T: t, Boxes: NewBoxes(t.TempDir()), box: modelstest.Box(t), awake: &atomic.Bool{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w.Address = l.Addr().String()
	w.URL = "http://" + w.Address
	letters := ""
	if o.Mail != nil {
		letters = w.URL
	}
	w.open(o.Billing != nil, letters)
	log := slog.New(slog.DiscardHandler)
	if o.Log != nil {
		log = slog.New(slog.NewTextHandler(o.Log, nil))
	}
	redis, err := jobs.OpenRedis(t.Context(), redisURL(t))
	require.NoError(t, err)
	w.Redis = redis
	w.Bus = events.Open(redis.Client())
	w.Store.OnWritten(w.written)
	w.Turns = &agent.Turns{Store: w.Store, Bus: w.Bus}
	pace := o.Pace
	if pace == 0 {
		pace = -1
	}
	llms := &door.Door{Offline: offline.New(offline.Options{Pace: pace}), Connect: o.connect}
	desk := &provision.Desk{Bus: w.Bus, Jobs: jobs.NewClient(redis, log)}
	public := o.PublicURL
	if public == "" {
		public = w.URL
	}
	pay, hosts := w.billing(o.Billing, public, desk)
	w.Files = &files.Checkpoints{Desk: &files.Desk{Host: w.Boxes, Log: log, Wake: desk.Waker(w.Store)}}
	if o.Services == nil { // nothing leaves a test
		o.Services, o.ServiceURLs = map[models.ChannelKind]service.Service{models.TelegramChannel: &telegram.Telegram{}}, map[models.ChannelKind]string{models.TelegramChannel: "http://127.0.0.1:1"}
	}
	w.Automations = &automate.Desk{Store: w.Store, Bus: w.Bus, Turns: w.Turns}
	w.Channels = &channels.Desk{Store: w.Store, Bus: w.Bus, Turns: w.Turns, Client: &http.Client{Timeout: time.Minute}, Dial: &net.Dialer{}, Public: public, Log: log,
		Services: o.Services, BaseURLs: o.ServiceURLs}
	w.App = app.New(app.Deps{Store: w.Store, Bus: w.Bus, Turns: w.Turns, Automations: w.Automations, Channels: w.Channels, Desk: desk, Door: llms, Files: w.Boxes, Workspaces: w.Files, Terminals: &terminal.Desk{Host: w.Boxes, Wake: desk.Waker(w.Store)}, Images: o.Images, Billing: pay, PayHosts: hosts, PublicURL: public, Version: "test",
		Limiter: limit.New(redis.Client(), log), Limits: o.Limits, Mails: o.Mail != nil,
		Jobs: desk.Jobs.(*jobs.Client), Inspector: jobs.NewInspector(redis), Queue: "embedded", Doctor: func(context.Context) []setupview.Check { return nil }, Log: log,
		Box: w.box, SignIn: o.SignIn, PasswordsForAll: o.Passwords})
	if o.Proxies {
		w.App.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = w.App.Fiber().Listener(l) }()
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	if !o.NoWorker {
		runner := agent.New(agent.Config{Checkpoints: w.Files, Store: w.Store, Bus: w.Bus, Driver: w.Boxes, Spec: provision.Spec, Door: llms, Node: "test", Workers: 8, Sweep: 200 * time.Millisecond, Log: log})
		work.Go(func() { _ = runner.Run(ctx) })
		work.Go(func() { (&automate.Timer{Desk: w.Automations, Log: log}).Run(ctx) })
		work.Go(func() { (&channels.Keeper{Desk: w.Channels, Node: "test", Log: log}).Run(ctx) })
	}
	rec := &provision.Reconciler{Store: w.Store, Bus: w.Bus, Driver: w.Boxes, Node: "test", Log: log}
	waits := []func(){rec.Follow(ctx)}
	w.Outbox = &outbox.Outbox{Store: w.Store, Bus: w.Bus, Jobs: desk.Jobs.(*jobs.Client), Node: "test", Log: log,
		Senders: map[models.DeliveryKind]outbox.Sender{models.WebhookDelivery: outbox.NewWebhook(w.Store, "test"), models.ChannelDelivery: &channels.Sender{Desk: w.Channels, Driver: w.Boxes}}}
	if o.Mail != nil {
		w.Outbox.Senders[models.MailDelivery] = outbox.Mail{Server: o.Mail}
	}
	waits = append(waits, w.Outbox.Follow(ctx))
	w.stop = sync.OnceFunc(func() {
		stop, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		_ = w.App.Shutdown(stop)
		<-served
		cancel()
		work.Wait()
		for _, wait := range waits {
			wait()
		}
		desk.Close()
		w.Bus.Close()
		_ = redis.Close()
	})
	t.Cleanup(w.stop)
	if !o.Empty {
		w.populate()
	}
	w.awake.Store(true)
	return w
}

// written tells workers and open pages of what a transaction left for them, as the program does.
func (w *World) written(ctx context.Context, left models.Written) {
	if !w.awake.Load() {
		return
	}
	for _, d := range left.Deliveries {
		outbox.Wake(ctx, w.Bus, d)
	}
	for _, org := range left.Inboxes {
		w.Bus.Publish(ctx, agent.InboxTopic(org), nil)
	}
}

// billing is the way to a Stripe, or to none.
func (w *World) billing(s *billingtest.Stripe, public string, desk *provision.Desk) (*billing.Billing, []string) {
	if s == nil {
		return billing.New(billing.Config{Store: w.Store}), nil
	}
	return billing.New(billing.Config{Store: w.Store, Key: secret.Of(billingtest.Key), WebhookSecret: secret.Of(billingtest.Secret), APIURL: s.URL, PublicURL: public,
		Client: dial.New(dial.Policy{AllowPrivate: true, Redirects: -1}), Changed: desk.Announce}), []string{strings.TrimPrefix(s.URL, "http://")}
}

// In is the same world for a part of a test.
func (w *World) In(t testing.TB) *World {
	part := *w
	part.T = t
	return &part
}

// Stop shuts everything down, once.
func (w *World) Stop() { w.stop() }

// open makes the database and a second way into it.
func (w *World) open(planLimits bool, letters string) {
	w.dialect, w.Dir = "sqlite", w.T.TempDir()
	url := modelstest.URL(w.T)
	w.Store = modelstest.Open(w.T, models.Options{URL: url, Dir: w.Dir, Log: slog.New(slog.DiscardHandler), PlanLimits: planLimits, Letters: letters, Public: w.URL})
	if url != "" {
		w.dialect = "pgx"
	} else {
		url = "file:" + filepath.Join(w.Dir, "lobstead.db") + "?_pragma=busy_timeout(10000)&_txlock=immediate"
	}
	var err error
	w.DB, err = sql.Open(w.dialect, url)
	require.NoError(w.T, err)
	w.T.Cleanup(func() { _ = w.DB.Close() })
}

func redisURL(t testing.TB) secret.String {
	if modelstest.Postgres() {
		return secret.Of(testservices.Redis(t))
	}
	return secret.String{}
}

// GoodKey is the one that the connected services of a test accept.
const GoodKey = "sk-good-canary-0123456789"

// connect builds a service that answers like the offline model, when the key is right.
func (o Options) connect(_ *models.Provider, key secret.String) (llm.Provider, error) {
	if key.Reveal() != GoodKey {
		return nil, fault.New(fault.Invalid, "llm.key", "The service refused the key")
	}
	if o.Model != nil {
		return o.Model, nil
	}
	return offline.New(offline.Options{Pace: -1}), nil
}
