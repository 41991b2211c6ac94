package apptest

import (
	"strings"

	"github.com/stretchr/testify/require"

	"lobstead/models"
)

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
