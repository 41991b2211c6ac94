package telegram

import (
	"context"
	"crypto/subtle"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
)

// Receive takes an update that Telegram delivers: it knows the secret that Hook gave it. Telegram signs nothing, so the body is as
// true as the line it came over.
func (s *Telegram) Receive(a service.Account, r service.Request) (service.Received, error) {
	secret, given := a.Value("webhook_secret"), r.Header("X-Telegram-Bot-Api-Secret-Token")
	if secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(given)) != 1 {
		return service.Received{}, call.Signature("X-Telegram-Bot-Api-Secret-Token")
	}
	u, err := read(r.Body)
	if err != nil {
		return service.Received{}, err
	}
	me, err := s.self(context.Background(), a)
	if err != nil {
		return service.Received{}, err
	}
	if e, ok := event(me, u); ok {
		return service.Received{Events: []service.Event{e}}, nil
	}
	return service.Received{}, nil
}
