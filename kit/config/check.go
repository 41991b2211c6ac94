package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"lobstead/kit/secret"
)

// chosen says how a setting was given, by the name of its variable; absent means by default.
type chosen map[string]int

const (
	byVariable = iota + 1
	byFlag
	byPrivateFlag
)

// check applies the rules that need more than one setting or a look inside a value. All findings are
// told at once.
func check(cli *CLI, command string, how chosen) error {
	c := &cli.Config
	if c.Port != "" && how["LISTEN"] == 0 {
		c.Listen = "0.0.0.0:" + c.Port
	}
	if c.Metrics == "off" {
		c.Metrics = ""
	}
	var errs []error
	for name, by := range how {
		if by == byPrivateFlag {
			errs = append(errs, fmt.Errorf("%s is read from the environment only: a flag would show it to everybody on this machine", name))
		}
	}
	errs = append(errs, c.checkKeys(), c.checkURLs(), c.checkProxies(), c.checkNumbers(), c.SignIn.check(), c.checkStripe())
	switch command {
	case "serve", "web":
		errs = append(errs, c.checkBind("listen", "LISTEN", c.Listen), c.checkBind("metrics-listen", "METRICS_LISTEN", c.Metrics))
	case "worker":
		errs = append(errs, c.checkBind("metrics-listen", "METRICS_LISTEN", c.Metrics))
	}
	if command == "web" || command == "worker" {
		errs = append(errs, c.checkShared(command))
	}
	return errors.Join(errs...)
}

// checkBind refuses to be reachable by others before somebody decided on a key: a server put on the
// network by accident is how such products were taken over (security: first row).
func (c *Config) checkBind(flag, name, addr string) error {
	if addr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
		return fmt.Errorf("--%s (%s): %q is not HOST:PORT", flag, name, addr)
	}
	if loopback(host) || !c.SecretKey.Empty() {
		return nil
	}
	return fmt.Errorf("--%s (%s): %s is reachable from other machines, and SECRET_KEY is not set. "+
		"Keep to 127.0.0.1, or set SECRET_KEY to the output of: openssl rand -base64 32", flag, name, addr)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (c *Config) checkKeys() error {
	if c.SecretKey.Empty() {
		return nil
	}
	for k := range strings.SplitSeq(c.SecretKey.Reveal(), ",") {
		if _, err := secret.Check(k); err != nil {
			return fmt.Errorf("SECRET_KEY: %w", err)
		}
	}
	return nil
}

func (c *Config) checkURLs() error {
	var errs []error
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
			u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
			errs = append(errs, errors.New("--public-url (PUBLIC_URL): needs http:// or https:// and a host, and no path: https://agents.example.org"))
		}
		c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	}
	if u := c.Providers.OpenAIBaseURL; u != "" && !hasScheme(u, "http://", "https://") {
		errs = append(errs, errors.New("--openai-base-url (OPENAI_BASE_URL): needs http:// or https://"))
	}
	if !c.Database.Empty() && !hasScheme(c.Database.Reveal(), "postgres://", "postgresql://", "sqlite:", "file:") {
		errs = append(errs, errors.New("--database-url (DATABASE_URL): needs postgres://user:password@host/name or sqlite:FILE"))
	}
	if !c.Redis.Empty() && !hasScheme(c.Redis.Reveal(), "redis://", "rediss://", "unix://") {
		errs = append(errs, errors.New("--redis-url (REDIS_URL): needs redis://, rediss:// or unix://"))
	}
	return errors.Join(errs...)
}

func hasScheme(s string, schemes ...string) bool {
	for _, p := range schemes {
		if strings.HasPrefix(s, p) && len(s) > len(p) {
			return true
		}
	}
	return false
}

