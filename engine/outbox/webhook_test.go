package outbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"lobstead/engine/outbox"
	"lobstead/kit/dial"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// called is one call as a receiver got it.
type called struct {
	header http.Header
	body   string
}

// hook is a receiver that answers as a test says.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []called
	answer func(n int, w http.ResponseWriter)
}

func receive(t *testing.T, answer func(n int, w http.ResponseWriter)) *hook {
	t.Helper()
	h := &hook{answer: answer}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.calls = append(h.calls, called{r.Header.Clone(), string(body)})
		n := len(h.calls)
		h.mu.Unlock()
		if h.answer != nil {
			h.answer(n, w)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) got() []called {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]called{}, h.calls...)
}

// hooked is a rig with an endpoint at a receiver, and the key that it was given.
type hooked struct {
	*rig
	end *models.WebhookEndpoint
	key string
}

func newHooked(t *testing.T, h *hook) *hooked {
	t.Helper()
	r := &hooked{rig: newRig(t, &server{url: "smtp://127.0.0.1:1"})}
	sender := outbox.NewWebhook(r.store, "test")
	t.Cleanup(sender.Private.CloseIdleConnections)
	r.box.Senders[models.WebhookDelivery] = sender
	end, key, err := r.sc.CreateWebhook(t.Context(), models.WebhookForm{Name: "hook", URL: h.URL + "/in", Events: models.WebhookEventNames(), Active: true, Private: true})
	require.NoError(t, err)
	r.end, r.key = end, key.Reveal()
	return r
}

// fails makes an instance fail, which is an event, and gives its delivery.
func (r *hooked) fails(reason string) *models.Delivery {
	r.t.Helper()
	i := modelstest.Instance(r.t, r.sc, "box-"+strconv.Itoa(int(time.Now().UnixNano()%1e9)))
	_, err := r.sc.Observe(r.t.Context(), i.ID, models.Observed{Saw: models.SawFailure, Generation: i.Generation, Reason: reason})
	require.NoError(r.t, err)
	rows, err := r.sc.Deliveries(r.t.Context(), models.DeliveryFilter{Kind: models.WebhookDelivery, Limit: 1})
	require.NoError(r.t, err)
	return &rows[0]
}

func (r *hooked) endpoint() *models.WebhookEndpoint {
	r.t.Helper()
	e, err := r.sc.Webhook(r.t.Context(), r.end.ID)
	require.NoError(r.t, err)
	return e
}

func verify(t *testing.T, key string, c called) {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(key)
	require.NoError(t, err)
	require.NoError(t, w.Verify([]byte(c.body), c.header))
	require.ErrorIs(t, w.Verify([]byte(c.body+" "), c.header), standardwebhooks.ErrNoMatchingSignature)
}

// The official library verifies what is sent; every attempt has the same id and a signature of its own time.
func TestAWebhookIsSignedAndTriedAgain(t *testing.T) {
	h := receive(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			w.WriteHeader(500)
			_, _ = io.WriteString(w, "<h1>our database is away</h1>")
		}
	})
	r := newHooked(t, h)
	d := r.deliver(r.fails("no <room> left"))
	require.Equal(t, models.DeliveryPending, d.State)
	require.Equal(t, "the server answered 500 Internal Server Error", d.LastError)
	require.Equal(t, "<h1>our database is away</h1>", d.Response)
	require.Equal(t, 500, d.Log()[0].Status)
	require.NotNil(t, r.endpoint().FailingSince)
	r.clock.Add(time.Minute)
	d = r.deliver(d)
	require.Equal(t, models.DeliverySent, d.State)
	require.Equal(t, 200, d.Log()[1].Status)
	require.Nil(t, r.endpoint().FailingSince)
	calls := h.got()
	require.Len(t, calls, 2)
	for _, c := range calls {
		verify(t, r.key, c)
		require.Equal(t, d.IdempotencyKey, c.header.Get("webhook-id"))
		require.Equal(t, "application/json", c.header.Get("Content-Type"))
		require.Equal(t, calls[0].body, c.body)
		require.Len(t, strings.Fields(c.header.Get("webhook-signature")), 1)
	}
	var body struct {
		Type      string
		Timestamp time.Time
		Data      map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(calls[0].body), &body))
	require.Equal(t, "agent.error", body.Type)
	require.Equal(t, "no <room> left", body.Data["reason"])
	require.Equal(t, d.AboutID, body.Data["instance_id"])
	require.WithinDuration(t, r.clock.Now(), body.Timestamp, 2*time.Minute)

	again, err := r.sc.ReplayDelivery(t.Context(), d.ID)
	require.NoError(t, err)
	require.Equal(t, models.DeliverySent, r.deliver(again).State)
	require.Equal(t, d.IdempotencyKey, h.got()[2].header.Get("webhook-id"), "who was sent it before can tell")
}

