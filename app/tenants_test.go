package app_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"lobstead/app/apptest"
)

// Every route and every id position with another organization's credentials: the row does not exist.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	w.Answered(w.Rival.Scope, w.Rival.Session.ID)
	before := w.Dump(w.Acme.ID)
	n := 0
	for _, c := range cases(t, w, w.Acme) {
		if !c.foreign {
			continue
		}
		n++
		for name, call := range faces(c.call, w.Rival.Owner) {
			t.Run(c.name+" "+name, func(t *testing.T) {
				a := w.Do(call)
				want := 404
				switch {
				case call.ByKey && strings.HasPrefix(c.access, "signed-in person"):
					want = 401
				case c.route == "GET /chat" && call.Face == apptest.Partial:
					want = 200 // the left column: the caller's own list, whatever instance is named
				}
				assert.Equal(t, want, a.Status)
				tellsNothing(t, w.Acme, a, call.Path+c.sent)
				secured(t, a, c.name)
			})
		}
	}
	assert.Greater(t, n, 25)
	assert.Equal(t, before, w.Dump(w.Acme.ID), "another organization changed something")
}

// Lists and pages without an id show the caller's organization only.
func TestListsAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	for _, c := range cases(t, w, w.Rival) {
		if c.call.Method != "GET" {
			continue
		}
		for name, call := range faces(c.call, w.Rival.Owner) {
			a := w.Do(call)
			assert.Less(t, a.Status, 500, c.name+name)
			tellsNothing(t, w.Acme, a, "")
		}
	}
	for _, path := range []string{"/", "/instances", "/chat?new=1", "/settings/models", "/instances?q=acme", "/chat?q=confidential", "/chat?q=secret&archived=1"} {
		tellsNothing(t, w.Acme, w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Rival.Owner}), "")
	}
}

// A session_id that another organization has is only a name: the caller gets a session of their own.
func TestForeignSessionNameIsANewSession(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	before := w.Dump(w.Acme.ID)
	a := w.Do(apptest.Call{Method: "POST", Path: "/api/agent/chat", Who: w.Rival.Member, ByKey: true, JSON: map[string]string{"message": "what was said here?", "session_id": w.Acme.Session.ID}})
	assert.Equal(t, 200, a.Status)
	tellsNothing(t, w.Acme, a, w.Acme.Session.ID)
	assert.Equal(t, before, w.Dump(w.Acme.ID))
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM sessions WHERE organization_id = ? AND alias = ?", w.Rival.ID, w.Acme.Session.ID))
}

func TestAttachmentNeedsItsSession(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	other := w.Do(apptest.Call{Method: "POST", Path: "/api/agent/sessions", Who: w.Acme.Owner, ByKey: true, JSON: `{"title":"other"}`})
	s := other.Map()["session"].(map[string]any)["id"].(string)
	for path, status := range map[string]int{"/chat/" + s + "/attachments/" + w.Acme.Attachment: 404, "/chat/" + w.Acme.Session.ID + "/attachments/" + w.Acme.Attachment: 200,
		"/chat/" + w.Acme.Session.ID + "/attachments/" + w.Rival.Attachment: 404, "/chat/" + w.Rival.Session.ID + "/attachments/" + w.Rival.Attachment: 404} {
		assert.Equal(t, status, w.Do(apptest.Call{Method: "GET", Path: path, Who: w.Acme.Member}).Status, path)
	}
}

func faces(c apptest.Call, who *apptest.Person) map[string]apptest.Call {
	out := map[string]apptest.Call{}
	c.Who = who
	for _, face := range []apptest.Face{apptest.Page, apptest.Partial, apptest.JSON} {
		f := c
		f.Face = face
		out["cookie "+string(face)] = f
	}
	c.ByKey, c.Face = true, apptest.JSON
	out["key"] = c
	return out
}

func TestDumpKnowsEveryTable(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.CheckOwned()
}
