package outbox

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"lobstead/kit/dial"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Webhook calls servers outside, signed by the scheme of Standard Webhooks. Its clients are guarded: the first reaches the
// public internet only, the second also addresses inside the network, for endpoints of which an operator said so.
type Webhook struct {
	Store           *models.Store
	Public, Private *http.Client
	Version         string
}

// NewWebhook makes a sender with clients of its own.
func NewWebhook(store *models.Store, version string) Webhook {
	p := dial.Policy{FirstByte: webhookPatience, Idle: webhookPatience, Redirects: -1}
	inside := p
	inside.AllowPrivate = true
	return Webhook{Store: store, Public: dial.New(p), Private: dial.New(inside), Version: version}
}

const (
	webhookPatience = 15 * time.Second // for a whole attempt
	webhookAnswer   = 4 << 10          // bytes of the answer that are read
	answerPatience  = 2 * time.Second  // for those, once the server has said what became of it
)

// Send calls the endpoint. 2xx takes it; 410 ends it and switches the endpoint off; a Retry-After of 429 or 503 is heeded;
// everything else is tried again, since a server that is being mended says anything. Redirects are not followed: the
// body is meant for the address that was written down.
func (w Webhook) Send(ctx context.Context, c *models.Claim) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, webhookPatience)
	defer cancel()
	to, err := w.Store.AsSystem("webhooks are signed").WebhookTarget(ctx, &c.Delivery)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict) {
		return Answer{}, Permanent(errors.New("the webhook was removed or switched off"))
	}
	if err != nil {
		return Answer{}, err
	}
	r, err := w.request(ctx, c, to)
	if err != nil {
		return Answer{}, Permanent(err)
	}
	client := w.Public
	if to.Private {
		client = w.Private
	}
	res, err := client.Do(r)
	if err != nil {
		return Answer{}, unreached(err)
	}
	defer func() { _ = res.Body.Close() }()
	defer time.AfterFunc(answerPatience, cancel).Stop() // one that trickles holds no place for it
	text, _ := dial.ReadAll(res.Body, webhookAnswer)    // what is cut off or missing of it changes nothing
	answer := Answer{Status: res.StatusCode, Text: strings.ToValidUTF8(string(text), "\uFFFD")}
	return answer, judge(res)
}

// request is the signed call. The time is the attempt's own, so that a receiver can refuse old ones.
func (w Webhook) request(ctx context.Context, c *models.Claim, to *models.WebhookTarget) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, strings.NewReader(c.Payload))
	if err != nil {
		return nil, err
	}
	now, signatures := time.Now(), []string{}
	for _, s := range to.Secrets {
		key, err := standardwebhooks.NewWebhook(s.Reveal())
		if err != nil {
			return nil, err
		}
		signature, err := key.Sign(c.IdempotencyKey, now, []byte(c.Payload))
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Lobstead/"+w.Version)
	r.Header.Set(standardwebhooks.HeaderWebhookID, c.IdempotencyKey)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return r, nil
}

// unreached says why nobody answered, without the address, which the reader knows and which may hold a token.
func unreached(err error) error {
	if blocked, ok := errors.AsType[*dial.BlockedError](err); ok {
		return Permanent(blocked)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer within " + webhookPatience.String())
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// judge makes an error of an answer that is no success.
func judge(res *http.Response) error {
	err := errors.New("the server answered " + strconv.Itoa(res.StatusCode) + " " + http.StatusText(res.StatusCode))
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode == http.StatusGone:
		return Permanent(err)
	case res.StatusCode/100 == 3:
		return errors.New(err.Error() + ": redirects are not followed")
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusServiceUnavailable:
		if at, ok := retryAfter(res.Header.Get("Retry-After"), time.Now()); ok {
			return RetryAt(err, at)
		}
	}
	return err
}

// retryAfter reads the header in both of its spellings: seconds, and a date.
func retryAfter(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return now.Add(time.Duration(min(n, int(longestPause/time.Second))) * time.Second), true
	}
	at, err := http.ParseTime(text)
	return at, err == nil
}
