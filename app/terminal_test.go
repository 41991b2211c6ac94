package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// knock asks for a shell as a page of ours does; header replaces what it sends, "" leaves it out.
func knock(w *apptest.World, path string, who *apptest.Person, header map[string]string) (*websocket.Conn, int) {
	w.T.Helper()
	r := w.Request(apptest.Call{Method: "GET", Path: path, Who: who})
	h := http.Header{"Origin": {"http://" + r.URL.Host}, "Cookie": r.Header["Cookie"]}
	for k, v := range header {
		h.Del(k)
		if v != "" {
			h.Set(k, v)
		}
	}
	conn, resp, err := websocket.DefaultDialer.Dial("ws://"+r.URL.Host+r.URL.RequestURI(), h)
	if err != nil {
		require.NotNil(w.T, resp, "%v", err)
		return nil, resp.StatusCode
	}
	w.T.Cleanup(func() { _ = conn.Close() })
	return conn, resp.StatusCode
}

func socketOf(i *models.Instance) string {
	return "/instances/" + i.ID + "/terminal/socket?session=a-session-of-mine&rows=30&columns=100"
}

// hear reads until a control word of that type came, or text that holds words.
func hear(t *testing.T, conn *websocket.Conn, words string) string {
	t.Helper()
	var shown strings.Builder
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		kind, p, err := conn.ReadMessage()
		require.NoError(t, err, "%q did not come, but %q", words, shown.String())
		shown.Write(p)
		if kind == websocket.TextMessage {
			var w struct{ Type string }
			require.NoError(t, json.Unmarshal(p, &w))
			if w.Type == words {
				return string(p)
			}
			continue
		}
		if strings.Contains(shown.String(), words) {
			return shown.String()
		}
	}
}

// closed reads to the end of a socket.
func closed(conn *websocket.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

func TestTerminalIsForPeopleWhoMay(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Up(w.Acme.Instance)
	path := socketOf(w.Acme.Instance)
	other := map[string]string{"Origin": "https://elsewhere.example"}
	for name, c := range map[string]struct {
		who    *apptest.Person
		header map[string]string
		status int
	}{
		// signed out: as any page, to the sign-in
		"guest":         {nil, nil, 303},
		"member":        {w.Acme.Member, nil, 403},
		"other":         {w.Rival.Owner, nil, 404},
		"other origin":  {w.Acme.Owner, other, 403},
		"no origin":     {w.Acme.Owner, map[string]string{"Origin": ""}, 403},
		"other site":    {w.Acme.Owner, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"same site":     {w.Acme.Owner, map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"a key":         {nil, map[string]string{"Authorization": "Bearer " + w.Acme.Owner.Key}, 303},
		"a key as well": {w.Acme.Owner, map[string]string{"Authorization": "Bearer " + w.Acme.Owner.Key}, 303},
		"owner":         {w.Acme.Owner, nil, 101},
		"admin":         {w.Acme.Admin, map[string]string{"Sec-Fetch-Site": "same-origin"}, 101},
	} {
		conn, status := knock(w, path, c.who, c.header)
		assert.Equal(t, c.status, status, name)
		if conn != nil {
			_ = conn.Close()
		}
	}
	_, status := knock(w, "/instances/"+w.Acme.Instance.ID+"/terminal/socket?session=x", w.Acme.Owner, nil)
	assert.Equal(t, 400, status, "a session needs a name")
	assert.Equal(t, 400, w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Acme.Owner, Face: apptest.JSON, Header: map[string]string{"Origin": w.URL}}).Status, "no socket")
	a := w.Do(apptest.Call{Method: "GET", Path: "/instances/" + w.Acme.Instance.ID, Who: w.Acme.Member})
	lacks(t, a.Body, "/terminal")
	made := w.Do(apptest.Call{Method: "POST", Path: "/api/api-keys", Who: w.Acme.Owner, JSON: `{"name":"x","scopes":["terminal"]}`})
	assert.Equal(t, 400, made.Status, "no key has a terminal: %s", made.Body)
}

func TestTerminalSpeaks(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Up(w.Acme.Instance)
	path := socketOf(w.Acme.Instance)
	conn, _ := knock(w, path, w.Acme.Owner, nil)
	has(t, hear(t, conn, "ready"), `"type":"ready"`)
	require.NoError(t, conn.WriteMessage(websocket.BinaryMessage, []byte("hello\r")))
	hear(t, conn, "you said hello")
	require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"resize","rows":5,"columns":9}`)))
	hear(t, conn, "size\n")
	_ = conn.Close()
	audited(t, w, "terminal.closed", 1)
	again, _ := knock(w, path, w.Acme.Owner, nil)
	has(t, hear(t, again, "ready"), `"resumed":true`)
	theirs, _ := knock(w, path, w.Acme.Admin, nil)
	lacks(t, hear(t, theirs, "ready"), `"resumed":true`)
	require.NoError(t, theirs.WriteMessage(websocket.TextMessage, []byte(`{"type":"close"}`)))
	hear(t, theirs, "exit")
	require.NoError(t, again.WriteMessage(websocket.BinaryMessage, []byte("bye\r")))
	has(t, hear(t, again, "exit"), `"code":3`)
	closed(again)
	third, _ := knock(w, path, w.Acme.Owner, nil)
	hear(t, third, "ready")
	require.NoError(t, third.WriteMessage(websocket.TextMessage, []byte(`{"type":`)))
	hear(t, third, "error")
	closed(third)
	fourth, _ := knock(w, path, w.Acme.Owner, nil)
	require.NoError(t, fourth.WriteMessage(websocket.BinaryMessage, []byte("die\r")))
	hear(t, fourth, "error")
	audited(t, w, "terminal.opened", 5)
	audited(t, w, "terminal.closed", 5)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM audit_entries WHERE organization_id = ? AND act = 'terminal.closed' AND after LIKE '%\"exit_code\":3%' AND actor_id = ? AND address <> ''", w.Acme.ID, w.Acme.Owner.UserID))
}

func audited(t *testing.T, w *apptest.World, act string, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return w.Count("SELECT count(*) FROM audit_entries WHERE organization_id = ? AND act = ?", w.Acme.ID, act) == n
	}, 10*time.Second, 10*time.Millisecond, "%s", act)
}

// Whoever loses the right loses the shell with it, at once: by role, by sign-in, by leaving.
func TestTerminalIsCut(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Up(w.Acme.Instance)
	for name, take := range map[string]func(p *apptest.Person){
		"demoted": func(p *apptest.Person) {
			a := w.Do(apptest.Call{Method: "POST", Path: "/settings/team/" + p.MemberID + "/role", Who: w.Acme.Owner, Form: url.Values{"role": {"MEMBER"}}})
			require.Equal(t, 303, a.Status, a.Body)
		},
		"demoted silently": func(p *apptest.Person) {
			w.Exec("UPDATE memberships SET role = 'MEMBER' WHERE id = ?", p.MemberID)
		},
		"sign-in revoked": func(p *apptest.Person) {
			require.Equal(t, 303, w.Do(apptest.Call{Method: "POST", Path: "/sign-out", Who: p}).Status)
		},
		"removed": func(p *apptest.Person) {
			w.Do(apptest.Call{Method: "POST", Path: "/settings/team/" + p.MemberID + "/delete", Who: w.Acme.Owner, Form: url.Values{"confirm": {p.Email}}})
			w.Exec("DELETE FROM memberships WHERE id = ?", p.MemberID)
		},
	} {
		who := w.NewPerson(w.Acme, "shell-"+strings.ReplaceAll(name, " ", "-"), models.Admin)
		conn, status := knock(w, socketOf(w.Acme.Instance), who, nil)
		require.Equal(t, 101, status, name)
		hear(t, conn, "ready")
		require.Equal(t, 1, w.Boxes.Open(w.Acme.Instance.ID), name)
		take(who)
		hear(t, conn, "gone")
		closed(conn)
		require.Zero(t, w.Boxes.Open(w.Acme.Instance.ID), "%s: the shell lives on", name)
	}
}

// What a page does not work through is not sent: a flood takes no memory of ours.
func TestTerminalWaitsForThePage(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Up(w.Acme.Instance)
	conn, _ := knock(w, socketOf(w.Acme.Instance), w.Acme.Owner, nil)
	hear(t, conn, "ready")
	require.NoError(t, conn.WriteMessage(websocket.BinaryMessage, []byte("flood")))
	n := 0
	read := func(most int, wait time.Duration) {
		for n < most {
			_ = conn.SetReadDeadline(time.Now().Add(wait))
			_, p, err := conn.ReadMessage()
			if err != nil {
				return
			}
			n += len(p)
		}
	}
	read(512<<10, 10*time.Second)
	require.GreaterOrEqual(t, n, 512<<10)
	require.NoError(t, conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"ack","bytes":300000}`)))
	read(700<<10, 10*time.Second)
	require.GreaterOrEqual(t, n, 700<<10, "it goes on after an acknowledgement")
	read(8<<20, 700*time.Millisecond)
	require.Less(t, n, 900<<10, "more than the window was sent")
}

