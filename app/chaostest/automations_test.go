package chaostest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"lobstead/kit/testservices"
)

// automationLoad is what runs by itself while processes die: 200 due times a minute, 100 calls a minute.
const (
	schedules, every = 10, 3 // seconds
	triggers         = 5
	callPause        = 580 * time.Millisecond
)

// Two workers and one web process, one of which is killed again and again, and a Redis that is emptied twice: each due time
// is executed exactly once or stood for by exactly one run, each call that was accepted led to exactly one turn, and each answer was
// told to servers outside that fail and hang, under one id.
func TestAutomationsSurviveKills(t *testing.T) {
	lasts, pause, seldom := 20*time.Second, 4*time.Second, 60
	if m := minutes(); m > 0 {
		lasts, pause, seldom = m, 10*time.Second, 150
	}
	address, roll := testservices.Redis(t), dice(t)
	h := newHouse(t, "", "DATABASE_URL="+testservices.Postgres(t), "REDIS_URL="+address)
	all := []*process{h.web("web"), h.launch("worker"), h.launch("worker")}
	agent := h.create("one")
	outside := h.receive(seldom) // first: what ends before an address is there is not told to it
	hooks := h.automations(agent)
	ctx, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	var work sync.WaitGroup
	accepted := make([]map[string]string, triggers) // call to turn
	for n, hook := range hooks {
		accepted[n] = map[string]string{}
		work.Go(func() { hook.callOften(ctx, h, accepted[n]) })
	}
	opt, err := redis.ParseURL(address)
	require.NoError(t, err)
	flusher := redis.NewClient(opt)
	t.Cleanup(func() { _ = flusher.Close() })
	kills, flushes := 0, 0
	for began := time.Now(); ctx.Err() == nil; {
		if time.Since(began) > lasts*time.Duration(flushes+1)/3 && flushes < 2 {
			require.NoError(t, flusher.FlushDB(t.Context()).Err())
			flushes++
		}
		select {
		case <-ctx.Done():
			continue
		case <-time.After(pause):
		}
		victim := roll.IntN(len(all))
		all[victim].kill()
		kills++
		if victim == 0 {
			all[0] = h.web("web")
		} else {
			all[victim] = h.launch("worker")
		}
	}
	end := time.Now().UTC()
	work.Wait()
	h.ranOnce(end, accepted)
	code, _ := h.ask("POST", "/automations/pause", nil, "application/json")
	require.Equal(t, 200, code)
	h.book().settled(40 * time.Second)
	h.toldAll(outside)
	t.Logf("%d processes killed, Redis emptied %d times", kills, flushes)
}

// automations makes the schedules, and triggers to be called.
func (h *house) automations(agent string) []*hook {
	h.t.Helper()
	for n := range schedules {
		code, out := h.json("POST", "/v1/agent/"+agent+"/schedules", map[string]any{"name": fmt.Sprintf("s%d", n), "cron_expression": fmt.Sprintf("*/%d * * * * *", every), "message_template": "say due"})
		require.Equal(h.t, 201, code, "%v", out)
	}
	var out []*hook
	for n := range triggers {
		code, made := h.json("POST", "/v1/agent/"+agent+"/triggers", map[string]any{"name": fmt.Sprintf("t%d", n), "message_template": "say called"})
		require.Equal(h.t, 201, code, "%v", made)
		id, _ := made["id"].(string)
		secret, _ := made["webhook_secret"].(string)
		out = append(out, &hook{id, secret})
	}
	return out
}

type hook struct{ id, secret string }

