package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"lobstead/kit/secret"
)

const key = "mE0xq8s3TjLw5o1rJrYBqf0m8mZ3rQ2C0C1g5l8y2nE="

func env(kv ...string) Lookup {
	m := map[string]string{}
	for _, s := range kv {
		k, v, _ := strings.Cut(s, "=")
		m[k] = v
	}
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

func TestDefaults(t *testing.T) {
	cli, command, err := Parse(nil, env())
	require.NoError(t, err)
	require.Equal(t, "serve", command)
	c := cli.Config
	require.Equal(t, "./data", c.DataDir)
	require.Equal(t, "127.0.0.1:8080", c.Listen)
	require.Equal(t, "127.0.0.1:9464", c.Metrics)
	require.Equal(t, "info text process", c.LogLevel+" "+c.LogFormat+" "+c.SandboxDriver)
	require.Equal(t, 16, c.Turns)
	require.True(t, c.Database.Empty() && c.Redis.Empty() && c.SecretKey.Empty())
}

func TestFlagsWinOverVariablesOverDefaults(t *testing.T) {
	cli, command, err := Parse([]string{"serve", "--listen", "127.0.0.1:1", "--turns=3"},
		env("LISTEN=127.0.0.1:2", "DATA_DIR=/x", "PORT=9", "DATABASE_URL=postgres://u:p@h/d", "REDIS_URL=", "METRICS_LISTEN=off",
			"TRUSTED_PROXIES=10.0.0.0/8, 192.168.1.9", "OPENAI_API_KEY=sk-1", "OLLAMA_HOST=http://o", "PUBLIC_URL=https://a.example/"))
	require.NoError(t, err)
	c := cli.Config
	require.Equal(t, "serve", command)
	require.Equal(t, "127.0.0.1:1", c.Listen)
	require.Equal(t, "/x", c.DataDir)
	require.Equal(t, "postgres://u:p@h/d", c.Database.Reveal())
	require.True(t, c.Redis.Empty())
	require.Empty(t, c.Metrics)
	require.Equal(t, 3, c.Turns)
	require.Equal(t, "sk-1", c.Providers.OpenAI.Reveal())
	require.Equal(t, "https://a.example", c.PublicURL)
	require.Equal(t, "[10.0.0.0/8 192.168.1.9/32]", fmt.Sprint(c.Proxies))
}

func TestPortOfTheProcfileConvention(t *testing.T) {
	cli, _, err := Parse([]string{"web"}, env("PORT=5000", "SECRET_KEY="+key, "DATABASE_URL=postgres://h/d", "REDIS_URL=redis://h"))
	require.NoError(t, err)
	require.Equal(t, "0.0.0.0:5000", cli.Config.Listen)
	cli, _, err = Parse(nil, env("PORT=5000", "LISTEN=127.0.0.1:1"))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:1", cli.Config.Listen)
	_, _, err = Parse(nil, env("PORT=5000"))
	require.ErrorContains(t, err, "SECRET_KEY")
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ args, env, want string }{
		{"--listen 0.0.0.0:80", "", "--listen (LISTEN): 0.0.0.0:80 is reachable from other machines"},
		{"", "LISTEN=:8080", "openssl rand -base64 32"},
		{"", "LISTEN=[::]:8080", "SECRET_KEY is not set"},
		{"", "LISTEN=example.org:80", "SECRET_KEY is not set"},
		{"", "LISTEN=8080", "not HOST:PORT"},
		{"", "LISTEN=127.0.0.1:http", "not HOST:PORT"},
		{"", "METRICS_LISTEN=0.0.0.0:9", "--metrics-listen (METRICS_LISTEN)"},
		{"", "SECRET_KEY=changeme", "SECRET_KEY: "},
		{"", "SECRET_KEY=" + secret.ExampleKey, "published"},
		{"--secret-key " + key, "", "SECRET_KEY is read from the environment only"},
		{"--openai-api-key sk", "", "OPENAI_API_KEY is read from the environment only"},
		{"", "PUBLIC_URL=a.example", "--public-url (PUBLIC_URL)"},
		{"", "PUBLIC_URL=https://a.example/path", "no path"},
		{"", "PUBLIC_URL=ftp://a", "http://"},
		{"", "PUBLIC_URL=https://u:p@a", "--public-url"},
		{"", "DATABASE_URL=mysql://u:hunter22@h/d", "--database-url (DATABASE_URL)"},
		{"", "REDIS_URL=http://u:hunter22@h", "--redis-url (REDIS_URL)"},
		{"", "OPENAI_BASE_URL=x", "OPENAI_BASE_URL"},
		{"", "GITHUB_CLIENT_ID=x", "GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET"},
		{"", "GOOGLE_CLIENT_SECRET=x", "GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET"},
		{"", "OIDC_ISSUER=https://a", "OIDC_ISSUER"},
		{"--oidc-client-secret s", "", "OIDC_CLIENT_SECRET is read from the environment only"},
		{"--oidc-issuer ldap://a --oidc-client-id x", "OIDC_CLIENT_SECRET=s", "needs http:// or https://"},
		{"", "PASSWORD_SIGN_IN=no", "password-sign-in"},
		{"", "STRIPE_SECRET_KEY=hunter22", "STRIPE_WEBHOOK_SECRET is not"},
		{"", "STRIPE_WEBHOOK_SECRET=hunter22", "STRIPE_SECRET_KEY is not"},
		{"", "STRIPE_API_URL=localhost", "STRIPE_API_URL"},
		{"--stripe-secret-key sk", "", "STRIPE_SECRET_KEY is read from the environment only"},
		{"", "TRUSTED_PROXIES=10.0.0.0/8,x", `TRUSTED_PROXIES): "x"`},
		{"", "TRUSTED_PROXIES=0.0.0.0/0", "everybody"},
		{"--turns 0", "", "--turns (WORKERS)"},
		{"", "WORKERS=many", "turns"},
		{"", "OFFLINE_PACE=-1", "OFFLINE_PACE"},
		{"", "LOG_LEVEL=loud", "log-level"},
		{"", "SANDBOX_DRIVER=vm", "sandbox-driver"},
		{"--nonsense", "", "unknown flag --nonsense"},
		{"nonsense", "", "unexpected argument nonsense"},
		{"web", "", "--database-url (DATABASE_URL) and --redis-url (REDIS_URL)"},
		{"worker", "DATABASE_URL=postgres://h/d", "REDIS_URL"},
		{"init", "", "--email"},
		{"", "SECRET_KEY_FILE=/does/not/exist", "SECRET_KEY_FILE"},
	} {
		_, _, err := Parse(strings.Fields(c.args), env(c.env))
		require.ErrorContains(t, err, c.want, "%s %s", c.args, c.env)
		require.NotContains(t, err.Error(), "hunter22")
		require.NotContains(t, err.Error(), key)
	}
}

