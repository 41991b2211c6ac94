package whatsapp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/whatsapp"
	"lobstead/engine/channels/whatsapptest"
	"lobstead/kit/fault"
)

type rig struct {
	*testing.T
	s    *whatsapptest.Server
	wa   *whatsapp.WhatsApp
	a    service.Account
	ear  servicetest.Ear
	peer service.Peer
}

func newRig(t *testing.T) *rig {
	s := whatsapptest.New(t)
	return &rig{T: t, s: s, wa: &whatsapp.WhatsApp{}, peer: s.Peer("ada"),
		a: servicetest.Account(s.URL, map[string]string{"phone_number_id": s.Number, "access_token": s.Token, "app_secret": s.Secret, "verify_token": "verify-me"})}
}

// open connects the number to a door of ours.
func (r *rig) open() {
	r.Helper()
	require.NoError(r, r.s.Hook(servicetest.Door(r.T, r.wa, r.a, r.ear.Hear), "verify-me"))
}

func (r *rig) send(m service.Message) string {
	r.Helper()
	if m.Peer.ID == "" {
		m.Peer = r.peer
	}
	id, err := r.wa.Send(r.Context(), r.a, m)
	require.NoError(r, err)
	return id
}

func (r *rig) bad(m service.Message, k fault.Kind) {
	r.Helper()
	if m.Peer.ID == "" {
		m.Peer = r.peer
	}
	_, err := r.wa.Send(r.Context(), r.a, m)
	require.Equal(r, k, fault.KindOf(err), "%v", err)
	servicetest.Silent(r, r.a, err)
}

func TestFieldsAndCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, err := r.wa.Check(t.Context(), r.a)
	require.NoError(t, err)
	require.Equal(t, service.Profile{ID: r.s.Number, Name: "Lobstead +1 555-078-3881", Link: "https://wa.me/15550783881",
		Note: "WhatsApp has no address to deliver messages to: enter the callback URL in the Meta app dashboard."}, p)
	r.open()
	r.s.Verified = "EXPIRED"
	p, err = r.wa.Check(t.Context(), r.a)
	require.NoError(t, err)
	require.Contains(t, p.Note, "not verified")

	with := func(k, v string) service.Account {
		values := map[string]string{"phone_number_id": r.s.Number, "access_token": r.s.Token, "app_secret": r.s.Secret}
		values[k] = v
		return servicetest.Account(r.s.URL, values)
	}
	for _, c := range []struct {
		a    service.Account
		kind fault.Kind
	}{{with("app_secret", "wrong"), fault.Invalid}, {with("app_secret", ""), fault.Invalid}, {with("access_token", "wrong"), fault.Unauthenticated},
		{with("phone_number_id", "1"), fault.NotFound}, {with("phone_number_id", "../me"), fault.Invalid}, {with("phone_number_id", ""), fault.Invalid}} {
		_, err := r.wa.Check(t.Context(), c.a)
		require.Equal(t, c.kind, fault.KindOf(err), "%v", err)
	}
	var proofs []string
	for _, f := range r.wa.Fields() {
		require.NotEmpty(t, f.Label+f.Hint)
		if f.Proof {
			proofs = append(proofs, f.Name)
		}
	}
	require.Equal(t, []string{"app_secret"}, proofs)
}

func TestTheChallenge(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	door := servicetest.Door(t, r.wa, r.a, r.ear.Hear)
	require.NoError(t, r.s.Hook(door, "verify-me"))
	const token = "verify-me"
	for i := range token {
		bad := []byte(token)
		bad[i] ^= 1
		require.Error(t, r.s.Hook(door, string(bad)))
	}
	require.Error(t, r.s.Hook(door, ""))
	require.Error(t, r.s.Hook(door, token+"x"))
	bare := servicetest.Account(r.s.URL, map[string]string{"app_secret": r.s.Secret})
	require.Error(t, r.s.Hook(servicetest.Door(t, r.wa, bare, r.ear.Hear), ""))
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := delivery(r.s.Number, `"messages":[{"from":"15550001","id":"wamid.X","timestamp":"1","type":"text","text":{"body":"h\u00e9 \/"}}]`)
	servicetest.Signed(t, r.wa, r.a, body, time.Now(), map[string]string{"X-Hub-Signature-256": r.s.Sign(body)}, "X-Hub-Signature-256")
	_, err := r.wa.Receive(r.a, servicetest.Request([]byte("no json"), time.Now(), map[string]string{"X-Hub-Signature-256": r.s.Sign([]byte("no json"))}))
	require.True(t, fault.Is(err, fault.Invalid))
}

