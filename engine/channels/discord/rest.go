package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
)

const (
	agent     = "DiscordBot (lobstead, 1)" // Discord refuses clients that do not name themselves so
	maxAnswer = 8 << 20                    // bytes of an answer that are read
	shortWait = 2 * time.Second            // a limit that ends within this is waited for
	rounded   = 20 * time.Millisecond      // Discord rounds the time of a reset
	maxShut   = 4096                       // limits that are remembered
)

func base(a service.Account) string {
	if a.BaseURL == "" {
		return address
	}
	return strings.TrimSuffix(a.BaseURL, "/")
}

// do makes one JSON request. in and out may be nil.
func (s *Service) do(ctx context.Context, a service.Account, method, path string, in, out any) error {
	var body []byte
	kind := ""
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fault.Wrap(err, fault.Internal, "service.encode", "The message cannot be encoded")
		}
		body, kind = b, "application/json"
	}
	return s.raw(ctx, a, method, path, kind, body, out)
}

// raw makes one request. A route whose limit is used up is not asked: Discord bans addresses that run into limits too often.
func (s *Service) raw(ctx context.Context, a service.Account, method, path, kind string, body []byte, out any) error {
	route := method + " " + routeOf(path)
	if err := s.open(ctx, a, route); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, base(a)+path, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "service.address", "The address of Discord cannot be read")
	}
	r.Header.Set("User-Agent", agent)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if !strings.HasPrefix(path, "/interactions/") { // those carry a token of their own
		r.Header.Set("Authorization", "Bot "+a.Value("bot_token"))
	}
	res, err := a.Client.Do(r)
	if err != nil {
		return call.Failed(name, err)
	}
	defer func() { _ = res.Body.Close() }()
	s.count(a, route, res.Header)
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode >= 300 {
		return s.refused(a, route, res, answer)
	}
	if err != nil {
		return call.Failed(name, err)
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fault.New(fault.Upstream, "service.failed", "Discord gave no answer that can be read")
	}
	return nil
}

// routeOf leaves of a path what Discord's limits go by: the channel stays, ids of messages and interactions do not.
func routeOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if _, err := strconv.ParseUint(p, 10, 64); err == nil && parts[i-1] != "channels" {
			parts[i] = ":id"
		}
	}
	if len(parts) > 3 && parts[1] == "interactions" {
		parts[3] = ":token"
	}
	return strings.Join(parts, "/")
}

// open waits for a limit that ends soon, and gives TooMany for one that does not.
func (s *Service) open(ctx context.Context, a service.Account, route string) error {
	s.mu.Lock()
	until := s.shut[a.ID+" "+route]
	if all := s.shut[a.ID]; all.After(until) {
		until = all
	}
	s.mu.Unlock()
	wait := time.Until(until)
	if wait <= 0 {
		return nil
	}
	if end, ok := ctx.Deadline(); wait > shortWait || ok && until.After(end) {
		return call.Limited(name, until)
	}
	return sleep(ctx, wait)
}

// count reads the limit's headers: with nothing left, the route is shut until its reset.
func (s *Service) count(a service.Account, route string, h http.Header) {
	if h.Get("X-Ratelimit-Remaining") != "0" {
		return
	}
	if after, err := strconv.ParseFloat(h.Get("X-Ratelimit-Reset-After"), 64); err == nil && after > 0 && after < 3600 {
		s.close(a.ID+" "+route, time.Now().Add(time.Duration(after*float64(time.Second))+rounded))
	}
}

func (s *Service) close(what string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut == nil || len(s.shut) > maxShut {
		now := time.Now()
		left := map[string]time.Time{}
		for k, at := range s.shut {
			if at.After(now) && len(left) < maxShut/2 {
				left[k] = at
			}
		}
		s.shut = left
	}
	s.shut[what] = until
}

// problem is Discord's error body.
type problem struct {
	Code    int     `json:"code"`
	Message string  `json:"message"`
	After   float64 `json:"retry_after"`
	Global  bool    `json:"global"`
}

// codes are Discord's JSON error codes that say more than the status (discord.com/developers/docs, JSON Error Codes).
var codes = map[int]fault.Kind{
	10003: fault.NotFound, 10004: fault.NotFound, 10008: fault.NotFound, 10013: fault.NotFound, 10062: fault.NotFound, 10015: fault.NotFound,
	50001: fault.Forbidden, 50007: fault.Forbidden, 50008: fault.Forbidden, 50013: fault.Forbidden, 50083: fault.Forbidden, 160005: fault.Forbidden,
	50005: fault.Forbidden, 40007: fault.Forbidden, 20026: fault.Forbidden, 50278: fault.Forbidden, 340015: fault.Forbidden,
	50006: fault.Invalid, 50035: fault.Invalid, 40005: fault.Invalid, 50109: fault.Invalid, 40060: fault.Conflict,
	20016: fault.TooMany, 20022: fault.TooMany, 20028: fault.TooMany, 20029: fault.TooMany, 130000: fault.Upstream, 40333: fault.Upstream,
}

func (s *Service) refused(a service.Account, route string, res *http.Response, answer []byte) error {
	var p problem
	read := json.Unmarshal(answer, &p) == nil
	kind, ok := codes[p.Code]
	switch {
	case res.StatusCode == http.StatusTooManyRequests || kind == fault.TooMany:
		at := call.After(res.Header, time.Now())
		if p.After > 0 && p.After < 24*60*60 {
			at = time.Now().Add(time.Duration(p.After * float64(time.Second)))
		}
		if p.Global || res.Header.Get("X-Ratelimit-Global") != "" {
			route = ""
		}
		s.close(strings.TrimSuffix(a.ID+" "+route, " "), at)
		return call.Limited(name, at)
	case res.StatusCode == http.StatusForbidden && !read: // the wall in front of Discord, not Discord
		return fault.New(fault.Upstream, "service.failed", "Discord's wall refuses our address (status 403): it lifts that by itself")
	case !ok || res.StatusCode == http.StatusUnauthorized || res.StatusCode >= 500:
		return call.Refused(name, res.StatusCode, res.Header)
	}
	return spelled(kind, p)
}

func spelled(kind fault.Kind, p problem) error {
	code := map[fault.Kind]string{fault.NotFound: "service.gone", fault.Forbidden: "service.forbidden", fault.Conflict: "service.again",
		fault.Upstream: "service.failed"}[kind]
	if code == "" {
		code = "service.refused"
	}
	said := p.Message
	if len(said) > 200 {
		said = strings.ToValidUTF8(said[:200], "")
	}
	return fault.Wrap(errors.New(strconv.Itoa(p.Code)), kind, code, "Discord: %s (%d)", said, p.Code)
}

// sleep waits, or gives the context's end as a fault.
func sleep(ctx context.Context, d time.Duration) error {
	if !clock.Sleep(ctx, d) {
		return call.Failed(name, ctx.Err())
	}
	return nil
}
