package app_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/api/cloud"
	"lobstead/app"
	"lobstead/app/apptest"
	"lobstead/models"
)

// searched asks as a program and gives the results.
func searched(t *testing.T, w *apptest.World, who *apptest.Person, byKey bool, q string) []cloud.Hit {
	t.Helper()
	a := w.Do(apptest.Call{Method: "GET", Path: "/search?q=" + url.QueryEscape(q), Who: who, ByKey: byKey, Face: apptest.JSON})
	require.Equal(t, 200, a.Status, a.Body)
	out := cloud.Found{}
	a.Read(t, &out)
	assert.LessOrEqual(t, len(out.Results), 20, q)
	return out.Results
}

func titles(hits []cloud.Hit) string {
	out := []string{}
	for _, h := range hits {
		out = append(out, h.Title)
	}
	return strings.Join(out, "|")
}

func TestSearchFindsAndRanks(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	w.Running(w.Acme, "box")
	w.Running(w.Acme, "my-box-2")

	hits := searched(t, w, w.Acme.Owner, false, "box")
	assert.Equal(t, "box", hits[0].Title, "what is called so comes first")
	assert.Equal(t, "instance", hits[0].Kind)
	assert.Contains(t, titles(hits), "acme-canary-box|Stop acme-canary-box|Restart acme-canary-box")

	hits = searched(t, w, w.Acme.Owner, false, "STOP  acme")
	require.NotEmpty(t, hits)
	assert.Equal(t, "Stop acme-canary-box", hits[0].Title)
	assert.Equal(t, &cloud.HitAction{Method: "POST", Path: "/instances/" + w.Acme.Instance.ID + "/power", Field: "action", Value: "stop"}, hits[0].Action)
	assert.NotContains(t, titles(searched(t, w, w.Acme.Owner, false, "start acme")), "Start acme-canary-box", "it runs already")

	hits = searched(t, w, w.Acme.Member, false, "secret plans")
	assert.Equal(t, "chat", hits[0].Kind)
	assert.Equal(t, "/chat/"+w.Acme.Session.ID, hits[0].Href)
	assert.Equal(t, "acme-canary-box", hits[0].Note)
	hits = searched(t, w, w.Acme.Member, false, "confidential")
	require.Len(t, hits, 1, "said in a message")
	assert.Equal(t, "/chat/"+w.Acme.Session.ID, hits[0].Href)
	assert.Empty(t, searched(t, w, w.Acme.Member, false, "no such words anywhere"))

	assert.Equal(t, "member", searched(t, w, w.Acme.Member, false, w.Acme.Admin.Email)[0].Kind)
	hits = searched(t, w, w.Acme.Member, false, "test")
	assert.Equal(t, "key", hits[0].Kind)
	assert.True(t, strings.HasPrefix(hits[0].Href, "/settings/keys#key-"), hits[0].Href)
	assert.Equal(t, "Audit log", searched(t, w, w.Acme.Owner, false, "audit")[0].Title)
	assert.NotContains(t, titles(searched(t, w, w.Acme.Member, false, "audit")), "Audit log")
	assert.Equal(t, "Settings", searched(t, w, w.Acme.Member, false, "settings")[0].Title)
	assert.Equal(t, "New chat", searched(t, w, w.Acme.Member, false, "new chat")[0].Title)
	dark := searched(t, w, w.Acme.Member, false, "dark")
	assert.Equal(t, &cloud.HitAction{Method: "POST", Path: "/theme", Field: "theme", Value: "dark"}, dark[0].Action)
	assert.Contains(t, titles(searched(t, w, w.Acme.Member, false, "")), "New chat", "without words: what one may want")
}

