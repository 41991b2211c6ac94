package app_test

import (
	"bytes"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/models"
)

// talk is a world whose agent is reached by one line. Ada is its owner there, bob its member, and eve nobody.
type talk struct {
	*apptest.World
	*line
	t     *testing.T
	agent string
	ch    *models.Channel
	log   *locked
}

// channelCases are what every line must do, in this order: later ones build on who is linked.
var channelCases = []struct {
	name string
	run  func(x *talk)
}{
	{"a stranger is refused", (*talk).strangers}, {"link by code", (*talk).links}, {"question and answer", (*talk).answers}, {"file in", (*talk).fileIn}, {"file out", (*talk).fileOut},
	{"points at what it answers", (*talk).points}, {"approve by button", (*talk).approves}, {"deny by button", (*talk).denies}, {"buttons of others, used, forged, expired", (*talk).badPresses},
	{"approve what one is notified of", (*talk).approvesNotified},
	{"work is shown", (*talk).shows}, {"too many requests", (*talk).limited}, {"trouble of the service", (*talk).troubled}, {"connection cut", (*talk).cuts}, {"nobody listened", (*talk).away},
	{"told twice", (*talk).repeats}, {"out of order", (*talk).disorder}, {"edited before it was read", (*talk).edits}, {"by the fleet API", (*talk).programs},
	{"taken, and refused later", (*talk).returned}, {"cannot be delivered", (*talk).undeliverable}, {"credentials revoked", (*talk).revoked}, {"no secret is shown", (*talk).silent},
}

// Every service does all that its protocol has, through the page, the worker and the outbox.
func TestChannelLines(t *testing.T) {
	t.Parallel()
	for name, open := range channelLines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newTalk(t, open(t))
			for why := range x.lacks {
				require.True(t, slices.ContainsFunc(channelCases, func(c struct {
					name string
					run  func(x *talk)
				}) bool {
					return c.name == why
				}), why)
			}
			for _, c := range channelCases {
				if why := x.lacks[c.name]; why != "" {
					t.Logf("%s: not here, %s", c.name, why)
					continue
				}
				if !t.Run(c.name, func(t *testing.T) { part := *x; part.t, part.World = t, x.In(t); c.run(&part) }) {
					return // the rest would only repeat it
				}
			}
		})
	}
}

func newTalk(t *testing.T, l *line) *talk {
	t.Helper()
	x := &talk{line: l, t: t, log: &locked{}}
	o := apptest.Options{Services: map[models.ChannelKind]service.Service{l.kind: l.service}, ServiceURLs: map[models.ChannelKind]string{}, Log: x.log}
	if l.url != "" {
		o.ServiceURLs[l.kind] = l.url
	}
	x.World = apptest.Start(t, o)
	x.agent, _ = newAgent(t, x.World, `{"name":"reached","session_mode":"persistent"}`)
	x.connect()
	if l.hook != nil {
		l.hook(t, x.World, x.ch)
	}
	return x
}

// connect fills in the page, as people do, and waits for the worker.
func (x *talk) connect() {
	form := url.Values{}
	for k, v := range x.fields {
		form.Set(k, v)
	}
	a := x.Do(apptest.Call{Method: "POST", Path: x.page(), Who: x.Acme.Owner, Form: form})
	require.Equal(x.t, 303, a.Status, a.Body)
	x.until(func() bool {
		ch, err := x.Acme.Scope.ChannelOf(x.t.Context(), x.agent, x.kind)
		x.ch = ch
		return err == nil && ch.State == models.ChannelConnected
	}, "it is connected")
}

func (x *talk) page() string { return "/instances/" + x.agent + "/channels/" + string(x.kind) }

// until waits for something, and does meanwhile what the queue would: what is due is sent.
func (x *talk) until(so func() bool, what string) {
	x.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if so() {
			return
		}
		due, err := x.Store.AsSystem("a test sends").DueDeliveries(x.t.Context(), models.DeliveryKinds, 100)
		require.NoError(x.t, err)
		for _, id := range due {
			_ = x.Outbox.Deliver(x.t.Context(), id)
		}
	}
	all := x.sent()
	require.FailNow(x.t, "it did not come to pass", "%s; the last that was sent: %v", what, all[max(0, len(all)-3):])
}

// hurry makes due what waits to be tried again.
func (x *talk) hurry() {
	x.Exec("UPDATE deliveries SET next_at = ? WHERE kind = 'channel' AND state = 'pending' AND lease_until IS NULL", x.Store.Now())
}

