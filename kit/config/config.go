// Package config owns every setting: its name, its default, its rule and the sentence that explains it.
//
// Flags win over the environment, and this is the only package that reads the environment. It opens
// nothing and starts nothing; main hands the values on, packages never ask for them.
package config

import (
	"net/netip"

	"lobstead/kit/secret"
)

// Config is what a running process is told. The tag var names the variable; a setting marked private
// has no flag that works, because command lines are shown to everybody on the machine.
type Config struct {
	DataDir   string        `name:"data" var:"DATA_DIR" default:"./data" placeholder:"DIR" help:"Where the database, the secret key and the workspaces live."`
	Listen    string        `name:"listen" var:"LISTEN" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of pages and APIs. Beyond loopback only with SECRET_KEY set."`
	Port      string        `name:"port" var:"PORT" placeholder:"PORT" help:"Listen on this port of every address, where LISTEN is not set."`
	PublicURL string        `name:"public-url" var:"PUBLIC_URL" placeholder:"URL" help:"How browsers and webhooks reach this server, without a path: https://agents.example.org"`
	Database  secret.String `name:"database-url" var:"DATABASE_URL" placeholder:"URL" help:"postgres://… or sqlite:FILE. Default: SQLite in the data directory."`
	Redis     secret.String `name:"redis-url" var:"REDIS_URL" placeholder:"URL" help:"redis://, rediss:// or unix://. Default: inside the process."`
	SecretKey secret.String `name:"secret-key" var:"SECRET_KEY" private:"" hidden:"" help:"Master key, base64 or hex of 32 random bytes; several with commas, newest first. Default: a file in the data directory, made on first start."`

	Metrics   string `name:"metrics-listen" var:"METRICS_LISTEN" default:"127.0.0.1:9464" placeholder:"HOST:PORT" help:"Address of the Prometheus metrics, or off."`
	LogLevel  string `name:"log-level" var:"LOG_LEVEL" default:"info" enum:"debug,info,warn,error" help:"Least level that is logged: ${enum}."`
	LogFormat string `name:"log-format" var:"LOG_FORMAT" default:"text" enum:"text,json" help:"How log lines are written: ${enum}."`

	TrustedProxies []string `name:"trusted-proxies" var:"TRUSTED_PROXIES" placeholder:"CIDR" help:"Networks of the proxies whose X-Forwarded-* headers are believed, with commas. Default: none."`
	Turns          int      `name:"turns" var:"WORKERS" default:"16" placeholder:"N" help:"Turns that this process runs at once, 1 to 1024."`
	SandboxDriver  string   `name:"sandbox-driver" var:"SANDBOX_DRIVER" default:"process" enum:"process" help:"What agents run their commands in: ${enum}."`
	OfflinePace    int      `name:"offline-pace" var:"OFFLINE_PACE" default:"12" placeholder:"MS" help:"Milliseconds between two pieces of an answer of the built-in model, 0 to 10000."`

	SMTP        secret.String `name:"smtp-url" var:"SMTP_URL" private:"" hidden:"" help:"Mail server, of web and worker: smtp://USER:PASSWORD@HOST:587, or smtps://. Default: none, links are shown to be passed on."`
	TelegramURL string        `name:"telegram-url" var:"TELEGRAM_URL" placeholder:"URL" help:"A Bot API server of your own, of web and worker. Default: Telegram's."`
	SlackURL    string        `name:"slack-url" var:"SLACK_URL" placeholder:"URL" help:"Where Slack's Web API is asked instead, of web and worker: GovSlack's, or a proxy's. Default: Slack's."`

	MailFrom string `name:"mail-from" var:"MAIL_FROM" placeholder:"ADDRESS" help:"Sender of the emails: Lobstead <no-reply@example.org>. Needed with SMTP_URL."`

	LimitRequests    int `name:"limit-requests" var:"LIMIT_REQUESTS" default:"100" placeholder:"N" help:"Requests a minute of one API key, 0 for no limit."`
	LimitCreations   int `name:"limit-creations" var:"LIMIT_CREATIONS" default:"10" placeholder:"N" help:"Instances that one organization creates in an hour, 0 for no limit."`
	LimitInvitations int `name:"limit-invitations" var:"LIMIT_INVITATIONS" default:"20" placeholder:"N" help:"Invitations that one organization sends in an hour, 0 for no limit."`

	Providers Providers `embed:""`
	SignIn    SignIn    `embed:""`
	Stripe    Stripe    `embed:""`

	// Proxies is TrustedProxies, parsed.
	Proxies []netip.Prefix `kong:"-"`
}

