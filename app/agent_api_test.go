package app_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/llm"
	"lobstead/engine/llm/llmtest"
	"lobstead/models"
)

func TestAgentChat(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	a := w.Do(api("POST", "/api/agent/chat", w.Acme.Member, `{"message":"run `+"`echo forty-two`"+`","session_id":"abc123"}`))
	require.Equal(t, 200, a.Status)
	m := a.Map()
	assert.ElementsMatch(t, []string{"response", "reply", "content", "session_id", "turn_id", "message", "model", "tokens", "tools_used", "messages_used", "messages_limit"}, keys(t, a.Body))
	has(t, m["response"].(string), "forty-two")
	assert.Equal(t, m["response"], m["reply"])
	assert.Equal(t, m["response"], m["content"])
	assert.Equal(t, "abc123", m["session_id"])
	tools := m["tools_used"].([]any)
	require.Len(t, tools, 1)
	assert.Equal(t, []any{"bash", "success"}, []any{tools[0].(map[string]any)["name"], tools[0].(map[string]any)["status"]})
	message, _ := json.Marshal(m["message"])
	assert.ElementsMatch(t, []string{"id", "session_id", "role", "content", "created_at"}, keys(t, string(message)))

	again := w.Do(api("POST", "/api/agent/chat", w.Acme.Member, `{"message":"hello","session_id":"abc123"}`))
	assert.Equal(t, "abc123", again.Map()["session_id"])
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM sessions WHERE alias = 'abc123'"))
	plain := w.Do(apptest.Call{Method: "POST", Path: "/api/agent/chat", Who: w.Acme.Member, JSON: `{"message":"hello"}`, Type: "text/plain"})
	assert.Equal(t, 200, plain.Status, "by cookie, whatever the type is called")
}

// Which instance a call means: the header, the query, else the oldest that runs.
func TestAgentChatChoosesTheInstance(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	second := w.Running(w.Acme, "second-box")
	for _, c := range []struct {
		query, header string
		want          *models.Instance
	}{{"", "", w.Acme.Instance}, {"?instance=" + second.ID, "", second}, {"", second.ID, second}, {"?instance=" + second.ID, w.Acme.Instance.ID, w.Acme.Instance}} {
		call := api("POST", "/api/agent/chat"+c.query, w.Acme.Member, `{"message":"hello"}`)
		call.Header = map[string]string{"X-Instance-Id": c.header}
		a := w.Do(call)
		require.Equal(t, 200, a.Status)
		turn, err := w.Acme.Scope.Turn(t.Context(), a.Map()["turn_id"].(string))
		require.NoError(t, err)
		assert.Equal(t, c.want.ID, turn.InstanceID)
	}
	a := w.Do(api("POST", "/api/agent/chat?instance=nonsense", w.Acme.Member, `{"message":"hello"}`))
	assert.Equal(t, 404, a.Status)
	assert.Equal(t, "No agent found", a.Map()["error"])
	w.Exec("UPDATE instances SET desired = 'stopped' WHERE id = ?", second.ID)
	a = w.Do(api("POST", "/api/agent/chat?instance="+second.ID, w.Acme.Member, `{"message":"hello"}`))
	assert.Equal(t, 409, a.Status)
	assert.Equal(t, "This instance is stopped", a.Map()["error"])
}

func TestAgentChatRefuses(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	before := w.Dump(w.Acme.ID)
	for body, say := range map[string]string{
		`{}`: "message is required", `{"message":""}`: "message is required", `{"message":"  \n"}`: "message is required", ``: "message is required",
		`{"message":5}`: "message: Expected string, received number", `{"message":null}`: "message: Expected string, received null",
		`{"message":"a\u0000b"}`: "message: Invalid", `{"message":"x","session_id":{}}`: "session_id: Expected string, received object",
		`{"message":"x","images":"no"}`: "images: Expected array, received string", `{"message":"x","images":["!!"]}`: "images", `{"message":"x","images":["aGVsbG8="]}`: "images",
		`{"message":"x","session_id":"` + strings.Repeat("s", 201) + `"}`: "session_id: String must contain at most 200 character(s)",
		`{`: "Invalid request body", "{\"message\":\"\xff\"}": "Invalid request body", `{"message":"x"} {}`: "Invalid request body", `nonsense`: "Invalid request body",
	} {
		a := w.Do(api("POST", "/api/agent/chat", w.Acme.Member, body))
		assert.Equal(t, 400, a.Status, body)
		said, _ := a.Map()["error"].(string)
		assert.Contains(t, said, say, body)
	}
	assert.Equal(t, before, w.Dump(w.Acme.ID), "a refused message changed something")
}

