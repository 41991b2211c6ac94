package slack

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// file is an attachment. Those of shared channels come without addresses, which have to be asked for.
type file struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"mimetype"`
	Size     int64  `json:"size"`
	Mode     string `json:"mode"`
	Access   string `json:"file_access"`
	Private  string `json:"url_private"`
	Download string `json:"url_private_download"`
}

func (f file) event() service.File {
	name := f.Name
	if name == "" {
		name = f.ID
	}
	return service.File{Name: name, MediaType: f.Type, Size: f.Size, Open: f.open}
}

// open fetches the bytes. The token goes along only to Slack's own hosts: the address of an "external" file is whatever its
// sender wrote.
func (f file) open(ctx context.Context, a service.Account) (io.ReadCloser, error) {
	if err := call.Fits(f.Size); err != nil {
		return nil, err
	}
	from := f.Download
	if from == "" {
		from = f.Private
	}
	if from == "" && f.ID != "" {
		info, _, _, err := client(a).GetFileInfoContext(ctx, f.ID, 0, 0)
		if err != nil {
			return nil, failed(err)
		}
		if from = info.URLPrivateDownload; from == "" {
			from = info.URLPrivate
		}
	}
	u, err := url.Parse(from)
	if err != nil || !ours(a, u) {
		return nil, fault.New(fault.Forbidden, "service.file", "This file does not lie at Slack")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.New(fault.Invalid, "service.file", "This file has no address")
	}
	r.Header.Set("Authorization", "Bearer "+a.Value("bot_token"))
	res, err := call.Fetch(name, a.Client, r)
	if err != nil {
		return nil, err
	}
	// Without files:read Slack does not refuse: it leads to the page where people sign in.
	if res.Request.URL.Path != u.Path && strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		_ = res.Body.Close()
		return nil, fault.New(fault.Forbidden, "service.forbidden", "Slack does not let this app read files (files:read is missing)")
	}
	return res.Body, nil
}

func ours(a service.Account, u *url.URL) bool {
	if b, err := url.Parse(a.BaseURL); err == nil && a.BaseURL != "" && b.Scheme == u.Scheme && b.Host == u.Host {
		return true
	}
	host := strings.ToLower(u.Hostname())
	return u.Scheme == "https" && (host == "slack.com" || strings.HasSuffix(host, ".slack.com") ||
		host == "slack-gov.com" || strings.HasSuffix(host, ".slack-gov.com"))
}
