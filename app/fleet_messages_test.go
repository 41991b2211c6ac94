package app_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// fleetMessages lists an agent's messages.
func fleetMessages(t *testing.T, w *apptest.World, agent, query string) []map[string]any {
	t.Helper()
	out := []map[string]any{}
	for _, m := range fleetDone(t, w, 200, "GET", "/"+agent+"/messages"+query, nil)["messages"].([]any) {
		out = append(out, m.(map[string]any))
	}
	return out
}

// answersOf waits for n answers of an agent, oldest first.
func answersOf(t *testing.T, w *apptest.World, agent string, n int) (out []map[string]any) {
	t.Helper()
	require.Eventually(t, func() bool {
		out = nil
		list := fleetMessages(t, w, agent, "?limit=100")
		slices.Reverse(list)
		for _, m := range list {
			if m["role"] == "assistant" {
				out = append(out, m)
			}
		}
		return len(out) >= n
	}, 20*time.Second, 20*time.Millisecond, "answers of the agent")
	require.Len(t, out, n)
	return out
}

// A message is taken at once, and its answer is read later (fleet-api.md, section 3).
func TestFleetMessage(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, _ := newAgent(t, w, `{"name":"talks"}`)
	sent := fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"run `+"`echo hello there`"+`","metadata":{"ticket":7,"account":12345678901234567890}}`)
	require.Equal(t, sent["id"], sent["uuid"])
	for name, want := range map[string]string{"role": "user", "status": "pending", "channel": "api", "queue_mode": "collect"} {
		require.Equal(t, want, sent[name], name)
	}
	answer := answersOf(t, w, id, 1)[0]
	require.Contains(t, answer["content"], "hello there")
	require.Equal(t, sent["id"], answer["reply_to_id"])
	require.Equal(t, "delivered", answer["status"])
	require.NotNil(t, answer["delivered_at"])
	require.Nil(t, answer["read_at"])
	require.Nil(t, answer["queue_mode"])
	asked := fleetMessages(t, w, id, "?status=read")
	require.Len(t, asked, 1)
	require.Equal(t, sent["id"], asked[0]["id"])
	require.Equal(t, map[string]any{"ticket": 7.0, "account": 12345678901234567890.0}, asked[0]["metadata"])
	require.Contains(t, fleetCall(w, "GET", "/"+id+"/messages", nil).Body, `"account":12345678901234567890`, "numbers come back as they were sent")
	require.NotNil(t, asked[0]["read_at"])
	require.EqualValues(t, 2, fleetDone(t, w, 200, "GET", "/"+id+"/summary", nil)["message_count"])

	talks := fleetDone(t, w, 200, "GET", "/"+id+"/conversations", nil)
	require.Equal(t, map[string]any{"has_more": false, "next_cursor": nil}, talks["pagination"])
	one := talks["conversations"].([]any)[0].(map[string]any)
	require.Equal(t, map[string]any{"uuid": w.Acme.Owner.UserID, "type": "user", "name": w.Acme.Owner.Name}, one["counterparty"])
	require.EqualValues(t, 2, one["total_messages"])
	require.EqualValues(t, 0, one["unread_count"])
	last := one["messages"].([]any)[0].(map[string]any)
	require.Equal(t, []any{"agent", id, "user", w.Acme.Owner.UserID}, []any{last["sender_type"], last["sender_uuid"], last["recipient_type"], last["recipient_uuid"]})

	for body, words := range map[string]string{`{}`: "content", `{"content":""}`: "content", `{"content":"x","queue_mode":"later"}`: "queue_mode", `{"content":"x","channel":"fax"}`: "channel", `{"content":"x","metadata":[]}`: "metadata"} {
		a := fleetCall(w, "POST", "/"+id+"/messages", body)
		require.Equal(t, 400, a.Status, body)
		require.Contains(t, a.Map()["error"], words, body)
	}
	require.Equal(t, 400, fleetCall(w, "GET", "/"+id+"/messages?before=now", nil).Status)
	require.Equal(t, 400, fleetCall(w, "GET", "/"+id+"/messages?limit=0", nil).Status)
}

// The list goes backwards from the newest, and forwards from a message on.
func TestFleetMessagePages(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	id, ids := w.Acme.Instance.ID, []string{}
	for n := range 5 {
		ids = append(ids, fleetDone(t, w, 201, "POST", "/"+id+"/messages", fmt.Sprintf(`{"content":"message %d"}`, n))["id"].(string))
	}
	page := func(query string) (got []string, more bool) {
		list := fleetDone(t, w, 200, "GET", "/"+id+"/messages"+query, nil)
		for _, m := range list["messages"].([]any) {
			got = append(got, m.(map[string]any)["id"].(string))
		}
		return got, list["has_more"].(bool)
	}
	got, more := page("?limit=2")
	require.Equal(t, []string{ids[4], ids[3]}, got)
	require.True(t, more)
	got, more = page("?limit=3&before=" + ids[3])
	require.Equal(t, []string{ids[2], ids[1], ids[0]}, got)
	require.False(t, more)
	got, more = page("?limit=2&after=" + ids[1])
	require.Equal(t, []string{ids[2], ids[3]}, got)
	require.True(t, more)
	got, _ = page("?status=pending&channel=api")
	require.Len(t, got, 5)
	got, _ = page("?status=delivered")
	require.Empty(t, got)
	require.Equal(t, 400, fleetCall(w, "GET", "/"+id+"/messages?before="+ids[0]+"&after="+ids[1], nil).Status)
	talks := fleetDone(t, w, 200, "GET", "/"+id+"/conversations?messages_per_conversation=2", nil)["conversations"].([]any)[0].(map[string]any)
	require.EqualValues(t, 5, talks["unread_count"])
	require.Len(t, talks["messages"], 2)
}

// A paused agent takes messages and answers none; what it was doing it ends. Resumed, it answers those that waited together.
func TestFleetPauseKeepsMessages(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, _ := newAgent(t, w, `{"name":"pauses"}`)
	fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"run `+"`wait one`"+`"}`)
	<-w.Boxes.Waiting
	fleetDone(t, w, 200, "POST", "/"+id+"/pause", nil)
	first := fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"remember that the code is 4711"}`)
	close(w.Boxes.Release)
	answersOf(t, w, id, 1)
	time.Sleep(600 * time.Millisecond) // three sweeps
	waiting := fleetMessages(t, w, id, "?status=pending")
	require.Len(t, waiting, 1)
	require.Equal(t, first["id"], waiting[0]["id"])
	second := fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"run `+"`echo second`"+`"}`)
	fleetDone(t, w, 200, "POST", "/"+id+"/resume", nil)
	answers := answersOf(t, w, id, 2)
	require.Equal(t, second["id"], answers[1]["reply_to_id"])
	require.Len(t, fleetMessages(t, w, id, "?status=read"), 3, "both were taken up")
	turns := w.Count("SELECT count(*) FROM turns WHERE instance_id = ? AND joined_to <> ''", id)
	require.Equal(t, 1, turns, "they were answered together")
}

