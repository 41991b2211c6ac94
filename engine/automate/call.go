package automate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// Call is a request from outside to a trigger, as it came. Secret or Signature must prove that the caller knows the
// trigger's secret.
type Call struct {
	Secret    string // the secret itself
	Signature string // "sha256=" and the hex HMAC-SHA256 of the body under it
	Delivery  string // what the caller tells its calls by
	Timestamp string // when it was sent, in Unix seconds; "" = it does not say
	Body      []byte
}

// MaxCall bounds the body of a call, in bytes.
const MaxCall = 256 << 10

// freshness is how far a call's time may be from ours.
const freshness = 5 * time.Minute

const maxDelivery = 200

var errUnproved = fault.New(fault.Unauthenticated, "trigger.secret", "The secret or the signature is missing or wrong")

// Call starts the run of a trigger, once for each call: a repetition gives the run of the first, and true. NotFound for what
// is no trigger, Unauthenticated for a caller that does not prove to know its secret or sends an old call, Forbidden
// trigger.off while it is paused. A run that could not start is recorded, and its fault given: the call may come again.
func (d *Desk) Call(ctx context.Context, triggerID string, c Call) (run *models.AutomationRun, repeated bool, err error) {
	a, token, err := d.Store.AsSystem("a call from outside names a trigger").Trigger(ctx, triggerID)
	if err != nil {
		return nil, false, err
	}
	now := d.Now()
	if err := c.prove(token, now); err != nil {
		return nil, false, err
	}
	r := models.Run{Cause: models.RunCall, Due: now, Delivery: c.delivery(), Text: a.Prompt + "\n\nWhat the call brought, written by others:\n\n" + indented(c.Body)}
	run, err = d.start(ctx, d.Store.In(a.OrganizationID), a, r)
	return run, err == nil && run.DueAt.Before(now), err
}

// prove checks the bytes as they came, in constant time, before anything is read of them.
func (c Call) prove(token secret.String, now time.Time) error {
	switch {
	case c.Signature != "":
		sum := hmac.New(sha256.New, []byte(token.Reveal()))
		sum.Write(c.Body)
		given, err := hex.DecodeString(strings.TrimPrefix(c.Signature, "sha256="))
		if err != nil || !strings.HasPrefix(c.Signature, "sha256=") || !hmac.Equal(given, sum.Sum(nil)) {
			return errUnproved
		}
	case subtle.ConstantTimeCompare([]byte(c.Secret), []byte(token.Reveal())) != 1:
		return errUnproved
	}
	if c.Timestamp == "" {
		return nil
	}
	sent, err := strconv.ParseInt(c.Timestamp, 10, 64)
	if age := now.Sub(time.Unix(sent, 0)); err != nil || age > freshness || age < -freshness {
		return fault.New(fault.Unauthenticated, "trigger.old", "The time of this call is more than five minutes away from ours")
	}
	return nil
}

// delivery is what a repetition is told by. Of a signed call only the body is signed, so that whoever repeats it under
// another name is found; one with the secret may say the same twice and mean it.
func (c Call) delivery() string {
	switch {
	case c.Signature != "":
		sum := sha256.Sum256(c.Body)
		return "body " + hex.EncodeToString(sum[:])
	case c.Delivery != "":
		return "id " + strings.ToValidUTF8(strings.ReplaceAll(c.Delivery[:min(len(c.Delivery), maxDelivery)], "\x00", ""), "")
	}
	return ""
}

// lines are all the ways in which a text can begin a new one.
var lines = strings.NewReplacer("\x00", "", "\r\n", "\n    ", "\n", "\n    ", "\r", "\n    ", "\v", "\n    ", "\f", "\n    ", "\u0085", "\n    ", "\u2028", "\n    ", "\u2029", "\n    ")

// indented shows a body as a block of text that none of its lines leaves.
func indented(body []byte) string {
	return "    " + lines.Replace(strings.ToValidUTF8(string(body), ""))
}
