package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lobstead/app"
	"lobstead/engine/agent"
	"lobstead/engine/automate"
	"lobstead/engine/billing"
	"lobstead/engine/channels"
	"lobstead/engine/channels/discord"
	"lobstead/engine/channels/email"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/slack"
	"lobstead/engine/channels/telegram"
	"lobstead/engine/channels/whatsapp"
	"lobstead/engine/files"
	"lobstead/engine/llm/door"
	"lobstead/engine/outbox"
	"lobstead/engine/provision"
	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/process"
	"lobstead/engine/terminal"
	"lobstead/jobs"
	"lobstead/jobs/work"
	"lobstead/kit/config"
	"lobstead/kit/dial"
	"lobstead/kit/events"
	"lobstead/kit/limit"
	"lobstead/kit/mail"
	"lobstead/kit/secret"
	"lobstead/models"
)

// node is one process with its parts; what a role does not need is nil.
type node struct {
	cfg        *config.Config
	log        *slog.Logger
	scrubber   *secret.Scrubber
	box        *secret.Box
	store      *models.Store
	redis      *jobs.Redis
	bus        *events.Bus
	jobs       *jobs.Client
	desk       *provision.Desk
	turns      *agent.Turns
	door       *door.Door
	driver     sandbox.Driver
	workspaces *files.Checkpoints
	mail       *mail.Sender
	closers    []func()
}

// newNode opens what every role needs: the key, the database, Redis, the bus.
func newNode(ctx context.Context, cfg *config.Config) (*node, error) {
	n := &node{cfg: cfg, scrubber: &secret.Scrubber{}}
	n.log = newLog(cfg, n.scrubber)
	raiseFiles()
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory cannot be made: %w", err)
	}
	if err := n.openStore(ctx); err != nil {
		return nil, err
	}
	return n, nil
}

// openStore opens and migrates the database.
func (n *node) openStore(ctx context.Context) error {
	box, _, err := secret.LoadOrCreate(n.cfg.DataDir, n.cfg.SecretKey)
	if err != nil {
		return err
	}
	p := n.cfg.Providers
	n.box = box
	s := n.cfg.SignIn
	n.scrubber.Add(n.cfg.SecretKey, n.cfg.SMTP, p.OpenAI, p.Anthropic, p.Gemini, p.OpenRouter, s.GitHubSecret, s.GoogleSecret, s.OIDCSecret,
		n.cfg.Stripe.Key, n.cfg.Stripe.WebhookSecret)
	letters := ""
	if !n.cfg.SMTP.Empty() {
		letters = n.publicURL()
	}
	n.store, err = models.Open(ctx, models.Options{Letters: letters, Public: n.publicURL(), URL: n.cfg.Database.Reveal(), Dir: n.cfg.DataDir, Box: box, Scrub: n.scrubber.Scrub, Learn: n.scrubber.Add, Log: n.log,
		PlanLimits: !n.cfg.Stripe.Key.Empty()})
	if err != nil {
		return err
	}
	n.closers = append(n.closers, func() { _ = n.store.Close() })
	backup, err := n.store.Migrate(ctx)
	if err != nil {
		return err
	}
	if backup != "" {
		n.log.Info("database migrated", "copy of the old one", backup)
	}
	keys, err := n.store.AsSystem("what must never be printed").ProviderKeys(ctx)
	if err != nil {
		return err
	}
	n.scrubber.Add(keys...)
	keys, err = n.store.AsSystem("what must never be printed").SignInSecrets(ctx)
	n.scrubber.Add(keys...)
	return err
}

// openQueue opens Redis, the bus over it, and the verbs that need them.
func (n *node) openQueue(ctx context.Context) error {
	var err error
	if n.mail, err = n.post(); err != nil {
		return err
	}
	if n.redis, err = jobs.OpenRedis(ctx, n.cfg.Redis); err != nil {
		return err
	}
	n.bus = events.Open(n.redis.Client())
	n.store.OnWritten(n.written)
	n.jobs = jobs.NewClient(n.redis, n.log)
	n.desk = &provision.Desk{Bus: n.bus, Jobs: n.jobs}
	n.turns = &agent.Turns{Store: n.store, Bus: n.bus}
	n.door = n.newDoor(ctx)
	n.closers = append(n.closers, func() {
		n.desk.Close()
		n.bus.Close()
		_ = n.redis.Close()
	})
	return nil
}

func (n *node) openDriver() error {
	d, err := process.New(process.Config{Dir: n.cfg.DataDir})
	if err != nil {
		return err
	}
	n.driver = d
	n.closers = append(n.closers, func() { _ = d.Close() })
	return nil
}

