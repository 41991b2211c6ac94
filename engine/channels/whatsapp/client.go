package whatsapp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/dial"
	"lobstead/kit/fault"
)

// maxReply is how much of an answer is read, in bytes.
const maxReply = 1 << 20

func base(a service.Account) string { return strings.TrimRight(cmp.Or(a.BaseURL, home), "/") + version }

func get(ctx context.Context, a service.Account, path string, out any) error {
	return do(ctx, a, http.MethodGet, path, "", nil, out)
}

// post sends JSON to a part of the account's number.
func post(ctx context.Context, a service.Account, part string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "whatsapp.request", "The request cannot be written")
	}
	return do(ctx, a, http.MethodPost, "/"+a.Value("phone_number_id")+part, "application/json", bytes.NewReader(body), out)
}

func do(ctx context.Context, a service.Account, method, path, kind string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, base(a)+path, body)
	if err != nil {
		return fault.New(fault.Invalid, "service.address", "The address of %s is not valid", name)
	}
	req.Header.Set("Authorization", "Bearer "+a.Value("access_token"))
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := a.Client.Do(req)
	if err != nil {
		return call.Failed(name, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := dial.ReadAll(res.Body, maxReply)
	if err != nil {
		return call.Failed(name, err)
	}
	if res.StatusCode > 299 {
		return failed(res, raw)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fault.Wrap(err, fault.Upstream, "whatsapp.answer", "WhatsApp's answer cannot be read")
	}
	return nil
}

// refusal is an error of the Graph API.
type refusal struct {
	Code    int    `json:"code"`
	Sub     int    `json:"error_subcode"`
	Message string `json:"message"`
	Data    struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

// waits say when a limit that tells no time is tried again. https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
var waits = map[int]time.Duration{
	4:      5 * time.Minute,  // calls of the app
	80007:  5 * time.Minute,  // calls of the business account
	613:    time.Minute,      // calls of one kind
	130429: 5 * time.Second,  // messages a second
	131056: 6 * time.Second,  // messages to one person
	131048: 30 * time.Minute, // too many people complained
}

// failed turns a refusal into a fault, by the code and not by the status, which is 400 for most.
func failed(res *http.Response, raw []byte) error {
	var got struct {
		Error refusal `json:"error"`
	}
	if json.Unmarshal(raw, &got) != nil || got.Error.Message == "" && got.Error.Code == 0 {
		return call.Refused(name, res.StatusCode, res.Header)
	}
	e := got.Error
	if wait, ok := waits[e.Code]; ok {
		at := time.Now().Add(wait)
		if res.Header.Get("Retry-After") != "" {
			at = call.After(res.Header, time.Now())
		}
		return call.Limited(name, at)
	}
	return judged(e, res.StatusCode)
}

// judged turns an error into a fault by its code; status is of the answer that had it, 0 for none.
func judged(e refusal, status int) error {
	why, said := errors.New(e.Message), readable(e)
	switch {
	case e.Code == 100 && strings.Contains(e.Message, "appsecret_proof"):
		return fault.New(fault.Invalid, "whatsapp.app_secret", "The app secret does not belong to the app of the access token")
	case e.Code == 190 || e.Code == 0:
		return call.Rejected(name)
	case e.Code == 3 || e.Code == 10 || e.Code >= 200 && e.Code <= 299 || e.Code == 131005:
		return fault.Wrap(why, fault.Unauthenticated, "service.permission", "%s", "The access token may not do this: "+said)
	case e.Code == 368 || e.Code == 130497 || e.Code == 131031 || e.Code == 131042 || e.Code == 131045 || e.Code >= 133000 && e.Code <= 133016:
		return fault.Wrap(why, fault.Unauthenticated, "whatsapp.account", "%s", "WhatsApp does not let this number send: "+said)
	case e.Code == 100 && e.Sub == 33:
		return fault.Wrap(why, fault.NotFound, "service.gone", "WhatsApp does not find this, or the access token may not see it")
	case e.Code == 131047:
		return fault.Wrap(why, fault.Forbidden, "whatsapp.window", "More than 24 hours have passed since this person wrote last: WhatsApp lets nobody answer any more")
	case e.Code == 131026 || e.Code == 131060:
		return fault.Wrap(why, fault.NotFound, "service.gone", "WhatsApp cannot deliver to this person")
	case e.Code == 131030 || e.Code == 131049 || e.Code == 131050 || e.Code == 131037:
		return fault.Wrap(why, fault.Forbidden, "service.forbidden", "%s", "WhatsApp does not allow this: "+said)
	case e.Code == 1 || e.Code == 2 || e.Code == 131000 || e.Code == 131016 || e.Code == 131057 || status >= 500:
		return fault.Wrap(why, fault.Upstream, "service.failed", "WhatsApp has a problem of its own (code %d)", e.Code)
	}
	return fault.Wrap(why, fault.Invalid, "service.refused", "%s", "WhatsApp refuses this: "+said)
}

func readable(e refusal) string {
	s := cmp.Or(e.Data.Details, e.Message)
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
