package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/markbates/goth"
	"github.com/markbates/goth/providers/openidConnect"
	"golang.org/x/oauth2"

	"lobstead/kit/dial"
	"lobstead/kit/fault"
	"lobstead/models"
)

// voucher is one talk with a service that vouches for people: send the browser there, then read what it says of who
// comes back. It is made for each request: goth's providers carry settings, our flow carries what differs.
type voucher interface {
	// begin gives where the browser goes.
	begin(f *flow) (string, error)
	// finish trades the code for who it is, verified.
	finish(ctx context.Context, f *flow, code string) (models.Vouched, error)
}

// vouchLimits bound what a service may cost a request.
var vouchLimits = dial.Policy{Connect: 5 * time.Second, FirstByte: 10 * time.Second, Idle: 5 * time.Second, Redirects: 3}

// vouchClients are the guarded clients of sign-ins, for public services and for those that an operator allowed inside
// the network.
type vouchClients struct{ public, private *http.Client }

func newVouchClients() *vouchClients {
	inside := vouchLimits
	inside.AllowPrivate = true
	out := &vouchClients{dial.New(vouchLimits), dial.New(inside)}
	for _, c := range []*http.Client{out.public, out.private} {
		c.Transport = &capped{next: c.Transport}
	}
	return out
}

func (v *vouchClients) of(p *models.SignInProvider) *http.Client {
	if p.Private {
		return v.private
	}
	return v.public
}

func (v *vouchClients) close() {
	v.public.CloseIdleConnections()
	v.private.CloseIdleConnections()
}

// voucher opens the talk with a provider; of OpenID Connect that reads its discovery document.
func (a *App) voucher(ctx context.Context, p *models.SignInProvider) (voucher, error) {
	client := a.vouch.of(p)
	if p.Kind == models.GitHub {
		return newGitHub(p, a.callbackURL(p), client), nil
	}
	return discover(oidc.ClientContext(ctx, client), p, a.callbackURL(p), client)
}

// callbackURL is what the service must know of us.
func (a *App) callbackURL(p *models.SignInProvider) string {
	return a.PublicURL + "/sign-in/" + p.ID + "/callback"
}

// openID is OpenID Connect: goth speaks it, go-oidc verifies it.
type openID struct {
	row      *models.SignInProvider
	goth     *openidConnect.Provider
	verifier *oidc.IDTokenVerifier
}

func discover(ctx context.Context, p *models.SignInProvider, callback string, client *http.Client) (voucher, error) {
	found, err := oidc.NewProvider(ctx, p.Issuer)
	if err != nil {
		return nil, upstream(err, p)
	}
	to := found.Endpoint()
	var keys struct {
		URL string `json:"jwks_uri"`
	}
	if err := found.Claims(&keys); err != nil {
		return nil, upstream(err, p)
	}
	addresses := []string{to.AuthURL, to.TokenURL, keys.URL}
	if info := found.UserInfoEndpoint(); info != "" {
		addresses = append(addresses, info)
	}
	for _, address := range addresses {
		if !strings.HasPrefix(address, "https://") && (!p.Private || !strings.HasPrefix(address, "http://")) {
			return nil, upstream(errors.New("the discovery document names no address with https://: "+address), p)
		}
	}
	g, err := openidConnect.NewCustomisedURL(p.ClientID, p.Secret.Reveal(), callback, to.AuthURL, to.TokenURL, p.Issuer, found.UserInfoEndpoint(), "", oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile)
	if err != nil {
		return nil, err
	}
	g.HTTPClient = client // without it goth dials unguarded
	return &openID{p, g, found.Verifier(&oidc.Config{ClientID: p.ClientID})}, nil
}

func (o *openID) begin(f *flow) (string, error) {
	o.goth.SetAuthCodeOptions(map[string]string{"nonce": f.Nonce, "code_challenge": challenge(f.Verifier), "code_challenge_method": "S256"})
	return authURL(o.goth, f.Token)
}

// finish never shows goth the query of the callback: a redirect_uri or code_verifier in it would win over ours.
func (o *openID) finish(ctx context.Context, f *flow, code string) (models.Vouched, error) {
	session := &openidConnect.Session{}
	if _, err := session.Authorize(o.goth, url.Values{"code": {code}, "code_verifier": {f.Verifier}}); err != nil {
		return models.Vouched{}, traded(err, o.row)
	}
	subject, err := o.verify(ctx, session, f.Nonce)
	if err != nil {
		return models.Vouched{}, fault.Wrap(err, fault.Unauthenticated, "sign_in.token", "What %s answered could not be verified", o.row.Name).Hinting("Try again")
	}
	u, err := o.goth.FetchUser(session) // the subject of its userinfo is held against the token's
	if err != nil {
		return models.Vouched{}, upstream(err, o.row)
	}
	return models.Vouched{Issuer: o.row.Issuer, Service: o.row.Name, Subject: subject, Email: u.Email, Name: u.Name, EmailVerified: truth(u.RawData["email_verified"])}, nil
}

// verify checks the id_token: signature, issuer, audience, age, and that it answers our question.
func (o *openID) verify(ctx context.Context, s *openidConnect.Session, nonce string) (string, error) {
	token, err := o.verifier.Verify(ctx, s.IDToken)
	if err != nil {
		return "", err
	}
	var claims struct {
		Party string `json:"azp"`
	}
	if err := token.Claims(&claims); err != nil {
		return "", err
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return "", errors.New("the nonce is another")
	case claims.Party != "" && claims.Party != o.row.ClientID, len(token.Audience) > 1 && claims.Party == "":
		return "", errors.New("the token was made for another client")
	case token.Subject == "" || len(token.Subject) > 255:
		return "", errors.New("the token names nobody")
	case token.AccessTokenHash != "":
		return token.Subject, token.VerifyAccessToken(s.AccessToken)
	}
	return token.Subject, nil
}

// authURL is where goth would send the browser.
func authURL(g goth.Provider, state string) (string, error) {
	session, err := g.BeginAuth(state)
	if err != nil {
		return "", err
	}
	return session.GetAuthURL()
}

// challenge is the S256 of PKCE (RFC 7636).
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// truth reads a claim that some services write as a text.
func truth(v any) bool { return slices.Contains([]any{true, "true"}, v) }

// traded is why a code became no token: the service refused it, or did not answer.
func traded(err error, p *models.SignInProvider) error {
	if _, refused := errors.AsType[*oauth2.RetrieveError](err); refused {
		return fault.Wrap(err, fault.Unauthenticated, "sign_in.token", "%s did not accept the answer that you brought", p.Name).Hinting("Try again")
	}
	return upstream(err, p)
}

// upstream says that a service did not do its part; the reason is for staff and the log.
func upstream(err error, p *models.SignInProvider) error {
	return fault.Wrap(err, fault.Upstream, "sign_in.provider", "%s did not answer as expected", p.Name).Hinting("Try again, or use another way to sign in")
}
