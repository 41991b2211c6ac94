package browsertest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
)

// named opens the server under a name: passkeys are bound to one.
func (s *server) named() *server {
	s.base = strings.Replace(s.base, "127.0.0.1", "localhost", 1)
	s.setup = strings.Replace(s.setup, "127.0.0.1", "localhost", 1)
	return s
}

func (b *tab) signOut() {
	b.t.Helper()
	b.do(chromedp.Evaluate(`document.querySelector("form[action='/sign-out']").requestSubmit()`, nil))
	b.until(`location.pathname === "/sign-in"`)
}

// Staff connect a real OpenID provider, test it and enable it; then people come in by it, and nobody else does.
func TestSignInThroughARealProvider(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := owner(t, s)
	b.open("/admin/sign-in")
	callback := b.text(`document.querySelector("form [data-copy-text]").textContent`)
	issuer := testservices.OpenID(t, callback)
	b.allow(issuer)
	b.judge("admin-sign-in-empty")

	b.fill("#name", "Harbour ID")
	b.fill("#issuer", issuer)
	b.fill("#client_id", testservices.OpenIDClient)
	b.fill("#secret", testservices.OpenIDSecret)
	b.click("#private")
	b.fill("#reason", "single sign-on for everybody")
	b.click(`form[action="/admin/sign-in"] [type=submit]`)
	b.until(`document.body.innerText.includes("Not tested yet")`)
	require.Equal(t, callback, b.text(`document.querySelector(".line [data-copy-text]").textContent`), "the address that was told before")
	require.Equal(t, "null", b.text(`document.querySelector("form[action$='/enabled'] [name=on]")`), "not before it was tested")
	b.now("test the provider")
	b.click(`.line a[href*="for=test"]`)
	b.at(issuer, "maren@example.org")
	b.until(`location.pathname === "/admin/sign-in" && document.body.innerText.includes("maren@example.org came back, verified. That is the account of Maren Olsen")`)
	b.fill("form[action$='/enabled'] [name=reason]", "tested")
	b.click("form[action$='/enabled'] [name=on]")
	b.until(`document.body.innerText.includes("On the sign-in page")`)
	b.judge("admin-sign-in")

	b.now("sign in by it")
	b.signOut()
	b.judge("sign-in")
	b.click(`a[href^="/sign-in/"]`) // the provider knows her still
	b.until(`location.pathname === "/"`)
	b.open("/settings/security")
	b.until(`document.body.innerText.includes("Harbour ID")`)
	b.judge("security")

	for address, words := range map[string]string{"stranger@example.org": "There is no account for stranger@example.org", "unverified@example.org": "does not say that your e-mail address is verified"} {
		other := person(t, s)
		other.now(address)
		other.allow(issuer, "HTTP 403", "status of 403")
		other.open("/sign-in")
		other.click(`a[href^="/sign-in/"]`)
		other.at(issuer, address)
		other.until(`location.pathname.endsWith("/callback") && document.body.innerText.includes("` + words + `")`)
		other.judge("sign-in-refused")
	}
}

// at types an address at the provider and goes on.
func (b *tab) at(issuer, address string) {
	b.t.Helper()
	b.until(`location.origin === "` + issuer + `" && document.querySelector("[name=login]")`)
	b.fill("[name=login]", address)
	b.click("button")
}

// A passkey is added, signs in alone, and is asked for after the password.
func TestPasskeysInABrowser(t *testing.T) {
	t.Parallel()
	s := start(t).named()
	b := owner(t, s)
	b.do(webauthn.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}).Do(ctx)
		return err
	}))
	b.open("/settings/security")
	b.fill("#name", "Laptop")
	b.click(`[data-passkey="add"]`)
	b.until(`document.querySelector(".line-name")?.textContent === "Laptop"`)
	b.judge("security-passkey")
	b.fill("#name", "Laptop again")
	b.click(`[data-passkey="add"]`)
	b.until(`document.querySelector("[data-passkey-status]").textContent.includes("has a passkey for you already")`)

	b.now("by the passkey alone")
	b.signOut()
	b.judge("sign-in-passkey")
	b.click(`[data-passkey="sign-in"]`)
	b.until(`location.pathname === "/"`)

	b.now("after the password")
	b.open("/settings/security")
	b.click(`form[action$="/second-factor"] [type=submit]`)
	b.until(`document.body.innerText.includes("A passkey is asked for after your password")`)
	b.signOut()
	b.fill("[name=email]", "maren@example.org")
	b.fill("[name=password]", password)
	b.click("form.form [type=submit]")
	b.until(`location.pathname === "/sign-in/passkey"`)
	b.judge("sign-in-second")
	b.open("/settings")
	b.until(`location.pathname === "/sign-in"`)
	b.open("/sign-in/passkey")
	b.click(`[data-passkey="second"]`)
	b.until(`location.pathname === "/"`)

	b.now("a changed password signs the other browser out")
	other := person(t, s)
	other.open("/sign-in")
	require.False(t, other.holds(300*time.Millisecond, `location.pathname !== "/sign-in"`))
	b.open("/settings/security")
	b.fill("#current", "wrong")
	b.allow("HTTP 422", "status of 422")
	b.fill("#password", "a kettle in a harbour")
	b.click(`form[action$="/password"] [type=submit]`)
	b.until(`document.body.innerText.includes("This is not your present password")`)
	b.fill("#current", password)
	b.fill("#password", "a kettle in a harbour")
	b.click(`form[action$="/password"] [type=submit]`)
	b.until(`document.body.innerText.includes("Every other browser is signed out")`)
}
