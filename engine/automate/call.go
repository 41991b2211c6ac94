package automate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// Call is a request from outside to a trigger, as it came. One of Standard, Signature and Secret must prove that the caller
// knows a secret of the trigger; of several the first of these counts.
type Call struct {
	Standard  string // "v1," and the base64 HMAC-SHA256 of "<id>.<time>.<body>"; several are parted by blanks
	Signature string // "sha256=" and the hex HMAC-SHA256 of the body
	Secret    string // the secret itself
	Delivery  string // what the caller tells its calls by
	Timestamp string // when it was sent, in Unix seconds; "" = it does not say
	Address   string // of the caller
	Headers   map[string]string
	Body      []byte
	Admit     func() error // asked once the call is proved, before anything is begun; nil = all are admitted
}

// MaxCall bounds the body of a call, in bytes.
const MaxCall = 256 << 10

// freshness is how far a call's time may be from ours.
const freshness = 5 * time.Minute

const maxDelivery = 200

var (
	errUnproved = fault.New(fault.Unauthenticated, "trigger.secret", "The secret or the signature is missing or wrong")
	errAddress  = fault.New(fault.Forbidden, "trigger.address", "This trigger is not called from this address")
)

// Call starts the run of a trigger, once for each call: a repetition gives the run of the first, and true. NotFound for what
// is no trigger, Forbidden trigger.address from where it may not be called, Unauthenticated for a caller that does not prove to
// know its secret or sends an old call, Forbidden trigger.off while it is paused. A run that could not start is recorded, and its
// fault given: the call may come again.
func (d *Desk) Call(ctx context.Context, triggerID string, c Call) (run *models.AutomationRun, repeated bool, err error) {
	a, tokens, err := d.Store.AsSystem("a call from outside names a trigger").Trigger(ctx, triggerID)
	if err != nil {
		return nil, false, err
	}
	if !a.Allows(c.Address) {
		return nil, false, errAddress
	}
	now := d.Now()
	if err := c.prove(tokens, now); err != nil {
		return nil, false, err
	}
	if c.Admit != nil {
		if err := c.Admit(); err != nil {
			return nil, false, err
		}
	}
	r := models.Run{Cause: models.RunCall, Due: now, Delivery: c.delivery(a.Strict), Text: called(a, c.Body, now),
		Call: &models.NewCall{Source: models.CallOutside, Address: c.Address, Headers: withoutSecrets(c.Headers), Body: c.Body}}
	run, err = d.start(ctx, d.Store.In(a.OrganizationID), a, r)
	return run, err == nil && run.DueAt.Before(now), err
}

// prove checks the bytes as they came, in constant time, before anything is read of them.
func (c Call) prove(tokens []secret.String, now time.Time) error {
	known := false
	for _, t := range tokens { // all of them, so that the time says nothing of which
		known = c.knows([]byte(t.Reveal())) || known
	}
	if !known {
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

func (c Call) knows(token []byte) bool {
	switch {
	case c.Standard != "":
		return c.knowsStandard(token)
	case c.Signature != "":
		given, err := hex.DecodeString(strings.TrimPrefix(c.Signature, "sha256="))
		return err == nil && strings.HasPrefix(c.Signature, "sha256=") && hmac.Equal(given, sum(token, c.Body))
	}
	return subtle.ConstantTimeCompare([]byte(c.Secret), token) == 1
}

// knowsStandard reads a signature of the Standard Webhooks scheme, which covers the id and the time too.
func (c Call) knowsStandard(token []byte) bool {
	if c.Delivery == "" || c.Timestamp == "" {
		return false
	}
	want, known := sum(token, []byte(c.Delivery+"."+c.Timestamp+"."), c.Body), false
	for one := range strings.FieldsSeq(c.Standard) {
		given, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(one, "v1,"))
		known = err == nil && strings.HasPrefix(one, "v1,") && hmac.Equal(given, want) || known
	}
	return known
}

func sum(token []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, token)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// delivery is what a repetition is told by: the caller's id; of a signed body together with the body, since the id beside it
// is not signed. Without an id, or when the trigger is strict, a signed body is one call however often it comes; one with the
// secret alone may say the same twice and mean it. A redelivery has the id of the first and is a repetition of it.
func (c Call) delivery(strict bool) string {
	name := strings.ToValidUTF8(strings.ReplaceAll(c.Delivery[:min(len(c.Delivery), maxDelivery)], "\x00", ""), "")
	body := sha256.Sum256(c.Body)
	switch {
	case c.Standard != "":
		return "id " + name
	case c.Signature != "" && (name == "" || strict):
		return "body " + hex.EncodeToString(body[:])
	case c.Signature != "":
		return "id " + name + " body " + hex.EncodeToString(body[:])
	case name != "":
		return "id " + name
	}
	return ""
}

// secretive are the parts of a header's name by which its value is a credential.
var secretive = []string{"secret", "signature", "token", "auth", "cookie", "key", "password", "credential", "session"}

const (
	maxHeaders     = 64
	maxHeaderValue = 1000 // bytes
)

// withoutSecrets are the headers that are kept of a call.
func withoutSecrets(headers map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if len(out) == maxHeaders {
			break
		}
		value := headers[name]
		if slices.ContainsFunc(secretive, func(part string) bool { return strings.Contains(strings.ToLower(name), part) }) {
			value = "[redacted]"
		}
		out[name] = strings.ToValidUTF8(value[:min(len(value), maxHeaderValue)], "")
	}
	return out
}