func TestTerminalPageSaysWhyThereIsNone(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	page := "/instances/" + w.Acme.Instance.ID + "/terminal"
	ask := func(face apptest.Face) apptest.Answer {
		return w.Do(apptest.Call{Method: "GET", Path: page, Who: w.Acme.Admin, Face: face})
	}
	running := w.Running(w.Acme, "elsewhere")
	other := w.Do(apptest.Call{Method: "GET", Path: "/instances/" + running.ID + "/terminal", Who: w.Acme.Admin, Face: apptest.JSON})
	has(t, other.Body, `"code":"terminal.elsewhere"`)
	_, status := knock(w, socketOf(running), w.Acme.Owner, nil)
	assert.Equal(t, 503, status)
	w.Up(w.Acme.Instance)
	has(t, ask(apptest.JSON).Body, `"ready":true`)
	has(t, ask(apptest.Page).Body, "data-terminal=")
	has(t, ask(apptest.Page).Body, "<noscript>")
	w.Exec("UPDATE instances SET desired = 'stopped' WHERE id = ?", w.Acme.Instance.ID)
	has(t, ask(apptest.Page).Body, "being stopped", `hx-trigger="every 2s"`)
	lacks(t, ask(apptest.Page).Body, "Start the instance")
	w.Exec("UPDATE instances SET state = 'STOPPED' WHERE id = ?", w.Acme.Instance.ID)
	has(t, ask(apptest.JSON).Body, `"code":"terminal.stopped"`)
	has(t, ask(apptest.Page).Body, "Start the instance")
	lacks(t, ask(apptest.Page).Body, "data-terminal=", "every 2s")
	_, status = knock(w, socketOf(w.Acme.Instance), w.Acme.Owner, nil)
	assert.Equal(t, 409, status)
}
