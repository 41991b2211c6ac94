package slack

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/slack-go/slack"

	"lobstead/engine/channels/service"
)

// maxAnswer bounds what is read of an API answer, in bytes: the library reads to the end.
const maxAnswer = 4 << 20

func client(a service.Account) *slack.Client {
	return slack.New(a.Value("bot_token"), slack.OptionHTTPClient(requester{a.Client}),
		slack.OptionAPIURL(base(a)), slack.OptionAppLevelToken(a.Value("app_token")))
}

// base ends in a slash: the library appends names of methods.
func base(a service.Account) string {
	if a.BaseURL == "" {
		return slack.APIURL
	}
	return strings.TrimSuffix(a.BaseURL, "/") + "/"
}

// requester is the account's client, with answers bounded, and with client_msg_id put in: the library has no option for it.
type requester struct{ client *http.Client }

type keyed struct{}

// withKey makes the next message of the context one that Slack can tell from its repetition.
func withKey(ctx context.Context, key string) context.Context {
	if key == "" {
		return ctx
	}
	return context.WithValue(ctx, keyed{}, uuid.NewSHA1(uuid.NameSpaceURL, []byte("lobstead:"+key)).String())
}

// Do sends a request of the library.
func (q requester) Do(r *http.Request) (*http.Response, error) {
	if id, ok := r.Context().Value(keyed{}).(string); ok && strings.HasSuffix(r.URL.Path, "/chat.postMessage") {
		form, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body := string(form) + "&client_msg_id=" + url.QueryEscape(id)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
	}
	res, err := q.client.Do(r)
	if err == nil {
		res.Body = bounded{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

type bounded struct {
	io.Reader
	io.Closer
}
