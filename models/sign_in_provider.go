package models

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// SignInProvider is a service that vouches for people: of the table, where staff keep them, or of the environment.
type SignInProvider struct {
	ID           string // of the environment: its kind, which no row has
	Kind         string
	Name         string
	Issuer       string // whose word counts; of GitHub: the address of the site
	ClientID     string
	SecretSealed []byte
	Private      bool // an operator allowed an address inside the network
	Enabled      bool
	TestedAt     *time.Time // when somebody came back through it, with these settings
	TestResult   string
	CreatedAt    time.Time
	UpdatedAt    time.Time

	Secret      secret.String `gorm:"-"` // opened; only where one provider is read
	Environment bool          `gorm:"-"`
}

// Kinds of sign-in providers.
const (
	GitHub = "github"
	Google = "google"
	OIDC   = "oidc"
)

// SignInKinds in the order of the form.
var SignInKinds = []string{GitHub, Google, OIDC}

// wellKnown is the issuer of a kind whose settings name none.
var wellKnown = map[string]string{GitHub: "https://github.com", Google: "https://accounts.google.com"}

// NewSignInProvider is what staff say of a service. An empty Secret keeps the one that is stored. ID may be a fresh
// one that was shown as part of the callback address before there was an entry.
type NewSignInProvider struct {
	ID                           string
	Kind, Name, Issuer, ClientID string
	Secret                       secret.String
	Private                      bool
}

func (n *NewSignInProvider) check(secretNeeded bool) error {
	var is fault.Issues
	if !slices.Contains(SignInKinds, n.Kind) {
		is.NotOneOf("kind", n.Kind, SignInKinds...)
	}
	n.Name = validName(&is, "name", n.Name, 60)
	n.ClientID = validName(&is, "client_id", n.ClientID, 300)
	n.Issuer = strings.TrimSpace(n.Issuer)
	if n.Issuer == "" || n.Kind == Google {
		n.Issuer = wellKnown[n.Kind]
	}
	if problem := CheckIssuer(n.Issuer, n.Private); problem != "" {
		is.Custom("issuer", problem)
	}
	if secretNeeded && n.Secret.Empty() {
		is.TooSmall("secret", 1)
	}
	CheckText(&is, "secret", n.Secret.Reveal(), 2000)
	return is.Err()
}

// CheckIssuer gives what is wrong with an issuer's address, "" for nothing. Without TLS only where addresses inside
// the network were allowed.
func CheckIssuer(issuer string, private bool) string {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "" || err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(issuer) > 500:
		return "Needs an address that begins with https://"
	case u.Scheme == "http" && !private:
		return "Needs https:// unless it is inside your network"
	}
	return ""
}

// fingerprint changes with what a test was about.
func (p *SignInProvider) fingerprint() string {
	return secret.Hash(p.Kind + "\n" + p.Issuer + "\n" + p.ClientID)
}

// SignInProviders lists those of the environment and those of the table, without their secrets.
func (sy *System) SignInProviders(ctx context.Context, environment []SignInProvider) ([]SignInProvider, error) {
	out, err := sy.tested(ctx, environment...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Secret = secret.String{}
	}
	rows, err := all[SignInProvider](sy.read(ctx).Omit("secret_sealed").Order("created_at, id"))
	return append(out, rows...), err
}

// SignInProvider reads one with its secret: NotFound for an unknown id.
func (sy *System) SignInProvider(ctx context.Context, environment []SignInProvider, providerID string) (*SignInProvider, error) {
	for _, p := range environment {
		if p.ID == providerID {
			rows, err := sy.tested(ctx, p)
			if err != nil {
				return nil, err
			}
			return &rows[0], nil
		}
	}
	if _, ok := id.UUID(providerID); !ok {
		return nil, fault.NotFoundf("sign_in_provider")
	}
	p, err := first[SignInProvider](sy.read(ctx).Where("id = ?", providerID))
	if err != nil {
		return nil, err
	}
	return p, sy.store.openSecret(p)
}

