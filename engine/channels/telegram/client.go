package telegram

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/dial"
	"lobstead/kit/fault"
)

// maxReply is how much of an answer is read, in bytes. A hundred updates stay far below.
const maxReply = 8 << 20

// answer is what the Bot API wraps everything in.
type answer struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int   `json:"retry_after"`
		Migrated   int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// refused is a refusal of the Bot API that a caller may mend.
type refused struct {
	why   string // Telegram's description
	moved int64  // the group's new id, 0 for none
}

func (r *refused) Error() string { return r.why }

// address gives where a method is. The token is part of it, so no error may show it.
func address(a service.Account, parts ...string) (string, error) {
	token := a.Value("bot_token")
	if id, key, ok := strings.Cut(token, ":"); !ok || id == "" || key == "" || strings.ContainsAny(token, "/?#% \n") {
		return "", call.Rejected(name)
	}
	base := strings.TrimRight(cmp.Or(a.BaseURL, home), "/")
	return base + strings.Join(parts, token), nil
}

// invoke calls a method with JSON and reads its result into out, which may be nil.
func invoke(ctx context.Context, a service.Account, method string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "telegram.request", "The request cannot be written")
	}
	return post(ctx, a, method, "application/json", bytes.NewReader(body), out)
}

func post(ctx context.Context, a service.Account, method, kind string, body io.Reader, out any) error {
	to, err := address(a, "/bot", "/"+method)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, body)
	if err != nil {
		return fault.New(fault.Invalid, "service.address", "The address of %s is not valid", name)
	}
	req.Header.Set("Content-Type", kind)
	res, err := a.Client.Do(req)
	if err != nil {
		return hide(a, call.Failed(name, err))
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := dial.ReadAll(res.Body, maxReply)
	if err != nil {
		return hide(a, call.Failed(name, err))
	}
	var got answer
	if json.Unmarshal(raw, &got) != nil || !got.OK {
		return failed(res, got)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(got.Result, out); err != nil {
		return fault.Wrap(err, fault.Upstream, "telegram.answer", "Telegram's answer cannot be read")
	}
	return nil
}

// failed turns a refusal into a fault. Telegram tells what is wrong by its description only.
func failed(res *http.Response, got answer) error {
	code, why := cmp.Or(got.Code, res.StatusCode), got.Description
	low := strings.ToLower(why)
	cause := &refused{why, got.Parameters.Migrated}
	has := func(any ...string) bool {
		for _, s := range any {
			if strings.Contains(low, s) {
				return true
			}
		}
		return false
	}
	switch {
	case code == 429 && got.Parameters.RetryAfter > 0:
		return call.Limited(name, time.Now().Add(time.Duration(got.Parameters.RetryAfter)*time.Second))
	case code == 401 || code == 404 && low == "not found": // revoked, or never a token
		return call.Rejected(name)
	case code == 409:
		return fault.Wrap(cause, fault.Conflict, "telegram.conflict", "Another program asks Telegram for this bot's news")
	case code == 403 || code == 400 && has("have no rights", "not enough rights", "chat_write_forbidden", "topic_closed", "need administrator rights", "chat_restricted", "_forbidden"):
		return fault.Wrap(cause, fault.Forbidden, "service.forbidden", "%s", "Telegram does not allow this: "+readable(why))
	case code == 400 && has("chat not found", "thread not found", "topic_deleted", "user not found", "message to edit not found", "peer_id_invalid", "file_id", "message_id_invalid"):
		return fault.Wrap(cause, fault.NotFound, "service.gone", "%s", "Telegram does not find this any more: "+readable(why))
	case code == 413 || code == 400 && has("file is too big", "too large"):
		return fault.Wrap(cause, fault.TooLarge, "service.too_large", "Telegram does not take anything so large")
	case code == 400:
		return fault.Wrap(cause, fault.Invalid, "service.refused", "%s", "Telegram refuses this: "+readable(why))
	}
	return call.Refused(name, max(code, 300), res.Header)
}

// readable takes the status away that Telegram's descriptions begin with.
func readable(why string) string {
	for _, p := range []string{"Bad Request: ", "Forbidden: "} {
		why = strings.TrimPrefix(why, p)
	}
	if len(why) > 200 {
		why = strings.ToValidUTF8(why[:200], "") + "…"
	}
	return why
}

// description gives what Telegram said of a refusal, in small letters, and the group's new id.
func description(err error) (string, int64) {
	if r, ok := errors.AsType[*refused](err); ok {
		return strings.ToLower(r.why), r.moved
	}
	return "", 0
}

// hide takes the token out of the cause of a failure: redirects and proxies may repeat the address.
func hide(a service.Account, err error) error {
	f := fault.As(err)
	token := a.Value("bot_token")
	if f.Err == nil || token == "" {
		return err
	}
	if said := f.Err.Error(); strings.Contains(said, token) || strings.Contains(said, url.PathEscape(token)) {
		clean := *f
		clean.Err = errors.New(strings.NewReplacer(token, "[redacted]", url.PathEscape(token), "[redacted]").Replace(said))
		return &clean
	}
	return err
}
