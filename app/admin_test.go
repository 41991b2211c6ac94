package app_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/id"
	"lobstead/models"
)

// requestID differs in every answer.
var requestID = regexp.MustCompile(`c[0-9a-z]{25}`)

// To everybody but staff, a route of the back office is a route that does not exist: the same answer, word for word.
func TestBackOfficeIsNotThere(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	staff, acme, rival := w.Acme.Owner, w.Dump(w.Acme.ID), w.Dump(w.Rival.ID)
	revoked := *staff
	w.SignIn(&revoked)
	w.Exec("UPDATE sign_ins SET revoked_at = created_at WHERE id = ?", revoked.SignInID)
	people := map[string]struct {
		who   *apptest.Person
		byKey bool
	}{"guest": {nil, false}, "member": {w.Acme.Member, false}, "admin": {w.Acme.Admin, false}, "owner": {w.Rival.Owner, false}, "owner's key": {w.Rival.Owner, true},
		"staff's key": {staff, true}, "no key": {&apptest.Person{Key: "lob_nonsense"}, true}, "signed out staff": {&revoked, false}}
	n := 0
	for _, c := range cases(t, w, w.Acme) {
		if !strings.HasPrefix(c.call.Path, "/admin") {
			assert.NotEqual(t, "staff", c.access, "%s is staff's, elsewhere than below /admin", c.name)
			continue
		}
		n++
		assert.Equal(t, "staff", c.access, c.name)
		for name, p := range people {
			for _, face := range []apptest.Face{apptest.Page, apptest.Partial, apptest.JSON} {
				call := c.call
				call.Who, call.ByKey, call.Face = p.who, p.byKey, face
				got := w.Do(call)
				call.Path = "/nothing" + strings.TrimPrefix(call.Path, "/admin")
				want := w.Do(call)
				require.Equal(t, 404, got.Status, "%s as %s", c.name, name)
				assert.Equal(t, requestID.ReplaceAllString(want.Body, ""), requestID.ReplaceAllString(got.Body, ""), "%s as %s", c.name, name)
				assert.Equal(t, names(want), names(got), "%s as %s", c.name, name)
			}
		}
		call := c.call
		call.Who, call.Header = staff, map[string]string{"Sec-Fetch-Site": "cross-site"}
		if call.Method == "POST" {
			assert.Equal(t, 404, w.Do(call).Status, "%s from another site", c.name)
		}
	}
	assert.Greater(t, n, 20)
	assert.Equal(t, acme, w.Dump(w.Acme.ID), "somebody changed something")
	assert.Equal(t, rival, w.Dump(w.Rival.ID))
	assert.Equal(t, 0, w.Count("SELECT count(*) FROM backups"))
}

