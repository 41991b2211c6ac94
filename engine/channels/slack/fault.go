package slack

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"lobstead/engine/channels/call"
	"lobstead/kit/fault"
)

// codes are Slack's own words for what went wrong (docs.slack.dev, the errors of chat.postMessage, chat.update, auth.test and the
// files methods). What is not here refuses the one message.
var codes = map[string]fault.Kind{
	"invalid_auth": fault.Unauthenticated, "not_authed": fault.Unauthenticated, "account_inactive": fault.Unauthenticated,
	"token_revoked": fault.Unauthenticated, "token_expired": fault.Unauthenticated, "not_allowed_token_type": fault.Unauthenticated,
	"team_access_not_granted": fault.Unauthenticated, "org_login_required": fault.Unauthenticated, "app_uninstalled": fault.Unauthenticated,

	"channel_not_found": fault.NotFound, "user_not_found": fault.NotFound, "users_not_found": fault.NotFound,
	"message_not_found": fault.NotFound, "thread_not_found": fault.NotFound, "file_not_found": fault.NotFound, "file_deleted": fault.NotFound,

	"not_in_channel": fault.Forbidden, "is_archived": fault.Forbidden, "access_denied": fault.Forbidden, "missing_scope": fault.Forbidden,
	"no_permission": fault.Forbidden, "restricted_action": fault.Forbidden, "restricted_action_read_only_channel": fault.Forbidden,
	"restricted_action_thread_only_channel": fault.Forbidden, "restricted_action_non_threadable_channel": fault.Forbidden,
	"restricted_action_thread_locked": fault.Forbidden, "cannot_reply_to_message": fault.Forbidden, "cannot_dm_bot": fault.Forbidden,
	"messages_tab_disabled": fault.Forbidden, "user_disabled": fault.Forbidden, "user_is_restricted": fault.Forbidden,
	"ekm_access_denied": fault.Forbidden, "cant_update_message": fault.Forbidden, "edit_window_closed": fault.Forbidden,

	"ratelimited": fault.TooMany, "rate_limited": fault.TooMany,

	"fatal_error": fault.Upstream, "internal_error": fault.Upstream, "service_unavailable": fault.Upstream,
	"request_timeout": fault.Upstream, "team_added_to_org": fault.Upstream, "accesslimited": fault.Upstream,
}

// failed turns what the library says into a fault.
func failed(err error) error {
	if e, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return spelled(e)
	}
	if e, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return call.Limited(name, time.Now().Add(e.RetryAfter))
	}
	if e, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return call.Refused(name, e.Code, http.Header{})
	}
	if broken(err) {
		return fault.Wrap(err, fault.Upstream, "service.failed", "Slack gave no answer that can be read")
	}
	return call.Failed(name, err)
}

func broken(err error) bool {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	return syntax || kind || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
}

func spelled(e slack.SlackErrorResponse) error {
	code := word(e.Err)
	switch kind := codes[code]; kind {
	case fault.Unauthenticated:
		return fault.Wrap(errors.New(code), kind, "service.credentials", "Slack refuses the token of this channel (%s)", code).
			Hinting("Install the app again and give its new token.")
	case fault.TooMany:
		return call.Limited(name, time.Now().Add(30*time.Second))
	case fault.NotFound:
		return fault.New(kind, "service.gone", "Slack does not find this any more (%s)", code)
	case fault.Forbidden:
		if n := word(e.Needed); n != "" {
			code += ": " + n
		}
		return fault.New(kind, "service.forbidden", "Slack does not allow this (%s)", code)
	case fault.Upstream:
		return fault.New(kind, "service.failed", "Slack has a problem of its own (%s)", code)
	default:
		return fault.New(fault.Invalid, "service.refused", "Slack refuses this (%s)", code)
	}
}

// connecting is failed for what opens a connection: whatever Slack answers in words stops the account, since nothing but
// somebody's hand changes it.
func connecting(err error) error {
	e, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok {
		return failed(err)
	}
	if k := codes[word(e.Err)]; k == fault.Upstream || k == fault.TooMany {
		return failed(err)
	}
	return fault.New(fault.Unauthenticated, "service.credentials", "Slack does not let this app connect (%s)", word(e.Err)).
		Hinting("Turn on Socket Mode, and give an app-level token with connections:write.")
}

// word keeps of a foreign code what a code is made of.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("_:,.-", r) {
			return r
		}
		return -1
	}, s[:min(len(s), 80)])
}
