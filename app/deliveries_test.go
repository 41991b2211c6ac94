package app_test

import (
	"io"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/id"
	"lobstead/kit/mail"
	"lobstead/kit/secret"
	"lobstead/models"
)

// letters is a mail server that keeps what it is sent; addresses in refused get their answer.
type letters struct {
	mu      sync.Mutex
	sent    []string
	refused map[string]*smtp.SMTPError
}

func (l *letters) NewSession(*smtp.Conn) (smtp.Session, error) { return l, nil }
func (l *letters) Reset()                                      {}
func (l *letters) Logout() error                               { return nil }
func (l *letters) Mail(string, *smtp.MailOptions) error        { return nil }
func (l *letters) Rcpt(to string, _ *smtp.RcptOptions) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refused[to]; err != nil {
		return err
	}
	return nil
}

func (l *letters) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, strings.ReplaceAll(strings.ReplaceAll(string(b), "=\r\n", ""), "=3D", "="))
	return err
}

// links gives the tokens in what was sent to an address.
func (l *letters) links(to string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []string{}
	for _, text := range l.sent {
		if m := joinLink.FindStringSubmatch(text); m != nil && strings.Contains(text, "<"+to+">") {
			out = append(out, m[1])
		}
	}
	return out
}

var joinLink = regexp.MustCompile(`/join\?token=([0-9A-Za-z]+)`)

// mailing starts a world that sends letters.
func mailing(t *testing.T) (*apptest.World, *letters) {
	t.Helper()
	box := &letters{refused: map[string]*smtp.SMTPError{}}
	server := smtp.NewServer(box)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	sender, err := mail.New(secret.Of("smtp://"+l.Addr().String()), "Lobstead <no-reply@example.org>")
	require.NoError(t, err)
	return apptest.Start(t, apptest.Options{NoWorker: true, Mail: sender}), box
}

func (l *letters) refuse(to string, code int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[to] = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no <b>mailbox</b> here"}
	if code == 0 {
		delete(l.refused, to)
	}
}

// teamSays waits until the team page has some words.
func teamSays(t *testing.T, w *apptest.World, words ...string) string {
	t.Helper()
	body := ""
	require.Eventually(t, func() bool {
		body = w.Do(get("/settings/team", w.Acme.Owner)).Body
		return !slices.ContainsFunc(words, func(s string) bool { return !strings.Contains(body, s) })
	}, waitLong, waitStep, "%v", words)
	return body
}

func TestInvitationsAreMailed(t *testing.T) {
	t.Parallel()
	w, box := mailing(t)
	a := asKey(w, w.Acme.Owner, "POST", "/api/team", `{"email":"one@example.com","role":"MEMBER"}`)
	require.Equal(t, 201, a.Status, a.Body)
	assert.NotContains(t, a.Map(), "inviteUrl", "the link is the addressee's alone")
	require.Eventually(t, func() bool { return len(box.links("one@example.com")) == 1 }, waitLong, waitStep)
	has(t, box.sent[0], w.URL+"/join?token=", "Acme Canary")
	teamSays(t, w, "one@example.com", "Delivered")
	token := box.links("one@example.com")[0]
	assert.Equal(t, 200, w.Do(apptest.Call{Method: "GET", Path: "/join?token=" + token}).Status)

	// Refused for good: the page says why, and offers the link, which then is the only one.
	box.refuse("two@example.com", 550)
	form := url.Values{"email": {"two@example.com"}, "role": {"ADMIN"}}
	a = w.Do(apptest.Call{Method: "POST", Path: "/settings/team", Who: w.Acme.Owner, Form: form})
	assert.Equal(t, 303, a.Status)
	body := teamSays(t, w, "two@example.com", "Not delivered", "550 5.1.1 no &lt;b&gt;mailbox", "Get a link instead")
	lacks(t, body, "join?token", "mail.refused", "RCPT")
	form.Set("by", "link")
	a = w.Follow(w.Do(apptest.Call{Method: "POST", Path: "/settings/team", Who: w.Acme.Owner, Form: form}), w.Acme.Owner)
	has(t, a.Body, w.URL+"/join?token=", "two@example.com")
	lacks(t, a.Body, "Not delivered")
	a = asKey(w, w.Acme.Owner, "POST", "/api/team", `{"email":"three@example.com","role":"MEMBER","by":"link"}`)
	assert.NotContains(t, a.Map(), "inviteUrl", "the API has no such word")

	// 4xx: it is tried again, and the page does not call it lost.
	box.refuse("four@example.com", 450)
	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/settings/team", Who: w.Acme.Owner, Form: url.Values{"email": {"four@example.com"}, "role": {"MEMBER"}}}).Status)
	teamSays(t, w, "four@example.com", "Tried again", "450 4.1.1", "every 2s")
	lacks(t, w.Do(get("/settings/team", w.Acme.Member)).Body, "four@example.com", "450")
	lacks(t, w.Do(get("/settings/team", w.Rival.Owner)).Body, "four@example.com")
}

