package app

import (
	"cmp"
	"path"
	"strconv"

	"lobstead/api/wire"
	"lobstead/engine/files"
	"lobstead/kit/fault"
	"lobstead/kit/filename"
	"lobstead/models"
	"lobstead/views/ui"
)

// uploadState is how far an upload is, for static/js/upload.js.
type uploadState struct {
	ID     string `json:"id"`
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"`
	Done   bool   `json:"done"`
}

func stateOf(u *files.Upload) uploadState {
	return uploadState{ID: u.ID, Path: u.Path, Offset: u.Offset, Size: u.Bytes, Done: u.Done}
}

// Upload takes whole files of a plain form.
func (h *Files) Upload(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	form, err := c.form()
	if err != nil {
		return nil, err
	}
	f := wire.FromForm(form.Value)
	dir, err := filePath(f.Text("path"))
	if err != nil {
		return nil, err
	}
	list, err := c.Uploads(form, "files")
	if err == nil && len(list) == 0 {
		err = fault.New(fault.Invalid, "upload.none", "Choose a file first")
	}
	undo := []string{}
	if err == nil && f.Text("exists") == "replace" {
		undo, err = h.makeWay(c, i, dir, list)
	}
	to := []string{}
	if err == nil {
		to, err = h.Workspaces.Place(c, i, dir, list)
	}
	said := "Uploaded " + ui.Plural(len(list), "file", "files")
	for n, p := range to {
		if path.Base(p) != filename.Spell(files.NameOf(list[n])) {
			said += ". Kept both: " + path.Base(p)
		}
	}
	return c.acted(redirect(back(i, dir, undo...)).say("ok", said), err)
}

// makeWay moves the files that an upload replaces to the trash, and gives what brings them back.
func (h *Files) makeWay(c *Ctx, i *models.Instance, dir string, list []models.Upload) ([]string, error) {
	paths, undo := []string{}, []string{}
	for _, u := range list {
		p := filename.Spell(path.Join(filename.Bytes(dir), files.NameOf(u)))
		if e, err := h.Workspaces.Stat(c, i, p); err == nil && !e.Dir {
			paths = append(paths, p)
		}
	}
	if len(paths) == 0 {
		return undo, nil
	}
	rows, _, err := h.Workspaces.DeleteAll(c, c.Scope, i, paths)
	for _, row := range rows[:min(len(rows), maxUndo)] {
		undo = append(undo, row.ID)
	}
	return undo, err
}

// BeginUpload starts one that comes in pieces.
func (h *Files) BeginUpload(c *Ctx) (Reply, error) {
	i, f, err := h.asked(c)
	if err != nil {
		return nil, err
	}
	p, _ := f.String("path")
	size, over := f.OptionalInt("size", 0, 1<<52), f.OptionalBool("overwrite")
	if size == nil && len(f.Issues) == 0 {
		f.Issues.Required("size", "number")
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	up, err := h.Workspaces.Begin(c, c.Scope, i, p, int64(*size), over != nil && *over)
	if err != nil {
		return nil, err
	}
	return data(stateOf(up)).with(201), nil
}

// ShowUpload tells how far one is.
func (h *Files) ShowUpload(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	id, err := c.ID("upload")
	if err != nil {
		return nil, err
	}
	up, err := h.Workspaces.Upload(c, c.Scope, i, id)
	if err != nil {
		return nil, err
	}
	return data(stateOf(up)), nil
}

// ContinueUpload takes the next piece: the raw bytes, which begin at offset.
func (h *Files) ContinueUpload(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	id, err := c.ID("upload")
	if err != nil {
		return nil, err
	}
	offset, err := strconv.ParseInt(cmp.Or(c.Query("offset"), "0"), 10, 64)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "upload.offset", "offset is a number of bytes")
	}
	if _, err := c.Scope.Upload(c, i.ID, id); err != nil { // before the piece is read
		return nil, err
	}
	piece, err := c.body()
	if err != nil {
		return nil, err
	}
	up, err := h.Workspaces.Continue(c, c.Scope, i, id, offset, piece)
	if err != nil {
		return nil, err
	}
	return data(stateOf(up)), nil
}

// CancelUpload gives one up.
func (h *Files) CancelUpload(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	id, err := c.ID("upload")
	if err == nil {
		err = h.Workspaces.Cancel(c, c.Scope, i, id)
	}
	return redirect(back(i, ".")).json(wire.Done{Success: true}).say("ok", "Upload cancelled"), err
}
