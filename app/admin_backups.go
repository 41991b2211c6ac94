package app

import (
	"lobstead/models"
	"lobstead/views/admin"
)

// AdminBackups are the copies of the database. Jobs make and try them: a long one holds no request.
type AdminBackups struct{ *App }

// Index lists them.
func (h *AdminBackups) Index(c *Ctx) (Reply, error) { return h.list(c, admin.Form{}, 200) }

func (h *AdminBackups) list(c *Ctx, form admin.Form, status int) (Reply, error) {
	rows, err := h.system().Backups(c)
	return page(admin.Backups(admin.BackupsProps{Frame: c.adminFrame("Backups"), Backups: rows, Dialect: string(h.Store.Dialect()), Form: form})).with(status), err
}

func (h *AdminBackups) system() *models.System { return h.Store.AsSystem("backups") }

// Create asks for a copy.
func (h *AdminBackups) Create(c *Ctx) (Reply, error) {
	a, err := c.staffAct("make")
	var b *models.Backup
	if err == nil {
		b, err = h.system().AskBackup(c, a.by)
	}
	if form, ok := c.refused(a, "make", err); ok {
		return h.list(c, form, 422)
	}
	if err != nil {
		return nil, err
	}
	_ = h.Jobs.Backup(c, b.ID) // logged by the client; the sweep finds the row
	return redirect(admin.BackupsPath).say("ok", "A worker makes the backup"), nil
}

// Show is one.
func (h *AdminBackups) Show(c *Ctx) (Reply, error) { return h.show(c, admin.Form{}, 200) }

func (h *AdminBackups) show(c *Ctx, form admin.Form, status int) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	b, err := h.system().Backup(c, id)
	if err != nil {
		return nil, err
	}
	return page(admin.Backup(admin.BackupProps{Frame: c.adminFrame("Backup"), Backup: b, Form: form})).with(status), nil
}

// Update rehearses a restore, or deletes the copy.
func (h *AdminBackups) Update(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	a, err := c.staffAct("rehearse", "delete")
	switch {
	case err != nil:
	case a.name == "delete":
		_, err = h.system().DeleteBackup(c, a.by, id)
	default:
		if _, err = h.system().AskRehearsal(c, a.by, id); err == nil {
			_ = h.Jobs.Rehearse(c, id) // logged by the client; the sweep finds the row
		}
	}
	if form, ok := c.refused(a, a.name, err); ok {
		return h.show(c, form, 422)
	}
	if err != nil {
		return nil, err
	}
	if a.name == "delete" {
		return redirect(admin.BackupsPath).say("ok", "The backup is gone"), nil
	}
	return redirect(admin.BackupsPath+"/"+id).say("ok", "A worker rehearses the restore"), nil
}

// Download streams the file: an act with a reason, since everything is in it.
func (h *AdminBackups) Download(c *Ctx) (Reply, error) {
	id, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	a, err := c.staffAct("download")
	if err == nil {
		b, file, opened := h.system().OpenBackup(c, a.by, id)
		if err = opened; err == nil {
			return download{name: b.File, kind: "application/octet-stream", from: file}, nil
		}
	}
	if form, ok := c.refused(a, "download", err); ok {
		return h.show(c, form, 422)
	}
	return nil, err
}
