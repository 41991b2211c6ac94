package outbox_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/outbox"
	"lobstead/kit/events"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// BenchmarkCommitToCall is the way from the transaction that writes an event to the receiver's handler: the hint, the
// claim, the signature, and a connection that is open.
func BenchmarkCommitToCall(b *testing.B) {
	arrived := make(chan struct{}, 1)
	h := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{} }))
	b.Cleanup(h.Close)
	store := modelstest.NewAs(b, models.Options{})
	bus := events.Open(nil)
	b.Cleanup(bus.Close)
	store.OnWritten(func(ctx context.Context, w models.Written) {
		for _, d := range w.Deliveries {
			outbox.Wake(ctx, bus, d)
		}
	})
	sc, _ := modelstest.Found(b, store, "Acme")
	e, _, err := sc.CreateWebhook(b.Context(), models.WebhookForm{Name: "hook", URL: h.URL, Events: []string{"agent.error"}, Active: true, Private: true})
	require.NoError(b, err)
	box := &outbox.Outbox{Store: store, Bus: bus, Jobs: &queue{}, Node: "bench", Log: slog.New(slog.DiscardHandler),
		Senders: map[models.DeliveryKind]outbox.Sender{models.WebhookDelivery: outbox.NewWebhook(store, "bench")}}
	ctx, cancel := context.WithCancel(context.Background())
	wait := box.Follow(ctx)
	b.Cleanup(func() { cancel(); wait() })
	b.ResetTimer()
	for range b.N {
		_, err := sc.TestWebhook(b.Context(), e.ID)
		require.NoError(b, err)
		<-arrived
	}
}