func delivery(number, rest string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"` +
		number + `"},` + rest + `},"field":"messages"}]}]}`)
}

func (r *rig) receive(rest string) []service.Event {
	r.Helper()
	body := delivery(r.s.Number, rest)
	got, err := r.wa.Receive(r.a, servicetest.Request(body, time.Now(), map[string]string{"X-Hub-Signature-256": r.s.Sign(body)}))
	require.NoError(r, err)
	return got.Events
}

// The payloads of Meta's documents.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const kerry = `"contacts":[{"profile":{"name":"Kerry Fisher"},"wa_id":"16315551234"}],`
	peer := service.Peer{ID: "16315551234", Direct: true, Called: true, Name: "Kerry Fisher"}
	sender := service.Sender{ID: "16315551234", Name: "Kerry Fisher"}
	at := time.Unix(1603059201, 0).UTC()
	said := func(rest string) service.Event {
		t.Helper()
		all := r.receive(kerry + `"messages":[{"from":"16315551234","id":"wamid.ABGGFlCGg0cvAgo","timestamp":"1603059201",` + rest + `}]`)
		require.Len(t, all, 1)
		e := all[0]
		require.Equal(t, []any{"wamid.ABGGFlCGg0cvAgo", peer, sender, at}, []any{e.ID, e.Peer, e.Sender, e.At})
		return e
	}
	e := said(`"text":{"body":"Hello this is an answer"},"type":"text"`)
	require.Equal(t, service.Event{ID: e.ID, Kind: service.Said, Message: e.ID, Peer: peer, Sender: sender, At: at, Text: "Hello this is an answer"}, e)
	e = said(`"context":{"from":"16505553333","id":"wamid.Q"},"text":{"body":"re"},"type":"text"`)
	require.Equal(t, "wamid.Q", e.ReplyTo)
	e = said(`"type":"image","image":{"caption":"This is a caption","mime_type":"image/jpeg","sha256":"81d3bd8a8db4868c9520ed47186e8b7c5789e61ff79f7f834be6950b808a90d3","id":"2754859441498128"}`)
	require.Equal(t, "This is a caption", e.Text)
	require.Equal(t, "image-Gg0cvAgo.jpg image/jpeg", e.Files[0].Name+" "+e.Files[0].MediaType)
	e = said(`"type":"audio","audio":{"mime_type":"audio/ogg; codecs=opus","sha256":"x","id":"5","voice":true}`)
	require.Equal(t, "audio/ogg", e.Files[0].MediaType)
	require.Empty(t, e.Text)
	e = said(`"type":"document","document":{"filename":"a b.pdf","mime_type":"application/pdf","sha256":"x","id":"5"}`)
	require.Equal(t, "a b.pdf", e.Files[0].Name)
	e = said(`"type":"location","location":{"latitude":38.9806263495,"longitude":-131.9428612257,"name":"Main Street Beach","address":"Main St"}`)
	require.Equal(t, "Place: Main Street Beach, Main St (38.980626, -131.942861)", e.Text)
	e = said(`"type":"contacts","contacts":[{"name":{"formatted_name":"Bob B"},"phones":[{"phone":"+1 (940) 555-1234","wa_id":"19405551234","type":"HOME"}]}]`)
	require.Equal(t, "Contact: Bob B, +1 (940) 555-1234", e.Text)
	e = said(`"type":"button","button":{"text":"No","payload":"No-Button-Payload"},"context":{"from":"1","id":"wamid.T"}`)
	require.Equal(t, "No", e.Text)
	e = said(`"interactive":{"list_reply":{"id":"row","title":"Row","description":"d"},"type":"list_reply"},"type":"interactive","context":{"from":"1","id":"wamid.T"}`)
	require.Equal(t, []any{service.Pressed, "row", "wamid.T", ""}, []any{e.Kind, e.Token, e.Message, e.ReplyTo})
	e = said(`"type":"edit","edit":{"original_message_id":"wamid.O","message":{"type":"text","text":{"body":"better"}}}`)
	require.Equal(t, []any{service.Edited, "wamid.O", "better"}, []any{e.Kind, e.Message, e.Text})

	// Somebody with a user name and no number; a group; several people in one delivery.
	all := r.receive(`"contacts":[{"profile":{"name":"Kerry","username":"kerry"},"user_id":"US.13491208655302741918"}],"messages":[{"from_user_id":"US.13491208655302741918","id":"wamid.B","timestamp":"1","type":"text","text":{"body":"x"}}]`)
	require.Equal(t, service.Sender{ID: "US.13491208655302741918", Name: "@kerry"}, all[0].Sender)
	all = r.receive(kerry + `"messages":[{"from":"16315551234","group_id":"G1","id":"wamid.C","timestamp":"1","type":"text","text":{"body":"x"}}]`)
	require.Equal(t, service.Peer{ID: "G1"}, all[0].Peer)
	for called, what := range map[string]string{ // as Meta's reference of group messages has them
		"":       `"type":"text","text":{"body":"What do you all think about this?"}`,
		"names":  `"type":"text","text":{"body":"@15550783881 what do you think?"}`,
		"quotes": `"type":"text","text":{"body":"yes"},"context":{"from":"15550783881","id":"wamid.Q"}`,
		"tells":  `"type":"text","text":{"body":"/help"}`,
	} {
		all = r.receive(kerry + `"messages":[{"from":"+16315551234","group_id":"Y2FwaV9ncm91cDox","id":"wamid.D","timestamp":"1739321024",` + what + `}]`)
		require.Equal(t, service.Peer{ID: "Y2FwaV9ncm91cDox", Called: called != ""}, all[0].Peer, "%s: answered where it was said, and only what was said to us", called)
		require.Equal(t, service.Sender{ID: "16315551234", Name: "Kerry Fisher"}, all[0].Sender, "a number is the same with a plus before it")
	}
	require.Empty(t, r.receive(`"statuses":[{"id":"wamid.S","status":"failed","timestamp":"1","recipient_id":"G1","recipient_type":"group","recipient_participant_id":"16315551234","errors":[{"code":131026}]}]`), "one of a group did not get it, the others did")
	all = r.receive(`"contacts":[{"profile":{"name":"A"},"wa_id":"1"},{"profile":{"name":"B"},"wa_id":"2"}],"messages":[{"from":"2","id":"wamid.1","timestamp":"1","type":"text","text":{"body":"x"}},{"odd":[1]},{"from":7,"id":5},{"from":"1","id":"wamid.2","timestamp":"2","type":"text","text":{"body":"y"}}]`)
	require.Len(t, all, 2)
	require.Equal(t, []string{"B", "A"}, []string{all[0].Sender.Name, all[1].Sender.Name})

	for what, rest := range map[string]string{
		"a reaction":       kerry + `"messages":[{"from":"16315551234","id":"wamid.R","timestamp":"1","reaction":{"emoji":"x","message_id":"wamid.Q"},"type":"reaction"}]`,
		"unknown":          kerry + `"messages":[{"from":"16315551234","id":"wamid.U","timestamp":"1","errors":[{"code":131051,"details":"Message type is not currently supported","title":"Unsupported message type"}],"type":"unsupported"}]`,
		"a deleted one":    kerry + `"messages":[{"from":"16315551234","id":"wamid.U","timestamp":"1","type":"revoke","revoke":{"original_message_id":"x"}}]`,
		"a changed number": `"messages":[{"from":"16315551234","id":"wamid.U","timestamp":"1","type":"system","system":{"body":"changed","new_wa_id":"5","type":"user_changed_number"}}]`,
	} {
		require.Empty(t, r.receive(rest), what)
	}
	for _, st := range []string{"sent", "delivered", "read"} {
		require.Empty(t, r.receive(`"statuses":[{"id":"wamid.S","status":"`+st+`","timestamp":"1603086313","recipient_id":"1"}]`), st)
	}
	late := r.receive(`"statuses":[{"id":"wamid.S","status":"failed","timestamp":"1603086313","recipient_id":"1","errors":[{"code":131047,"title":"Re-engagement message"}]},{"id":"wamid.T","status":"failed"}]`)
	require.Len(t, late, 2)
	require.Equal(t, []any{service.Refused, "wamid.S", time.Unix(1603086313, 0).UTC()}, []any{late[0].Kind, late[0].Message, late[0].At})
	require.Contains(t, late[0].Text, "More than 24 hours")
	require.Equal(t, "WhatsApp could not deliver it", late[1].Text)
	body := delivery("999", `"messages":[{"from":"1","id":"wamid.X","timestamp":"1","type":"text","text":{"body":"x"}}]`)
	got, err := r.wa.Receive(r.a, servicetest.Request(body, time.Now(), map[string]string{"X-Hub-Signature-256": r.s.Sign(body)}))
	require.NoError(t, err)
	require.Empty(t, got.Events, "another number of the same app")
}