// Pictures come as base64 or as data URLs; they stay with the message, and a model that can see gets them.
func TestAgentChatImages(t *testing.T) {
	t.Parallel()
	model := llmtest.Scripted(slices.Repeat([]llmtest.Step{llmtest.Say("I see")}, 10)...)
	w := apptest.Start(t, apptest.Options{Model: model})
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	_, err := w.Acme.Scope.UpdateInstance(t.Context(), w.Acme.Instance.ID, models.InstanceChange{Model: new(llm.DefaultModel("openai"))})
	require.NoError(t, err)
	png, jpeg := "\x89PNG\r\n\x1a\n"+strings.Repeat("\x00", 24), "\xff\xd8\xff\xe0"+strings.Repeat("\x00", 24)
	code := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	send := func(images ...string) apptest.Answer {
		return w.Do(api("POST", "/api/agent/chat", w.Acme.Member, map[string]any{"message": "what is this?", "images": images}))
	}
	a := send(code(png), "data:image/jpeg;base64,"+code(jpeg))
	require.Equal(t, 200, a.Status, a.Body)
	assert.Equal(t, "I see", a.Map()["response"])
	asked := model.Requests()
	var seen []string
	for _, m := range asked[len(asked)-1].Messages {
		for _, p := range m.Parts {
			if p.Image != nil {
				seen = append(seen, p.Image.MediaType+" "+string(p.Image.Data))
			}
		}
	}
	assert.Equal(t, []string{"image/png " + png, "image/jpeg " + jpeg}, seen)
	page := w.Do(apptest.Call{Method: "GET", Path: "/chat/" + a.Map()["session_id"].(string), Who: w.Acme.Member}).Body
	has(t, page, "image-1.png", "image-2.jpg")
	assert.Equal(t, 2, w.Count("SELECT count(*) FROM attachments WHERE turn_id = ?", a.Map()["turn_id"]))

	large := png + strings.Repeat("\x00", models.MaxAttachment)
	for name, c := range map[string]struct {
		images []string
		status int
	}{"text": {[]string{code("plain text")}, 400}, "svg": {[]string{code("<svg xmlns='http://www.w3.org/2000/svg'/>")}, 400}, "not base64": {[]string{"%%%"}, 400},
		"eleven": {slices.Repeat([]string{code(png)}, 11), 400}, "over 20 MB": {[]string{code(large)}, 400}, "over the body's cap": {[]string{code(large), code(large)}, 413}} {
		assert.Equal(t, c.status, send(c.images...).Status, name)
	}
	assert.Equal(t, 2, w.Count("SELECT count(*) FROM turns WHERE organization_id = ? AND state = 'done'", w.Acme.ID), "a refused picture starts nothing")
	assert.Equal(t, 3, w.Count("SELECT count(*) FROM attachments WHERE organization_id = ?", w.Acme.ID))
}

