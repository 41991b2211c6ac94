package app

import (
	"lobstead/views/admin"
)

// AdminFlags are the features that can be switched for everybody.
type AdminFlags struct{ *App }

// Index shows them, and which organizations differ.
func (h *AdminFlags) Index(c *Ctx) (Reply, error) { return h.show(c, admin.Form{}, 200) }

func (h *AdminFlags) show(c *Ctx, form admin.Form, status int) (Reply, error) {
	system := h.Store.AsSystem("flags of the installation")
	flags, err := system.Flags(c)
	if err != nil {
		return nil, err
	}
	overrides, err := system.FlagOverrides(c)
	return page(admin.Flags(admin.FlagsProps{Frame: c.adminFrame("Flags"), Flags: flags, Overrides: overrides, Form: form})).with(status), err
}

// Update switches one for everybody.
func (h *AdminFlags) Update(c *Ctx) (Reply, error) {
	a, err := c.staffAct("on", "off")
	if err == nil {
		err = h.Store.AsSystem("an act of staff on a flag").SetFlag(c, a.by, a.text("flag"), a.name == "on")
	}
	if form, ok := c.refused(a, "flag "+a.text("flag"), err); ok {
		return h.show(c, form, 422)
	}
	if err != nil {
		return nil, err
	}
	return redirect(admin.FlagsPath).say("ok", map[string]string{"on": "Switched on", "off": "Switched off"}[a.name]), nil
}