// What is found can be opened and done: each result is called as the page would call it.
func TestSearchOffersWhatIsAllowed(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, who := range []*apptest.Person{w.Acme.Owner, w.Acme.Admin, w.Acme.Member} {
		for _, q := range []string{"", "acme", "a", "e", "settings", "delete", "deploy", "theme"} {
			for _, h := range searched(t, w, who, false, q) {
				switch {
				case h.Href == "/settings/export": // an act in the log of its own
				case h.Action == nil:
					require.NotEmpty(t, h.Href)
					status := w.Do(apptest.Call{Method: "GET", Path: h.Href, Who: who}).Status
					assert.Contains(t, []int{200, 303}, status, "%s may not open %s", who.Name, h.Title)
				case strings.HasPrefix(h.Action.Path, "/theme"):
					assert.Equal(t, 303, w.Do(apptest.Call{Method: h.Action.Method, Path: h.Action.Path, Who: who, Form: url.Values{h.Action.Field: {h.Action.Value}}}).Status)
				default:
					assert.True(t, routed(w, h.Action.Method, h.Action.Path), "%s posts to %s", h.Title, h.Action.Path)
				}
			}
		}
	}
	member := titles(searched(t, w, w.Acme.Member, false, "acme"))
	assert.Contains(t, member, "Stop acme-canary-box")
	assert.NotContains(t, member, "Delete acme-canary-box")
	assert.Contains(t, titles(searched(t, w, w.Acme.Owner, false, "acme")), "Delete acme-canary-box…")
	assert.NotContains(t, titles(searched(t, w, w.Acme.Member, false, "deploy")), "Deploy instance")
}

// routed tells whether a path is one of the table's.
func routed(w *apptest.World, method, path string) bool {
	for _, r := range w.App.Routes() {
		want, have := strings.Split(r.Path, "/"), strings.Split(path, "/")
		same := r.Method == method && len(want) == len(have)
		for n := range min(len(want), len(have)) {
			same = same && (want[n] == have[n] || strings.HasPrefix(want[n], ":"))
		}
		if same {
			return true
		}
	}
	return false
}

// A key finds what its scopes leave, and no page that only a person may open.
func TestSearchKeepsToAKeysScopes(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	_, key, err := w.Acme.Scope.As(models.Actor{UserID: w.Acme.Owner.UserID, Role: models.Owner}).
		CreateAPIKey(t.Context(), models.NewAPIKey{Name: "reader", Scopes: models.Scopes{models.CanView}})
	require.NoError(t, err)
	reader := &apptest.Person{Key: key.Reveal()}
	assert.Empty(t, searched(t, w, reader, true, "confidential"), "chats are for who may use instances")
	got := titles(searched(t, w, reader, true, "acme"))
	assert.Contains(t, got, "acme-canary-box")
	assert.NotContains(t, got, "Stop")
	assert.NotContains(t, titles(searched(t, w, reader, true, "sign")), "Sign")
	assert.NotEmpty(t, searched(t, w, w.Acme.Owner, true, "confidential"))
}

// Somebody who belongs to two organizations may go to the other one, and sees nothing of it until then.
func TestSearchSwitchesOrganizations(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	assert.NotContains(t, titles(searched(t, w, w.Acme.Owner, false, "switch rival")), "Switch to")
	_, err := w.Rival.Scope.Invite(t.Context(), w.Acme.Owner.Email, models.Member)
	require.NoError(t, err)
	hits := searched(t, w, w.Acme.Owner, false, "switch to rival")
	require.NotEmpty(t, hits)
	assert.Equal(t, "Switch to Rival", hits[0].Title)
	assert.NotContains(t, titles(searched(t, w, w.Acme.Owner, true, "switch to rival")), "Rival", "a key stays where it is")
	assert.NotContains(t, titles(searched(t, w, w.Acme.Owner, false, "rival")), w.Rival.Instance.Name)
	assert.Equal(t, 303, w.Do(apptest.Call{Method: hits[0].Action.Method, Path: hits[0].Action.Path, Who: w.Acme.Owner, Form: url.Values{}}).Status)
	assert.Contains(t, titles(searched(t, w, w.Acme.Owner, false, "rival")), w.Rival.Instance.Name)
	assert.NotContains(t, titles(searched(t, w, w.Acme.Owner, false, "acme")), w.Acme.Instance.Name)
}

// The back office does not exist for others, in the palette either.
func TestSearchKeepsTheBackOfficeToStaff(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Exec("UPDATE users SET staff = FALSE WHERE id = ?", w.Acme.Owner.UserID)
	a := w.Do(apptest.Call{Method: "GET", Path: "/search?q=back+office", Who: w.Acme.Owner})
	assert.Equal(t, 200, a.Status)
	lacks(t, a.Body, "/admin", "All users")
	w.Exec("UPDATE users SET staff = TRUE WHERE id = ?", w.Acme.Owner.UserID)
	assert.Equal(t, "Back office", searched(t, w, w.Acme.Owner, false, "back office")[0].Title)
	assert.NotContains(t, titles(searched(t, w, w.Acme.Owner, true, "back office")), "Back office", "a key is no person")
}

