package app

import (
	"path"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/id"
	filesview "lobstead/views/files"
	"lobstead/views/ui"
)

// Trash lists what was deleted.
func (h *Files) Trash(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.TrashedFiles(c, i.ID)
	if err != nil {
		return nil, err
	}
	return page(filesview.Trash(filesview.TrashProps{Place: h.filePlace(c, i, "."), Rows: rows})).json(rows), nil
}

// RestoreTrash brings things back to where they were, or beside what has taken their place.
func (h *Files) RestoreTrash(c *Ctx) (Reply, error) {
	i, f, err := h.asked(c)
	if err != nil {
		return nil, err
	}
	ids := f.OptionalStrings("id")
	if err := f.Err(); err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fault.New(fault.Invalid, "files.none", "Say what is to be restored")
	}
	for _, one := range ids {
		if _, ok := id.UUID(one); !ok {
			return nil, fault.NotFoundf("file")
		}
	}
	to, err := h.Workspaces.RestoreAll(c, c.Scope, i, ids)
	if len(to) == 0 {
		return nil, err
	}
	said := "Restored " + ui.Plural(len(to), "thing", "things")
	if len(to) == 1 {
		said = "Restored " + path.Base(to[0])
	}
	return c.acted(redirect(back(i, path.Dir(to[0]))).say("ok", said), err)
}

// EmptyTrash removes one thing, or everything, for good.
func (h *Files) EmptyTrash(c *Ctx) (Reply, error) {
	i, f, err := h.asked(c)
	if err != nil {
		return nil, err
	}
	one := f.Text("id")
	if err := f.Err(); err != nil {
		return nil, err
	}
	if _, ok := id.UUID(one); one != "" && !ok {
		return nil, fault.NotFoundf("file")
	}
	if err := h.Workspaces.EmptyTrash(c, c.Scope, i, one); err != nil {
		return nil, err
	}
	return redirect("/instances/"+i.ID+"/files/trash").json(wire.Done{Success: true}).say("ok", "Deleted for good"), nil
}
