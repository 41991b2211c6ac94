package app

import (
	"time"

	"lobstead/api/cloud"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/settings"
)

// APIKeys are the organization's credentials for programs.
type APIKeys struct{ *App }

// Index lists them.
func (h *APIKeys) Index(c *Ctx) (Reply, error) {
	if c.wantsJSON() {
		rows, err := c.Scope.APIKeys(c)
		return data(cloud.NewAPIKeys(rows)), err
	}
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	return page(settings.Keys(*p)), nil
}

func (h *APIKeys) props(c *Ctx) (*settings.KeysProps, error) {
	p := &settings.KeysProps{Frame: c.frame("API keys", "/settings", ""), MayManage: c.May(models.CanManageKeys) == nil, BaseURL: h.PublicURL, Makers: map[string]string{}}
	for _, can := range models.Capabilities {
		if c.May(can) == nil {
			p.Capabilities = append(p.Capabilities, string(can))
		}
	}
	var err error
	if p.Keys, err = c.Scope.APIKeys(c); err != nil {
		return nil, err
	}
	members, err := c.Scope.Members(c)
	for _, m := range members {
		p.Makers[m.User.ID] = m.User.Name
	}
	return p, err
}

// Create makes a key; this answer is the only one that holds it.
func (h *APIKeys) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	n, err := cloud.ReadNewAPIKey(f, time.Now())
	var row *models.APIKey
	key := ""
	if err == nil {
		made, secret, cerr := c.Scope.CreateAPIKey(c, n)
		row, key, err = made, secret.Reveal(), cerr
	}
	errs, ok := invalid(err)
	if err != nil && (!ok || c.wantsJSON()) {
		return nil, err
	}
	if c.wantsJSON() {
		return data(cloud.APIKeyCreated{APIKey: cloud.NewAPIKey(row), Key: key}).with(201), nil
	}
	p, perr := h.props(c)
	if perr != nil {
		return nil, perr
	}
	if err != nil {
		p.Name, p.Scopes, p.Errors = n.Name, n.Scopes, errs
		return page(settings.Keys(*p)).with(422), nil
	}
	p.Key = key
	return page(settings.Keys(*p)).with(201), nil
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
	return redirect("/settings/keys").json(cloud.Deleted{Success: true}).say("ok", "The key "+row.Prefix+"… works no more"), nil
}

// conflict names what is there already, "" for other faults.
func conflict(err error) string {
	if fault.Is(err, fault.Conflict) {
		return fault.As(err).Code
	}
	return ""
}
