package app

import (
	"cmp"
	"path"
	"strings"

	"lobstead/api/wire"
	"lobstead/engine/files"
	"lobstead/engine/sandbox"
	"lobstead/kit/diff"
	"lobstead/kit/fault"
	"lobstead/models"
	filesview "lobstead/views/files"
	"lobstead/views/ui"
)

// asked reads the instance and the form of an act on files.
func (h *Files) asked(c *Ctx) (*models.Instance, *wire.Fields, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, nil, err
	}
	f, err := c.Fields()
	return i, f, err
}

// Create makes an empty file or a directory.
func (h *Files) Create(c *Ctx) (Reply, error) {
	i, f, err := h.asked(c)
	if err != nil {
		return nil, err
	}
	dir, err := filePath(f.Text("path"))
	if err != nil {
		return nil, err
	}
	name := strings.TrimSpace(f.Text("name"))
	to := path.Join(dir, name)
	switch {
	case name == "":
		err = fault.New(fault.Invalid, "file.name", "Give it a name")
	case f.Text("kind") == "directory":
		err = h.Workspaces.Mkdir(c, i, to, true, 0)
	default:
		_, err = h.Workspaces.Put(c, i, files.Write{Path: to, New: true})
	}
	if k := fault.KindOf(err); err != nil && !c.wantsJSON() && (k == fault.Invalid || k == fault.Conflict || k == fault.Forbidden) {
		place := h.filePlace(c, i, dir)
		place.Form = filesview.Form{Errors: map[string]string{"name": sentence(fault.As(err))}, Typed: map[string]string{"name": name}}
		return h.index(c, i, &filesview.IndexProps{Place: place}, 422)
	}
	return redirect(filesview.Address(i, to)).json(wire.Done{Success: true}).say("ok", "Made "+path.Base(to)), err
}

// Save writes what was edited, unless somebody else wrote meanwhile: then both are shown.
func (h *Files) Save(c *Ctx) (Reply, error) {
	i, f, err := h.asked(c)
	if err != nil {
		return nil, err
	}
	p, err := filePath(f.Text("path"))
	text, _ := f.String("content")
	if err = cmp.Or(err, f.Err()); err != nil {
		return nil, err
	}
	if f.Text("eol") == "crlf" {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if f.Text("copy") == "true" {
		to, err := h.Workspaces.Place(c, i, path.Dir(p), []models.Upload{{Name: path.Base(p), Data: []byte(text)}})
		if err != nil {
			return nil, err
		}
		return redirect(filesview.Address(i, to[0])).json(wire.Done{Success: true}).say("ok", "Saved as "+path.Base(to[0])), nil
	}
	_, err = h.Workspaces.Put(c, i, files.Write{Path: p, Data: []byte(text), Stamp: f.Text("stamp")})
	if err != nil && !c.wantsJSON() {
		return h.unsaved(c, i, p, text, err)
	}
	return redirect(filesview.Address(i, p)).json(wire.Done{Success: true}).say("ok", "Saved"), err
}

// unsaved is the editor again, with what was typed.
func (h *Files) unsaved(c *Ctx, i *models.Instance, p, text string, why error) (Reply, error) {
	props := filesview.FileProps{Place: h.filePlace(c, i, p), Entry: filesview.Entry{Path: p}, Text: text, IsText: true, Edit: true}
	if now, err := h.Workspaces.Read(c, i, p, maxShown); err == nil {
		props.Entry, props.Kind, props.Stamp = fileEntry(now.Entry, nil), now.Kind, now.Stamp()
		if theirs := string(now.Data); fault.As(why).Code == "sandbox.changed" && now.Text() {
			edit, _, _ := diff.Unified(p, theirs, text)
			props.Theirs, props.Lines = true, ui.Unified(edit, maxDiffLines)
		}
	}
	if !props.Theirs {
		props.Error = sentence(fault.As(why)) + ". What you typed is still here."
	}
	status := statuses[fault.KindOf(why)]
	return page(filesview.File(props)).with(status), nil
}

// Carry renames, moves or copies: one thing to a path, or what is ticked into a directory.
func (h *Files) Carry(c *Ctx) (Reply, error) {
	i, f, err := h.asked(c)
	if err != nil {
		return nil, err
	}
	paths, to := f.OptionalStrings("paths"), strings.TrimSpace(f.Text("to"))
	act, _ := f.Enum("act", "move", "copy")
	dir, err := filePath(f.Text("dir"))
	if err := cmp.Or(err, f.Err()); err != nil {
		return nil, err
	}
	exact := f.Text("exact") == "true"
	list := []files.Carry{}
	for _, p := range paths {
		target := to
		if !exact {
			target = path.Join(to, path.Base(p))
		}
		list = append(list, files.Carry{From: p, To: target, Move: act == "move"})
	}
	rel, err := filePath(to)
	if len(paths) == 0 || to == "" {
		err = fault.New(fault.Invalid, "files.none", "Tick what is meant, and say where it goes")
	}
	if err == nil {
		err = h.Workspaces.CarryAll(c, c.Scope, i, list)
	}
	switch {
	case err == nil || fault.As(err).Code == partly:
	case exact && len(paths) == 1:
		return h.again(c, i, paths[0], "carry", filesview.Form{Typed: map[string]string{"carry": to}}, err)
	default:
		return h.again(c, i, dir, "picked", filesview.Form{Typed: map[string]string{"to": to}, Picked: paths}, err)
	}
	said := map[string]string{"move": "Moved", "copy": "Copied"}[act]
	return c.acted(redirect(filesview.Address(i, rel)).say("ok", said), err)
}

// Destroy moves what is ticked to the trash; the page that follows offers the way back.
func (h *Files) Destroy(c *Ctx) (Reply, error) {
	i, f, err := h.asked(c)
	if err != nil {
		return nil, err
	}
	dir, err := filePath(f.Text("dir"))
	paths := f.OptionalStrings("paths")
	if err = cmp.Or(err, f.Err()); err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return h.again(c, i, dir, "picked", filesview.Form{}, fault.New(fault.Invalid, "files.none", "Tick what is to be deleted"))
	}
	rows, gone, err := h.Workspaces.DeleteAll(c, c.Scope, i, paths)
	if err != nil && fault.As(err).Code != partly {
		return h.again(c, i, dir, "picked", filesview.Form{Picked: paths}, err)
	}
	undo := []string{}
	for _, row := range rows[:min(len(rows), maxUndo)] {
		undo = append(undo, row.ID)
	}
	r := redirect(back(i, dir, undo...))
	if gone > 0 {
		r = r.say("warn", ui.Plural(gone, "thing was", "things were")+" too large for the trash and deleted for good")
	}
	return c.acted(r, err)
}

