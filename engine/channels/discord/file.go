package discord

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

type file struct {
	Name string `json:"filename"`
	Type string `json:"content_type"`
	Size int64  `json:"size"`
	URL  string `json:"url"` // signed, good for a day
}

func (f file) event() service.File {
	media, _, _ := strings.Cut(f.Type, ";")
	return service.File{Name: f.Name, MediaType: media, Size: f.Size, Open: f.open}
}

// open fetches the bytes. The address is signed by itself: the token never goes there.
func (f file) open(ctx context.Context, a service.Account) (io.ReadCloser, error) {
	if err := call.Fits(f.Size); err != nil {
		return nil, err
	}
	u, err := url.Parse(f.URL)
	if err != nil || !ours(a, u) {
		return nil, fault.New(fault.Forbidden, "service.file", "This file does not lie at Discord")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.New(fault.Invalid, "service.file", "This file has no address")
	}
	r.Header.Set("User-Agent", agent)
	res, err := call.Fetch(name, a.Client, r)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// hosts of Discord: the API, the attachments, and the gateway.
var hosts = []string{"discord.com", "discordapp.com", "discordapp.net", "discord.gg"}

// ours tells whether an address is Discord's, or of the account's own server.
func ours(a service.Account, u *url.URL) bool {
	if b, err := url.Parse(a.BaseURL); err == nil && a.BaseURL != "" && b.Host == u.Host {
		return true
	}
	host := strings.ToLower(u.Hostname())
	for _, h := range hosts {
		if host == h || strings.HasSuffix(host, "."+h) {
			return u.Scheme == "https" || u.Scheme == "wss"
		}
	}
	return false
}
