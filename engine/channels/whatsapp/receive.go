package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// Receive answers the question with which Meta begins (hub.challenge), and takes deliveries that the app's secret signed.
func (*WhatsApp) Receive(a service.Account, r service.Request) (service.Received, error) {
	if r.Method == http.MethodGet {
		return challenge(a, r)
	}
	if !signed(a, r) {
		return service.Received{}, call.Signature("X-Hub-Signature-256")
	}
	var d delivery
	if err := json.Unmarshal(r.Body, &d); err != nil {
		return service.Received{}, fault.Wrap(err, fault.Invalid, "whatsapp.delivery", "This is no delivery of WhatsApp")
	}
	var out service.Received
	for _, entry := range d.Entry {
		for _, c := range entry.Changes {
			if c.Field != "messages" {
				continue
			}
			out.Events = append(out.Events, events(a.Value("phone_number_id"), c.Value)...)
		}
	}
	return out, nil
}

func challenge(a service.Account, r service.Request) (service.Received, error) {
	want, given := a.Value("verify_token"), r.Query["hub.verify_token"]
	if want == "" || r.Query["hub.mode"] != "subscribe" || subtle.ConstantTimeCompare([]byte(want), []byte(given)) != 1 {
		return service.Received{}, call.Signature("hub.verify_token")
	}
	return service.Received{Reply: service.Reply{Status: http.StatusOK, Type: "text/plain; charset=utf-8", Body: []byte(r.Query["hub.challenge"])}}, nil
}

// signed compares in constant time, over the bytes as they came.
func signed(a service.Account, r service.Request) bool {
	secret := a.Value("app_secret")
	given, ok := strings.CutPrefix(r.Header("X-Hub-Signature-256"), "sha256=")
	if secret == "" || !ok {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(r.Body)
	want := hex.EncodeToString(mac.Sum(nil))
	return subtle.ConstantTimeCompare([]byte(want), []byte(given)) == 1
}