func TestAdminDeliveries(t *testing.T) {
	t.Parallel()
	w, box := mailing(t)
	owner := w.Acme.Owner
	box.refuse("gone@example.com", 550)
	require.Equal(t, 201, asKey(w, w.Rival.Owner, "POST", "/api/team", `{"email":"gone@example.com","role":"MEMBER"}`).Status)
	d := models.DeliveryRow{}
	require.Eventually(t, func() bool {
		rows, err := w.Store.AsSystem("test").AllDeliveries(t.Context(), models.DeliveryFilter{State: models.DeliveryDead})
		if err == nil && len(rows) == 1 {
			d = rows[0]
		}
		return d.ID != ""
	}, waitLong, waitStep)
	at := "/admin/deliveries/" + d.ID

	has(t, w.Do(get("/admin/deliveries", owner)).Body, "gone@example.com", w.Rival.Name, "Dead", w.Acme.Delivery.Destination, "dead (1)", "pending (2)", "Send a test email")
	for _, narrow := range []string{"?state=dead", "?q=GONE", "?organization=" + w.Rival.ID + "&state=dead&kind=mail"} {
		body := w.Do(get("/admin/deliveries"+narrow, owner)).Body
		has(t, body, "gone@example.com")
		lacks(t, body, w.Acme.Delivery.Destination)
	}
	has(t, w.Do(get("/admin/deliveries?kind=pigeon", owner)).Body, "No delivery found")
	asJSON := get("/admin/deliveries?state=dead", owner)
	asJSON.Face = apptest.JSON
	has(t, w.Do(asJSON).Body, `"state":"dead"`, `"counts":{"dead":1,"dropped":0,"pending":2,"sent":0}`, `"next":null`, `"lastError":"mail.refused`)

	body := w.Do(get(at, owner)).Body
	has(t, body, "It was refused for good.", "550 5.1.1 no &lt;b&gt;mailbox", "[redacted]", "asks you to join Rival", d.IdempotencyKey, "Replay", "Drop", "Its link was wiped", "1 of 10")
	lacks(t, body, models.SecretMark)
	asJSON.Path = at
	has(t, w.Do(asJSON).Body, `"tries":[{"at":`, `"payload":"{`, models.SecretMark)
	assert.Equal(t, 404, w.Do(get("/admin/deliveries/"+id.New(), owner)).Status)
	assert.Equal(t, 404, w.Do(get("/admin/deliveries/nonsense", owner)).Status)

	a := office(w, at, "replay", "")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, sayWhy)
	assert.Equal(t, 422, office(w, at, "nonsense", "a ticket").Status)
	box.refuse("gone@example.com", 0)
	assert.Equal(t, 303, office(w, at, "replay", "the mailbox exists now").Status)
	noted(t, w, w.Rival.ID, "delivery.replayed", "the mailbox exists now")
	require.Eventually(t, func() bool { return len(box.links("gone@example.com")) == 1 }, waitLong, waitStep)
	assert.Equal(t, 200, w.Do(apptest.Call{Method: "GET", Path: "/join?token=" + box.links("gone@example.com")[0]}).Status, "its link is a fresh one")
	require.Eventually(t, func() bool { return strings.Contains(w.Do(get(at, owner)).Body, "nothing can be done with it") }, waitLong, waitStep)
	a = office(w, at, "drop", "too late")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "A delivery that is sent cannot be dropped")

	at = "/admin/deliveries/" + w.Acme.Delivery.ID
	assert.Equal(t, 303, office(w, at, "drop", "sent to the wrong one").Status)
	noted(t, w, w.Acme.ID, "delivery.dropped", "sent to the wrong one")
	has(t, w.Do(get("/settings/audit", owner)).Body, "sent to the wrong one")
	has(t, w.Do(get(at, owner)).Body, "Dropped by")
	teamSays(t, w, w.Acme.Delivery.Destination, "Not sent", "Get a link instead")
}

func TestTestLetter(t *testing.T) {
	t.Parallel()
	w, box := mailing(t)
	a := office(w, "/admin/deliveries", "test", "does it work", "address", "nonsense")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "Invalid email", "does it work", `value="nonsense"`)
	a = office(w, "/admin/deliveries", "test", "does it work", "address", "me@example.com")
	assert.Equal(t, 303, a.Status)
	noted(t, w, models.InstallationChain, "mail.tested", "does it work")
	require.Eventually(t, func() bool {
		return strings.Contains(w.Do(get(a.Header.Get("Location"), w.Acme.Owner)).Body, "OK: queued")
	}, waitLong, waitStep)
	box.mu.Lock()
	has(t, strings.Join(box.sent, ""), "<me@example.com>", "arrive here")
	box.mu.Unlock()

	w = apptest.Start(t, apptest.Options{NoWorker: true})
	lacks(t, w.Do(get("/admin/deliveries", w.Acme.Owner)).Body, "Send a test email")
	a = office(w, "/admin/deliveries", "test", "does it work", "address", "me@example.com")
	assert.Equal(t, 422, a.Status)
}

// Who wants no letter when something waits says so once, for all their organizations.
func TestLettersAreAChoice(t *testing.T) {
	t.Parallel()
	w, _ := mailing(t)
	body := func() string { return w.Do(get("/settings", w.Acme.Owner)).Body }
	const ticked = `type="checkbox" value="true" checked`
	has(t, body(), ticked)
	set := func(form url.Values) {
		a := w.Do(apptest.Call{Method: "POST", Path: "/settings/letters", Who: w.Acme.Owner, Form: form})
		require.Equal(t, 303, a.Status, a.Body)
	}
	set(url.Values{"other": {"1"}})
	require.NotContains(t, body(), ticked)
	set(url.Values{"letters": {"true"}})
	has(t, body(), ticked)
}