// told waits for a message with some words, in somebody's own conversation or, for "", in any. once tells that there is one of it.
func (x *talk) told(who, words string) (found servicetest.Sent) {
	x.t.Helper()
	x.until(func() bool {
		for _, s := range x.sent() {
			if (who == "" || s.Peer == x.at(who)) && strings.Contains(s.Text, words) {
				found = s
				return true
			}
		}
		return false
	}, strconv.Quote(words)+" is told to "+who)
	return found
}

func (x *talk) once(words string) {
	x.t.Helper()
	n := 0
	for _, s := range x.sent() {
		if strings.Contains(s.Text, words) {
			n++
		}
	}
	require.Equal(x.t, 1, n, "%q: %v", words, x.sent())
	require.Equal(x.t, 1, x.Count("SELECT count(*) FROM messages m JOIN events e ON e.id = m.id WHERE m.instance_id = ? AND m.role = 'user' AND CAST(e.data AS TEXT) LIKE ?", x.agent, "%"+words+"%"), words)
}

// settled waits until nothing is under way.
func (x *talk) settled() {
	x.t.Helper()
	x.until(func() bool {
		return x.Count("SELECT count(*) FROM turns WHERE instance_id = ? AND state NOT IN ('done', 'failed', 'interrupted')", x.agent) == 0 &&
			x.Count("SELECT count(*) FROM messages WHERE instance_id = ? AND role = 'assistant' AND delivered_at IS NULL", x.agent) == 0
	}, "all is answered")
}

// during has a person say something that takes until do has returned.
func (x *talk) during(who, then string, say func(who, text string) string, do func()) {
	x.t.Helper()
	say(who, "run `wait` and `"+then+"`")
	select {
	case <-x.Boxes.Waiting:
	case <-time.After(20 * time.Second):
		x.t.Fatal("the agent is not at work")
	}
	do()
	x.Boxes.Release <- struct{}{}
}

func (x *talk) code(who *apptest.Person) string {
	a := x.Follow(x.Do(apptest.Call{Method: "POST", Path: "/channels/" + x.ch.ID + "/code", Who: who, Form: url.Values{}}), who)
	return regexp.MustCompile(x.kind.LinkWord() + ` ([A-Z0-9]{6})`).FindStringSubmatch(a.Body)[1]
}

func (x *talk) strangers() {
	x.say("eve", "run `echo out of eve`")
	x.told("eve", "people whom my team knows")
	x.say("eve", "hello? run `echo out of eve`")
	x.say("eve", "/link AAAAAA")
	x.told("eve", "does not work")
	x.attach("eve", "run `echo out of eve`", service.Upload{Name: "eve.txt", MediaType: "text/plain", Data: []byte("of eve")})
	x.until(func() bool {
		return x.Count("SELECT count(*) FROM channel_events WHERE channel_id = ? AND outcome = 'unknown'", x.ch.ID) == 3
	}, "all was heard")
	require.Len(x.t, x.sent(), 2, "a stranger is told once an hour")
	require.Equal(x.t, 0, x.Count("SELECT count(*) FROM turns WHERE instance_id = ?", x.agent))
	require.Equal(x.t, 0, x.Count("SELECT count(*) FROM events WHERE CAST(data AS TEXT) LIKE '%out of eve%'"))
}

func (x *talk) links() {
	first := x.code(x.Acme.Owner)
	code := x.code(x.Acme.Owner)
	x.say("ada", "/link "+first)
	x.told("ada", "does not work")
	x.say("ada", x.kind.LinkWord()+" "+code)
	x.told("ada", "You are linked as "+x.Acme.Owner.Name)
	x.say("eve", "/link "+code)
	x.until(func() bool {
		return x.Count("SELECT count(*) FROM channel_events WHERE channel_id = ? AND outcome = 'wrong'", x.ch.ID) == 3
	}, "a code works once")
	x.say("bob", "  LINK \t "+strings.ToLower(x.code(x.Acme.Member))+" ")
	x.told("bob", "You are linked as "+x.Acme.Member.Name)
	x.until(func() bool {
		all, err := x.Acme.Scope.Bindings(x.t.Context(), x.agent)
		return err == nil && len(all) == 2 && strings.Contains(strings.ToLower(all[0].SenderName), "ada") && strings.Contains(strings.ToLower(all[1].SenderName), "bob") && all[0].SenderName != all[0].SenderID
	}, "who is linked has a name")
	x.say("ada", "link readme")
	x.told("ada", "readme")
	require.Equal(x.t, 2, x.Count("SELECT count(*) FROM channel_bindings WHERE channel_id = ?", x.ch.ID))
}

