package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/markbates/goth/providers/github"

	"lobstead/kit/dial"
	"lobstead/models"
)

// gitHub is OAuth with GitHub's own interface: there is no id_token, the API says who it is.
type gitHub struct {
	row  *models.SignInProvider
	goth *github.Provider
	api  string
}

func newGitHub(p *models.SignInProvider, callback string, client *http.Client) *gitHub {
	site, api := strings.TrimSuffix(p.Issuer, "/"), "https://api.github.com"
	if site != "https://github.com" {
		api = site + "/api/v3" // GitHub Enterprise
	}
	g := github.NewCustomisedURL(p.ClientID, p.Secret.Reveal(), callback, site+"/login/oauth/authorize", site+"/login/oauth/access_token", api+"/user", api+"/user/emails", "read:user", "user:email")
	g.HTTPClient = client
	return &gitHub{p, g, api}
}

func (g *gitHub) begin(f *flow) (string, error) {
	to, err := authURL(g.goth, f.Token)
	if err != nil {
		return "", err
	}
	return to + "&" + url.Values{"code_challenge": {challenge(f.Verifier)}, "code_challenge_method": {"S256"}}.Encode(), nil
}

func (g *gitHub) finish(ctx context.Context, f *flow, code string) (models.Vouched, error) {
	plain := g.goth.HTTPClient
	proving := *plain
	proving.Transport = &prover{plain.Transport, f.Verifier}
	g.goth.HTTPClient = &proving
	session := &github.Session{}
	if _, err := session.Authorize(g.goth, url.Values{"code": {code}}); err != nil {
		return models.Vouched{}, traded(err, g.row)
	}
	g.goth.HTTPClient = plain
	u, err := g.goth.FetchUser(session)
	if err == nil && (u.UserID == "" || u.UserID == "0") {
		err = errors.New("GitHub named nobody")
	}
	if err != nil {
		return models.Vouched{}, upstream(err, g.row)
	}
	email, err := g.verified(ctx, session.AccessToken)
	if err != nil {
		return models.Vouched{}, upstream(err, g.row)
	}
	return models.Vouched{Issuer: g.row.Issuer, Service: g.row.Name, Subject: u.UserID, Email: email, Name: u.Name, EmailVerified: email != ""}, nil
}

// verified asks for the primary address that GitHub itself verified, "" for none: the one of the profile is only shown.
func (g *gitHub) verified(ctx context.Context, token string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.api+"/user/emails", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := g.goth.HTTPClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return "", errors.New("GitHub answered " + res.Status + " to the question for addresses")
	}
	var list []struct {
		Email             string
		Primary, Verified bool
	}
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		return "", err
	}
	for _, e := range list {
		if e.Primary && e.Verified {
			return e.Email, nil
		}
	}
	return "", nil
}

// prover adds the verifier of PKCE to the request for the token: goth's GitHub sends none.
type prover struct {
	next     http.RoundTripper
	verifier string
}

func (p *prover) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || r.Body == nil {
		return p.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, err
	}
	body = append(body, "&code_verifier="+url.QueryEscape(p.verifier)...)
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return p.next.RoundTrip(r)
}

// maxVouched is how long an answer of a service may be, vouchPatience how long it may take in all: goth and go-oidc
// read to the end, and goth knows no context.
const (
	maxVouched    = 1 << 20
	vouchPatience = 20 * time.Second
)

// capped makes an error of an answer that is too long or too slow.
type capped struct{ next http.RoundTripper }

func (c *capped) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), vouchPatience)
	defer cancel()
	res, err := c.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	body, err := dial.ReadAll(res.Body, maxVouched)
	_ = res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

func (c *capped) CloseIdleConnections() {
	if i, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		i.CloseIdleConnections()
	}
}