func TestFindingsAreToldAtOnce(t *testing.T) {
	_, _, err := Parse(nil, env("PUBLIC_URL=x", "DATABASE_URL=x", "WORKERS=0"))
	for _, want := range []string{"PUBLIC_URL", "DATABASE_URL", "WORKERS"} {
		require.ErrorContains(t, err, want)
	}
}

func TestKeyAllowsTheNetworkAndMayComeFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte(key+"\n"), 0o600))
	for _, e := range []string{"SECRET_KEY=" + key, "SECRET_KEY_FILE=" + file} {
		cli, _, err := Parse([]string{"--listen=0.0.0.0:80"}, env(e))
		require.NoError(t, err)
		require.Equal(t, key, cli.Config.SecretKey.Reveal())
	}
	_, _, err := Parse([]string{"migrate", "--listen=0.0.0.0:80"}, env())
	require.NoError(t, err, "migrate binds nothing")
}

func TestCommands(t *testing.T) {
	for _, c := range []string{"serve", "migrate", "init --email a@b --name A --organization O --password-file - --json", "doctor --json", "routes", "seed", "version"} {
		args := strings.Fields(c)
		cli, command, err := Parse(args, env())
		require.NoError(t, err, c)
		require.Equal(t, args[0], command)
		if command == "init" {
			require.Equal(t, Init{"a@b", "A", "O", "-", true}, cli.Init)
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	names := []string{"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET",
		"GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ISSUER"}
	public := map[string]string{"GITHUB_CLIENT_ID": "a", "GOOGLE_CLIENT_ID": "b", "OIDC_CLIENT_ID": "c", "OIDC_ISSUER": "https://issuer.example"}
	canaries := map[string]string{"DATABASE_URL": "postgres://u:canary@h/d", "REDIS_URL": "redis://:canary@h", "SECRET_KEY": key}
	var set []string
	for _, n := range names {
		if canaries[n] == "" {
			canaries[n] = cmp.Or(public[n], "canary-"+n)
		}
		set = append(set, n+"="+canaries[n])
	}
	cli, _, err := Parse(nil, env(set...))
	require.NoError(t, err)
	require.Equal(t, "canary-GEMINI_API_KEY", cli.Config.Providers.Gemini.Reveal())
	b, err := json.Marshal(cli)
	require.NoError(t, err)
	help, command, err := Parse([]string{"--help"}, env(set...))
	require.NoError(t, err)
	require.Equal(t, "help", command)
	for _, out := range []string{fmt.Sprintf("%+v", cli), fmt.Sprintf("%#v", *cli), fmt.Sprint(cli.Config), string(b), help.Help} {
		require.NotContains(t, out, "canary")
		require.NotContains(t, out, key)
	}
	for _, want := range append(names, "DATA_DIR", "LISTEN", "serve", "worker", "doctor") {
		require.Contains(t, help.Help, want)
	}
}

func TestEverySettingHasHelpAndAVariable(t *testing.T) {
	k, err := kong.New(&CLI{})
	require.NoError(t, err)
	for _, f := range k.Model.Flags {
		require.NotEmpty(t, f.Help, f.Name)
		require.True(t, f.Tag.Get("var") != "" || f.Name == "help", f.Name)
	}
	for _, c := range k.Model.Children {
		require.NotEmpty(t, c.Help, c.Name)
		for _, f := range c.Flags {
			require.NotEmpty(t, f.Help, f.Name)
		}
	}
}

func TestUnknownVariablesOfOurPrefix(t *testing.T) {
	require.NoError(t, refuseUnknown([]string{"PATH", "LOBSTEAD_LEFT_OUT", "NOT_LOBSTEAD_X"}))
	require.ErrorContains(t, refuseUnknown([]string{"LOBSTEAD_SECRET_KEY"}), "would be SECRET_KEY")
	t.Setenv("LOBSTEAD_LISTEN", "x")
	_, _, err := Load(nil)
	require.ErrorContains(t, err, "LOBSTEAD_LISTEN")
}
