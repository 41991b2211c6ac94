package app

import (
	"runtime"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/admin"
	"lobstead/views/layout"
)

// Admin is the first page of the back office. All of it is for staff only: to others none of its routes exists.
type Admin struct{ *App }

// officePage is how many rows a list of the back office shows.
const officePage = 50

// Show tells how the installation fares. A queue that does not answer is told on the page.
func (h *Admin) Show(c *Ctx) (Reply, error) {
	system := h.Store.AsSystem("health of the installation")
	health, err := system.Health(c)
	if err != nil {
		return nil, err
	}
	p := admin.HealthProps{Frame: c.adminFrame("Admin"), Health: health, Redis: h.Queue, Version: h.Version, Go: runtime.Version(), Streams: h.live.count(), Checks: h.Doctor(c)}
	if p.RedisPing, err = h.Inspector.Ping(c); err == nil { // without Redis there is nothing to tell of the queue
		p.Workers, _ = h.Inspector.Workers()
		p.Queues, _ = h.Inspector.Queues()
	}
	backups, err := system.Backups(c)
	for i := range backups {
		if p.Backup == nil && backups[i].State == models.BackupDone {
			p.Backup = &backups[i]
		}
	}
	return page(admin.Health(p)), err
}

// Models lists the connected model services of all organizations, without their keys.
func (h *Admin) Models(c *Ctx) (Reply, error) {
	s := c.search(admin.ModelsPath, "Search by kind, address, model or organization id")
	rows, err := h.Store.AsSystem("model services of all").AllProviders(c, models.Listing{Text: s.Text, Before: s.Before, Limit: officePage + 1})
	if err != nil {
		return nil, err
	}
	rows, s.Next = paged(rows, officePage, func(r models.ProviderRow) string { return r.ID })
	return page(admin.Models(admin.ModelsProps{Frame: c.adminFrame("Models"), Search: s, Providers: rows})), nil
}

// search reads what narrows a list.
func (c *Ctx) search(path, placeholder string) admin.Search {
	return admin.Search{Path: path, Text: c.Query("q"), Placeholder: placeholder, Before: c.Query("before")}
}

// staffAct is what a form of the back office asks for: an act, why, and further fields.
type staffAct struct {
	name   string
	reason string
	by     models.Actor
	fields *wire.Fields
}

// staffAct reads such a form; the act must be one of acts. All findings come at once.
func (c *Ctx) staffAct(acts ...string) (staffAct, error) {
	f, err := c.Fields()
	if err != nil {
		return staffAct{}, err
	}
	a := staffAct{fields: f}
	a.name, _ = f.Enum("act", acts...)
	a.reason = f.Text("reason")
	if a.by, err = c.why(f); err != nil {
		f.Issues = append(f.Issues, fault.As(err).Fields...)
	}
	return a, f.Err()
}

// why reads who of staff acts, and the reason that each act gives.
func (c *Ctx) why(f *wire.Fields) (models.Actor, error) {
	return models.ByStaff(c.actor(), f.Text("reason"))
}

// text reads a further field, "" when it is absent.
func (a staffAct) text(name string) string {
	if a.fields == nil { // there was no body
		return ""
	}
	return a.fields.Text(name)
}

// refused gives the form again, with the reason beside the field, when an act was refused for what was typed or for
// how things stand. Programs get the fault itself.
func (c *Ctx) refused(a staffAct, form string, err error, fields ...string) (admin.Form, bool) {
	if err == nil || c.wantsJSON() || !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Conflict) {
		return admin.Form{}, false
	}
	out := admin.Form{Act: form, Values: map[string]string{"reason": a.reason}}
	for _, name := range fields {
		out.Values[name] = a.text(name)
	}
	var ok bool
	if out.Errors, ok = invalid(err); !ok {
		out.Errors = map[string]string{"": sentence(fault.As(err))}
	} else if out.Errors["act"] != "" {
		out.Errors[""] = "Choose what to do"
	}
	return out, true
}

// adminFrame is the frame of a page of the back office.
func (c *Ctx) adminFrame(title string) layout.FrameProps { return c.frame(title, admin.HealthPath, "") }