func (x *talk) answers() {
	x.say("ada", "run `echo first words`")
	x.told("ada", "first words")
	x.say("bob", "run `echo for a member`")
	x.told("bob", "for a member")
	x.settled()
	x.once("first words")
	require.Equal(x.t, 1, x.Count("SELECT count(*) FROM turns t JOIN events e ON e.turn_id = t.id AND e.kind = 'user_message' WHERE t.created_by = ? AND CAST(e.data AS TEXT) LIKE '%for a member%'", x.Acme.Member.UserID))
	for _, s := range x.sent() {
		require.False(x.t, s.Peer == x.at("eve") && strings.Contains(s.Text, "words"), "%v", s)
	}
}

func (x *talk) fileIn() {
	x.attach("ada", "what is this?", service.Upload{Name: "notes.txt", MediaType: "text/plain", Data: []byte("the notes of ada")})
	x.until(func() bool { return string(x.Boxes.File(x.agent, "uploads/notes.txt")) == "the notes of ada" }, "the agent has the file")
	x.settled()
	require.Equal(x.t, 1, x.Count("SELECT count(*) FROM attachments WHERE name = 'notes.txt'"))
}

func (x *talk) fileOut() {
	i := &models.Instance{ID: x.agent}
	x.Put(i, "out/report.txt", "the report")
	x.say("ada", "run `echo here: [report](out/report.txt), [gone](out/gone.txt), [outside](../../etc/passwd), [web](https://example.com/x.txt)`")
	files := func() (out []service.Upload) {
		for _, s := range x.sent() {
			if s.File != nil {
				out = append(out, *s.File)
			}
		}
		return out
	}
	x.until(func() bool { return len(files()) > 0 }, "the file comes along")
	x.settled()
	got := files()
	require.Len(x.t, got, 1)
	require.Equal(x.t, []string{"report.txt", "the report"}, []string{got[0].Name, string(got[0].Data)})
	x.during("bob", "echo secret: [report](out/report.txt)", x.say, func() { x.Exec("UPDATE users SET blocked_at = ? WHERE id = ?", x.Store.Now(), x.Acme.Member.UserID) })
	x.told("bob", "secret:")
	x.settled()
	require.Len(x.t, files(), 1, "who may read no files is sent none")
	x.Exec("UPDATE users SET blocked_at = NULL WHERE id = ?", x.Acme.Member.UserID)
}

func (x *talk) points() {
	one, two := x.shared("ada", "run `echo point one`"), x.shared("bob", "run `echo point two`")
	a, b := x.told("", "point one"), x.told("", "point two")
	require.Equal(x.t, []string{one, two}, []string{a.Thread, b.Thread})
}

func (x *talk) shows() {
	busy := x.say
	if x.busy != nil {
		busy = func(who, text string) string { x.busy(who, text); return "" }
	}
	before := x.typed()
	x.during("ada", "echo was shown", busy, func() { x.until(func() bool { return x.typed() > before }, "work is shown") })
	x.settled()
}

// tried are the attempts at what has some words, by their outcome.
func (x *talk) tried(words string) []models.DeliveryTry {
	rows, err := x.Acme.Scope.Deliveries(x.t.Context(), models.DeliveryFilter{Target: x.ch.ID, Limit: 100})
	require.NoError(x.t, err)
	for _, r := range rows {
		d, err := x.Acme.Scope.Delivery(x.t.Context(), r.ID)
		require.NoError(x.t, err)
		if p, err := d.Channel(); err == nil && strings.Contains(p.Piece, words) {
			return d.Log()
		}
	}
	return nil
}

func (x *talk) limited() {
	x.during("ada", "echo slowly now", x.say, func() { time.Sleep(100 * time.Millisecond); x.limit(2) })
	x.until(func() bool {
		if x.timeless {
			x.hurry()
		}
		return strings.Contains(strings.Join(texts(x.sent()), "\n"), "slowly now")
	}, "it comes when it may")
	x.settled()
	x.once("slowly now")
	if log := x.tried("slowly now"); len(log) > 1 { // else work that was shown took the limit
		require.NotEmpty(x.t, log[0].Error)
		if !x.timeless {
			require.GreaterOrEqual(x.t, log[1].At.Sub(log[0].At), 900*time.Millisecond, "not before the service said")
		}
	}
}

func (x *talk) troubled() {
	x.during("ada", "echo after the storm", x.say, func() { time.Sleep(100 * time.Millisecond); x.fail(4) })
	x.until(func() bool {
		x.hurry()
		return strings.Contains(strings.Join(texts(x.sent()), "\n"), "after the storm")
	}, "it comes after all")
	x.settled()
	x.once("after the storm")
	log := x.tried("after the storm")
	require.Greater(x.t, len(log), 1)
	require.NotEmpty(x.t, log[0].Error)
	require.Empty(x.t, log[len(log)-1].Error)
}

