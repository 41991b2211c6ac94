package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"lobstead/engine/skills"
	"lobstead/kit/dial"
	"lobstead/kit/fault"
	"lobstead/models"
)

const (
	maxPage   = 1 << 20
	pageLimit = 30 * time.Second
)

// fetchTool reads public pages from the control plane: a sandbox may have no network, and the guarded client
// refuses every address that is not public, redirects included.
func fetchTool(client *http.Client) Tool {
	return Tool{
		Name:        "fetch_url",
		Description: "Read a public web page or text file over http or https. HTML comes back as readable text. Private addresses are refused.",
		Schema: json.RawMessage(`{"type":"object","properties":{
			"url":{"type":"string","description":"The full address, with http:// or https://."}},
			"required":["url"],"additionalProperties":false}`),
		Run: func(ctx context.Context, c *Call) (models.ToolResult, error) { return runFetch(ctx, c, client) },
	}
}

func runFetch(ctx context.Context, c *Call, client *http.Client) (models.ToolResult, error) {
	var in struct {
		URL string `json:"url"`
	}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	u, err := url.Parse(strings.TrimSpace(in.URL))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return models.ToolResult{}, fault.New(fault.Invalid, "tool.input", "wrong input: url must be a full http:// or https:// address")
	}
	if client == nil {
		return models.ToolResult{}, fault.New(fault.Unavailable, "tool.off", "fetch_url is switched off on this server")
	}
	if client, err = within(client, c.Config[skills.AllowedHosts], u.Hostname()); err != nil {
		return models.ToolResult{}, err
	}
	u.User = nil // credentials in addresses end up in logs
	inner, done := context.WithTimeout(ctx, pageLimit)
	defer done()
	req, err := http.NewRequestWithContext(inner, http.MethodGet, u.String(), nil)
	if err != nil {
		return models.ToolResult{}, fault.Wrap(err, fault.Invalid, "tool.input", "wrong input: this is no address")
	}
	req.Header.Set("User-Agent", "Lobstead/1 (agent; fetch_url)")
	req.Header.Set("Accept", "text/html, text/plain, application/json, text/*;q=0.9, */*;q=0.1")
	res, err := client.Do(req)
	if err != nil {
		return models.ToolResult{}, unreachable(ctx, err)
	}
	defer func() { _ = res.Body.Close() }()
	return readPage(ctx, res)
}

// within keeps a client to the hosts that the instance's people allowed, redirects included. An empty list allows all.
func within(client *http.Client, hosts, first string) (*http.Client, error) {
	if hosts == "" {
		return client, nil
	}
	check := func(host string) error {
		if skills.HostAllowed(hosts, host) {
			return nil
		}
		return fault.New(fault.Forbidden, "tool.host", "%s is not among the hosts that this instance may read: %s", host, strings.ReplaceAll(hosts, ",", ", "))
	}
	kept, next := *client, client.CheckRedirect
	kept.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if err := check(r.URL.Hostname()); err != nil || next == nil {
			return err
		}
		return next(r, via)
	}
	return &kept, check(first)
}

func unreachable(ctx context.Context, err error) error {
	var blocked *dial.BlockedError
	switch {
	case ctx.Err() != nil:
		return err
	case errors.As(err, &blocked):
		return fault.Wrap(err, fault.Forbidden, "tool.blocked", "%s", blocked.Error())
	case fault.Is(err, fault.Forbidden): // a redirect to a host that is not allowed
		return fault.As(err)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.Timeout, "tool.timeout", "no answer within %s", pageLimit)
	}
	text := err.Error()
	if e, ok := errors.AsType[*url.Error](err); ok {
		text = e.Err.Error()
	}
	return fault.Wrap(err, fault.Upstream, "tool.fetch", "%s", "the page cannot be reached: "+firstLine(text, 300))
}

func readPage(ctx context.Context, res *http.Response) (models.ToolResult, error) {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if !textual(kind) {
		return models.ToolResult{}, fault.New(fault.Invalid, "tool.type", "the answer is %s, not text (status %d)", cmp.Or(kind, "of no type"), res.StatusCode)
	}
	body, err := dial.ReadAll(res.Body, maxPage)
	cut := errors.Is(err, dial.ErrTooLarge)
	if err != nil && !cut {
		return models.ToolResult{}, unreachable(ctx, err)
	}
	text := string(body)
	if cut {
		text = text[:wholeRunes(text)]
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if kind == "text/html" || kind == "application/xhtml+xml" {
		text = readable(text)
	}
	r := models.ToolResult{Truncated: cut, Error: res.StatusCode >= 400}
	r.Output = fmt.Sprintf("%s\nstatus %d, %s\n\n%s", res.Request.URL.Redacted(), res.StatusCode, cmp.Or(kind, "text"), cmp.Or(strings.TrimSpace(text), "(no text)"))
	if cut {
		r.Output += "\n[only the first megabyte was read]"
	}
	return r, nil
}

func textual(kind string) bool {
	switch kind {
	case "", "application/json", "application/xml", "application/xhtml+xml", "application/javascript", "application/yaml", "application/x-yaml",
		"application/toml", "application/x-ndjson", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}
