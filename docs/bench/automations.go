package main

import (
	"fmt"
	"sync"
	"time"
)

// automations is how late runs are begun, and how calls of triggers are taken: one after the other, and by eight at once.
func (b *bench) automations() error {
	s, c, agent, err := b.office("automations")
	if err != nil {
		return err
	}
	defer s.down()
	defer c.close()
	if err := b.lateness(s, c, agent); err != nil {
		return err
	}
	return b.calls(s, c, agent)
}

// office is a server with an instance that runs.
func (b *bench) office(name string, more ...string) (s *server, c *conn, agent string, err error) {
	if s, err = b.open(name, more...); err != nil {
		return nil, nil, "", err
	}
	if c, err = dial(s.addr); err == nil {
		if agent, err = s.create(c, "one"); err == nil {
			err = s.becomes(c, agent, "RUNNING")
		}
	}
	if err != nil {
		s.down()
	}
	return s, c, agent, err
}

// lateness has twenty schedules run every ten seconds, for half a minute. A run counts from when a reader of the database sees
// it, with its turn, and not from the time that it says itself.
func (b *bench) lateness(s *server, c *conn, agent string) error {
	ids := []string{}
	for n := range 20 {
		out, err := s.json(c, "POST", "/v1/agent/"+agent+"/schedules", map[string]string{"name": fmt.Sprint("s", n), "cron_expression": fmt.Sprintf("%d-59/10 * * * * *", n%10), "message_template": "say due"})
		if err != nil {
			return err
		}
		ids = append(ids, fmt.Sprint(out["id"]))
	}
	late, early, err := s.watchRuns(35 * time.Second)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := s.json(c, "DELETE", "/v1/agent/"+agent+"/schedules/"+id, nil); err != nil {
			return err
		}
	}
	if early > 0 {
		return fmt.Errorf("%d runs began early", early)
	}
	b.add(row{"Schedule: due → its run and its turn are committed, " + fmt.Sprint(len(late)) + " times, p50 / p99", ms(late.at(50)) + " / " + ms(late.at(99)) + ", none early", "–", "≤ 5 / 50 ms, never early",
		goal(max(late.at(50)/5, late.at(99)/50), 1)})
	return nil
}

// watchRuns reads runs as they appear, and tells how late each did, and how many were begun before their time.
func (s *server) watchRuns(d time.Duration) (late sample, early int, err error) {
	db, err := s.book()
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = db.Close() }()
	seen := 0
	for until := time.Now().Add(d); time.Now().Before(until); time.Sleep(500 * time.Microsecond) {
		rows, err := db.Query(`SELECT r.rowid, r.due_at, r.created_at FROM automation_runs r JOIN turns t ON t.id = r.turn_id WHERE r.rowid > ? ORDER BY r.rowid`, seen)
		if err != nil {
			return nil, 0, err
		}
		for now := time.Now(); rows.Next(); {
			var due, began time.Time
			if err := rows.Scan(&seen, &due, &began); err != nil {
				return nil, 0, err
			}
			late = append(late, now.Sub(due))
			if began.Before(due) || now.Before(due) {
				early++
			}
		}
		if err := rows.Close(); err != nil {
			return nil, 0, err
		}
	}
	return late, early, nil
}

// triggersCalled is how many triggers share the calls: one address may call each of them sixty times a minute.
const triggersCalled = 40

func (b *bench) calls(s *server, c *conn, agent string) error {
	type hook struct{ path, secret string }
	hooks := []hook{}
	for n := range triggersCalled {
		out, err := s.json(c, "POST", "/v1/agent/"+agent+"/triggers", map[string]string{"name": fmt.Sprint("t", n), "message_template": "say called"})
		if err != nil {
			return err
		}
		hooks = append(hooks, hook{"/v1/webhooks/triggers/" + fmt.Sprint(out["id"]), fmt.Sprint(out["webhook_secret"])})
	}
	call := func(c *conn, n int) (time.Duration, error) {
		h := hooks[n%len(hooks)]
		began := time.Now()
		code, answer, err := c.do("POST", h.path, "X-Webhook-Secret: "+h.secret+"\r\nContent-Type: application/json\r\n", []byte(`{"action":"opened"}`))
		if err == nil && code != 200 {
			err = fmt.Errorf("a call: %d %s", code, answer)
		}
		return time.Since(began), err
	}
	var one sample
	for n := range 400 {
		took, err := call(c, n)
		if err != nil {
			return err
		}
		if n >= 40 {
			one = append(one, took)
		}
		time.Sleep(20 * time.Millisecond) // the turns of the calls before are not what is measured
	}
	b.add(row{"Webhook: accepted, p50 / p99", ms(one.at(50)) + " / " + ms(one.at(99)), "–", "p50 ≤ 5 ms", goal(one.at(50), 5)})
	const at, each = 8, 150
	var work sync.WaitGroup
	errs := make(chan error, at)
	began := time.Now()
	for w := range at {
		work.Go(func() {
			c, err := dial(s.addr)
			if err != nil {
				errs <- err
				return
			}
			defer c.close()
			for n := range each {
				if _, err := call(c, w*each+n); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	work.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	b.add(row{"Webhook: sustained by eight callers, while the turns run", fmt.Sprintf("%.0f/s", at*each/time.Since(began).Seconds()), "–", "–", ""})
	return nil
}