func texts(all []servicetest.Sent) (out []string) {
	for _, s := range all {
		out = append(out, s.Text)
	}
	return out
}

func (x *talk) cuts() {
	for n := range 3 {
		words := "after cut " + strconv.Itoa(n)
		x.cut()
		x.say("ada", "run `echo "+words+"`")
		x.cut()
		x.told("ada", words)
		x.settled()
		x.once(words)
	}
}

func (x *talk) away() {
	power := func(what string) {
		require.Equal(x.t, 303, x.Do(apptest.Call{Method: "POST", Path: "/channels/" + x.ch.ID + "/" + what, Who: x.Acme.Owner, Form: url.Values{}}).Status)
	}
	power("off")
	x.until(func() bool { return x.open == nil || x.open() == 0 }, "nobody listens")
	x.say("ada", "run `echo said to nobody`")
	x.say("eve", "run `echo out of eve`")
	time.Sleep(300 * time.Millisecond)
	require.Equal(x.t, 0, x.Count("SELECT count(*) FROM events WHERE CAST(data AS TEXT) LIKE '%said to nobody%'"))
	power("on")
	x.told("ada", "said to nobody")
	x.settled()
	x.once("said to nobody")
}

func (x *talk) repeats() {
	x.twice("ada", "run `echo told twice`")
	x.told("ada", "told twice")
	x.say("ada", "run `echo behind it`")
	x.told("ada", "behind it")
	x.settled()
	x.once("told twice")
}

func (x *talk) disorder() {
	x.swap("ada", "run `echo number one`", "run `echo number two`")
	heard := func() int {
		return x.Count("SELECT count(*) FROM messages m JOIN events e ON e.id = m.id WHERE m.instance_id = ? AND m.role = 'user' AND CAST(e.data AS TEXT) LIKE '%echo number %'", x.agent)
	}
	x.until(func() bool { return heard() == 2 }, "both are heard")
	x.told("ada", "number ") // those that wait beside each other are answered together
	x.settled()
	require.Equal(x.t, 2, heard())
}

func (x *talk) edits() {
	x.during("ada", "echo was busy", x.say, func() {
		id := x.say("ada", "run `echo the old words`")
		x.until(func() bool {
			return x.Count("SELECT count(*) FROM events WHERE CAST(data AS TEXT) LIKE '%the old words%'") == 1
		}, "it is heard")
		x.edit("ada", id, "run `echo the new words`")
		x.until(func() bool {
			return x.Count("SELECT count(*) FROM events WHERE CAST(data AS TEXT) LIKE '%the new words%'") == 1
		}, "its edit is heard")
	})
	x.told("ada", "the new words")
	x.settled()
	x.once("the new words")
	require.NotContains(x.t, strings.Join(texts(x.sent()), "\n"), "the old words")
}

func (x *talk) programs() {
	path := "/v1/agent/" + x.agent + "/messages"
	post := func(who *apptest.Person, words string) apptest.Answer {
		return x.Do(apptest.Call{Method: "POST", Path: path, Who: who, ByKey: true, JSON: map[string]any{"content": "run `echo " + words + "`", "channel": x.kind}})
	}
	if x.kind != models.DiscordChannel && x.kind != models.SlackChannel && x.kind != models.TelegramChannel {
		require.Equal(x.t, 400, post(x.Acme.Owner, "no such way").Status, "the contract knows three of them")
		return
	}
	refused := post(x.Acme.Admin, "to nobody")
	require.Equal(x.t, 400, refused.Status, refused.Body)
	require.Contains(x.t, refused.Map()["error"], "No "+x.kind.Title()+" account of yours is linked")
	a := post(x.Acme.Owner, "by a program")
	require.Equal(x.t, 201, a.Status, a.Body)
	require.Equal(x.t, string(x.kind), a.Map()["channel"])
	x.told("ada", "by a program")
	x.settled()
	require.Equal(x.t, 1, x.Count("SELECT count(DISTINCT m.session_id) FROM messages m JOIN events e ON e.id = m.id WHERE m.role = 'user' AND m.person_id = ? AND (CAST(e.data AS TEXT) LIKE '%by a program%' OR CAST(e.data AS TEXT) LIKE '%first words%')",
		x.Acme.Owner.UserID), "it is the conversation that they have there")
	require.Equal(x.t, 303, x.Do(apptest.Call{Method: "POST", Path: "/channels/" + x.ch.ID + "/off", Who: x.Acme.Owner, Form: url.Values{}}).Status)
	require.Contains(x.t, post(x.Acme.Owner, "while it is off").Map()["error"], "switched off")
	require.Equal(x.t, 303, x.Do(apptest.Call{Method: "POST", Path: "/channels/" + x.ch.ID + "/on", Who: x.Acme.Owner, Form: url.Values{}}).Status)
}

