package app

import (
	"crypto/rand"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"lobstead/kit/fault"
)

// flow is what a browser must bring back, sealed in a cookie: the state of a sign-in that left for another service,
// or the challenge that a passkey answers. It is good for one use and for a few minutes.
type flow struct {
	Token    string                `json:"t"`           // what is spent: the state of OAuth, or random
	Act      string                `json:"a,omitempty"` // toSignIn, toLink, toTest
	Provider string                `json:"p,omitempty"`
	Nonce    string                `json:"n,omitempty"`
	Verifier string                `json:"v,omitempty"` // of PKCE
	Next     string                `json:"x,omitempty"` // where to go after
	UserID   string                `json:"u,omitempty"` // whom it is about, where that is known
	Passkey  *webauthn.SessionData `json:"w,omitempty"`
	Expires  time.Time             `json:"e"`
}

// What somebody goes to another service for.
const (
	toSignIn = ""
	toLink   = "link"
	toTest   = "test"
)

// The kinds of flows; each has a cookie of its own.
const (
	providerFlow = "provider" // left for another service
	secondFlow   = "second"   // the password was right, a passkey is still asked for
	passkeyFlow  = "passkey"  // a passkey's challenge, to sign in
	registerFlow = "register" // a passkey's challenge, to add it
)

const flowLife = 10 * time.Minute

var errFlow = fault.New(fault.Invalid, "sign_in.flow", "This was started in another browser, too long ago, or is done already").Hinting("Start again")

func random() string { return rand.Text() + rand.Text() } // 256 bits

func flowCookie(kind string) string { return "lobstead_" + kind }

// setFlow gives the browser a fresh flow.
func (c *Ctx) setFlow(kind string, f flow) error {
	f.Expires = time.Now().Add(flowLife)
	if f.Token == "" {
		f.Token = random()
	}
	return c.setSealed(flowCookie(kind), "flow "+kind, flowLife, f)
}

// flow reads what the browser brought, without using it up.
func (c *Ctx) flow(kind string) (*flow, error) {
	f := &flow{}
	if !c.sealed(flowCookie(kind), "flow "+kind, f) || f.Token == "" || time.Now().After(f.Expires) {
		return nil, errFlow
	}
	return f, nil
}

// endFlow takes the cookie away.
func (c *Ctx) endFlow(kind string) { c.endSealed(flowCookie(kind)) }

// spendFlow uses a flow up, over all processes: a copy of the cookie is worth nothing after.
func (c *Ctx) spendFlow(kind string, f *flow) error {
	c.endFlow(kind)
	err := c.app.Store.AsSystem("a sign-in is used once").Spend(c, kind+" "+f.Token, f.Expires)
	if fault.Is(err, fault.Conflict) {
		return errFlow
	}
	return err
}
