package discordtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// api serves REST, any version of it.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/api/"), "/")
	at := strings.Split(path, "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" /"+path)
	switch {
	case !strings.Contains(r.UserAgent(), "DiscordBot"):
		w.WriteHeader(http.StatusForbidden) // without a word, as the wall in front of Discord does
		return
	case at[0] != "interactions" && (s.revoked || r.Header.Get("Authorization") != "Bot "+s.Token):
		answer(w, http.StatusUnauthorized, map[string]any{"message": "401: Unauthorized", "code": 0})
		return
	case s.full(w, r.Method+" "+strings.Join(at[:min(2, len(at))], "/")):
		return
	}
	switch r.Method + " " + at[0] + " " + strconv.Itoa(len(at)) {
	case "GET applications 2":
		answer(w, 200, map[string]any{"id": App, "name": "Lobstead", "flags": s.flags, "verify_key": s.PublicKey, "interactions_endpoint_url": orNil(s.endpoint),
			"bot_public": true, "bot": person(Bot, "lobstead", true)})
	case "POST applications 3":
		s.command(w, r)
	case "GET users 2":
		answer(w, 200, person(Bot, "lobstead", true))
	case "GET gateway 1", "GET gateway 2":
		answer(w, 200, map[string]any{"url": s.gatewayURL(), "shards": 1,
			"session_start_limit": map[string]any{"total": 1000, "remaining": s.remaining(), "reset_after": s.resetAfter.Milliseconds(), "max_concurrency": 1}})
	case "GET channels 2":
		s.channel(w, at[1])
	case "GET channels 3":
		s.history(w, at[1], r)
	case "POST channels 3":
		s.toChannel(w, r, at[1], at[2])
	case "PATCH channels 4":
		s.edit(w, r, at[3])
	case "POST interactions 4":
		s.answered(w, r, at[1])
	default:
		problem(w, http.StatusNotFound, 0, "404: Not Found")
	}
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func person(id, name string, bot bool) map[string]any {
	p := map[string]any{"id": id, "username": name, "discriminator": "0", "global_name": strings.ToUpper(name[:1]) + name[1:], "avatar": nil}
	if bot {
		p["bot"], p["discriminator"], p["global_name"] = true, "4242", nil
	}
	return p
}

// full counts a request, and answers one that is too many.
func (s *Server) full(w http.ResponseWriter, route string) bool {
	now := time.Now()
	if now.After(s.until[route]) {
		s.used[route], s.until[route] = 0, now.Add(s.window)
	}
	left := s.until[route].Sub(now)
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.limit))
	h.Set("X-RateLimit-Bucket", "b"+strconv.Itoa(len(route)))
	h.Set("X-RateLimit-Reset-After", strconv.FormatFloat(left.Seconds(), 'f', 3, 64))
	h.Set("X-RateLimit-Reset", strconv.FormatFloat(float64(s.until[route].UnixMilli())/1000, 'f', 3, 64))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, s.limit-s.used[route]-1)))
	s.used[route]++
	if s.used[route] <= s.limit {
		return false
	}
	limited(w, left)
	return true
}

func (s *Server) command(w http.ResponseWriter, r *http.Request) {
	var c struct{ Name, Description string }
	if json.NewDecoder(r.Body).Decode(&c) != nil || c.Name == "" || c.Description == "" || len(c.Description) > 100 {
		problem(w, http.StatusBadRequest, 50035, "Invalid Form Body")
		return
	}
	status := http.StatusOK
	if !slices.Contains(s.commands, c.Name) {
		s.commands, status = append(s.commands, c.Name), http.StatusCreated
	}
	answer(w, status, map[string]any{"id": s.next(), "name": c.Name, "type": 1, "application_id": App})
}

func (s *Server) channel(w http.ResponseWriter, id string) {
	switch {
	case id == General:
		answer(w, 200, map[string]any{"id": General, "type": 0, "guild_id": Guild, "name": "general"})
	case id == Thread:
		answer(w, 200, thread())
	case direct(id):
		answer(w, 200, map[string]any{"id": id, "type": 1})
	default:
		problem(w, http.StatusNotFound, 10003, "Unknown Channel")
	}
}

func thread() map[string]any {
	return map[string]any{"id": Thread, "type": 11, "guild_id": Guild, "name": "release", "parent_id": General}
}

// refused answers for a channel that the bot may not write in.
func (s *Server) refused(w http.ResponseWriter, channel string) bool {
	switch {
	case s.blocked[channel]:
		problem(w, http.StatusForbidden, 50007, "Cannot send messages to this user")
	case channel == General || channel == Thread:
		if !s.left {
			return false
		}
		problem(w, http.StatusForbidden, 50001, "Missing Access")
	case direct(channel):
		return false
	default:
		problem(w, http.StatusNotFound, 10003, "Unknown Channel")
	}
	return true
}

func (s *Server) history(w http.ResponseWriter, channel string, r *http.Request) {
	if s.refused(w, channel) {
		return
	}
	limit, _ := strconv.Atoi(r.FormValue("limit"))
	if limit <= 0 || limit > 100 {
		limit = 50
	}
	page := []map[string]any{}
	for _, p := range s.messages {
		if p.channel == channel && p.id > r.FormValue("after") && len(page) < limit {
			m := s.message(p)
			delete(m, "guild_id") // only the gateway tells it
			page = append([]map[string]any{m}, page...)
		}
	}
	answer(w, 200, page)
}

func (s *Server) answered(w http.ResponseWriter, r *http.Request, id string) {
	var in struct{ Type int }
	before, known := s.acks[id]
	switch {
	case !known:
		problem(w, http.StatusNotFound, 10062, "Unknown interaction")
	case before != 0:
		problem(w, http.StatusBadRequest, 40060, "Interaction has already been acknowledged.")
	case json.NewDecoder(r.Body).Decode(&in) != nil || in.Type == 0:
		problem(w, http.StatusBadRequest, 50035, "Invalid Form Body")
	default:
		s.acks[id] = in.Type
		w.WriteHeader(http.StatusNoContent)
	}
}

// give serves an attachment, and watches that no token comes along.
func (s *Server) give(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "" {
		s.t.Error("the token was sent to the host of attachments")
	}
	p := s.find(strings.Split(strings.TrimPrefix(r.URL.Path, "/cdn/"), "/")[0])
	if p == nil || p.file == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", p.file.MediaType)
	_, _ = w.Write(p.file.Data)
}