func TestAgentSessions(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	call := func(method string, body any) apptest.Answer {
		return w.Do(api(method, "/api/agent/sessions", w.Acme.Member, body))
	}
	session := func(a apptest.Answer) map[string]any {
		m, _ := a.Map()["session"].(map[string]any)
		require.NotNil(t, m, a.Body)
		return m
	}
	s := session(call("POST", nil))
	text, _ := json.Marshal(s)
	assert.ElementsMatch(t, []string{"id", "title", "category", "status", "icon", "pinned", "message_count", "created_at", "updated_at", "last_message_at"}, keys(t, string(text)))
	assert.Equal(t, []any{"New Session", "general", "active", nil, false, nil}, []any{s["title"], s["category"], s["status"], s["icon"], s["pinned"], s["last_message_at"]})
	two := session(call("POST", `{"title":"Two","category":"debug"}`))
	id := two["id"].(string)
	changed := session(call("PATCH", fmt.Sprintf(`{"sessionId":%q,"title":"Zwei","pinned":true,"icon":"🦞","status":"paused","category":"task"}`, id)))
	assert.Equal(t, []any{"Zwei", true, "🦞", "paused", "task"}, []any{changed["title"], changed["pinned"], changed["icon"], changed["status"], changed["category"]})
	list := call("GET", nil).Map()["sessions"].([]any)
	require.Len(t, list, 3)
	assert.Equal(t, id, list[0].(map[string]any)["id"], "pinned first")

	for body, say := range map[string]string{
		`{}`: "sessionId is required", `{"sessionId":5}`: "sessionId: Expected string, received number", fmt.Sprintf(`{"sessionId":%q}`, id): "At least one field is required",
		fmt.Sprintf(`{"sessionId":%q,"category":"x"}`, id): "category: Invalid enum value", fmt.Sprintf(`{"sessionId":%q,"status":"x"}`, id): "status: Invalid enum value",
		fmt.Sprintf(`{"sessionId":%q,"title":%q}`, id, strings.Repeat("t", 101)): "title: String must contain at most 100", fmt.Sprintf(`{"sessionId":%q,"pinned":"yes"}`, id): "pinned: Expected boolean",
		fmt.Sprintf(`{"sessionId":%q,"title":" "}`, id): "title",
	} {
		a := call("PATCH", body)
		assert.Equal(t, 400, a.Status, body)
		assert.Contains(t, a.Map()["error"], say, body)
	}
	assert.Equal(t, 400, call("POST", `{"category":"nonsense"}`).Status)
	for _, method := range []string{"PATCH", "DELETE"} {
		a := call(method, `{"sessionId":"nobody's","title":"x"}`)
		assert.Equal(t, 404, a.Status)
		assert.Equal(t, "Session not found", a.Map()["error"])
	}
	assert.Equal(t, 400, call("DELETE", nil).Status)
	assert.JSONEq(t, `{"success":true}`, call("DELETE", fmt.Sprintf(`{"sessionId":%q}`, id)).Body)
	a := w.Do(api("DELETE", "/api/agent/sessions?sessionId="+s["id"].(string), w.Acme.Member, nil))
	assert.JSONEq(t, `{"success":true}`, a.Body, "proxies drop the body")
	a = call("DELETE", fmt.Sprintf(`{"sessionId":%q}`, w.Acme.Session.ID))
	assert.Equal(t, 409, a.Status, "its turn waits")
}

// A thousand messages at once: some are refused in the family's words, and what was accepted is answered once.
func TestBurst(t *testing.T) {
	w := apptest.New(t)
	s := w.Acme.Session.ID
	w.Answered(w.Acme.Scope, s)
	start := len(turns(t, w, s))
	type result struct {
		status int
		turn   string
	}
	results, room := make(chan result, 1000), make(chan struct{}, 40)
	for n := range 1000 {
		go func() {
			room <- struct{}{}
			defer func() { <-room }()
			c := apptest.Call{Method: "POST", Path: "/chat/" + s + "/messages", Who: w.Acme.Member, Face: apptest.JSON, JSON: fmt.Sprintf(`{"message":"message %d"}`, n)}
			a, err := w.Try(c)
			if err != nil {
				a.Status = -1
			}
			turn, _ := a.Map()["turn_id"].(string)
			results <- result{a.Status, turn}
		}()
	}
	accepted := map[string]bool{}
	for range 1000 {
		switch r := <-results; r.status {
		case 200:
			assert.False(t, accepted[r.turn])
			accepted[r.turn] = true
		case 429:
		default:
			t.Errorf("status %d", r.status)
		}
	}
	log := w.Answered(w.Acme.Scope, s)
	ended, asked := map[string]int{}, map[string]int{}
	for i, e := range log {
		require.EqualValues(t, i+1, e.Seq)
		switch e.Kind {
		case models.KindEnded:
			ended[*e.TurnID]++
		case models.KindUser:
			asked[*e.TurnID]++
		}
	}
	assert.GreaterOrEqual(t, len(accepted), 50)
	assert.Len(t, turns(t, w, s), start+len(accepted), "nothing refused was half written")
	for turn := range accepted {
		assert.Equal(t, 1, ended[turn])
		assert.Equal(t, 1, asked[turn])
	}
}

func turns(t *testing.T, w *apptest.World, session string) []int {
	t.Helper()
	return make([]int, w.Count("SELECT count(*) FROM turns WHERE session_id = ?", session))
}