// dead waits for a message that is given up, and looks whether people hear of it.
func (x *talk) dead(words, why string) {
	x.t.Helper()
	var d *models.Delivery
	x.until(func() bool {
		x.hurry()
		rows, err := x.Acme.Scope.DeadLetters(x.t.Context(), 10)
		for n := range rows {
			if rows[n].TargetID == x.ch.ID && strings.Contains(rows[n].Payload, words) {
				d = &rows[n]
			}
		}
		return err == nil && d != nil
	}, "it is a dead letter")
	require.Contains(x.t, strings.ToLower(d.LastError), why)
	page := x.Do(apptest.Call{Method: "GET", Path: x.page(), Who: x.Acme.Owner})
	require.Contains(x.t, page.Body, "could not be delivered")
	require.Contains(x.t, page.Body, "/deliveries/"+d.ID)
	for _, who := range []*apptest.Person{x.Acme.Owner, x.Acme.Admin} {
		require.Equal(x.t, 1, x.Count("SELECT count(*) FROM notifications WHERE user_id = ? AND about_kind = 'channel' AND about_id = ? AND title LIKE ?", who.UserID, x.ch.ID, "A message by "+x.kind.Title()+"%"))
	}
	items := x.Do(apptest.Call{Method: "GET", Path: "/api/channels/dead-letter", Who: x.Acme.Owner, ByKey: true}).Map()["items"].([]any)
	item := items[0].(map[string]any)
	require.Equal(x.t, []any{string(x.kind), d.ID}, []any{item["channel"], item["id"]})
	require.NotEmpty(x.t, item["recipient_id"])
	require.NotContains(x.t, item["recipient_id"], string(x.kind)+" ")
	require.Equal(x.t, 1, x.Count("SELECT count(*) FROM messages WHERE instance_id = ? AND role = 'assistant' AND delivered_at IS NULL", x.agent))
	x.Exec("UPDATE deliveries SET state = 'dropped' WHERE id = ?", d.ID)
	x.Exec("DELETE FROM notifications WHERE about_id = ?", x.ch.ID)
	x.Exec("UPDATE messages SET delivered_at = ? WHERE delivered_at IS NULL AND role = 'assistant'", x.Store.Now())
}

func (x *talk) returned() {
	x.say("bob", "run `echo too late for bob`")
	s := x.told("bob", "too late for bob")
	x.settled()
	x.late("bob", s.ID)
	x.late("bob", s.ID)
	x.dead("too late for bob", "24 hours")
}

func (x *talk) undeliverable() {
	say := x.say
	if x.shutIn != nil {
		say = x.shutIn
	}
	x.during("bob", "echo lost on bob", say, func() { time.Sleep(50 * time.Millisecond); x.shut("bob") })
	x.dead("lost on bob", "")
}

func (x *talk) revoked() {
	x.during("ada", "echo kept for later", x.say, x.revoke)
	x.until(func() bool {
		ch, err := x.Acme.Scope.ChannelOf(x.t.Context(), x.agent, x.kind)
		return err == nil && ch.State == models.ChannelFailed && ch.LastError != "" && x.Count("SELECT count(*) FROM deliveries WHERE target_id = ? AND state = 'pending' AND attempts + length(last_error) > 0", x.ch.ID) > 0
	}, "it is told on the page")
	page := x.Do(apptest.Call{Method: "GET", Path: x.page(), Who: x.Acme.Owner})
	require.Contains(x.t, page.Body, "Failed")
	x.mend()
	x.connect()
	x.told("ada", "kept for later")
	x.settled()
	x.once("kept for later")
	x.say("ada", "run `echo as before`")
	x.told("ada", "as before")
}

func (x *talk) silent() {
	x.Stop()
	values, err := x.Store.ChannelValues(x.ch)
	require.NoError(x.t, err)
	for _, f := range x.service.Fields() {
		v := values[f.Name].Reveal()
		if !f.Secret || v == "" {
			continue
		}
		x.log.mu.Lock()
		require.False(x.t, bytes.Contains(x.log.b.Bytes(), []byte(v)), "the log shows %s", f.Name)
		x.log.mu.Unlock()
		require.NotContains(x.t, x.Dump(x.Acme.ID), v, "a row shows %s", f.Name)
	}
}