// openSecret and sealSecret are the way of a service's secret from and into its row.
func (s *Store) openSecret(p *SignInProvider) error {
	if len(p.SecretSealed) == 0 {
		return nil
	}
	plain, err := s.box.Open(p.SecretSealed, "sign_in_providers "+p.ID)
	p.Secret = secret.Of(string(plain))
	s.learn(p.Secret) // another process may have kept it
	return err
}

func (s *Store) sealSecret(providerID string, key secret.String) ([]byte, error) {
	s.learn(key)
	return s.box.Seal([]byte(key.Reveal()), "sign_in_providers "+providerID)
}

// SignInSecrets opens the secrets of the table, so that the scrubber knows what must never be printed.
func (sy *System) SignInSecrets(ctx context.Context) ([]secret.String, error) {
	rows, err := all[SignInProvider](sy.read(ctx).Where("secret_sealed IS NOT NULL"))
	if err != nil {
		return nil, err
	}
	out := make([]secret.String, len(rows))
	for i := range rows {
		if err := sy.store.openSecret(&rows[i]); err != nil {
			return nil, err
		}
		out[i] = rows[i].Secret
	}
	return out, nil
}

// AddSignInProvider keeps a service, switched off until somebody tested it.
func (sy *System) AddSignInProvider(ctx context.Context, by Actor, n NewSignInProvider) (*SignInProvider, error) {
	if err := n.check(true); err != nil {
		return nil, err
	}
	if _, ok := id.UUID(n.ID); !ok {
		n.ID = id.New()
	}
	now := sy.store.now()
	p := &SignInProvider{ID: n.ID, Kind: n.Kind, Name: n.Name, Issuer: n.Issuer, ClientID: n.ClientID, Private: n.Private, CreatedAt: now, UpdatedAt: now}
	var err error
	if p.SecretSealed, err = sy.store.sealSecret(p.ID, n.Secret); err != nil {
		return nil, err
	}
	return p, sy.tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(p).Error; err != nil {
			return err
		}
		return sy.audit(tx, by, p.act("sign_in_provider.added", nil))
	})
}

// ChangeSignInProvider replaces a service's settings; it must be tested again, unless only its name changed.
func (sy *System) ChangeSignInProvider(ctx context.Context, by Actor, providerID string, n NewSignInProvider) error {
	return sy.changeProvider(ctx, providerID, func(tx *gorm.DB, p *SignInProvider) error {
		n.Kind = p.Kind
		if err := n.check(false); err != nil {
			return err
		}
		set := map[string]any{"name": n.Name, "issuer": n.Issuer, "client_id": n.ClientID, "private": n.Private, "updated_at": sy.store.now()}
		if !n.Secret.Empty() {
			sealed, err := sy.store.sealSecret(p.ID, n.Secret)
			if err != nil {
				return err
			}
			set["secret_sealed"] = sealed
		}
		if !n.Secret.Empty() || n.Issuer != p.Issuer || n.ClientID != p.ClientID || n.Private != p.Private {
			if err := sy.notTheLast(tx, p); err != nil {
				return err
			}
			set["tested_at"], set["test_result"], set["enabled"] = nil, "", false
		}
		was := map[string]any{"name": p.Name, "issuer": p.Issuer, "client_id": p.ClientID}
		if _, err := changed(tx.Model(&SignInProvider{}).Where("id = ?", p.ID), set); err != nil {
			return err
		}
		p.Name, p.Issuer, p.ClientID = n.Name, n.Issuer, n.ClientID
		return sy.audit(tx, by, p.act("sign_in_provider.changed", was))
	})
}