// callOften calls until ctx ends; a call that was not answered is made again under its name until it is.
func (k *hook) callOften(ctx context.Context, h *house, accepted map[string]string) {
	for n := 0; ctx.Err() == nil; n++ {
		name := fmt.Sprintf("%s-%d", k.id, n)
		for tries := 0; ; tries++ {
			code, turn := k.call(h, name)
			if code == http.StatusOK {
				accepted[name] = turn
				break
			}
			if code != 0 && code < 500 || tries > 300 {
				h.t.Errorf("a call was answered with %d", code)
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(callPause * triggers)
	}
}

func (k *hook) call(h *house, name string) (int, string) {
	r, err := http.NewRequest("POST", "http://"+h.addr+"/v1/webhooks/triggers/"+k.id, bytes.NewReader([]byte(`{"n":"`+name+`"}`)))
	if err != nil {
		return 0, ""
	}
	r.Header.Set("X-Webhook-Secret", k.secret)
	r.Header.Set("Webhook-Id", name)
	resp, err := client.Do(r)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return 0, ""
	}
	return resp.StatusCode, body.String()
}

// ranOnce waits for what was begun until end, then counts.
func (h *house) ranOnce(end time.Time, accepted []map[string]string) {
	t, b := h.t, h.book()
	t.Helper()
	until := end.Format("2006-01-02 15:04:05.000000") + "+00"
	open := `SELECT CAST(COUNT(*) AS TEXT) FROM automation_runs WHERE state = 'running' AND due_at <= '` + until + `'`
	require.Eventually(t, func() bool { return b.one(open) == "0" }, 90*time.Second, 100*time.Millisecond, "runs are left open")

	runs := b.rows(`SELECT automation_id, CAST(CAST(EXTRACT(EPOCH FROM due_at) AS BIGINT) AS TEXT), CAST(missed AS TEXT), state, turn_id FROM automation_runs
		WHERE cause = 'due' AND due_at <= '` + until + `' ORDER BY automation_id, due_at`)
	next, turns, late := map[string]int64{}, map[string]bool{}, 0
	for _, r := range runs {
		due, err := strconv.ParseInt(r[1], 10, 64)
		require.NoError(t, err)
		missed, err := strconv.ParseInt(r[2], 10, 64)
		require.NoError(t, err)
		if want, known := next[r[0]]; known {
			require.Equal(t, want, due, "a due time of %s was lost or doubled", r[0])
		}
		next[r[0]] = due + every*(1+missed)
		require.Equal(t, "produced", r[3])
		require.False(t, turns[r[4]], "one turn for two runs")
		turns[r[4]] = true
		late += int(missed)
	}
	require.Len(t, next, schedules)
	for id, due := range next {
		require.GreaterOrEqual(t, due, end.Unix()-every, "the last due times of %s did not run", id)
	}
	calls := 0
	for _, list := range accepted {
		calls += len(list)
	}
	called := b.rows(`SELECT delivery, turn_id, state FROM automation_runs WHERE cause = 'call'`)
	require.Len(t, called, calls, "each accepted call has one run")
	for _, r := range called {
		require.Equal(t, "produced", r[2])
		require.False(t, turns[r[1]], "one turn for two runs")
		turns[r[1]] = true
	}
	for _, list := range accepted {
		for name, answer := range list {
			message := b.one(`SELECT e.id FROM events e JOIN automation_runs r ON r.turn_id = e.turn_id WHERE e.kind = 'user_message' AND r.delivery = 'id ` + name + `'`)
			require.Contains(t, answer, message, "the caller was told of another message")
		}
	}
	require.Equal(t, "0", b.one(`SELECT CAST(COUNT(*) AS TEXT) FROM turns t WHERE automation_id <> '' AND NOT EXISTS (SELECT 1 FROM automation_runs r WHERE r.turn_id = t.id)`), "a turn without a run")
	require.Equal(t, "0", b.one(`SELECT CAST(COUNT(*) AS TEXT) FROM (SELECT turn_id FROM events WHERE kind = 'turn_ended' GROUP BY turn_id HAVING COUNT(*) > 1) x`), "a turn that ended twice")
	t.Logf("%d due times in %d runs, %d calls: each once", len(runs)+late, len(runs), calls)
}
