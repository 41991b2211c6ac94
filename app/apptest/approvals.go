package apptest

import (
	"encoding/json"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/policy"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/models"
)

// withAutomation gives an organization a schedule that is far from due.
func (w *World) withAutomation(o *Org) {
	year := time.Now().AddDate(1, 0, 0).Truncate(time.Millisecond)
	a, _, err := o.Scope.CreateAutomation(w.T.Context(), models.NewAutomation{InstanceID: o.Instance.ID, Name: o.Name + " yearly reminder", Prompt: o.Name + " confidential report",
		Kind: models.AutomationOnce, StartsAt: &year, NextAt: &year, TimeZone: "UTC"})
	require.NoError(w.T, err)
	o.Automation = a.ID
	// A trigger that begins no turn, and a call of it that is kept.
	trigger, _, err := o.Scope.CreateAutomation(w.T.Context(), models.NewAutomation{InstanceID: o.Instance.ID, Name: o.Name + " trigger", Prompt: o.Name + " confidential prompt",
		Kind: models.AutomationWebhook, Action: models.ActionNoop, TimeZone: "UTC"})
	require.NoError(w.T, err)
	run, err := o.Scope.StartRun(w.T.Context(), trigger.ID, models.Run{Cause: models.RunCall, Due: time.Now(), Text: "x", Source: "webhook",
		Call: &models.NewCall{Source: models.CallOutside, Address: "192.0.2.1", Body: []byte(`{"from":"` + o.Name + ` confidential"}`)}})
	require.NoError(w.T, err)
	o.Trigger, o.Call = trigger.ID, run.CallID
}

// withPolicy gives an organization a rule that concerns no call, a grant, and a call that waits.
func (w *World) withPolicy(o *Org) {
	r, err := o.Scope.CreatePolicyRule(w.T.Context(), models.NewPolicyRule{InstanceID: o.Instance.ID, Tool: "no-such-tool", Verdict: models.Deny, Reason: o.Name + " confidential reason"})
	require.NoError(w.T, err)
	o.Rule, o.Grant = r.ID, id.New()
	w.Exec(`INSERT INTO approval_grants (id, organization_id, instance_id, fingerprint, tool, input, granted_by, granted_name, expires_at, created_at)
		SELECT ?, organization_id, id, 'none', 'bash', '{"command":"'||name||' granted"}', 'x', 'x', NULL, created_at FROM instances WHERE id = ?`, o.Grant, o.Instance.ID)
	o.Approval = w.Ask(o, `{"command":"git push `+models.Slug(o.Name)+`-hidden"}`).ID
}

// withFiles gives an organization an upload that waits, something in the trash, and what a turn changed.
func (w *World) withFiles(o *Org) {
	up, err := o.Scope.As(models.Actor{UserID: o.Owner.UserID}).CreateUpload(w.T.Context(), models.FileUpload{InstanceID: o.Instance.ID, Path: models.Slug(o.Name) + "-plans.bin", Bytes: 10})
	require.NoError(w.T, err)
	o.Upload, o.Trashed = up.ID, id.New()
	w.Exec(`INSERT INTO trashed_files (id, organization_id, instance_id, path, directory, bytes, deleted_by, created_at, expires_at)
		SELECT ?, organization_id, id, ?, FALSE, 3, 'somebody', created_at, created_at FROM instances WHERE id = ?`, o.Trashed, models.Slug(o.Name)+"-secret.txt", o.Instance.ID)
	c, _, err := o.Scope.OpenCheckpoint(w.T.Context(), models.Checkpoint{InstanceID: o.Instance.ID, TurnID: &o.Turn.ID})
	require.NoError(w.T, err)
	require.NoError(w.T, o.Scope.CloseCheckpoint(w.T.Context(), c.ID, "", []models.FileChange{{Path: models.Slug(o.Name) + "-secret.txt", What: models.FileAdded, AfterSize: 3}}))
	o.Checkpoint = c.ID
}

// Ask makes a call of bash that waits for a person, in a conversation of its own that no list shows.
func (w *World) Ask(o *Org, input string) *models.Approval {
	w.T.Helper()
	ctx, archived := w.T.Context(), "archived"
	shape, err := policy.Fingerprint(policy.Call{InstanceID: o.Instance.ID, Tool: "bash", Input: []byte(input)})
	require.NoError(w.T, err)
	for { // a worker may be quicker than we are, and answers
		s, err := o.Scope.CreateSession(ctx, models.NewSession{InstanceID: o.Instance.ID, Title: o.Name + " push"})
		require.NoError(w.T, err)
		_, err = o.Scope.UpdateSession(ctx, s.ID, models.SessionChange{Status: &archived})
		require.NoError(w.T, err)
		turn, _, err := o.Scope.StartTurn(ctx, s.ID, models.Input{Text: "push it", Source: "page"})
		require.NoError(w.T, err)
		_, lease, err := o.Scope.ClaimTurn(ctx, turn.ID, "test/"+id.New())
		if fault.Is(err, fault.Conflict) {
			require.Eventually(w.T, func() bool { return o.Scope.DeleteSession(ctx, s.ID) == nil }, 30*time.Second, 20*time.Millisecond)
			continue
		}
		require.NoError(w.T, err)
		_, err = o.Scope.AppendTurn(ctx, lease, models.TurnProgress{Steps: 1, Policy: []models.PolicyDecision{{CallID: "c1", Tool: "bash", Verdict: models.Ask, RuleName: "a rule", Reason: "A test asks"}}},
			models.ToolCall{CallID: "c1", Tool: "bash", Input: json.RawMessage(input), Step: 1})
		require.NoError(w.T, err)
		a := &models.Approval{InstanceID: o.Instance.ID, CallID: "c1", Tool: "bash", Input: input, Fingerprint: shape, RuleName: "a rule", Reason: "A test asks"}
		require.NoError(w.T, o.Scope.AskApproval(ctx, lease, a, nil))
		w.Exec(`DELETE FROM message_entries WHERE turn_id = ?`, turn.ID) // what an organization has said is a test's own affair
		return a
	}
}