func TestNothingIsLostNorDoubled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.open()
	r.ear.Deaf(2)
	id := r.s.Say("ada", "one")
	require.Equal(t, id, r.ear.Wait(t, 1)[0].ID)
	r.s.Repeat()
	r.s.Disorder()
	r.s.Say("ada", "two")
	r.s.Say("bob", "three")
	r.s.Status("ada", "wamid.x", "delivered")
	all := r.ear.Wait(t, 3)
	servicetest.Until(t, func() bool { return r.s.Pending() == 0 })
	require.Equal(t, 3, len(r.ear.All()))
	require.ElementsMatch(t, []string{"one", "two", "three"}, []string{all[0].Text, all[1].Text, all[2].Text})
}

func TestSending(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	pieces := r.wa.Split("**Hi** [you](https://x.org)")
	require.Equal(t, []string{"*Hi* you (https://x.org)"}, pieces)
	first := r.send(service.Message{Text: pieces[0], ReplyTo: "wamid.Q"})
	require.Equal(t, []servicetest.Sent{{ID: first, Peer: r.peer.ID, Thread: "wamid.Q", Text: pieces[0]}}, r.s.Sent())
	second := r.send(service.Message{Text: "better", Change: first})
	require.NotEqual(t, first, second)
	require.Equal(t, first, r.s.Sent()[1].Thread, "a change quotes what it changes")
	r.bad(service.Message{Text: " "}, fault.Invalid)
	r.bad(service.Message{Text: strings.Repeat("x", 4097)}, fault.Invalid)
	r.bad(service.Message{Text: "x", Peer: service.Peer{ID: "5", Direct: true}}, fault.Invalid)
	r.s.Late("ada")
	r.bad(service.Message{Text: "x"}, fault.Forbidden)
	r.s.Gone("bob")
	r.bad(service.Message{Text: "x", Peer: r.s.Peer("bob")}, fault.NotFound)
	r.s.Hide("eve")
	r.send(service.Message{Text: "psst", Peer: r.s.Peer("eve")})
	require.Equal(t, r.s.Peer("eve").ID, r.s.Sent()[2].Peer)
}

