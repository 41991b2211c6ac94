package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// receiver is somebody's server: it keeps what it is sent, and answers with a status.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []*http.Request
	bodies []string
	status int
}

func receiving(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: 200}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.calls, r.bodies = append(r.calls, q), append(r.bodies, string(body))
		status := r.status
		r.mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<b>said the receiver</b>")
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// last gives the newest call that holds some words, waiting for it.
func (r *receiver) last(t *testing.T, words string) (http.Header, string) {
	t.Helper()
	at := -1
	require.Eventually(t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for n := range r.bodies {
			if strings.Contains(r.bodies[n], words) {
				at = n
			}
		}
		return at >= 0
	}, waitLong, waitStep, words)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[at].Header, r.bodies[at]
}

// locked is a log that may be read while it is written.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var whsec = regexp.MustCompile(`whsec_[A-Za-z0-9+/=]{32}`)

// An endpoint from its making to its end, by page and by key; its secret is shown once and stands nowhere else.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	log := &locked{}
	w := apptest.Start(t, apptest.Options{Log: log})
	r := receiving(t)
	owner := w.Acme.Owner // who runs the installation, and may name an address inside
	form := url.Values{"name": {"Ticket <system>"}, "url": {r.URL + "/hook?token=x"}, "events": {"message.completed", "agent.error"}, "active": {"true"}, "private": {"true"}}
	a := w.Follow(w.Do(apptest.Call{Method: "POST", Path: "/settings/webhooks", Who: owner, Form: form}), owner)
	secret := whsec.FindString(a.Body)
	require.NotEmpty(t, secret)
	has(t, a.Body, "Ticket &lt;system&gt;", "not shown again")
	rows, err := w.Acme.Scope.Webhooks(t.Context())
	require.NoError(t, err)
	at := "/settings/webhooks/" + rows[len(rows)-1].ID
	has(t, w.Do(get("/settings/webhooks", owner)).Body, "Ticket &lt;system&gt;", "message.completed, agent.error", at)

	// A real turn: the answer arrives signed.
	_, err = w.Acme.Scope.Session(t.Context(), w.Acme.Session.ID)
	require.NoError(t, err)
	a = asKey(w, owner, "POST", "/api/agent/chat", `{"message":"say hello","session_id":"`+w.Acme.Session.ID+`"}`)
	require.Equal(t, 200, a.Status, a.Body)
	header, body := r.last(t, "message.completed")
	key, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, key.Verify([]byte(body), header))
	var told struct {
		Type string
		Data map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(body), &told))
	assert.Equal(t, w.Acme.Session.ID, told.Data["session_id"])
	assert.NotEmpty(t, told.Data["text"])

	// A test event: the page shows what came back.
	a = w.Do(apptest.Call{Method: "POST", Path: at + "/test", Who: owner, Form: url.Values{}})
	require.Equal(t, 303, a.Status)
	shown := a.Header.Get("Location")
	require.Eventually(t, func() bool { return strings.Contains(w.Do(get(shown, owner)).Body, "Taken: 200") }, waitLong, waitStep)
	has(t, w.Do(get(shown, owner)).Body, "&lt;b&gt;said the receiver&lt;/b&gt;", "webhook.test", "Send again")
	has(t, w.Do(get(at, owner)).Body, shown, "webhook.test", "message.completed")

	// Changed: what is wrong stands beside its field, and the form keeps what was typed.
	a = w.Do(apptest.Call{Method: "POST", Path: at, Who: owner, Form: url.Values{"name": {"x"}, "url": {"nonsense"}, "active": {"true"}}})
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "Write the whole address", "Choose at least one", `value="nonsense"`)
	a = w.Do(apptest.Call{Method: "POST", Path: at, Who: owner, Form: url.Values{"name": {"Renamed"}, "url": {r.URL}, "events": {"agent.error"}, "active": {"true"}, "private": {"true"}}})
	assert.Equal(t, 303, a.Status)
	a = w.Follow(w.Do(apptest.Call{Method: "POST", Path: at + "/rotate", Who: owner, Form: url.Values{}}), owner)
	second := whsec.FindString(a.Body)
	require.NotEmpty(t, second)
	assert.NotEqual(t, secret, second)
	for _, path := range []string{"/settings/webhooks", at, shown, "/deliveries", "/settings/audit"} {
		lacks(t, w.Do(get(path, owner)).Body, secret, second, "whsec_")
	}
	lacks(t, log.String(), secret, second, "whsec_")
	for _, row := range []string{"Webhook created", "Webhook changed", "Webhook rotated", "Webhook tested"} {
		has(t, w.Do(get("/settings/audit", owner)).Body, row)
	}

	// Whom it is not for.
	for _, call := range []apptest.Call{get("/settings/webhooks", w.Acme.Member), get(at, w.Acme.Member), get("/deliveries", w.Acme.Member)} {
		assert.Equal(t, 403, w.Do(call).Status, call.Path)
	}
	lacks(t, w.Do(get("/settings", w.Acme.Member)).Body, "/settings/webhooks")
	assert.Equal(t, 404, w.Do(get(at, w.Rival.Owner)).Status)
	a = w.Do(apptest.Call{Method: "POST", Path: "/settings/webhooks", Who: w.Acme.Admin, Form: form})
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "inside a network")

	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: at + "/delete", Who: owner, Form: url.Values{}}).Status)
	assert.Equal(t, 404, w.Do(get(at, owner)).Status)
	assert.Equal(t, 200, w.Do(get(shown, owner)).Status, "what was sent stays in the list")
}