// Providers are the model providers that are connected from the environment on start.
type Providers struct {
	OpenAI        secret.String `name:"openai-api-key" var:"OPENAI_API_KEY" private:"" hidden:"" help:"Key of OpenAI or a server that speaks its API."`
	OpenAIBaseURL string        `name:"openai-base-url" var:"OPENAI_BASE_URL" placeholder:"URL" help:"Another server that speaks OpenAI's API."`
	Anthropic     secret.String `name:"anthropic-api-key" var:"ANTHROPIC_API_KEY" private:"" hidden:"" help:"Key of Anthropic."`
	Gemini        secret.String `name:"gemini-api-key" var:"GEMINI_API_KEY" private:"" hidden:"" help:"Key of Google Gemini."`
	OpenRouter    secret.String `name:"openrouter-api-key" var:"OPENROUTER_API_KEY" private:"" hidden:"" help:"Key of OpenRouter."`
	OllamaHost    string        `name:"ollama-host" var:"OLLAMA_HOST" placeholder:"HOST" help:"Address of an Ollama, or off. Default: one on this machine is found by itself."`
}

// SignIn are the services that vouch for people, as far as the environment names them; staff can name more on a page.
type SignIn struct {
	Passwords    string        `name:"password-sign-in" var:"PASSWORD_SIGN_IN" default:"as-set" enum:"as-set,everybody" help:"Who may sign in with a password: as set on the page, or everybody, to get in again: ${enum}."`
	GitHubID     string        `name:"github-client-id" var:"GITHUB_CLIENT_ID" placeholder:"ID" help:"Sign-in with GitHub: the OAuth app's client id."`
	GitHubSecret secret.String `name:"github-client-secret" var:"GITHUB_CLIENT_SECRET" private:"" hidden:"" help:"Secret of the OAuth app at GitHub."`
	GoogleID     string        `name:"google-client-id" var:"GOOGLE_CLIENT_ID" placeholder:"ID" help:"Sign-in with Google: the OAuth client's id."`
	GoogleSecret secret.String `name:"google-client-secret" var:"GOOGLE_CLIENT_SECRET" private:"" hidden:"" help:"Secret of the OAuth client at Google."`
	OIDCIssuer   string        `name:"oidc-issuer" var:"OIDC_ISSUER" placeholder:"URL" help:"Sign-in with an OpenID Connect provider: its issuer, below which the discovery document lies. May be inside your network."`
	OIDCID       string        `name:"oidc-client-id" var:"OIDC_CLIENT_ID" placeholder:"ID" help:"Client id at the OpenID Connect provider."`
	OIDCSecret   secret.String `name:"oidc-client-secret" var:"OIDC_CLIENT_SECRET" private:"" hidden:"" help:"Client secret at the OpenID Connect provider."`
	OIDCName     string        `name:"oidc-name" var:"OIDC_NAME" default:"Single sign-on" placeholder:"NAME" help:"What people call the OpenID Connect provider."`
}

// Stripe is how organizations pay. Without a key nothing is limited and nobody pays.
type Stripe struct {
	Key           secret.String `name:"stripe-secret-key" var:"STRIPE_SECRET_KEY" private:"" hidden:"" help:"Secret key of Stripe: plans then limit what organizations have. Needs STRIPE_WEBHOOK_SECRET."`
	WebhookSecret secret.String `name:"stripe-webhook-secret" var:"STRIPE_WEBHOOK_SECRET" private:"" hidden:"" help:"Signing secret of the webhook endpoint in Stripe."`
	URL           string        `name:"stripe-api-url" var:"STRIPE_API_URL" placeholder:"URL" help:"Another server that speaks Stripe's API, for tests."`
}

// CLI is the whole command line: one command and the settings, which every command takes.
type CLI struct {
	Config Config `embed:""`

	Serve   struct{} `cmd:"" default:"1" help:"Run everything in one process (the default)."`
	Web     struct{} `cmd:"" help:"Run pages and APIs only; needs DATABASE_URL and REDIS_URL."`
	Worker  struct{} `cmd:"" help:"Run turns and jobs only; needs DATABASE_URL and REDIS_URL."`
	Migrate struct{} `cmd:"" help:"Bring the database up to date and leave."`
	Init    Init     `cmd:"" help:"Create the first owner and organization from the command line."`
	Doctor  Doctor   `cmd:"" help:"Check this installation and say what to do."`
	Audit   Audit    `cmd:"" help:"Work with the audit log."`
	Routes  struct{} `cmd:"" help:"List every route with its access rule."`
	Seed    struct{} `cmd:"" help:"Fill an empty installation with example data."`
	Version struct{} `cmd:"" help:"Show the version."`

	// Help holds the text to print when the command is "help".
	Help string `kong:"-"`
}

// Init is the first start without a browser.
type Init struct {
	Email        string `required:"" help:"Address of the first owner."`
	Name         string `help:"Name of the first owner."`
	Organization string `help:"Name of the organization."`
	PasswordFile string `placeholder:"FILE" help:"File that holds the password, - for standard input; without it a setup link is printed."`
	JSON         bool   `help:"Answer as JSON."`
}

// Audit works with the audit log.
type Audit struct {
	Verify AuditVerify `cmd:"" help:"Recompute every chain of the audit log and say where one was broken."`
}

// AuditVerify recomputes the chains.
type AuditVerify struct {
	JSON bool `help:"Answer as JSON."`
}

// Doctor checks an installation.
type Doctor struct {
	JSON bool `help:"Answer as JSON."`
}