// A page that the palette knows is a page that there is.
func TestSearchKnowsNoPageThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, path := range app.SearchPlaces() {
		assert.True(t, routed(w, "GET", path), path)
	}
}

// The other organization's words never appear, whatever is asked.
func TestSearchStaysInTheOrganization(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	w.Answered(w.Rival.Scope, w.Rival.Session.ID)
	for _, q := range []string{"", "a", "acme", "Acme Canary", "canary", "box", "secret", "secret plans", "confidential", "member", "admin", "test", "notes", "%", "_",
		w.Acme.Session.ID, w.Acme.Instance.ID, "stop acme-canary-box", "switch"} {
		for _, face := range []apptest.Face{apptest.Page, apptest.Partial, apptest.JSON} {
			for _, byKey := range []bool{false, true} {
				a := w.Do(apptest.Call{Method: "GET", Path: "/search?q=" + url.QueryEscape(q), Who: w.Rival.Owner, ByKey: byKey, Face: face})
				assert.Equal(t, 200, a.Status, q)
				for _, word := range canaries(w.Acme) {
					if !strings.Contains(strings.ToLower(q), strings.ToLower(word)) {
						lacks(t, a.Body, word)
					}
				}
				lacks(t, a.Body, "/instances/"+w.Acme.Instance.ID, "/chat/"+w.Acme.Session.ID)
			}
		}
	}
}

func TestSearchTakesAnything(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	for _, q := range []string{"%", "_", `\`, `\%`, "'", `"`, "';--", "<script>alert(1)</script>", "{{7*7}}", "😀", "İ", "ſ", "\u202e", "\n\r\t",
		strings.Repeat("a", 5000), strings.Repeat("é", 201), strings.Repeat("%", 300), strings.Repeat("a ", 300), "${jndi:x}", "../../etc/passwd"} {
		for _, face := range []apptest.Face{apptest.Page, apptest.Partial, apptest.JSON} {
			a := w.Do(apptest.Call{Method: "GET", Path: "/search?q=" + url.QueryEscape(q), Who: w.Acme.Owner, Face: face})
			assert.Equal(t, 200, a.Status, "%.40q", q)
			if face != apptest.JSON {
				lacks(t, a.Body, "<script>alert")
			}
		}
		if strings.Trim(q, `%_\'"`) == "" && len(q) < 3 {
			assert.NotContains(t, titles(searched(t, w, w.Acme.Owner, false, q)), "acme-canary-box", "%q is no pattern", q)
		}
	}
}

func TestSearchPageWorksWithoutScripts(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	a := w.Do(apptest.Call{Method: "GET", Path: "/search?q=acme-canary", Who: w.Acme.Member})
	has(t, a.Body, `action="/instances/`+w.Acme.Instance.ID+`/power"`, `name="action" value="stop"`, `href="/instances/`+w.Acme.Instance.ID+`"`, `value="acme-canary"`)
	lacks(t, a.Body, `role="option"`)
	part := w.Do(apptest.Call{Method: "GET", Path: "/search?q=stop+acme", Who: w.Acme.Member, Face: apptest.Partial})
	has(t, part.Body, `role="listbox"`, `role="option"`, `data-query="stop acme"`, `form="palette-act"`, `formaction="/instances/`+w.Acme.Instance.ID+`/power"`)
	lacks(t, part.Body, "<html")
	none := w.Do(apptest.Call{Method: "GET", Path: "/search?q=zzzz", Who: w.Acme.Member})
	has(t, none.Body, "Nothing here has these words")

	done := w.Do(apptest.Call{Method: "POST", Path: "/instances/" + w.Acme.Instance.ID + "/power", Who: w.Acme.Member, Form: url.Values{"action": {"stop"}}})
	assert.Equal(t, 303, done.Status, "the form that was found does what it says")
}