// An address that somebody else named does not become one inside the network because an operator changed something beside
// it, and a spelling of an address that only some libraries read is no host.
func TestWebhookAddressIsOfWhoNamesIt(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	form := url.Values{"name": {"theirs"}, "url": {"https://hook.example.com/in"}, "events": {"agent.error"}, "active": {"true"}}
	a := w.Do(apptest.Call{Method: "POST", Path: "/settings/webhooks", Who: w.Acme.Admin, Form: form})
	require.Equal(t, 303, a.Status)
	list, err := w.Acme.Scope.Webhooks(t.Context())
	require.NoError(t, err)
	var at *models.WebhookEndpoint
	for n := range list {
		if list[n].Name == "theirs" {
			at = &list[n]
		}
	}
	require.NotNil(t, at)
	private := func() bool {
		e, err := w.Acme.Scope.Webhook(t.Context(), at.ID)
		require.NoError(t, err)
		return e.Private
	}
	require.False(t, private())
	path := "/settings/webhooks/" + at.ID
	form.Set("name", "renamed")
	require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Owner, Form: form}).Status)
	require.False(t, private(), "the operator allowed nothing")
	form.Set("private", "true")
	require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Admin, Form: form}).Status)
	require.False(t, private(), "an admin allows nothing")
	form.Set("url", "https://inside.example.com/in")
	require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Owner, Form: form}).Status)
	require.True(t, private(), "this one they did")
	form.Del("private")
	form.Set("name", "again")
	require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Admin, Form: form}).Status)
	require.True(t, private(), "it stays allowed while it stays the same")
	require.Equal(t, 200, asKey(w, w.Acme.Owner, "PATCH", "/api/webhook-endpoints/"+at.ID, `{"url":"https://else.example.com/in"}`).Status)
	require.False(t, private(), "another address is not allowed, by whomever a key is")

	for _, odd := range []string{"https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://0/"} {
		form.Set("url", odd)
		a = w.Do(apptest.Call{Method: "POST", Path: "/settings/webhooks", Who: w.Acme.Admin, Form: form})
		require.Equal(t, 422, a.Status, odd)
		has(t, a.Body, "no host that can be called")
	}
}

// Whoever's key it is, and whatever is said beside the address: a program names no address inside the network. In person only who runs the
// installation does, when they say so; the audit log has it.
func TestWebhookInsideTheNetwork(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, inside := range []string{"http://127.0.0.1/x", "http://localhost:8080/x", "http://10.1.2.3/x", "http://172.16.0.1/x", "http://192.168.1.1/x", "http://100.64.0.1/x", "http://[::1]/x", "http://[fd12::1]/x", "http://[::ffff:10.0.0.1]/x", "http://169.254.169.254/x"} {
		form := url.Values{"name": {"in"}, "url": {inside}, "events": {"agent.error"}, "active": {"true"}}
		never := strings.Contains(inside, "169.254")
		post := func(who *apptest.Person) int {
			return w.Do(apptest.Call{Method: "POST", Path: "/settings/webhooks", Who: who, Form: form}).Status
		}
		byKey := asKey(w, w.Acme.Owner, "POST", "/api/webhook-endpoints", map[string]any{"name": "in", "url": inside, "events": []string{"agent.error"}, "private": true})
		assert.Equal(t, 400, byKey.Status, "%s by the key of staff", inside)
		assert.Equal(t, 422, post(w.Acme.Owner), "%s without a word", inside)
		form.Set("private", "true")
		assert.Equal(t, 422, post(w.Acme.Admin), "%s by who does not run the installation", inside)
		want := 303
		if never {
			want = 422
		}
		assert.Equal(t, want, post(w.Acme.Owner), "%s by who does", inside)
	}
	has(t, w.Do(get("/settings/webhooks", w.Acme.Owner)).Body, `name="private"`)
	lacks(t, w.Do(get("/settings/webhooks", w.Acme.Admin)).Body, `name="private"`)
	log, err := w.Acme.Scope.AuditEntries(t.Context(), models.AuditFilter{})
	require.NoError(t, err)
	allowed := 0
	for _, e := range log {
		if e.Act == "webhook.created" && strings.Contains(e.After, `"private":true`) {
			allowed++
		}
	}
	assert.Equal(t, 9, allowed)
}