// The library signs as the specification's text has it: docs/webhooks.md shows the same by hand.
func TestTheSchemeOfTheSpecification(t *testing.T) {
	w, err := standardwebhooks.NewWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	got, err := w.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	require.NoError(t, err)
	require.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", got)
}

// All secrets sign while rotations overlap, each till its own end.
func TestAWebhooksRotation(t *testing.T) {
	h := receive(t, nil)
	r := newHooked(t, h)
	_, fresh, err := r.sc.RotateWebhook(t.Context(), r.end.ID)
	require.NoError(t, err)
	r.deliver(r.fails("one"))
	verify(t, r.key, h.got()[0])
	verify(t, fresh.Reveal(), h.got()[0])
	r.clock.Add(models.WebhookOverlap - time.Hour)
	_, again, err := r.sc.RotateWebhook(t.Context(), r.end.ID)
	require.NoError(t, err)
	r.deliver(r.fails("between"))
	for _, key := range []string{r.key, fresh.Reveal(), again.Reveal()} {
		verify(t, key, h.got()[1])
	}
	r.clock.Add(time.Hour)
	_, newest, err := r.sc.RotateWebhook(t.Context(), r.end.ID)
	require.NoError(t, err)
	r.deliver(r.fails("two"))
	verify(t, again.Reveal(), h.got()[2])
	verify(t, fresh.Reveal(), h.got()[2])
	verify(t, newest.Reveal(), h.got()[2])
	w, err := standardwebhooks.NewWebhook(r.key)
	require.NoError(t, err)
	require.Error(t, w.Verify([]byte(h.got()[2].body), h.got()[2].header))
}

// 410 switches the endpoint off and tells who made it; what waits can be sent when it is on again.
func TestAWebhookThatIsGone(t *testing.T) {
	h := receive(t, func(n int, w http.ResponseWriter) {
		if n == 1 {
			w.WriteHeader(http.StatusGone)
		}
	})
	r := newHooked(t, h)
	first, second := r.fails("one"), r.fails("two")
	require.Equal(t, models.DeliveryDead, r.deliver(first).State)
	e := r.endpoint()
	require.False(t, e.Active)
	require.Contains(t, e.OffReason, "410")
	require.Equal(t, models.DeliveryDead, r.row(second.ID).State)
	told, err := r.sc.Notifications(t.Context(), true, "", 10)
	require.NoError(t, err)
	kinds := map[models.NotificationKind]bool{}
	for _, n := range told {
		kinds[n.Kind] = true
	}
	require.True(t, kinds[models.NoteWebhookOff])
	require.True(t, kinds[models.NoteDeliveryDead])
	_, err = r.sc.ReplayDelivery(t.Context(), second.ID)
	require.ErrorContains(t, err, "switched off")
	_, err = r.sc.UpdateWebhook(t.Context(), e.ID, models.WebhookForm{Name: e.Name, URL: e.URL, Events: []string{"agent.error"}, Active: true, Private: true})
	require.NoError(t, err)
	require.Empty(t, r.endpoint().OffReason)
	_, err = r.sc.ReplayDelivery(t.Context(), second.ID)
	require.NoError(t, err)
	require.Equal(t, models.DeliverySent, r.deliver(second).State)
}

// Five days of nothing but failures are enough; a success in between begins anew.
func TestAWebhookThatFailsForDays(t *testing.T) {
	up := false
	h := receive(t, func(_ int, w http.ResponseWriter) {
		if !up {
			w.WriteHeader(404)
		}
	})
	r := newHooked(t, h)
	d := r.fails("one")
	r.deliver(d)
	r.clock.Add(4 * 24 * time.Hour)
	up = true
	require.Equal(t, models.DeliverySent, r.deliver(d).State)
	up = false
	d = r.fails("two")
	r.deliver(d)
	r.clock.Add(models.WebhookGivesUp - time.Minute)
	require.Equal(t, models.DeliveryPending, r.deliver(d).State)
	require.True(t, r.endpoint().Active)
	r.clock.Add(24 * time.Hour)
	require.Equal(t, models.DeliveryDead, r.deliver(d).State)
	require.False(t, r.endpoint().Active)
	require.Equal(t, "Nothing arrived for five days", r.endpoint().OffReason)
	require.NoError(t, r.sy.WriteNotifications(t.Context()), "without a mail server there are none to write")
}