// What an agent took before it was stopped it answers when it is started again, whether it was paused or busy.
func TestFleetStopKeepsMessages(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"paused", "busy"} {
		w := apptest.New(t)
		id, _ := newAgent(t, w, `{"name":"`+way+`"}`)
		if way == "paused" {
			fleetDone(t, w, 200, "POST", "/"+id+"/pause", nil)
		} else {
			fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"run `+"`wait for ever`"+`"}`)
			<-w.Boxes.Waiting
		}
		kept := fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"run `+"`echo kept`"+`"}`)
		fleetDone(t, w, 200, "POST", "/"+id+"/stop", nil)
		if way == "busy" {
			close(w.Boxes.Release)
			require.Eventually(t, func() bool {
				return w.Count("SELECT count(*) FROM turns WHERE instance_id = ? AND state = 'running'", id) == 0
			}, 30*time.Second, 10*time.Millisecond)
		}
		time.Sleep(600 * time.Millisecond) // three sweeps
		waiting := fleetMessages(t, w, id, "?status=pending")
		require.Len(t, waiting, 1, way)
		require.Equal(t, kept["id"], waiting[0]["id"])
		require.Equal(t, 503, fleetCall(w, "POST", "/"+id+"/messages", `{"content":"more"}`).Status)
		fleetDone(t, w, 200, "POST", "/"+id+"/status", `{"status":"active"}`)
		require.Eventually(t, func() bool {
			list := fleetMessages(t, w, id, "?limit=1")
			return list[0]["role"] == "assistant" && list[0]["reply_to_id"] == kept["id"]
		}, 30*time.Second, 20*time.Millisecond, way)
	}
}

