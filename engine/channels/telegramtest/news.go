package telegramtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/go-telegram/bot/models"
)

// news is how updates reach the bot: kept until they are acknowledged.
type news struct {
	next    int64
	queue   []*pending
	again   []*pending // acknowledged, and delivered once more all the same
	swap    bool       // the next two go in the wrong order
	last    *pending
	poller  int // who asks now; a later one puts an earlier one off
	cuts    int
	changed chan struct{} // closed when any of it changes
	over    bool

	hook    string
	secret  string
	sending bool
	why     string // the webhook's last failure
	whyAt   time.Time
}

// pending is an update as it goes out.
type pending struct {
	id   int64
	body json.RawMessage
}

// stir wakes all who wait.
func (n *news) stir() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// deliver queues an update. s.mu is held.
func (s *Server) deliver(u *models.Update) string {
	u.ID = s.news.next
	s.news.next++
	body, err := json.Marshal(u)
	if err != nil {
		s.t.Error(err)
	}
	s.last = &pending{u.ID, body}
	s.queue = append(s.queue, s.last)
	s.stir()
	if s.hook != "" && !s.sending {
		s.sending = true
		go s.push()
	}
	return itoa(u.ID)
}

// Repeat delivers the last update once more, though it was acknowledged: its acknowledgment was lost.
func (s *Server) Repeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return
	}
	s.again = append(s.again, s.last)
	s.stir()
	if s.hook != "" && !s.sending {
		s.sending = true
		go s.push()
	}
}

// Disorder delivers the next two updates in the wrong order: nothing goes out before there are two.
func (s *Server) Disorder() { s.mu.Lock(); s.swap = true; s.mu.Unlock() }

// Cut cuts the lines of all who wait for news.
func (s *Server) Cut() { s.mu.Lock(); s.cuts++; s.stir(); s.mu.Unlock() }

// Pending tells how many updates are not acknowledged.
func (s *Server) Pending() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.queue) }

// Hooked gives the webhook's address, "" for none.
func (s *Server) Hooked() string { s.mu.Lock(); defer s.mu.Unlock(); return s.hook }

// batch gives what there is to deliver. s.mu is held.
func (n *news) batch(limit int) []*pending {
	if n.swap {
		if len(n.queue) < 2 {
			return nil
		}
		n.queue[0], n.queue[1] = n.queue[1], n.queue[0]
		n.swap = false
	}
	out := append(append([]*pending{}, n.again...), n.queue...)
	n.again = nil
	if len(out) > limit {
		out = out[:limit]
	}
	return out
}

type hungup struct{}

var hangup any = &hungup{}

// getUpdates waits for news. It is the only method that lets s.mu go.
func getUpdates(s *Server, r *http.Request, in input) (any, *wrong) {
	if s.hook != "" {
		return nil, &wrong{code: 409, why: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}
	}
	if from := in.number("offset"); from > 0 {
		keep := s.queue[:0:0]
		for _, u := range s.queue {
			if u.id >= from {
				keep = append(keep, u)
			}
		}
		s.queue = keep
	}
	s.poller++
	mine, cuts := s.poller, s.cuts
	s.stir()
	limit := int(in.number("limit"))
	if limit <= 0 || limit > 100 {
		limit = 100
	}
	end := time.After(time.Duration(in.number("timeout")) * time.Second)
	for {
		if out := s.batch(limit); len(out) > 0 {
			bodies := make([]json.RawMessage, len(out))
			for i, u := range out {
				bodies[i] = u.body
			}
			return bodies, nil
		}
		wait := s.changed
		s.mu.Unlock()
		done := false
		select {
		case <-wait:
		case <-end:
			done = true
		case <-r.Context().Done():
			done = true
		}
		s.mu.Lock()
		switch {
		case s.cuts != cuts:
			return hangup, nil
		case s.poller != mine:
			return nil, &wrong{code: 409, why: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}
		case s.hook != "":
			return nil, &wrong{code: 409, why: "Conflict: terminated by setWebhook request"}
		case done || s.over:
			return []json.RawMessage{}, nil
		}
	}
}

// push calls the webhook with one update after the other; what it does not take comes again.
func (s *Server) push() {
	client := &http.Client{Timeout: 10 * time.Second}
	for {
		s.mu.Lock()
		out := s.batch(1)
		if s.hook == "" || s.over || len(out) == 0 {
			s.sending = false
			s.mu.Unlock()
			return
		}
		u, to, secret, pause := out[0], s.hook, s.secret, s.Retry
		s.mu.Unlock()
		req, _ := http.NewRequest(http.MethodPost, to, bytes.NewReader(u.body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		res, err := client.Do(req)
		why := ""
		if err != nil {
			why = "Connection refused"
		} else {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode > 299 {
				why = "Wrong response from the webhook: " + res.Status
			}
		}
		s.mu.Lock()
		if s.why = why; why == "" {
			for i := range s.queue {
				if s.queue[i] == u {
					s.queue = append(s.queue[:i:i], s.queue[i+1:]...)
					break
				}
			}
		} else {
			s.whyAt = time.Now()
			known := false
			for _, q := range s.queue {
				known = known || q == u
			}
			if !known {
				s.again = append(s.again, u)
			}
		}
		s.mu.Unlock()
		if why != "" {
			time.Sleep(max(pause, 20*time.Millisecond))
		}
	}
}
