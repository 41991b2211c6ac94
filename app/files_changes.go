package app

import (
	"path"

	"lobstead/kit/fault"
	"lobstead/models"
	filesview "lobstead/views/files"
	"lobstead/views/ui"
)

const (
	changesPage  = 200
	maxDiffLines = 400 // of one file
)

// Changes lists what turns changed; with a turn it leads to that one's.
func (h *Files) Changes(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	p := filesview.ChangesProps{Place: h.filePlace(c, i, ".")}
	if p.Rows, err = c.Scope.Checkpoints(c, i.ID, changesPage); err != nil {
		return nil, err
	}
	turns := []string{}
	for _, row := range p.Rows {
		if row.TurnID != nil {
			turns = append(turns, *row.TurnID)
		}
	}
	p.Turns, err = c.Scope.TurnPlaces(c, turns)
	return page(filesview.Changes(p)).json(p.Rows), err
}

// ofTurn leads to what a turn changed.
func (h *Files) ofTurn(c *Ctx, i *models.Instance, turn string) (Reply, error) {
	row, err := c.Scope.TurnCheckpoint(c, turn)
	if err != nil {
		return nil, err
	}
	if row == nil || row.InstanceID != i.ID {
		return nil, fault.New(fault.NotFound, "checkpoint.not_found", "This turn changed no file that is known")
	}
	return redirect(filesview.ChangesAddress(i, row.ID)).json(row), nil
}

func (h *Files) checkpoint(c *Ctx) (*models.Instance, *models.Checkpoint, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, nil, err
	}
	id, err := c.ID("checkpoint")
	if err != nil {
		return nil, nil, err
	}
	row, err := c.Scope.Checkpoint(c, i.ID, id)
	return i, row, err
}

// Change is what one turn changed, by files and lines.
func (h *Files) Change(c *Ctx) (Reply, error) {
	i, row, err := h.checkpoint(c)
	if err != nil {
		return nil, err
	}
	p := filesview.ChangeProps{Place: h.filePlace(c, i, "."), Row: row}
	if row.TurnID != nil {
		places, err := c.Scope.TurnPlaces(c, []string{*row.TurnID})
		if err != nil {
			return nil, err
		}
		if at, ok := places[*row.TurnID]; ok {
			p.Turn = &at
		}
	}
	list, err := h.Workspaces.Differences(c, i, row)
	if err != nil { // the contents are on another host, or gone with it: the names are still known
		p.Problem = sentence(fault.As(err))
		for _, f := range row.Files() {
			p.Files = append(p.Files, filesview.FileDifference{FileChange: f})
		}
	}
	for _, d := range list {
		p.Files = append(p.Files, filesview.FileDifference{FileChange: d.FileChange, Lines: ui.Unified(d.Text, maxDiffLines), Added: d.Added, Removed: d.Removed, Why: d.Why, Can: d.Can})
	}
	return page(filesview.Change(p)).json(p.Files), nil
}

// PutBack makes files as they were before: one, or all of them.
func (h *Files) PutBack(c *Ctx) (Reply, error) {
	i, row, err := h.checkpoint(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	only := f.Text("path")
	if err := f.Err(); err != nil {
		return nil, err
	}
	out, err := h.Workspaces.PutBack(c, c.Scope, i, row, only)
	kind, said := "ok", "Put back "+ui.Plural(out.Files, "file", "files")
	switch {
	case only != "" && out.Files == 1:
		said = "Put back " + path.Base(only)
	case len(out.Skipped) > 0:
		kind, said = "warn", said+"; of "+ui.Plural(len(out.Skipped), "file", "files")+" the earlier content is not kept"
	}
	return c.acted(redirect("/instances/"+i.ID+"/files/changes").say(kind, said+". This can be undone like a turn."), err)
}