// EnableSignInProvider shows a tested service on the sign-in page, or takes it off.
func (sy *System) EnableSignInProvider(ctx context.Context, by Actor, providerID string, on bool) error {
	return sy.changeProvider(ctx, providerID, func(tx *gorm.DB, p *SignInProvider) error {
		switch {
		case p.Enabled == on:
			return nil
		case on && p.TestedAt == nil:
			return fault.New(fault.Invalid, "sign_in_provider.untested", "Test this provider before you enable it")
		case !on:
			if err := sy.notTheLast(tx, p); err != nil {
				return err
			}
		}
		if _, err := changed(tx.Model(&SignInProvider{}).Where("id = ?", p.ID), map[string]any{"enabled": on, "updated_at": sy.store.now()}); err != nil {
			return err
		}
		return sy.audit(tx, by, p.act(map[bool]string{true: "sign_in_provider.enabled", false: "sign_in_provider.disabled"}[on], nil))
	})
}

// RemoveSignInProvider forgets a service. What people linked stays, for another entry of the same issuer.
func (sy *System) RemoveSignInProvider(ctx context.Context, by Actor, providerID string) error {
	return sy.changeProvider(ctx, providerID, func(tx *gorm.DB, p *SignInProvider) error {
		if err := sy.notTheLast(tx, p); err != nil {
			return err
		}
		if err := tx.Where("id = ?", p.ID).Delete(&SignInProvider{}).Error; err != nil {
			return err
		}
		return sy.audit(tx, by, p.act("sign_in_provider.removed", nil))
	})
}

func (p *SignInProvider) act(name string, before map[string]any) act {
	return act{name: name, kind: "sign_in_provider", id: p.ID, of: p.Name, before: before,
		after: map[string]any{"kind": p.Kind, "name": p.Name, "issuer": p.Issuer, "client_id": p.ClientID}}
}

func (sy *System) changeProvider(ctx context.Context, providerID string, f func(*gorm.DB, *SignInProvider) error) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		if err := lockFounding(tx); err != nil { // two that are the last together
			return err
		}
		p, err := first[SignInProvider](tx.Where("id = ?", providerID))
		if err != nil {
			return err
		}
		return f(tx, p)
	})
}

// NoteSignInTest keeps how a test went; only a good one counts as tested.
func (sy *System) NoteSignInTest(ctx context.Context, by Actor, p *SignInProvider, good bool, result string) error {
	now := sy.store.now()
	t := signInTest{Fingerprint: p.fingerprint(), Result: sy.store.line(result, 1000)}
	if good {
		t.At = &now
	}
	return sy.tx(ctx, func(tx *gorm.DB) error {
		if p.Environment {
			text, _ := json.Marshal(t) // strings and a time: cannot fail
			if err := sy.set(tx, testKey+p.ID, string(text)); err != nil {
				return err
			}
		} else {
			set := map[string]any{"test_result": t.Result}
			if good {
				set["tested_at"] = now
			}
			// Settings that changed while the test ran were not tested.
			hit, err := changed(tx.Model(&SignInProvider{}).Where("id = ? AND issuer = ? AND client_id = ? AND private = ? AND secret_sealed = ?",
				p.ID, p.Issuer, p.ClientID, p.Private, p.SecretSealed), set)
			if err == nil && !hit {
				err = fault.New(fault.Conflict, "sign_in_provider.changed", "The settings changed while the test ran")
			}
			if err != nil {
				return err
			}
		}
		a := p.act("sign_in_provider.tested", nil)
		a.after["passed"] = good
		return sy.audit(tx, by, a)
	})
}

type signInTest struct {
	Fingerprint string
	At          *time.Time
	Result      string
}

const testKey = "sign_in_test."

// tested gives providers of the environment with how their tests went.
func (sy *System) tested(ctx context.Context, environment ...SignInProvider) ([]SignInProvider, error) {
	out, keys := slices.Clone(environment), []string{}
	if len(out) == 0 {
		return []SignInProvider{}, nil
	}
	for _, p := range out {
		keys = append(keys, testKey+p.ID)
	}
	rows, err := all[InstallationSetting](sy.read(ctx).Where("key IN ?", keys))
	for _, row := range rows {
		p := &out[slices.Index(keys, row.Key)]
		var t signInTest
		if json.Unmarshal([]byte(row.Value), &t) == nil && t.Fingerprint == p.fingerprint() {
			p.TestedAt, p.TestResult = t.At, t.Result
		}
	}
	return out, err
}