// partly is the code of an act on several paths that was half done.
const partly = "files.partly"

// acted answers an act on several paths. One that was half done leads to where its page would, which shows what is there
// now, and says what was not done.
func (c *Ctx) acted(r *answer, err error) (Reply, error) {
	if f := fault.As(err); err != nil && f.Code == partly && !c.wantsJSON() {
		return r.say("bad", f.Detail), nil
	}
	return r.json(wire.Done{Success: true}), err
}

// Pack makes an archive of what is ticked, beside it, by a name that is free.
func (h *Files) Pack(c *Ctx) (Reply, error) {
	i, f, err := h.asked(c)
	if err != nil {
		return nil, err
	}
	dir, err := filePath(f.Text("dir"))
	paths, format := f.OptionalStrings("paths"), f.Text("format")
	if err = cmp.Or(err, f.Err()); err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return h.again(c, i, dir, "picked", filesview.Form{}, fault.New(fault.Invalid, "files.none", "Tick what is to be packed"))
	}
	name := strings.TrimSuffix(path.Base(cmp.Or(strings.TrimSpace(f.Text("name")), "archive")), "."+format) + "." + format
	made, to, err := h.Workspaces.PackFree(c, i, sandbox.Pack{Paths: paths, To: path.Join(dir, name), Format: format, Level: -1})
	if err != nil {
		return h.again(c, i, dir, "picked", filesview.Form{Picked: paths}, err)
	}
	said := "Packed into " + path.Base(to)
	if made.Skipped > 0 {
		said += ", without " + ui.Plural(made.Skipped, "link or device", "links or devices")
	}
	return redirect(back(i, dir)).json(wire.Done{Success: true}).say("ok", said), nil
}

// Unpack unpacks an archive.
func (h *Files) Unpack(c *Ctx) (Reply, error) {
	i, f, err := h.asked(c)
	if err != nil {
		return nil, err
	}
	over := f.OptionalBool("overwrite")
	u := sandbox.Unpack{Archive: f.Text("path"), To: cmp.Or(strings.TrimSpace(f.Text("to")), "."), Overwrite: over != nil && *over}
	if err := f.Err(); err != nil {
		return nil, err
	}
	out, err := h.Workspaces.Unpack(c, i, u)
	if err != nil {
		return h.again(c, i, u.Archive, "unpack", filesview.Form{Typed: map[string]string{"unpack": u.To}}, err)
	}
	said := "Unpacked " + ui.Plural(out.Files, "file", "files")
	if out.Files == 0 {
		said = "Unpacked: the archive holds directories only"
	}
	rel, err := filePath(u.To)
	return redirect(filesview.Address(i, rel)).json(wire.Done{Success: true}).say("ok", said), err
}