// names are those of an answer's headers.
func names(a apptest.Answer) []string {
	out := []string{}
	for name := range a.Header {
		if name != "Date" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// office sends a form of the back office as Acme's owner, who is staff.
func office(w *apptest.World, path, act, reason string, kv ...string) apptest.Answer {
	form := url.Values{"act": {act}, "reason": {reason}}
	for i := 0; i+1 < len(kv); i += 2 {
		form.Set(kv[i], kv[i+1])
	}
	return w.Do(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Owner, Form: form})
}

// entries gives the acts of a chain with the reason, newest first.
func entries(t *testing.T, w *apptest.World, chain string) []models.AuditEntry {
	t.Helper()
	rows, err := w.Store.AsSystem("test").AuditEntries(t.Context(), chain, models.AuditFilter{})
	require.NoError(t, err)
	return rows
}

func noted(t *testing.T, w *apptest.World, chain, act, reason string) {
	t.Helper()
	for _, e := range entries(t, w, chain) {
		if e.Act == act && e.Reason == reason {
			assert.Equal(t, models.ActorStaff, e.ActorKind, act)
			assert.Equal(t, w.Acme.Owner.UserID, e.ActorID, act)
			assert.NotEmpty(t, e.Address, act)
			return
		}
	}
	t.Errorf("no entry %s because %q in %s", act, reason, chain)
}

const sayWhy = "Say why, in at least 3 characters"

// Every act asks for a reason: without one nothing happens, and the sentence stands beside the field.
func TestEveryActAsksForAReason(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	acme, rival := w.Dump(w.Acme.ID), w.Dump(w.Rival.ID)
	b, err := w.Store.AsSystem("test").AskBackup(t.Context(), models.Actor{UserID: w.Acme.Owner.UserID, Staff: true, Reason: "for the test"})
	require.NoError(t, err)
	before := len(entries(t, w, models.InstallationChain))
	org, user, at := "/admin/organizations/"+w.Rival.ID, "/admin/users/"+w.Rival.Member.UserID, "/admin/instances/"+w.Rival.Instance.ID
	for _, c := range []struct {
		path, act string
		kv        []string
	}{
		{user, "block", nil}, {user, "unblock", nil}, {user, "sign_out", nil}, {user, "make_staff", nil}, {user, "end_staff", nil},
		{org, "plan", []string{"plan", "PRO"}}, {org, "limit", []string{"instance_limit", "1"}}, {org, "suspend", nil}, {"/admin/plans/PRO", "save", []string{"instances", "9"}}, {org + "/flags", "off", []string{"flag", "agents"}}, {org + "/delete", "delete", []string{"confirm", w.Rival.Name}},
		{at, "reconcile", nil}, {"/admin/jobs/critical", "pause", nil}, {"/admin/flags", "off", []string{"flag", "agents"}}, {"/admin/backups", "make", nil},
		{"/admin/deliveries", "test", []string{"address", "me@example.com"}}, {"/admin/deliveries/" + w.Rival.Delivery.ID, "drop", nil}, {"/admin/deliveries/" + w.Rival.Delivery.ID, "replay", nil},
		{"/admin/backups/" + b.ID, "delete", nil}, {"/admin/backups/" + b.ID, "rehearse", nil},
	} {
		for _, reason := range []string{"", "  ", "no", strings.Repeat("x", 501)} {
			a := office(w, c.path, c.act, reason, c.kv...)
			assert.Equal(t, 422, a.Status, "%s %s because %q", c.path, c.act, reason)
			want := sayWhy
			if len(reason) > 500 {
				want = "Say why in at most 500 characters"
			}
			has(t, a.Body, want, `aria-invalid="true"`, "field-error")
		}
		form := url.Values{"act": {"nonsense"}, "reason": {"a good one"}}
		assert.Equal(t, 422, w.Do(apptest.Call{Method: "POST", Path: c.path, Who: w.Acme.Owner, Form: form}).Status, c.path)
	}
	assert.Len(t, entries(t, w, models.InstallationChain), before)
	assert.Equal(t, acme, w.Dump(w.Acme.ID))
	assert.Equal(t, rival, w.Dump(w.Rival.ID))
}

func TestAdminUsers(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	a := w.Do(get("/admin/users", w.Acme.Owner))
	assert.Equal(t, 200, a.Status)
	has(t, a.Body, w.Acme.Member.Email, w.Rival.Owner.Email, "Staff", `href="/admin"`)
	a = w.Do(get("/admin/users?q=RIVAL", w.Acme.Owner))
	has(t, a.Body, w.Rival.Member.Email)
	lacks(t, a.Body, w.Acme.Member.Email)
	has(t, w.Do(get("/admin/users?q=nobody-like-that", w.Acme.Owner)).Body, "Nobody found")
	lacks(t, w.Do(get("/admin/users?only=staff", w.Acme.Owner)).Body, w.Rival.Owner.Email)

	member := w.Rival.Member
	at := "/admin/users/" + member.UserID
	a = w.Do(get(at, w.Acme.Owner))
	has(t, a.Body, member.Email, w.Rival.Name, "Make staff", "Block")
	assert.Equal(t, 404, w.Do(get("/admin/users/"+id.New(), w.Acme.Owner)).Status)

	s := w.Open("/live/overview?after=0", member)
	assert.Equal(t, 303, office(w, at, "block", "spam, ticket 12").Status)
	s.Ended(waitLong)
	assert.Equal(t, 303, w.Do(get("/", member)).Status, "signed out")
	assert.Equal(t, 401, w.Do(apptest.Call{Method: "GET", Path: "/api/instances", Who: member, ByKey: true}).Status, "the key is dead too")
	noted(t, w, models.InstallationChain, "person.blocked", "spam, ticket 12")
	noted(t, w, w.Rival.ID, "person.blocked", "spam, ticket 12")
	has(t, w.Do(get("/admin/users?only=blocked", w.Acme.Owner)).Body, member.Email)
	assert.Equal(t, 422, office(w, at, "make_staff", "helps out").Status, "who is blocked is no staff")
	assert.Equal(t, 303, office(w, at, "unblock", "a mistake").Status)
	noted(t, w, w.Rival.ID, "person.unblocked", "a mistake")
	assert.Equal(t, 303, w.Do(get("/", member)).Status, "they sign in afresh")
	w.SignIn(member)
	assert.Equal(t, 200, w.Do(get("/", member)).Status)
	assert.Equal(t, 303, office(w, at, "sign_out", "lost a laptop").Status)
	assert.Equal(t, 303, w.Do(get("/", member)).Status)
	noted(t, w, models.InstallationChain, "person.signed_out", "lost a laptop")

	w.SignIn(member)
	assert.Equal(t, 404, w.Do(get("/admin", member)).Status)
	assert.Equal(t, 303, office(w, at, "make_staff", "helps out").Status)
	assert.Equal(t, 200, w.Do(get("/admin", member)).Status)
	assert.Equal(t, 303, office(w, at, "end_staff", "helped out").Status)
	assert.Equal(t, 404, w.Do(get("/admin", member)).Status)
	noted(t, w, models.InstallationChain, "person.staff_changed", "helped out")

	own := "/admin/users/" + w.Acme.Owner.UserID
	for _, act := range []string{"block", "end_staff"} {
		a := office(w, own, act, "oneself")
		assert.Equal(t, 422, a.Status)
		has(t, a.Body, "Not yourself")
	}
	lacks(t, w.Do(get(own, w.Acme.Owner)).Body, `value="block"`, `value="end_staff"`)
}

func TestAdminOrganizations(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	a := w.Do(get("/admin/organizations", w.Acme.Owner))
	has(t, a.Body, w.Acme.Name, w.Rival.Name, "BUSINESS")
	lacks(t, w.Do(get("/admin/organizations?q=riv", w.Acme.Owner)).Body, w.Acme.Name+"</a>")
	at := "/admin/organizations/" + w.Rival.ID
	has(t, w.Do(get(at, w.Acme.Owner)).Body, w.Rival.Member.Email, w.Rival.Instance.Name, "AI agents enabled")

	assert.Equal(t, 303, office(w, at, "plan", "a deal", "plan", "PRO").Status)
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM organizations WHERE id = ? AND plan = 'PRO'", w.Rival.ID))
	noted(t, w, w.Rival.ID, "organization.plan_changed", "a deal")
	assert.Equal(t, 422, office(w, at, "plan", "a deal", "plan", "GOLD").Status)

	assert.Equal(t, 303, office(w, at, "limit", "they asked", "instance_limit", "1").Status)
	noted(t, w, w.Rival.ID, "organization.limit_changed", "they asked")
	deploy := apptest.Call{Method: "POST", Path: "/api/instances", Who: w.Rival.Owner, ByKey: true, JSON: `{"name":"one-more","region":"local","tier":"STARTER"}`}
	assert.Equal(t, 403, w.Do(deploy).Status)
	for _, bad := range []string{"-1", "many"} {
		a = office(w, at, "limit", "they asked", "instance_limit", bad)
		assert.Equal(t, 422, a.Status)
		has(t, a.Body, `id="limit-limit-error"`, `value="`+bad+`"`)
	}
	assert.Equal(t, 303, office(w, at, "limit", "over", "instance_limit", "").Status)

	assert.Equal(t, 303, office(w, at, "suspend", "unpaid for months").Status)
	noted(t, w, w.Rival.ID, "organization.suspended", "unpaid for months")
	stopped := w.Do(deploy)
	assert.Equal(t, 403, stopped.Status)
	has(t, stopped.Body, "organization.suspended", "unpaid for months")
	has(t, w.Do(get(at, w.Acme.Owner)).Body, "Suspended", "End the suspension")
	assert.Equal(t, 1, w.Count("SELECT count(*) FROM instances WHERE organization_id = ? AND state = 'SUSPENDED'", w.Rival.ID))
	assert.Equal(t, 303, office(w, at, "resume", "they paid").Status)
	require.Eventually(t, func() bool {
		return w.Count("SELECT count(*) FROM instances WHERE organization_id = ? AND state = 'RUNNING'", w.Rival.ID) == 1
	}, waitLong, waitStep)

	assert.Equal(t, 303, office(w, at+"/flags", "off", "abuse", "flag", "agents").Status)
	noted(t, w, w.Rival.ID, "flag.changed", "abuse")
	message := apptest.Call{Method: "POST", Path: "/api/agent/chat", Who: w.Rival.Owner, ByKey: true, JSON: `{"message":"hello"}`}
	refused := w.Do(message)
	assert.Equal(t, 403, refused.Status)
	has(t, refused.Body, "agents.off", "switched off")
	page := w.Do(apptest.Call{Method: "POST", Path: "/chat/" + w.Rival.Session.ID + "/messages", Who: w.Rival.Owner, Form: url.Values{"message": {"hello"}}})
	assert.Equal(t, 403, page.Status)
	assert.Equal(t, 303, office(w, at+"/flags", "follow", "settled", "flag", "agents").Status)
	assert.Equal(t, 404, office(w, at+"/flags", "off", "abuse", "flag", "nonsense").Status)

	a = office(w, at+"/delete", "delete", "asked by mail", "confirm", "rival?")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "Type the organization&#39;s name to delete it", "asked by mail")
	s := w.Open("/live/overview?after=0", w.Rival.Admin)
	assert.Equal(t, 303, office(w, at+"/delete", "delete", "asked by mail", "confirm", w.Rival.Name).Status)
	s.Ended(waitLong)
	noted(t, w, models.InstallationChain, "organization.deleted", "asked by mail")
	assert.Equal(t, 303, w.Do(get("/instances", w.Rival.Owner)).Status, "homeless")
	require.Eventually(t, func() bool {
		return w.Count("SELECT count(*) FROM instances WHERE organization_id = ?", w.Rival.ID) == 0
	}, waitLong, waitStep)
	has(t, w.Do(get(at, w.Acme.Owner)).Body, "Deleting")
	assert.Equal(t, 404, office(w, at+"/delete", "delete", "asked by mail", "confirm", w.Rival.Name).Status, "once")
}