func (n *node) close() {
	for i := len(n.closers) - 1; i >= 0; i-- {
		n.closers[i]()
	}
}

// post is the way to the mail server, nil when none is configured.
func (n *node) post() (*mail.Sender, error) {
	if n.cfg.SMTP.Empty() {
		return nil, nil
	}
	return mail.New(n.cfg.SMTP, n.cfg.MailFrom)
}

// written tells workers and open pages of what a transaction left for them.
func (n *node) written(ctx context.Context, w models.Written) {
	for _, d := range w.Deliveries {
		outbox.Wake(ctx, n.bus, d)
	}
	for _, org := range w.Inboxes {
		n.bus.Publish(ctx, agent.InboxTopic(org), nil)
	}
}

// outbox sends what rows say, by the ways that are configured; the others' wait for a worker that has them.
func (n *node) outbox(host string) *outbox.Outbox {
	senders := map[models.DeliveryKind]outbox.Sender{models.WebhookDelivery: outbox.NewWebhook(n.store, version), models.ChannelDelivery: &channels.Sender{Desk: n.channels(), Driver: n.driver}}
	if n.mail != nil {
		senders[models.MailDelivery] = outbox.Mail{Server: n.mail}
	}
	return &outbox.Outbox{Store: n.store, Bus: n.bus, Jobs: n.jobs, Senders: senders, Node: n.name(host), Log: n.log}
}

// files is where files of workspaces are asked for.
func (n *node) files() *files.Checkpoints {
	if n.workspaces != nil {
		return n.workspaces
	}
	d := &files.Desk{Log: n.log, Wake: n.desk.Waker(n.store)}
	if n.driver != nil {
		d.Host = n.driver
	}
	n.workspaces = &files.Checkpoints{Desk: d}
	return n.workspaces
}

// terminals is where shells in sandboxes are asked for.
func (n *node) terminals() *terminal.Desk {
	d := &terminal.Desk{Wake: n.desk.Waker(n.store)}
	if n.driver != nil {
		d.Host = n.driver
	}
	return d
}

// automations is where schedules, reminders and triggers are asked for.
func (n *node) automations() *automate.Desk {
	return &automate.Desk{Store: n.store, Bus: n.bus, Turns: n.turns}
}

// channels is by which services people reach agents. One whose address the operator gave may be anywhere.
func (n *node) channels() *channels.Desk {
	urls := map[models.ChannelKind]string{}
	for kind, url := range map[models.ChannelKind]string{models.TelegramChannel: n.cfg.TelegramURL, models.SlackChannel: n.cfg.SlackURL} {
		if url != "" {
			urls[kind] = url
		}
	}
	policy := dial.Policy{FirstByte: channelPatience}
	near := policy
	near.AllowPrivate = true
	return &channels.Desk{Store: n.store, Bus: n.bus, Turns: n.turns, Client: dial.New(policy), Near: dial.New(near), Dial: dial.NewDialer(policy), Public: n.publicURL(), BaseURLs: urls, Log: n.log,
		Services: map[models.ChannelKind]service.Service{models.TelegramChannel: &telegram.Telegram{}, models.WhatsAppChannel: &whatsapp.WhatsApp{},
			models.SlackChannel: &slack.Service{}, models.DiscordChannel: &discord.Service{}, models.EmailChannel: &email.Email{Log: n.log}}}
}

// channelPatience is how long a service may take to answer: Telegram is asked for news for half a minute at a time.
const channelPatience = 50 * time.Second

// web is the process's web side.
func (n *node) web() *app.App {
	queue := "Redis"
	if n.redis.Embedded() {
		queue = "embedded"
	}
	return app.New(app.Deps{Store: n.store, Bus: n.bus, Turns: n.turns, Automations: n.automations(), Channels: n.channels(), Desk: n.desk, Door: n.door, Files: n.driver, Workspaces: n.files(), Terminals: n.terminals(), Images: dial.New(dial.Policy{}), Billing: n.billing(), PayHosts: n.payHosts(), PublicURL: n.publicURL(),
		Limiter: limit.New(n.redis.Client(), n.log), Mails: n.mail != nil, Limits: app.Limits{Requests: limit.Rule{N: n.cfg.LimitRequests, Per: time.Minute},
			Creations: limit.Rule{N: n.cfg.LimitCreations, Per: time.Hour}, Invitations: limit.Rule{N: n.cfg.LimitInvitations, Per: time.Hour}},
		Proxies: n.cfg.Proxies, AnyHost: n.anyHost(), Hosts: hostNames(), Version: version, Queue: queue, Jobs: n.jobs, Inspector: jobs.NewInspector(n.redis),
		Doctor: n.checks, Log: n.log, Box: n.box, SignIn: n.signInProviders(), PasswordsForAll: n.cfg.SignIn.Passwords == "everybody"})
}