// The same by program, and what could not be delivered as two APIs spell it.
func TestWebhookAPI(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	r := receiving(t)
	owner := w.Acme.Owner
	a := asKey(w, owner, "POST", "/api/webhook-endpoints", map[string]any{"name": "ci", "url": "https://hook.example.com", "events": []string{"agent.error"}, "instanceId": w.Acme.Instance.ID})
	require.Equal(t, 201, a.Status, a.Body)
	assert.Regexp(t, whsec, a.Map()["secret"])
	id := a.Map()["id"].(string)
	at := "/api/webhook-endpoints/" + id
	form := url.Values{"name": {"ci"}, "url": {r.URL}, "events": {"agent.error"}, "active": {"true"}, "private": {"true"}, "instance": {w.Acme.Instance.ID}}
	require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/settings/webhooks/" + id, Who: owner, Form: form}).Status)
	assert.NotContains(t, asKey(w, owner, "GET", at, nil).Map(), "secret")
	assert.Len(t, list(t, asKey(w, owner, "GET", "/api/webhook-endpoints", nil)), 2)
	for _, bad := range []string{`{}`, `{"name":"x","url":"https://example.com","events":["nonsense"]}`, `{"name":"x","url":5,"events":[]}`, `{"name":"x","url":"https://example.com","events":["agent.error"],"active":"yes"}`} {
		assert.Equal(t, 400, asKey(w, owner, "POST", "/api/webhook-endpoints", bad).Status, bad)
	}
	spelled := asKey(w, owner, "POST", "/api/webhook-endpoints", map[string]any{"name": "one", "url": "https://hook.example.com/one", "events": []string{"agent.error"}, "instance_id": w.Acme.Instance.ID})
	assert.Equal(t, w.Acme.Instance.ID, spelled.Map()["instanceId"], "in an event's spelling too")
	for _, bad := range []string{"state", "kind", "before"} {
		refused := asKey(w, owner, "GET", "/api/deliveries?"+bad+"=bogus", nil)
		assert.Equal(t, 400, refused.Status, bad)
		assert.Contains(t, refused.Body, `"path":["`+bad+`"]`)
	}
	a = asKey(w, owner, "PATCH", at, `{"active":false}`)
	assert.Equal(t, false, a.Map()["active"])
	assert.Equal(t, "ci", a.Map()["name"])
	a = asKey(w, owner, "PATCH", at, `{"active":true,"name":"renamed"}`)
	assert.Equal(t, []any{"agent.error"}, a.Map()["events"])

	r.answer(410)
	_, err := w.Acme.Scope.Observe(t.Context(), w.Acme.Instance.ID, models.Observed{Saw: models.SawFailure, Generation: w.Acme.Instance.Generation, Reason: "no disk"})
	require.NoError(t, err)
	header, body := r.last(t, "no disk")
	var dead []any
	require.Eventually(t, func() bool {
		dead, _ = asKey(w, owner, "GET", "/api/channels/dead-letter", nil).Map()["items"].([]any)
		return len(dead) == 1
	}, waitLong, waitStep)
	item := dead[0].(map[string]any)
	keys := []string{}
	for k := range item {
		keys = append(keys, k)
	}
	assert.ElementsMatch(t, []string{"id", "channel", "recipient_id", "content", "idempotency_key", "attempts", "max_attempts", "last_error", "created_at"}, keys)
	assert.Equal(t, "webhook", item["channel"])
	assert.Equal(t, r.URL, item["recipient_id"])
	assert.Equal(t, header.Get("webhook-id"), item["idempotency_key"])
	assert.Contains(t, item["last_error"], "410")
	assert.JSONEq(t, body, item["content"].(string))
	assert.Equal(t, float64(1), asKey(w, owner, "GET", "/api/channels/dead-letter?limit=0", nil).Map()["count"])
	assert.Empty(t, asKey(w, w.Rival.Owner, "GET", "/api/channels/dead-letter", nil).Map()["items"])
	assert.Equal(t, "The server answered 410 Gone: it wants no more calls", asKey(w, owner, "GET", at, nil).Map()["offReason"])
	has(t, w.Do(get("/notifications", owner)).Body, "was switched off", "is in ERROR", "failed for good", "the server answered 410 Gone")

	replay := "/api/channels/dead-letter/" + item["id"].(string) + "/replay"
	assert.Equal(t, 409, asKey(w, owner, "POST", replay, nil).Status, "it is switched off")
	assert.Equal(t, 200, asKey(w, owner, "PATCH", at, `{"active":true}`).Status)
	a = asKey(w, w.Rival.Owner, "POST", replay, nil)
	assert.Equal(t, 404, a.Status)
	assert.JSONEq(t, `{"ok":false,"error":"dead-letter item not found"}`, a.Body)
	r.answer(200)
	a = asKey(w, owner, "POST", replay, nil)
	assert.Equal(t, 200, a.Status)
	assert.JSONEq(t, `{"ok":true,"id":"`+item["id"].(string)+`"}`, a.Body)
	one := "/api/deliveries/" + item["id"].(string)
	require.Eventually(t, func() bool { return asKey(w, owner, "GET", one, nil).Map()["state"] == "sent" }, waitLong, waitStep)
	assert.Equal(t, 404, asKey(w, owner, "POST", replay, nil).Status, "it is not dead")
	assert.Len(t, asKey(w, owner, "GET", one, nil).Map()["tries"], 2)
	assert.Equal(t, 409, asKey(w, owner, "POST", one+"/drop", nil).Status)
	assert.Equal(t, 200, asKey(w, owner, "POST", one+"/replay", nil).Status, "what arrived can be sent once more: its receiver can tell")
	a = asKey(w, owner, "GET", "/api/deliveries?kind=webhook&webhook="+strings.TrimPrefix(at, "/api/webhook-endpoints/"), nil)
	assert.Len(t, a.Map()["deliveries"], 1)
	assert.Equal(t, 200, asKey(w, owner, "DELETE", at, nil).Status)
	assert.Equal(t, 404, asKey(w, owner, "GET", at, nil).Status)
}