func TestAdminInstances(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	has(t, w.Do(get("/admin/instances", w.Acme.Owner)).Body, w.Acme.Instance.Name, w.Rival.Instance.Name, w.Rival.Name)
	has(t, w.Do(get("/admin/instances?state=ERROR", w.Acme.Owner)).Body, "No instance found")
	i, err := w.Rival.Scope.Observe(t.Context(), w.Rival.Instance.ID, models.Observed{Saw: models.SawFailure, Reason: "no more memory"})
	require.NoError(t, err)
	require.NotNil(t, i.RetryAt)
	body := w.Do(get("/admin/instances?state=ERROR", w.Acme.Owner)).Body
	has(t, body, w.Rival.Instance.Name)
	lacks(t, body, w.Acme.Instance.Name)
	has(t, w.Do(get("/admin/instances?state=unsettled", w.Acme.Owner)).Body, w.Rival.Instance.Name)
	at := "/admin/instances/" + i.ID
	has(t, w.Do(get(at, w.Acme.Owner)).Body, "no more memory", w.Rival.Name, "Reconcile now")
	assert.Equal(t, 303, office(w, at, "reconcile", "the host is back").Status)
	noted(t, w, w.Rival.ID, "instance.reconciled", "the host is back")
	require.Eventually(t, func() bool {
		now, err := w.Rival.Scope.Instance(t.Context(), i.ID)
		return err == nil && now.State == models.Running && now.RetryAt == nil
	}, waitLong, waitStep)
}
