// Package billingtest is a small Stripe with a memory, for tests: Stripe's own mock answers with fixtures, so it cannot
// say how a subscription fares. It signs events by Stripe's own library.
package billingtest

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"
)

// Secret signs the events.
const Secret = "whsec_test_0123456789abcdef"

// Key is the secret key that the server takes.
const Key = "sk_test_canary0123456789"

// Subscription is one as the server keeps it.
type Subscription struct {
	ID, Customer, Status string
	Organization, Plan   string // metadata
	Price, Interval      string
	Created              int64
	PeriodEnd, CancelAt  int64
	CancelAtPeriodEnd    bool
	PriceMetadata        map[string]string
}

// Invoice is one as the server keeps it.
type Invoice struct {
	Customer, Number, Status, URL, Currency string
	Total, Created                          int64
}

// Stripe is the server.
type Stripe struct {
	URL string

	mu       sync.Mutex
	subs     map[string]Subscription
	invoices []Invoice
	calls    []Call
	down     bool
	hold     func(subscription string)
}

// Call is one request that came.
type Call struct {
	Method, Path string
	Form         url.Values
}

// New starts a server that ends with the test.
func New(t testing.TB) *Stripe {
	s := &Stripe{subs: map[string]Subscription{}}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Put makes or replaces a subscription.
func (s *Stripe) Put(sub Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subs[sub.ID] = sub
}

// Bill adds an invoice.
func (s *Stripe) Bill(i Invoice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invoices = append(s.invoices, i)
}

// Down makes every request fail, or work again.
func (s *Stripe) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Hold calls f between reading a subscription and answering it; nil takes it away.
func (s *Stripe) Hold(f func(subscription string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = f
}

// Calls lists what came so far.
func (s *Stripe) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call{}, s.calls...)
}

func (s *Stripe) serve(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	s.calls = append(s.calls, Call{r.Method, r.URL.Path, r.Form})
	down, hold := s.down, s.hold
	s.mu.Unlock()
	switch {
	case strings.HasPrefix(r.URL.Path, "/pay/"), strings.HasPrefix(r.URL.Path, "/portal/"):
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<!DOCTYPE html><title>Test payment</title><h1>Test payment</h1><a href="%s">Back</a>`, html.EscapeString(r.Form.Get("back")))
		return
	case down:
		failed(w, 500, "api_error", "")
		return
	case r.Header.Get("Authorization") != "Bearer "+Key:
		failed(w, 401, "invalid_request_error", "")
		return
	}
	id, one := strings.CutPrefix(r.URL.Path, "/v1/subscriptions/")
	switch {
	case one:
		s.subscription(w, r.Method, id, hold)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/checkout/sessions":
		answer(w, map[string]any{"id": "cs_test_1", "object": "checkout.session", "url": s.URL + "/pay/cs_test_1?back=" + url.QueryEscape(r.Form.Get("success_url"))})
	case r.Method == http.MethodPost && r.URL.Path == "/v1/billing_portal/sessions":
		answer(w, map[string]any{"id": "bps_1", "object": "billing_portal.session", "url": s.URL + "/portal/bps_1?back=" + url.QueryEscape(r.Form.Get("return_url"))})
	case r.Method == http.MethodGet && r.URL.Path == "/v1/invoices":
		s.list(w, r.Form.Get("customer"))
	default:
		failed(w, 404, "invalid_request_error", "")
	}
}

func (s *Stripe) subscription(w http.ResponseWriter, method, id string, hold func(string)) {
	s.mu.Lock()
	sub, ok := s.subs[id]
	if ok && method == http.MethodDelete {
		sub.Status = "canceled"
		s.subs[id] = sub
	}
	s.mu.Unlock()
	if !ok {
		failed(w, 404, "invalid_request_error", "resource_missing")
		return
	}
	if hold != nil {
		hold(id)
	}
	answer(w, sub.Object())
}

func (s *Stripe) list(w http.ResponseWriter, customer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []any{}
	for n, i := range s.invoices {
		if i.Customer == customer {
			rows = append(rows, map[string]any{"id": fmt.Sprint("in_", n), "object": "invoice", "number": i.Number, "status": i.Status, "total": i.Total, "currency": i.Currency,
				"created": i.Created, "hosted_invoice_url": i.URL, "customer": customer})
		}
	}
	answer(w, map[string]any{"object": "list", "url": "/v1/invoices", "has_more": false, "data": rows})
}

// Object is the subscription as Stripe writes it.
func (s Subscription) Object() map[string]any {
	meta := map[string]string{}
	if s.Organization != "" {
		meta["lobstead_organization"] = s.Organization
	}
	if s.Plan != "" {
		meta["lobstead_plan"] = s.Plan
	}
	interval := s.Interval
	if interval == "" {
		interval = "month"
	}
	out := map[string]any{"id": s.ID, "object": "subscription", "customer": s.Customer, "status": s.Status, "metadata": meta, "created": s.Created,
		"cancel_at_period_end": s.CancelAtPeriodEnd, "cancel_at": nil,
		"items": map[string]any{"object": "list", "data": []any{map[string]any{"id": "si_1", "object": "subscription_item", "current_period_end": s.PeriodEnd,
			"price": map[string]any{"id": s.Price, "object": "price", "recurring": map[string]any{"interval": interval}, "metadata": s.PriceMetadata}}}}}
	if s.CancelAt != 0 {
		out["cancel_at"] = s.CancelAt
	}
	return out
}

// Event writes an event about an object, in an API version that the library does not know.
func Event(id, kind string, object map[string]any) []byte {
	b, err := json.Marshal(map[string]any{"id": id, "object": "event", "api_version": "2020-08-27", "type": kind, "created": time.Now().Unix(),
		"data": map[string]any{"object": object}})
	if err != nil {
		panic(err)
	}
	return b
}

// Sign gives the header that Stripe would send with a payload at a time.
func Sign(payload []byte, secret string, at time.Time) string {
	return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: payload, Secret: secret, Timestamp: at}).Header
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func failed(w http.ResponseWriter, status int, kind, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"type": kind, "code": code, "message": "the test says no"}})
}
