package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
)

// window is how far a request's time may be from ours (docs.slack.dev, "Verifying requests from Slack").
const window = 300 * time.Second

// verify proves a request by its signature over the time and the raw body. Not the library's verifier, which reads the clock by
// itself: we judge by the time of arrival.
func verify(a service.Account, r service.Request) error {
	secret := a.Value("signing_secret")
	given, ok := strings.CutPrefix(r.Header("X-Slack-Signature"), "v0=")
	sum, err := hex.DecodeString(given)
	if secret == "" || !ok || err != nil || given != strings.ToLower(given) {
		return call.Signature("X-Slack-Signature")
	}
	stamp := r.Header("X-Slack-Request-Timestamp")
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = h.Write([]byte("v0:" + stamp + ":"))
	_, _ = h.Write(r.Body)
	if !hmac.Equal(h.Sum(nil), sum) {
		return call.Signature("X-Slack-Signature")
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || r.Arrived.Sub(time.Unix(at, 0)).Abs() > window {
		return call.Signature("X-Slack-Request-Timestamp")
	}
	return nil
}
