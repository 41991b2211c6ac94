package app

import (
	"time"

	"lobstead/api/cloud"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/settings"
)

// APIKeys are the organization's credentials for programs.
type APIKeys struct{ *App }

// Index lists them.
func (h *APIKeys) Index(c *Ctx) (Reply, error) {
	rows, err := c.Scope.APIKeys(c)
	if err != nil || c.wantsJSON() {
		return data(cloud.NewAPIKeys(rows)), err
	}
	return h.show(c, settings.KeysProps{Keys: rows, Key: c.shownOnce().Value}, 200)
}

// show gives the page with what is known of the form.
func (h *APIKeys) show(c *Ctx, p settings.KeysProps, status int) (Reply, error) {
	p.Frame, p.BaseURL, p.Makers = c.frame("API keys", "/settings", ""), h.PublicURL, map[string]string{}
	p.MayManage = c.May(models.CanManageKeys) == nil
	for _, can := range models.Capabilities {
		if can.ForKeys() && c.May(can) == nil {
			p.Capabilities = append(p.Capabilities, string(can))
		}
	}
	members, err := c.Scope.Members(c)
	for _, m := range members {
		p.Makers[m.User.ID] = m.User.Name
	}
	return page(settings.Keys(p)).with(status), err
}

const keysPath = "/settings/keys"

// Create makes a key; it is told once, to a program in this answer and to a person by the page after.
func (h *APIKeys) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	n, err := cloud.ReadNewAPIKey(f, time.Now())
	var row *models.APIKey
	var key secret.String
	if err == nil {
		row, key, err = c.Scope.CreateAPIKey(c, n)
	}
	errs, ok := invalid(err)
	switch {
	case err != nil && (!ok || c.wantsJSON()):
		return nil, err
	case c.wantsJSON():
		return data(cloud.APIKeyCreated{APIKey: cloud.NewAPIKey(row), Key: key.Reveal()}).with(201), nil
	}
	if len(errs) == 0 {
		return c.showOnce(keysPath, once{Value: key.Reveal()})
	}
	rows, err := c.Scope.APIKeys(c)
	if err != nil {
		return nil, err
	}
	return h.show(c, settings.KeysProps{Keys: rows, Name: n.Name, Scopes: n.Scopes, Days: f.Text("expiresInDays"), Errors: errs}, 422)
}

// Destroy revokes one.
func (h *APIKeys) Destroy(c *Ctx) (Reply, error) {
	key, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	row, err := c.Scope.RevokeAPIKey(c, key)
	if err != nil {
		return nil, err
	}
	h.accessChanged(c, row.UserID)
	return redirect(keysPath).json(cloud.Deleted{Success: true}).say("ok", "The key "+row.Prefix+"… works no more"), nil
}
