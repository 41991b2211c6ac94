package app

import (
	"cmp"
	"net/url"
	"path"
	"strings"

	"lobstead/engine/files"
	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
	filesview "lobstead/views/files"
	"lobstead/views/markdown"
)

// Files are the pages of an instance's workspace. What an agent wrote is shown as text that we colour, or as a picture;
// anything else is only ever downloaded.
type Files struct{ *App }

const (
	maxShown    = 1 << 20   // bytes of a file that a page shows
	maxColoured = 256 << 10 // of which so many are coloured
	maxUndo     = 50
)

// filePlace is what every page of files has.
func (h *Files) filePlace(c *Ctx, i *models.Instance, p string) filesview.Place {
	place := filesview.Place{Frame: c.frame("Files of "+i.Name, "/instances", ""), Instance: i, Path: p, Write: c.Principal.May(models.CanWriteFiles)}
	if place.Write && (i.Desired != models.WantRunning || i.State == models.Suspended) {
		place.Write, place.Note = false, "The instance is stopped: its files can be read and downloaded. Start it to change them."
		place.Startable = c.Principal.May(models.CanUseInstances) && i.State.May(models.Start)
	}
	for n, id := range strings.Split(c.Query("undo"), ",") {
		if id == "" || n >= maxUndo {
			break
		}
		if row, err := c.Scope.TrashedFile(c, i.ID, id); err == nil && place.Write {
			place.Undo = append(place.Undo, *row)
		}
	}
	return place
}

// filePath reads a path that the query or a form names.
func filePath(p string) (string, error) { return files.Path(cmp.Or(p, ".")) }

// Index shows a directory, a search below it, or a file.
func (h *Files) Index(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	if turn := c.Query("turn"); turn != "" {
		return h.ofTurn(c, i, turn)
	}
	p, err := filePath(c.Query("path"))
	if err != nil {
		return nil, err
	}
	r, err := h.look(c, i, h.filePlace(c, i, p), 200)
	if fault.KindOf(err) == fault.NotFound && !c.wantsJSON() && !c.isHTMX() {
		return page(filesview.Missing(h.filePlace(c, i, p))).with(404), nil
	}
	return r, err
}

// look shows what is at a place: a directory, or a file.
func (h *Files) look(c *Ctx, i *models.Instance, at filesview.Place, status int) (Reply, error) {
	e, err := h.Workspaces.Stat(c, i, at.Path)
	switch {
	case at.Path != "." && err != nil:
		return nil, err
	case at.Path != "." && !e.Dir:
		return h.show(c, i, at, e, status)
	}
	return h.index(c, i, &filesview.IndexProps{Place: at}, status)
}

// again is the page of a path once more, when a form of it was refused: with what was typed, and why at its field.
func (h *Files) again(c *Ctx, i *models.Instance, at, field string, form filesview.Form, why error) (Reply, error) {
	p, err := filePath(at)
	if err != nil || c.wantsJSON() || fault.KindOf(why) == fault.Internal {
		return nil, why
	}
	place := h.filePlace(c, i, p)
	form.Errors = map[string]string{field: sentence(fault.As(why))}
	place.Form = form
	if r, err := h.look(c, i, place, statuses[fault.KindOf(why)]); err == nil {
		return r, nil
	}
	return nil, why
}

// index shows a directory, with what was wrong with a form on it.
func (h *Files) index(c *Ctx, i *models.Instance, p *filesview.IndexProps, status int) (Reply, error) {
	p.Query, p.In, p.BaseURL, p.Storage, p.MaxPiece = clip(c.Query("q"), 500), c.Query("in"), h.PublicURL, i.StorageMB, files.MaxPiece
	err := h.entries(c, i, p)
	if k := fault.KindOf(err); err != nil && (k == fault.Unavailable || k == fault.Invalid) { // none yet, or a pattern that is none
		p.Problem, err = sentence(fault.As(err)), nil
	}
	if err != nil {
		return nil, err
	}
	if p.Write {
		if p.Uploads, err = c.Scope.Uploads(c, i.ID); err != nil {
			return nil, err
		}
	}
	if c.Query("directories") != "" {
		return h.directories(c, i, p)
	}
	return page(filesview.Index(*p)).partial(filesview.Rows(*p)).json(p.Entries).with(status), nil
}

// directories opens the tree of all of them.
func (h *Files) directories(c *Ctx, i *models.Instance, p *filesview.IndexProps) (Reply, error) {
	list, more, err := h.Workspaces.List(c, i, ".", true)
	if k := fault.KindOf(err); err != nil && k != fault.Unavailable {
		return nil, err
	}
	paths := []string{}
	for _, e := range list {
		if e.Dir {
			paths = append(paths, e.Path)
		}
	}
	p.Tree = filesview.NewTree(paths, more)
	return page(filesview.Index(*p)).partial(filesview.Directories(*p)).json(paths), nil
}

func fileEntry(e files.Entry, lines []string) filesview.Entry {
	return filesview.Entry{Path: e.Path, Dir: e.Dir, Link: e.Link, Special: e.Special, Size: e.Size, Changed: e.Time, Lines: lines}
}

// show is one file.
func (h *Files) show(c *Ctx, i *models.Instance, at filesview.Place, e files.Entry, status int) (Reply, error) {
	p := filesview.FileProps{Place: at, Entry: fileEntry(e, nil), Stamp: e.Stamp(), Large: e.Size > maxShown, Searched: sandbox.MaxSearched}
	p.Kind = files.KindOf(e.Path, nil)
	if e.Special || p.Large {
		return page(filesview.File(p)).json(p.Entry).with(status), nil
	}
	content, err := h.Workspaces.Read(c, i, e.Path, maxShown)
	if err != nil {
		return nil, err
	}
	p.Kind, p.IsText, p.Stamp = content.Kind, content.Text(), content.Stamp()
	if p.IsText {
		p.Text = string(content.Data)
		p.Edit = c.Query("edit") == "true" && p.Write
		if len(p.Text) <= maxColoured {
			p.HTML = markdown.Code(path.Base(e.Path), p.Text)
		}
	}
	return page(filesview.File(p)).json(p.Entry).with(status), nil
}

// Raw sends a file as it is: a download, or a picture for a page.
func (h *Files) Raw(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	p, err := filePath(c.Query("path"))
	if err != nil {
		return nil, err
	}
	r, err := h.send(c, i, p)
	if err != nil {
		return nil, err
	}
	sent := r.(content)
	sent.inline = c.Query("inline") == "true" && filesview.Picture(sent.kind)
	return sent, nil
}

// back leads to the page of a path, with what can be undone.
func back(i *models.Instance, p string, undo ...string) string {
	to := filesview.Address(i, p)
	if len(undo) == 0 {
		return to
	}
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	return to + sep + "undo=" + url.QueryEscape(strings.Join(undo, ","))
}
