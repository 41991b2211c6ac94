package main

import (
	"fmt"
	"sync"
	"time"
)

// automations is how late runs are begun, and how calls of triggers are taken: one after the other, and by eight at once.
func (b *bench) automations() error {
	s, err := b.open("automations")
	if err != nil {
		return err
	}
	defer s.down()
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.close()
	agent, err := s.create(c, "one")
	if err == nil {
		err = s.becomes(c, agent, "RUNNING")
	}
	if err != nil {
		return err
	}
	if err := b.lateness(s, c, agent); err != nil {
		return err
	}
	return b.calls(s, c, agent)
}

// lateness has twenty schedules run every ten seconds, for half a minute.
func (b *bench) lateness(s *server, c *conn, agent string) error {
	ids := []string{}
	for n := range 20 {
		out, err := s.json(c, "POST", "/v1/agent/"+agent+"/schedules", map[string]string{"name": fmt.Sprint("s", n), "cron_expression": fmt.Sprintf("%d-59/10 * * * * *", n%10), "message_template": "say due"})
		if err != nil {
			return err
		}
		ids = append(ids, fmt.Sprint(out["id"]))
	}
	time.Sleep(35 * time.Second)
	var late sample
	early := 0
	for _, id := range ids {
		out, err := s.json(c, "GET", "/v1/agent/"+agent+"/schedules/"+id+"/executions?limit=100", nil)
		if err != nil {
			return err
		}
		list, _ := out["executions"].([]any)
		for _, e := range list {
			run, _ := e.(map[string]any)
			due, _ := time.Parse(time.RFC3339, fmt.Sprint(run["executed_at"]))
			began, _ := time.Parse(time.RFC3339, fmt.Sprint(run["created_at"]))
			late = append(late, began.Sub(due))
			if began.Before(due) {
				early++
			}
		}
		if _, err := s.json(c, "DELETE", "/v1/agent/"+agent+"/schedules/"+id, nil); err != nil {
			return err
		}
	}
	if early > 0 {
		return fmt.Errorf("%d runs began early", early)
	}
	b.add(row{"Schedule: lateness of " + fmt.Sprint(len(late)) + " runs, p50 / p99", ms(late.at(50)) + " / " + ms(late.at(99)), "–", "≤ 5 / 50 ms, never early",
		goal(max(late.at(50)/5, late.at(99)/50), 1)})
	return nil
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