// A message that interrupts ends the current work, and is answered.
func TestFleetMessageInterrupts(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, _ := newAgent(t, w, `{"name":"interrupted"}`)
	busy := fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"run `+"`wait forever`"+`"}`)
	<-w.Boxes.Waiting
	now := fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"run `+"`echo at once`"+`","queue_mode":"interrupt"}`)
	answer := answersOf(t, w, id, 1)[0]
	require.Equal(t, now["id"], answer["reply_to_id"])
	require.Contains(t, answer["content"], "at once")
	var state string
	require.NoError(t, w.DB.QueryRow("SELECT state FROM turns WHERE id = (SELECT turn_id FROM messages WHERE id = '"+busy["id"].(string)+"')").Scan(&state))
	require.Equal(t, string(models.TurnInterrupted), state)
}

// Messages of one person wait for each other; those of two people are two matters, and nobody's key is spent for another's.
func TestFleetMessagesOfTwoPeople(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, _ := newAgent(t, w, `{"name":"shared"}`)
	fleetDone(t, w, 200, "POST", "/"+id+"/pause", nil)
	for _, who := range []*apptest.Person{w.Acme.Owner, w.Acme.Member, w.Acme.Owner} {
		a := w.Do(apptest.Call{Method: "POST", Path: "/v1/agent/" + id + "/messages", Who: who, ByKey: true, JSON: `{"content":"run ` + "`echo hi`" + `"}`})
		require.Equal(t, 201, a.Status, a.Body)
	}
	fleetDone(t, w, 200, "POST", "/"+id+"/resume", nil)
	answersOf(t, w, id, 2)
	people := fleetDone(t, w, 200, "GET", "/"+id+"/conversations", nil)["conversations"].([]any)
	require.Len(t, people, 2)
}

// With a fresh context nothing of what was said before is shown to the model; with a persistent one all is.
func TestFleetSessionModes(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	for mode, want := range map[string]int{"ephemeral": 1, "persistent": 3} {
		id, _ := newAgent(t, w, `{"name":"`+mode+`","session_mode":"`+mode+`","system_prompt":"Canary instructions."}`)
		for n, text := range []string{"first words", "second words"} {
			fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"`+text+`"}`)
			answersOf(t, w, id, n+1)
		}
		var turn string
		require.NoError(t, w.DB.QueryRow("SELECT turn_id FROM messages WHERE instance_id = '"+id+"' ORDER BY id DESC LIMIT 1").Scan(&turn))
		steps, err := w.Acme.Scope.TurnSteps(t.Context(), turn)
		require.NoError(t, err)
		seen, err := w.Turns.Seen(t.Context(), w.Acme.Scope, &steps[0])
		require.NoError(t, err)
		require.Len(t, seen.Request.Messages, want, mode)
		require.True(t, seen.Exact, mode)
		require.Contains(t, seen.Request.System, "Canary instructions.")
	}
}

// A spent balance lets messages wait, and the agent stays active; more tokens and they are answered.
func TestFleetBalanceHolds(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, _ := newAgent(t, w, `{"name":"thrifty","output_token_balance":0}`)
	sent := fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"hello"}`)
	require.Eventually(t, func() bool {
		return w.Count("SELECT count(*) FROM turns WHERE instance_id = ? AND waits_for = 'budget'", id) == 1
	}, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, sent["id"], fleetMessages(t, w, id, "?status=pending")[0]["id"])
	summary := fleetDone(t, w, 200, "GET", "/"+id+"/summary", nil)
	require.Equal(t, "active", summary["status"])
	require.EqualValues(t, 0, summary["output_token_balance"])
	fleetDone(t, w, 200, "POST", "/"+id+"/balance", `{"amount":100000,"type":"increment"}`)
	answersOf(t, w, id, 1)
	summary = fleetDone(t, w, 200, "GET", "/"+id+"/summary", nil)
	used := summary["total_output_tokens_used"].(float64)
	require.Positive(t, used)
	require.EqualValues(t, 100000, summary["output_token_balance"].(float64)+used)
}