func (c *Config) checkProxies() error {
	for _, text := range c.TrustedProxies {
		text = strings.TrimSpace(text)
		p, err := netip.ParsePrefix(text)
		if ip, ierr := netip.ParseAddr(text); err != nil && ierr == nil {
			p, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("--trusted-proxies (TRUSTED_PROXIES): %q is not a network such as 10.0.0.0/8", text)
		}
		if p.Bits() == 0 {
			return fmt.Errorf("--trusted-proxies (TRUSTED_PROXIES): %s would believe everybody's headers", p)
		}
		c.Proxies = append(c.Proxies, p.Masked())
	}
	return nil
}

func (c *Config) checkNumbers() error {
	var errs []error
	if c.Turns < 1 || c.Turns > 1024 {
		errs = append(errs, fmt.Errorf("--turns (WORKERS): %d is not within 1 and 1024", c.Turns))
	}
	if c.OfflinePace < 0 || c.OfflinePace > 10000 {
		errs = append(errs, fmt.Errorf("--offline-pace (OFFLINE_PACE): %d is not within 0 and 10000", c.OfflinePace))
	}
	for _, l := range []struct {
		name, variable string
		n              int
	}{{"requests", "REQUESTS", c.LimitRequests}, {"creations", "CREATIONS", c.LimitCreations}, {"invitations", "INVITATIONS", c.LimitInvitations}} {
		if l.n < 0 || l.n > 1_000_000 {
			errs = append(errs, fmt.Errorf("--limit-%s (LIMIT_%s): %d is not within 0 and 1000000", l.name, l.variable, l.n))
		}
	}
	return errors.Join(errs...)
}

// check refuses halves: a client id without its secret would only fail when somebody signs in.
func (s SignIn) check() error {
	var errs []error
	for _, p := range []struct {
		name   string
		id     string
		secret bool
	}{{"GITHUB", s.GitHubID, !s.GitHubSecret.Empty()}, {"GOOGLE", s.GoogleID, !s.GoogleSecret.Empty()}, {"OIDC", s.OIDCID, !s.OIDCSecret.Empty()}} {
		if (p.id != "") != p.secret {
			errs = append(errs, fmt.Errorf("%s_CLIENT_ID and %s_CLIENT_SECRET: set both or neither", p.name, p.name))
		}
	}
	switch {
	case (s.OIDCIssuer == "") != (s.OIDCID == ""):
		errs = append(errs, errors.New("--oidc-issuer (OIDC_ISSUER) and --oidc-client-id (OIDC_CLIENT_ID): set both or neither"))
	case s.OIDCIssuer != "" && !hasScheme(s.OIDCIssuer, "http://", "https://"):
		errs = append(errs, errors.New("--oidc-issuer (OIDC_ISSUER): needs http:// or https://"))
	}
	return errors.Join(errs...)
}

// checkStripe: with half of it organizations would pay, and nobody here would hear of it.
func (c *Config) checkStripe() error {
	if u := c.Stripe.URL; u != "" && !hasScheme(u, "http://", "https://") {
		return errors.New("--stripe-api-url (STRIPE_API_URL): needs http:// or https://")
	}
	switch {
	case !c.Stripe.Key.Empty() && c.Stripe.WebhookSecret.Empty():
		return errors.New("STRIPE_SECRET_KEY is set and STRIPE_WEBHOOK_SECRET is not: without it no payment would have an effect. " +
			"Stripe shows it at the webhook endpoint, which is PUBLIC_URL/api/stripe/webhook")
	case c.Stripe.Key.Empty() && !c.Stripe.WebhookSecret.Empty():
		return errors.New("STRIPE_WEBHOOK_SECRET is set and STRIPE_SECRET_KEY is not: set both, or neither")
	}
	return nil
}

// checkShared: two processes with an embedded Redis each would never hear of one another.
func (c *Config) checkShared(command string) error {
	var missing []string
	if c.Database.Empty() {
		missing = append(missing, "--database-url (DATABASE_URL)")
	}
	if c.Redis.Empty() {
		missing = append(missing, "--redis-url (REDIS_URL)")
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s shares its work with other processes and needs %s; one process alone is: lobstead serve", command, strings.Join(missing, " and "))
}
