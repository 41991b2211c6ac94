package app_test

import (
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/sse"
	"lobstead/models"
)

var eventID = regexp.MustCompile(`id="(ev-\d+)"`)

// shown gives the log entries that a stream brought, in order, each as often as it came.
func shown(list []sse.Event) []string {
	out := []string{}
	for _, e := range list {
		for _, m := range eventID.FindAllStringSubmatch(e.Data, -1) {
			out = append(out, m[1])
		}
	}
	return out
}

func say(w *apptest.World, o *apptest.Org, words string) *models.Turn {
	turn, _, err := w.Turns.Start(w.T.Context(), o.Scope, o.Session.ID, models.Input{Text: words, Source: "page"})
	require.NoError(w.T, err)
	return turn
}

// A stream that comes back with its cursor gets what it missed, once, and nothing that it has.
func TestReconnectMissesNothing(t *testing.T) {
	w := apptest.New(t)
	live := "/live/chat/" + w.Acme.Session.ID + "?after="
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	s := w.Open(live+"0", w.Acme.Member)
	say(w, w.Acme, "run `echo number-one`")
	first := w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	list := s.Until(`id="ev-` + itoa(len(first)) + `"`)
	cursor := list[len(list)-1].ID
	s.Close()
	say(w, w.Acme, "run `echo number-two`")
	log := w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	back := w.Open(live+cursor, w.Acme.Member)
	more := back.Until(`id="ev-` + itoa(len(log)) + `"`)
	more = append(more, back.Quiet(300*time.Millisecond)...)
	all := append(shown(list), shown(more)...)
	want := []string{}
	for n := range log {
		want = append(want, "ev-"+itoa(n+1))
	}
	assert.Equal(t, want, all, "each event once, in order")
	fresh := w.Open(live+"0", w.Acme.Admin)
	assert.Equal(t, want, shown(fresh.Until(`id="ev-`+itoa(len(log))+`"`)), "a page that begins anew")
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// The streams of another organization stay silent whatever happens here.
func TestStreamsAreApart(t *testing.T) {
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	w.Answered(w.Rival.Scope, w.Rival.Session.ID)
	streams := []*apptest.Stream{}
	for _, path := range []string{"/live/overview?after=0", "/live/instances?after=0", "/live/instances/" + w.Rival.Instance.ID + "?after=0", "/live/chat/" + w.Rival.Session.ID + "?after=0"} {
		streams = append(streams, w.Open(path, w.Rival.Owner))
	}
	mine := w.Open("/live/chat/"+w.Acme.Session.ID+"?after=0", w.Acme.Member)
	for _, s := range streams {
		s.Until("") // what it begins with
	}
	quiet := func() (all string) {
		for _, s := range streams {
			for _, e := range s.Quiet(300 * time.Millisecond) {
				all += e.Data
			}
		}
		return all
	}
	for range 50 { // what the rival's own turn still changes
		if quiet() == "" {
			break
		}
	}
	say(w, w.Acme, "run `echo only-for-acme`")
	mine.Until("only-for-acme")
	w.Do(api("POST", "/api/instances", w.Acme.Owner, `{"name":"acme-new","region":"local","tier":"PRO"}`))
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	assert.Empty(t, quiet())
}

// Who may not read any more is cut from what is open, in less than a second.
func TestRevokedIsCutFromOpenStreams(t *testing.T) {
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	path := "/live/chat/" + w.Acme.Session.ID + "?after=0"
	other := *w.Acme.Owner
	w.SignIn(w.Acme.Owner)
	stays, cut := w.Open(path, w.Acme.Owner), w.Open(path, &other)
	stays.Until("ev-1")
	cut.Until("ev-1")
	require.Equal(t, 303, w.Do(post("/settings/sign-ins/"+other.SignInID+"/delete", w.Acme.Owner)).Status)
	assert.Less(t, cut.Ended(10*time.Second), time.Second)

	out := w.Open("/live/overview?after=0", w.Acme.Member)
	out.Until("overview")
	w.Do(post("/sign-out", w.Acme.Member))
	assert.Less(t, out.Ended(10*time.Second), time.Second)

	// Blocked, demoted out, gone: nothing tells the stream, so what comes next must not reach it.
	for name, change := range map[string]string{"blocked": "UPDATE users SET blocked_at = created_at WHERE id = ?", "removed": "DELETE FROM memberships WHERE user_id = ?"} {
		who := w.NewPerson(w.Acme, name, models.Member)
		s := w.Open(path, who)
		s.Until("ev-1")
		w.Exec(change, who.UserID)
		time.Sleep(450 * time.Millisecond) // as long as a check holds
		say(w, w.Acme, "run `echo after-"+name+"`")
		s.Ended(10 * time.Second)
		for len(s.Events) > 0 {
			lacks(t, (<-s.Events).Data, "after-"+name)
		}
		stays.Until("after-" + name)
	}
	assert.Equal(t, 200, w.Do(get("/", w.Acme.Owner)).Status)
}

func TestDeletedSessionEndsItsStreams(t *testing.T) {
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	s := w.Open("/live/chat/"+w.Acme.Session.ID+"?after=0", w.Acme.Admin)
	s.Until("ev-1")
	require.Equal(t, 303, w.Do(post("/chat/"+w.Acme.Session.ID+"/delete", w.Acme.Member)).Status)
	s.Until("gone")
	s.Ended(5 * time.Second)
}

// A reader that does not read holds up nobody.
func TestSlowReaderHoldsNobody(t *testing.T) {
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	path := "/live/chat/" + w.Acme.Session.ID + "?after=0"
	for range 40 { // more than may render at once
		c, err := net.Dial("tcp", w.Address)
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		_ = c.(*net.TCPConn).SetReadBuffer(1024)
		_, err = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: "+w.Address+"\r\nCookie: lobstead="+w.Acme.Member.Cookie+"\r\n\r\n")
		require.NoError(t, err)
	}
	reads := w.Open(path, w.Acme.Owner)
	w.Boxes.Say = strings.Repeat("a long line of output that fills buffers\n", 20_000)
	for n := range 3 {
		say(w, w.Acme, "run `say`")
		say(w, w.Acme, "run `echo round-"+itoa(n)+"`")
		reads.Until("round-" + itoa(n))
	}
	assert.Equal(t, 200, w.Do(get("/", w.Acme.Owner)).Status)
}
