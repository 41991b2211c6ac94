package models_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/id"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// populated makes an organization with a row in every owned table, and gives its id.
func populated(t *testing.T, store *models.Store, name string) string {
	t.Helper()
	ctx := t.Context()
	sc, _ := modelstest.Found(t, store, name)
	_, _, err := sc.CreateAPIKey(ctx, models.NewAPIKey{Name: "key"})
	require.NoError(t, err)
	_, err = sc.InviteByMail(ctx, "asked@"+models.Slug(name)+".example.org", models.Admin, func(*models.Invitation) models.Mail { return models.Mail{Text: models.SecretMark} })
	require.NoError(t, err)
	inst := modelstest.Instance(t, sc, "one")
	_, err = sc.LeaseInstance(ctx, inst.ID, "node/1")
	require.NoError(t, err)
	_, err = sc.ReportInstance(ctx, inst.ID, "node/1", models.Report{Generation: 1,
		Steps: []models.InstanceStep{{ID: id.New(), Name: "image", State: models.StepDone, StartedAt: time.Now()}}})
	require.NoError(t, err)
	_, err = sc.Measure(ctx, inst.ID, models.Reading{})
	require.NoError(t, err)
	s, err := sc.CreateSession(ctx, models.NewSession{InstanceID: inst.ID})
	require.NoError(t, err)
	turn, _, err := sc.StartTurn(ctx, s.ID, models.Input{Text: "hello", Attachments: []models.Upload{{Name: "a.txt", Data: []byte("x")}}})
	require.NoError(t, err)
	inspected(t, sc, turn)
	_, err = sc.Remember(ctx, models.NewMemory{InstanceID: inst.ID, Key: "k", Value: "v"})
	require.NoError(t, err)
	_, err = sc.ConnectProvider(ctx, models.NewProvider{Kind: "openai", Model: "m", Key: secret.Of("sk-0123456789abcdef")}, "ok")
	require.NoError(t, err)
	_, err = sc.CreateBudget(ctx, models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetMoney, Period: models.BudgetMonthly, Amount: models.Dollar})
	require.NoError(t, err)
	require.NoError(t, sc.Reserve(ctx, models.Charge{CallID: "open in both", Provider: "openai", Model: "m"}))
	require.NoError(t, sc.Settle(ctx, models.Charge{CallID: "same in both", Provider: "openai", Model: "m"}))
	require.NoError(t, store.AsSystem("test").MakeUsageDays(ctx))
	sc.Decide(ctx, &models.Decision{Purpose: "chat", Model: "m"})
	require.NoError(t, sc.SetRouting(ctx, models.Routing{Shadow: true}))
	require.NoError(t, sc.OrderBreaker(ctx, "openai", true))
	sc.NoteGatewayCall(ctx, models.GatewayCall{ID: id.New(), Door: "gateway-api", Requested: "auto", Model: "m"})
	_, err = sc.Decisions(ctx, 1) // both are written when one is read
	require.NoError(t, err)
	_, err = sc.CreatePolicyRule(ctx, models.NewPolicyRule{InstanceID: inst.ID, Tool: "bash", Pattern: "git push*", Verdict: models.Ask})
	require.NoError(t, err)
	_, err = sc.Resolve(ctx, waiting(t, sc, turn, `{"command":"git push"}`).ID, models.Resolution{Approve: true, Lasts: models.GrantSession})
	require.NoError(t, err)
	repeated, _, err := sc.CreateAutomation(ctx, models.NewAutomation{InstanceID: inst.ID, Name: "daily", Prompt: "hello", Kind: models.AutomationCron, Expression: "0 9 * * *", TimeZone: "UTC", NextAt: &turn.CreatedAt})
	require.NoError(t, err)
	_, err = sc.StartRun(ctx, repeated.ID, models.Run{Cause: models.RunNow, Due: time.Now(), Text: "hello"})
	require.NoError(t, err)
	_, _, err = sc.CreateWebhook(ctx, models.WebhookForm{Name: "hook", URL: "https://example.org/hook", Events: models.WebhookEventNames(), Active: true})
	require.NoError(t, err)
	called, _, err := sc.CreateAutomation(ctx, models.NewAutomation{InstanceID: inst.ID, Name: "on call", Prompt: "hello", Kind: models.AutomationWebhook, TimeZone: "UTC"})
	require.NoError(t, err)
	_, err = sc.StartRun(ctx, called.ID, models.Run{Cause: models.RunTest, Due: time.Now(), Text: "hello", Call: &models.NewCall{Source: models.CallConsole, Body: []byte("{}")}})
	require.NoError(t, err)
	reached(t, sc, inst)
	_, err = sc.CreateUpload(ctx, models.FileUpload{InstanceID: inst.ID, Path: "big.bin", Bytes: 10})
	require.NoError(t, err)
	_, err = sc.TrashFile(ctx, inst, models.TrashedFile{ID: id.New(), Path: "old.txt", Bytes: 3}, false)
	require.NoError(t, err)
	_, _, err = sc.OpenCheckpoint(ctx, models.Checkpoint{InstanceID: inst.ID, TurnID: &turn.ID})
	require.NoError(t, err)
	on := true
	require.NoError(t, sc.SetFlag(ctx, models.FlagAgents, &on))
	ticket, _, err := store.AsSystem("test").TakeStripeEvent(ctx, "evt_"+sc.Org, "test")
	require.NoError(t, err)
	_, err = sc.ApplySubscription(ctx, "evt_"+sc.Org, ticket, models.Subscribed{Customer: "cus", Subscription: "sub", Status: models.SubscriptionActive, Weighed: []string{"sub"}})
	require.NoError(t, err)
	_, err = sc.UpdateInstance(ctx, inst.ID, models.InstanceChange{Key: &models.OwnKey{Kind: "openai", Model: "m", Key: secret.Of("sk-fedcba9876543210")}})
	require.NoError(t, err)
	_, err = sc.SetResponseCache(ctx, inst.ID, models.CacheChange{Enabled: &on})
	require.NoError(t, err)
	require.NoError(t, sc.KeepAnswer(ctx, models.CachedAnswer{InstanceID: inst.ID, Digest: "d", Frame: "f", Answer: "{}"}, 1))
	_, err = sc.SetSkill(ctx, inst.ID, "web", models.SkillChange{Enabled: &on, Config: map[string]string{"k": "v"}})
	require.NoError(t, err)
	return sc.Org
}