// The organization's own list tells what it may know: what only the operator of the mail server should read stays out.
func TestOwnDeliveries(t *testing.T) {
	t.Parallel()
	w, box := mailing(t)
	box.refuse("two@example.com", 550)
	require.Equal(t, 201, asKey(w, w.Acme.Admin, "POST", "/api/team", `{"email":"two@example.com","role":"MEMBER"}`).Status)
	var d models.Delivery
	require.Eventually(t, func() bool {
		rows, err := w.Acme.Scope.Deliveries(t.Context(), models.DeliveryFilter{State: models.DeliveryDead})
		if err == nil && len(rows) == 1 {
			d = rows[0]
		}
		return d.ID != ""
	}, waitLong, waitStep)
	at := "/deliveries/" + d.ID
	for _, body := range []string{w.Do(get(at, w.Acme.Admin)).Body, w.Do(get("/deliveries?state=dead", w.Acme.Admin)).Body, asKey(w, w.Acme.Admin, "GET", "/api"+at, nil).Body} {
		has(t, body, "two@example.com", "550 5.1.1 no")
		lacks(t, body, "mail.refused", "join?token=0")
	}
	has(t, w.Do(get("/deliveries", w.Acme.Admin)).Body, "One delivery could not be made", w.Acme.Delivery.Destination)
	has(t, w.Do(get("/deliveries?q=nobody-at-all", w.Acme.Admin)).Body, "No delivery found")
	has(t, w.Do(get("/notifications", w.Acme.Admin)).Body, "An email to two@example.com could not be delivered")
	box.refuse("two@example.com", 0)
	assert.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: at + "/replay", Who: w.Acme.Admin, Form: url.Values{}}).Status)
	require.Eventually(t, func() bool { return len(box.links("two@example.com")) == 1 }, waitLong, waitStep, "by a fresh link")
	a := w.Do(apptest.Call{Method: "POST", Path: at + "/replay", Who: w.Acme.Admin, Form: url.Values{}})
	assert.Equal(t, 409, a.Status, "a letter that arrived is not sent twice")
	has(t, a.Body, "cannot be replayed")
}
