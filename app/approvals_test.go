package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// The shapes of the runtime API, and what follows from a decision that comes through it.
func TestApprovalsOfTheRuntimeAPI(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	o := w.Acme
	w.Answered(o.Scope, o.Session.ID)
	get := func(path string, into any) {
		t.Helper()
		r := w.Do(apptest.Call{Method: "GET", Path: path, Who: o.Owner, ByKey: true})
		require.Equal(t, 200, r.Status, r.Body)
		require.NoError(t, json.Unmarshal([]byte(r.Body), into))
	}
	var list struct {
		Pending []map[string]any
		Total   int
	}
	get("/api/approvals", &list)
	require.Len(t, list.Pending, 1)
	require.Equal(t, 1, list.Total)
	a := list.Pending[0]
	require.Len(t, a, 10)
	require.Equal(t, []any{o.Approval, "bash", "Pending", nil, nil}, []any{a["id"], a["tool_name"], a["status"], a["decided_by"], a["decided_at"]})
	made, err := time.Parse(time.RFC3339, a["created_at"].(string))
	require.NoError(t, err)
	until, err := time.Parse(time.RFC3339, a["timeout_at"].(string))
	require.NoError(t, err)
	require.Equal(t, models.ApprovalLife, until.Sub(made))

	post := func(path, key, body string, status int) map[string]any {
		t.Helper()
		r := w.Do(apptest.Call{Method: "POST", Path: path, Header: map[string]string{"Authorization": "Bearer " + key}, JSON: body})
		require.Equal(t, status, r.Status, r.Body)
		out := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(r.Body), &out))
		return out
	}
	token, err := o.Scope.GatewayToken(o.Instance)
	require.NoError(t, err)
	post("/api/approvals/"+o.Approval+"/approve", token.Reveal(), "{}", 401)
	post("/api/approvals/"+o.Approval+"/approve", o.Member.Key, "{}", 403)
	post("/api/approvals/"+o.Approval+"/approve", w.Rival.Owner.Key, "{}", 404)
	post("/api/approvals/"+o.Approval+"/deny", o.Admin.Key, `{"decided_by":"`+strings.Repeat("x", 300)+`"}`, 400)
	done := post("/api/approvals/"+o.Approval+"/approve", o.Admin.Key, `{"decided_by":"the pope"}`, 200)
	require.Equal(t, true, done["replay_queued"])
	approved := done["approval"].(map[string]any)
	require.Equal(t, []any{"Approved", "admin"}, []any{approved["status"], approved["decided_by"]}, "who it was, not who they say")
	require.Contains(t, post("/api/approvals/"+o.Approval+"/deny", o.Owner.Key, "", 409)["error"], "approved by admin already")

	row, err := o.Scope.Approval(t.Context(), o.Approval)
	require.NoError(t, err)
	w.Answered(o.Scope, row.SessionID)
	var policy struct {
		TurnID    string `json:"turn_id"`
		Decisions []map[string]any
	}
	get("/api/audit/policy/"+row.TurnID, &policy)
	require.Equal(t, row.TurnID, policy.TurnID)
	require.Equal(t, []any{"bash", "allow", "approval", "Approved by admin"}, []any{policy.Decisions[0]["tool_name"], policy.Decisions[0]["decision"], policy.Decisions[0]["rule_name"], policy.Decisions[0]["reason"]})
	var tools struct {
		Calls []map[string]any `json:"tool_calls"`
	}
	get("/api/audit/tools/"+row.TurnID, &tools)
	require.Len(t, tools.Calls[0], 10)
	require.Equal(t, row.Input, tools.Calls[0]["input"])
	require.NotNil(t, tools.Calls[0]["output"])
	get("/api/audit/tools/nonsense", &tools)
	get("/api/approvals", &list)
	require.Empty(t, list.Pending)
	require.Equal(t, 1, list.Total, "decided ones count")

	bare := post("/api/approvals/"+w.Ask(o, `{"command":"git push again"}`).ID+"/deny", o.Owner.Key, "", 200)
	require.Equal(t, "Denied", bare["status"])
	acts, err := o.Scope.AuditEntries(t.Context(), models.AuditFilter{Act: "approval."})
	require.NoError(t, err)
	require.Equal(t, []any{"approval.denied", "approval.approved", o.Admin.UserID}, []any{acts[0].Act, acts[1].Act, acts[1].ActorID})
}

// The pages say what a role may do, and the rules of an instance are changed by forms alone.
func TestPolicyPages(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	o := w.Acme
	page := func(who *apptest.Person, path string) string {
		t.Helper()
		r := w.Do(apptest.Call{Method: "GET", Path: path, Who: who})
		require.Equal(t, 200, r.Status)
		return r.Body
	}
	require.Contains(t, page(o.Member, "/approvals"), "Deciding is not for your role")
	require.NotContains(t, page(o.Admin, "/approvals"), "Deciding is not for your role")
	path := "/instances/" + o.Instance.ID + "/policy"
	require.Contains(t, page(o.Member, path), "Changing rules is not for your role")
	send := func(path string, status int, kv ...string) string {
		t.Helper()
		form := url.Values{}
		for n := 0; n < len(kv); n += 2 {
			form.Set(kv[n], kv[n+1])
		}
		r := w.Do(apptest.Call{Method: "POST", Path: path, Who: o.Admin, Form: form})
		require.Equal(t, status, r.Status, r.Body)
		return r.Body
	}
	require.Contains(t, send(path, 422, "verdict", "ask"), "field-error")
	send(path, http.StatusSeeOther, "verdict", "ask", "tool", "bash", "pattern", "git *")
	send(path, http.StatusSeeOther, "verdict", "deny", "tool", "bash", "pattern", "git push*", "every", "true")
	rules, err := o.Scope.PolicyRules(t.Context(), o.Instance.ID)
	require.NoError(t, err)
	require.Len(t, rules, 3)
	require.Equal(t, []string{"deny no-such-tool", "ask bash git", "deny bash git push*"}, []string{rules[0].Name(), rules[1].Name(), rules[2].Name()})
	send(path+"/"+rules[1].ID+"/move", http.StatusSeeOther, "to", "up")
	moved, err := o.Scope.PolicyRules(t.Context(), o.Instance.ID)
	require.NoError(t, err)
	require.Equal(t, []string{rules[1].ID, rules[0].ID, rules[2].ID}, []string{moved[0].ID, moved[1].ID, moved[2].ID})
	tried := send(path+"/try", 200, "tool", "bash", "input", `{"command":"git push"}`)
	require.Contains(t, tried, "matches the call below")
	send(path+"/"+rules[1].ID+"/delete", http.StatusSeeOther)
	send(path+"/"+rules[2].ID, http.StatusSeeOther, "verdict", "allow", "tool", "bash", "pattern", "git push*")
	tried = send(path+"/try", 200, "tool", "bash", "input", `{"command":"git push"}`)
	require.Contains(t, tried, "allow bash git push*")
	rival, err := w.Rival.Scope.PolicyRules(t.Context(), w.Rival.Instance.ID)
	require.NoError(t, err)
	require.Len(t, rival, 1)
}