// reached gives an instance what the fleet keeps of one: a profile, files to come, an account with somebody who is linked and wrote, and a
// button that waits.
func reached(t *testing.T, sc *models.Scope, inst *models.Instance) {
	t.Helper()
	ctx, words := t.Context(), "words"
	_, err := sc.ChangeProfile(ctx, inst.ID, models.ProfileChange{Description: &words})
	require.NoError(t, err)
	require.NoError(t, sc.AddInstanceFiles(ctx, inst.ID, []models.InstanceFile{{Path: "a.txt", Data: []byte("x")}}))
	ch, err := sc.ConnectChannel(ctx, models.NewChannel{InstanceID: inst.ID, Kind: models.TelegramChannel, Secrets: map[string]secret.String{"bot_token": secret.Of("7:token of " + sc.Org)}})
	require.NoError(t, err)
	code, _, err := sc.NewLinkCode(ctx, ch.ID)
	require.NoError(t, err)
	ada := models.Heard{Peer: `{"id":"7"}`, Direct: true, SenderID: "7", Sender: "@ada"}
	hear := func(event, text string, want models.HeardOutcome) *models.Turn {
		h := ada
		h.EventID, h.MessageID, h.Text = event, event, text
		out, err := sc.HearChannel(ctx, ch.ID, h)
		require.NoError(t, err)
		require.Equal(t, want, out.Outcome)
		return out.Turn
	}
	hear("1", "/link "+code, models.HeardLinked)
	waiting(t, sc, hear("2", "push it", models.HeardTurn), `{"command":"git push by channel"}`)
	_, _, err = sc.NewLinkCode(ctx, ch.ID)
	require.NoError(t, err)
}

// inspected gives a turn what the inspector keeps, and leaves it as it was.
func inspected(t *testing.T, sc *models.Scope, turn *models.Turn) {
	t.Helper()
	lease := claim(t, sc, turn.ID, "node/1")
	_, err := sc.AppendTurn(t.Context(), lease, models.TurnProgress{Calls: []models.TurnStep{{Step: 1, BeganAt: time.Now(), CreatedAt: time.Now()}}, Texts: map[string]string{"2026-11-h": "prompt"}})
	require.NoError(t, err)
	require.NoError(t, sc.ReleaseTurn(t.Context(), lease))
	_, err = sc.GradeTurn(t.Context(), turn.ID, 4, "", false)
	require.NoError(t, err)
	require.NoError(t, sc.Hear(t.Context(), &models.Opinion{Kind: models.Analysis, TurnID: &turn.ID, SessionID: &turn.SessionID}))
}

// conversation makes an organization with one running instance and a session in it.
func conversation(t testing.TB, store *models.Store) (*models.Scope, *models.Instance, *models.Session) {
	t.Helper()
	sc, _ := modelstest.Found(t, store, "Acme")
	inst := modelstest.Instance(t, sc, "one")
	s, err := sc.CreateSession(t.Context(), models.NewSession{InstanceID: inst.ID})
	require.NoError(t, err)
	return sc, inst, s
}

func say(t testing.TB, sc *models.Scope, sessionID, text string) *models.Turn {
	t.Helper()
	turn, _, err := sc.StartTurn(t.Context(), sessionID, models.Input{Text: text, Source: "test"})
	require.NoError(t, err)
	return turn
}

func claim(t testing.TB, sc *models.Scope, turnID, owner string) models.Lease {
	t.Helper()
	_, l, err := sc.ClaimTurn(t.Context(), turnID, owner)
	require.NoError(t, err)
	return l
}

// waiting parks a turn at a call that needs a person.
func waiting(t testing.TB, sc *models.Scope, turn *models.Turn, input string) *models.Approval {
	t.Helper()
	lease := claim(t, sc, turn.ID, "node/1")
	_, err := sc.AppendTurn(t.Context(), lease, models.TurnProgress{Policy: []models.PolicyDecision{{CallID: "c1", Tool: "bash", Verdict: models.Ask, RuleName: "a rule", Reason: "why"}}},
		models.ToolCall{CallID: "c1", Tool: "bash", Input: json.RawMessage(input), Step: 1})
	require.NoError(t, err)
	a := &models.Approval{InstanceID: turn.InstanceID, CallID: "c1", Tool: "bash", Input: input, Fingerprint: "print of " + input, RuleName: "a rule", Reason: "why"}
	require.NoError(t, sc.AskApproval(t.Context(), lease, a, nil))
	return a
}