// A server that says when to come again is heeded, and it costs no attempt.
func TestAWebhooksRetryAfter(t *testing.T) {
	h := receive(t, func(n int, w http.ResponseWriter) {
		if n < 3 {
			w.Header().Set("Retry-After", "90")
			w.WriteHeader(map[int]int{1: 429, 2: 503}[n])
		}
	})
	r := newHooked(t, h)
	d := r.fails("one")
	for n := 1; n <= 2; n++ {
		got := r.deliver(d)
		require.Equal(t, models.DeliveryPending, got.State)
		require.Zero(t, got.Attempts)
		require.InDelta(t, 90, got.NextAt.Sub(r.clock.Now()).Seconds(), 2)
		r.clock.Add(91 * time.Second)
	}
	require.Equal(t, models.DeliverySent, r.deliver(d).State)
	require.Len(t, r.row(d.ID).Log(), 3)
}

// Where a redirect leads nobody wrote down; addresses inside the network are refused whatever their name is.
func TestAWebhookGoesWhereItWasWritten(t *testing.T) {
	other := receive(t, nil)
	h := receive(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	r := newHooked(t, h)
	d := r.deliver(r.fails("one"))
	require.Contains(t, d.LastError, "redirects are not followed")
	require.Empty(t, other.got())
	r.box.Senders[models.WebhookDelivery] = outbox.Webhook{Store: r.store, Public: dial.New(dial.Policy{}), Private: dial.New(dial.Policy{})}
	r.clock.Add(time.Hour)
	d = r.deliver(d)
	require.Equal(t, models.DeliveryDead, d.State)
	require.Contains(t, d.LastError, "is not allowed")
	require.Len(t, h.got(), 1)
}

// Who has said what became of a call, and then trickles words for ever, is not listened to for long.
func TestAWebhooksAnswerThatTrickles(t *testing.T) {
	h := receive(t, func(_ int, w http.ResponseWriter) {
		w.WriteHeader(http.StatusOK)
		for range 200 {
			if _, err := io.WriteString(w, "x"); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	r := newHooked(t, h)
	d := r.deliver(r.fails("one"))
	require.Equal(t, models.DeliverySent, d.State)
	require.Regexp(t, "^x+$", d.Response)
	require.Less(t, len(d.Response), 200, "the whole of it was waited for")
}

// A test is sent past what waits, and its failure is nobody's trouble.
func TestAWebhooksTest(t *testing.T) {
	h := receive(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(418); _, _ = io.WriteString(w, "teapot") })
	r := newHooked(t, h)
	r.deliver(r.fails("one"))
	d, err := r.sc.TestWebhook(t.Context(), r.end.ID)
	require.NoError(t, err)
	since := r.endpoint().FailingSince
	d = r.deliver(d)
	require.Equal(t, models.DeliveryDead, d.State)
	require.Equal(t, "teapot", d.Response)
	require.Equal(t, since, r.endpoint().FailingSince)
	verify(t, r.key, h.got()[1])
	require.Contains(t, h.got()[1].body, `"type":"webhook.test"`)
	told, err := r.sc.Notifications(t.Context(), true, "", 10)
	require.NoError(t, err)
	for _, n := range told {
		require.NotEqual(t, models.NoteDeliveryDead, n.Kind)
	}
}

// What a transaction wrote is sent by the hint after its commit: no sweep runs here.
func TestAWebhookLeavesByItsHint(t *testing.T) {
	h := receive(t, nil)
	r := newHooked(t, h)
	r.store.OnWritten(func(ctx context.Context, w models.Written) {
		for _, d := range w.Deliveries {
			outbox.Wake(ctx, r.bus, d)
		}
	})
	r.follow(r.box)
	d := r.fails("one")
	r.ends(d.ID, models.DeliverySent)
	require.Len(t, h.got(), 1)
}