func TestButtons(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.open()
	token := strings.Repeat("t", 64)
	two := []service.Button{{Label: "Approve", Token: token}, {Label: "Deny and tell the agent why", Token: "n", Bad: true}}
	id := r.send(service.Message{Text: "Run `rm`?", Buttons: two})
	require.Equal(t, "Deny and tell the a…", r.s.Sent()[0].Buttons[1].Label)
	r.s.Press("ada", id, 0)
	e := r.ear.Wait(t, 1)[0]
	require.Equal(t, []any{service.Pressed, token, id, r.peer.ID, ""}, []any{e.Kind, e.Token, e.Message, e.Peer.ID, e.Press})
	require.Equal(t, id, r.send(service.Message{Press: "x", Change: id}), "a press needs no answer")
	require.Len(t, r.s.Sent(), 1)

	r.send(service.Message{Text: strings.Repeat("x", 2000), Buttons: two})
	many := append(append(two, two...), service.Button{Label: "Fifth", Token: "5"})
	for i := range many {
		many[i].Token += string(rune('a' + i))
		many[i].Label = string(rune('a'+i)) + many[i].Label
	}
	r.send(service.Message{Text: "Which?", Buttons: many})
	require.Len(t, r.s.Sent()[2].Buttons, 5)
	r.bad(service.Message{Text: "x", Buttons: make([]service.Button, 11)}, fault.Invalid)

	r.send(service.Message{Peer: service.Peer{ID: whatsapptest.Group}, Text: "Run `rm`?", Buttons: two})
	last := r.s.Sent()[3]
	require.Equal(t, whatsapptest.Group, last.Peer)
	require.Empty(t, last.Buttons)
	require.Contains(t, last.Text, "Decide on the page of approvals")
}

func TestFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.open()
	r.send(service.Message{File: &service.Upload{Name: "ü.pdf", MediaType: "application/pdf", Data: []byte("%PDF")}})
	r.send(service.Message{File: &service.Upload{Name: "a.json", MediaType: "application/json; charset=utf-8", Data: []byte("{}")}})
	r.send(service.Message{File: &service.Upload{Name: "p.png", MediaType: "image/png", Data: []byte("png")}})
	sent := r.s.Sent()
	require.Equal(t, "ü.pdf application/pdf", sent[0].File.Name+" "+sent[0].File.MediaType)
	require.Equal(t, "a.json text/plain {}", sent[1].File.Name+" "+sent[1].File.MediaType+" "+string(sent[1].File.Data))
	require.Equal(t, "image/png", sent[2].File.MediaType)
	r.bad(service.Message{File: &service.Upload{Name: "a.zip", MediaType: "application/zip", Data: []byte("PK")}}, fault.Invalid)
	r.bad(service.Message{File: &service.Upload{Name: "e.txt", MediaType: "text/plain"}}, fault.Invalid)
	r.bad(service.Message{File: &service.Upload{Name: "b.png", MediaType: "image/png", Data: make([]byte, 5<<20+1)}}, fault.TooLarge)

	r.s.Attach("ada", "see", service.Upload{Name: "in.txt", MediaType: "text/plain", Data: []byte("inside")})
	r.s.Attach("ada", "", service.Upload{Name: "big", MediaType: "text/plain", Data: make([]byte, 20<<20+1)})
	all := r.ear.Wait(t, 2)
	body, err := all[0].Files[0].Open(t.Context(), r.a)
	require.NoError(t, err)
	b, err := io.ReadAll(body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	require.Equal(t, "inside", string(b))
	_, err = all[1].Files[0].Open(t.Context(), r.a)
	require.True(t, fault.Is(err, fault.TooLarge))
}

// An address that is not the service's own is never given the token.
func TestTheTokenStaysHome(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.open()
	asked := make(chan http.Header, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { asked <- q.Header }))
	t.Cleanup(other.Close)
	r.s.Elsewhere = other.URL
	r.s.Attach("ada", "", service.Upload{Name: "in.txt", MediaType: "text/plain", Data: []byte("inside")})
	body, err := r.ear.Wait(t, 1)[0].Files[0].Open(t.Context(), r.a)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	require.Empty(t, (<-asked).Get("Authorization"))
}

func TestTyping(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.open()
	require.NoError(t, r.wa.Typing(t.Context(), r.a, r.peer, ""), "it is for no message")
	id := r.s.Say("ada", "hi")
	e := r.ear.Wait(t, 1)[0]
	require.NoError(t, r.wa.Typing(t.Context(), r.a, e.Peer, e.Message))
	require.Equal(t, []string{id}, r.s.Read())
}

func TestFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	servicetest.Failures(t, r.wa, r.a, service.Message{Text: "x", Peer: r.peer}, &r.s.Trouble, r.s.Sent)
	r.s.Revoke()
	r.bad(service.Message{Text: "x"}, fault.Unauthenticated)
}

// What Meta's table of error codes says becomes what follows from it. https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
func TestErrorCodes(t *testing.T) {
	t.Parallel()
	var answer string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(web.Close)
	a := servicetest.Account(web.URL, map[string]string{"phone_number_id": "1", "access_token": "t0ken"})
	for code, kind := range map[string]fault.Kind{"0": fault.Unauthenticated, "190": fault.Unauthenticated, "3": fault.Unauthenticated, "10": fault.Unauthenticated, "200": fault.Unauthenticated,
		"368": fault.Unauthenticated, "131031": fault.Unauthenticated, "131042": fault.Unauthenticated, "133010": fault.Unauthenticated,
		"4": fault.TooMany, "80007": fault.TooMany, "130429": fault.TooMany, "131048": fault.TooMany, "131056": fault.TooMany,
		"1": fault.Upstream, "2": fault.Upstream, "131000": fault.Upstream, "131016": fault.Upstream,
		"131026": fault.NotFound, "131030": fault.Forbidden, "131047": fault.Forbidden, "131049": fault.Forbidden, "100": fault.Invalid, "131008": fault.Invalid, "131051": fault.Invalid} {
		answer = `{"error":{"message":"(#` + code + `) Something","type":"OAuthException","code":` + code + `,"fbtrace_id":"x"}}`
		_, err := (&whatsapp.WhatsApp{}).Send(context.Background(), a, service.Message{Text: "x", Peer: service.Peer{ID: "1", Direct: true}})
		require.Equal(t, kind, fault.KindOf(err), "%s: %v", code, err)
		require.Equal(t, kind == fault.TooMany, !fault.As(err).RetryAt.IsZero())
	}
}