// messageNamed is one of an agent's messages.
func messageNamed(t *testing.T, w *apptest.World, agent, id string) map[string]any {
	t.Helper()
	for _, m := range fleetMessages(t, w, agent, "?limit=100") {
		if m["id"] == id {
			return m
		}
	}
	t.Fatalf("there is no message %s", id)
	return nil
}

// What a schedule says to its agent is a message as any other, from when it lies in the queue to its answer.
func TestFleetMessagesOfSchedules(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	id, _ := newAgent(t, w, `{"name":"scheduled","session_mode":"persistent"}`)
	schedule := fleetDone(t, w, 201, "POST", "/"+id+"/schedules", "{\"name\":\"n\",\"cron_expression\":\"0 9 1 1 *\",\"message_template\":\"run `echo on time`\"}")["id"].(string)
	fleetDone(t, w, 200, "POST", "/"+id+"/pause", nil)
	for range 2 {
		_, err := w.Automations.RunNow(t.Context(), w.Acme.Scope, schedule)
		if err != nil { // the first one waits, and this one's policy is to wait behind it
			require.ErrorContains(t, err, "running")
		}
	}
	sent := fleetDone(t, w, 201, "POST", "/"+id+"/messages", `{"content":"hello"}`)["id"]
	list := fleetMessages(t, w, id, "")
	require.Equal(t, sent, list[0]["id"], "the newest first, whatever sent them")
	first := list[len(list)-1]
	require.Equal(t, "run `echo on time`", first["content"])
	require.Equal(t, []any{"user", "pending", "api", "collect", nil, nil}, []any{first["role"], first["status"], first["channel"], first["queue_mode"], first["delivered_at"], first["read_at"]})
	require.Equal(t, map[string]any{"automation_id": schedule}, first["metadata"])
	waiting := len(list)
	for query, n := range map[string]int{"?status=pending": waiting, "?status=read": 0, "?channel=telegram": 0, "?channel=api": waiting, "?limit=1": 1, "?after=" + first["id"].(string): waiting - 1, "?before=" + first["id"].(string): 0} {
		require.Len(t, fleetMessages(t, w, id, query), n, query)
	}
	talk := fleetDone(t, w, 200, "GET", "/"+id+"/conversations", nil)["conversations"].([]any)
	require.Len(t, talk, 1)
	require.EqualValues(t, waiting, talk[0].(map[string]any)["unread_count"])
	require.EqualValues(t, waiting, talk[0].(map[string]any)["total_messages"])
	require.EqualValues(t, waiting, fleetDone(t, w, 200, "GET", "/"+id+"/summary", nil)["message_count"])

	fleetDone(t, w, 200, "POST", "/"+id+"/resume", nil)
	answersOf(t, w, id, waiting)
	list = fleetMessages(t, w, id, "?limit=100")
	require.Len(t, list, 2*waiting)
	require.Equal(t, "read", messageNamed(t, w, id, first["id"].(string))["status"])
	answered := 0
	for _, m := range list {
		if m["reply_to_id"] == first["id"] {
			answered++
			require.Contains(t, m["content"], "on time")
			require.Equal(t, "delivered", m["status"])
		}
	}
	require.Equal(t, 1, answered)
	require.EqualValues(t, 2*waiting, fleetDone(t, w, 200, "GET", "/"+id+"/summary", nil)["message_count"])
	run := fleetDone(t, w, 200, "GET", "/"+id+"/schedules/"+schedule+"/executions", nil)["executions"].([]any)
	require.Equal(t, first["id"], run[len(run)-1].(map[string]any)["message_uuid"])
}
