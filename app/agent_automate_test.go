package app_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

type automated struct {
	Success  bool
	Message  string
	Error    string
	Hint     string
	Workflow *struct {
		ID, Name, Description, Status string
		Trigger                       struct {
			Type, Cron, Timezone string
			RunAt                string `json:"run_at"`
			WebhookURL           string `json:"webhook_url"`
			NextRunAt            string `json:"next_run_at"`
		}
		Steps []struct{ Type, Prompt string }
	}
	NextRuns      []string `json:"next_runs"`
	WebhookSecret string   `json:"webhook_secret"`
	Workflows     []struct{ Name, Status string }
}

func automates(t *testing.T, w *apptest.World, body string, status int) automated {
	t.Helper()
	a := w.Do(api("POST", "/api/agent/chat-automate", w.Acme.Member, body))
	require.Equal(t, status, a.Status, "%s: %s", body, a.Body)
	var out automated
	require.NoError(t, json.Unmarshal([]byte(a.Body), &out))
	return out
}

// The rows of the contract (agent-api.md, 3.7), one by one.
func TestChatAutomate(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	require.NoError(t, w.Acme.Scope.DeleteAutomation(t.Context(), w.Acme.Automation))
	require.NoError(t, w.Acme.Scope.DeleteAutomation(t.Context(), w.Acme.Trigger))
	require.Equal(t, "No automations yet", automates(t, w, `{"command":"status"}`, 200).Message)

	out := automates(t, w, `{"command":"schedule","text":"every weekday at 9 summarise my inbox","timezone":"Europe/Berlin"}`, 200)
	require.True(t, out.Success)
	require.Equal(t, []string{"Summarise my inbox", "every weekday at 09:00 (Europe/Berlin)", "active"}, []string{out.Workflow.Name, out.Workflow.Description, out.Workflow.Status})
	require.Equal(t, []string{"cron", "0 9 * * 1-5", "Europe/Berlin"}, []string{out.Workflow.Trigger.Type, out.Workflow.Trigger.Cron, out.Workflow.Trigger.Timezone})
	require.Equal(t, "summarise my inbox", out.Workflow.Steps[0].Prompt)
	require.Len(t, out.NextRuns, 5)
	require.Equal(t, out.NextRuns[0], out.Workflow.Trigger.NextRunAt)
	require.Contains(t, out.Message, "“Summarise my inbox” is set: every weekday at 09:00 (Europe/Berlin). Next: ")
	for _, run := range out.NextRuns {
		at, err := time.Parse(time.RFC3339, run)
		require.NoError(t, err)
		zone, err := time.LoadLocation("Europe/Berlin")
		require.NoError(t, err)
		require.Equal(t, "09:00", at.In(zone).Format("15:04"))
		require.Contains(t, out.Message, at.In(zone).Format("Mon 2 Jan 2006 15:04"))
	}

	out = automates(t, w, `{"command":"remind","text":"remind me in 3 hours to stretch"}`, 200)
	require.Equal(t, "once", out.Workflow.Trigger.Type)
	require.Equal(t, out.NextRuns, []string{out.Workflow.Trigger.RunAt})
	require.Contains(t, out.Message, "(UTC)", "the organization's zone is said")
	require.Contains(t, out.Workflow.Steps[0].Prompt, "reminder")

	out = automates(t, w, `{"command":"trigger","text":"look at the pull request"}`, 200)
	require.Equal(t, "webhook", out.Workflow.Trigger.Type)
	require.Contains(t, out.Workflow.Trigger.WebhookURL, "/v1/webhooks/triggers/"+out.Workflow.ID)
	require.Contains(t, out.WebhookSecret, models.TriggerSecretPrefix)
	require.NotContains(t, out.Message, out.WebhookSecret)

	require.Equal(t, "@every 45 minutes", automates(t, w, `{"command":"automate","text":"every 45 minutes check the queue"}`, 200).Workflow.Trigger.Cron)
	require.Equal(t, "webhook", automates(t, w, `{"command":"automate","text":"when an order arrives, write a letter"}`, 200).Workflow.Trigger.Type)

	out = automates(t, w, `{"command":"status","text":""}`, 200)
	require.Len(t, out.Workflows, 5)
	require.Nil(t, out.Workflow)

	require.Contains(t, automates(t, w, `{"command":"dance","text":"x"}`, 400).Error, "command")
	require.Equal(t, "command is required", automates(t, w, `{"text":"x"}`, 400).Error)
	require.Equal(t, "text is required", automates(t, w, `{"command":"schedule","text":"  "}`, 400).Error)
	require.Contains(t, automates(t, w, `{"command":"schedule","text":"every day at 9 x","timezone":"Mars/Base"}`, 400).Error, "timezone")
	for text, hint := range map[string]string{"do it sometimes": "No time was found", "every day at 5 look": "could be in the morning", "every day at 9": "say also what is to be done"} {
		out = automates(t, w, `{"command":"schedule","text":"`+text+`"}`, 422)
		require.Equal(t, "Could not understand the schedule", out.Error)
		require.Contains(t, out.Hint, hint)
	}
	require.Contains(t, automates(t, w, `{"command":"trigger","text":"every day at 9 look"}`, 422).Hint, "use schedule")
}

// A schedule fires by itself: the run is a turn of the agent, with an answer.
func TestASchedulesTurnIsAnswered(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	due := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	made, _, err := w.Acme.Scope.CreateAutomation(t.Context(), models.NewAutomation{InstanceID: w.Acme.Instance.ID, Name: "Files", Prompt: "list the files", Kind: models.AutomationCron,
		Expression: "0 9 * * *", TimeZone: "UTC", NextAt: &due})
	require.NoError(t, err)
	var runs []models.AutomationRun
	require.Eventually(t, func() bool {
		var err error
		runs, err = w.Acme.Scope.Runs(t.Context(), made.ID, 10)
		require.NoError(t, err)
		return len(runs) == 1 && runs[0].State == models.RunProduced
	}, 30*time.Second, 20*time.Millisecond)
	answer, err := w.Turns.Answer(t.Context(), w.Acme.Scope, runs[0].TurnID)
	require.NoError(t, err)
	require.NotEmpty(t, answer.Text)
	a, err := w.Acme.Scope.Automation(t.Context(), made.ID)
	require.NoError(t, err)
	require.True(t, a.NextAt.After(time.Now()), "and again")
	require.Equal(t, "09:00", a.NextAt.UTC().Format("15:04"))
}