// signInProviders are those that the environment names. Whoever sets it owns the host, so their issuer may be inside
// the network.
func (n *node) signInProviders() []models.SignInProvider {
	s, out := n.cfg.SignIn, []models.SignInProvider{}
	add := func(kind, name, issuer, client string, key secret.String, private bool) {
		if client != "" {
			out = append(out, models.SignInProvider{ID: kind, Kind: kind, Name: name, Issuer: issuer, ClientID: client, Secret: key, Private: private, Enabled: true, Environment: true})
		}
	}
	add(models.GitHub, "GitHub", "https://github.com", s.GitHubID, s.GitHubSecret, false)
	add(models.Google, "Google", "https://accounts.google.com", s.GoogleID, s.GoogleSecret, false)
	add(models.OIDC, s.OIDCName, s.OIDCIssuer, s.OIDCID, s.OIDCSecret, true)
	return out
}

// billing is how organizations pay, by Stripe where a key is given. An address of its own may be anywhere: the operator
// chose it.
func (n *node) billing() *billing.Billing {
	s := n.cfg.Stripe
	return billing.New(billing.Config{Store: n.store, Key: s.Key, WebhookSecret: s.WebhookSecret, APIURL: s.URL, PublicURL: n.publicURL(),
		Client: dial.New(dial.Policy{AllowPrivate: s.URL != "", FirstByte: billing.Patience, Redirects: -1}), Changed: n.desk.Announce, Log: n.log})
}

// payHosts is where a Stripe of the operator's own leads browsers.
func (n *node) payHosts() []string {
	u, err := url.Parse(n.cfg.Stripe.URL)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Host}
}

// publicURL is how people reach this server: as configured, else the address it listens on.
func (n *node) publicURL() string {
	if n.cfg.PublicURL != "" {
		return strings.TrimSuffix(n.cfg.PublicURL, "/")
	}
	host, port, err := net.SplitHostPort(n.cfg.Listen)
	if err != nil {
		return "http://" + n.cfg.Listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return (&url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}).String()
}

func (n *node) anyHost() bool {
	host, _, err := net.SplitHostPort(n.cfg.Listen)
	ip := net.ParseIP(host)
	return n.cfg.PublicURL == "" && err == nil && (host == "" || ip != nil && !ip.IsLoopback())
}

func hostNames() []string {
	name, err := os.Hostname()
	if err != nil {
		return nil
	}
	return []string{strings.ToLower(name)}
}

// name is what the reconciler's leases begin with. A server with a Redis of its own is the only one of its data
// directory, so that a restarted one takes back at once what a killed one held; of others there may be several.
func (n *node) name(host string) string {
	if dir, err := filepath.Abs(n.cfg.DataDir); err == nil && n.redis.Embedded() {
		return host + ":" + dir
	}
	return fmt.Sprintf("%s-%d-%d", host, os.Getpid(), time.Now().UnixNano())
}

// worker is the process's working side.
func (n *node) worker() (*agent.Runner, *work.Server) {
	host, _ := os.Hostname()
	name := n.name(host)
	reconciler := &provision.Reconciler{Store: n.store, Bus: n.bus, Driver: n.driver, Node: name, Log: n.log}
	letters := ""
	if n.mail != nil {
		letters = n.publicURL()
	}
	timer := &automate.Timer{Desk: n.automations(), Log: n.log}
	runner := agent.New(agent.Config{Busy: timer.Crowded, Letters: letters, Checkpoints: n.files(), Store: n.store, Bus: n.bus, Driver: n.driver, Spec: provision.Spec, Door: n.door, Jobs: n.jobs,
		Fetch: dial.New(dial.Policy{}), Node: name, Workers: n.cfg.Turns, Scrub: n.scrubber.Scrub, Log: n.log})
	server := work.New(work.Config{Redis: n.redis, Log: n.log, Reconciler: reconciler, Titler: n.titler(), Backups: n.store.AsSystem("backups"),
		Ledger:   n.turns,
		Observer: &provision.Observer{Store: n.store, Bus: n.bus, Driver: n.driver, Log: n.log},
		Sweeper:  &provision.Sweeper{Reconciler: reconciler, Jobs: n.jobs, Log: n.log}, Outbox: n.outbox(host),
		Files: func(ctx context.Context) error { return n.files().Sweep(ctx, n.store) },
		Timer: timer, Channels: &channels.Keeper{Desk: n.channels(), Node: name, Log: n.log}})
	return runner, server
}
