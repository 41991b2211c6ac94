package apptest

import (
	"strings"

	"github.com/stretchr/testify/require"

	"lobstead/kit/id"
	"lobstead/kit/secret"
	"lobstead/models"
)

// withChannel gives an organization an account at Telegram that is switched off, and links its member there.
func (w *World) withChannel(o *Org) {
	t := w.T
	ch, err := o.Scope.ConnectChannel(t.Context(), models.NewChannel{InstanceID: o.Instance.ID, Kind: models.TelegramChannel, Settings: map[string]string{},
		Secrets: map[string]secret.String{"bot_token": secret.Of("7:" + o.Name + " canary token"), "webhook_secret": secret.Of(o.Name + " canary hook")}, HookSecret: secret.Of(o.Name + " canary hook")})
	require.NoError(t, err)
	_, err = o.Scope.SwitchChannel(t.Context(), ch.ID, false)
	require.NoError(t, err)
	o.Channel, o.Binding = ch.ID, id.New()
	w.Exec("INSERT INTO channel_bindings (id, organization_id, channel_id, instance_id, kind, sender_id, sender_name, user_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		o.Binding, o.ID, ch.ID, o.Instance.ID, "telegram", "4711", "@"+o.Name, o.Member.UserID, w.Store.Now())
}

// withOutbox gives an organization a webhook that is switched off, and its owner what they were told.
func (w *World) withOutbox(o *Org) {
	t := w.T
	name := strings.ToLower(strings.ReplaceAll(o.Name, " ", "-"))
	e, _, err := o.Scope.CreateWebhook(t.Context(), models.WebhookForm{Name: o.Name + " hook", URL: "https://" + name + ".example.org/hook", Events: models.WebhookEventNames()})
	require.NoError(t, err)
	o.Webhook = e.ID
	told, err := o.Scope.Notifications(t.Context(), false, "", 1)
	require.NoError(t, err)
	require.NotEmpty(t, told, "the approval that waits is told")
	o.Notification = told[0].ID
}
