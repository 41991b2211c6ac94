package app

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"lobstead/api/fleet"
	"lobstead/api/wire"
	"lobstead/engine/files"
	"lobstead/kit/fault"
	"lobstead/models"
)

// FleetFiles is the file system of an agent, in the fleet API's spelling (fleet-api.md, section 6).
type FleetFiles struct{ *App }

// fileBody bounds a body with a file's content: base64 takes a third more.
const fileBody = 48 << 20

// place gives the instance and the path of a route. Answers spell paths /workspace/…, and clients hang them behind a
// route as they are: so a path that begins so is absolute, with or without its first slash.
func (h *FleetFiles) place(c *Ctx) (*models.Instance, string, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, "", err
	}
	p := c.Param("*")
	if trimmed := strings.TrimLeft(p, "/"); trimmed == "workspace" || strings.HasPrefix(trimmed, "workspace/") {
		p = "/" + trimmed
	}
	p, err = files.Path(p)
	return i, p, err
}

// Show is a file: with what is in it as JSON, or with download=true as it is.
func (h *FleetFiles) Show(c *Ctx) (Reply, error) {
	i, p, err := h.place(c)
	if err != nil {
		return nil, err
	}
	if c.Query("download") == "true" {
		return h.send(c, i, p)
	}
	content, err := h.Workspaces.Read(c, i, p, files.MaxText)
	if err != nil {
		return nil, err
	}
	out, err := fleet.NewFileContent(files.Full(p), content.Data, content.Kind, c.Query("encoding"), content.Time)
	return data(out), err
}

// send streams a file as it is, always as an attachment.
func (a *App) send(c *Ctx, i *models.Instance, p string) (Reply, error) {
	f, e, err := a.Workspaces.Open(c, i, p)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 512)
	n, _ := f.ReadAt(head, 0)
	return content{name: path.Base(p), kind: files.KindOf(p, head[:n]), from: f, size: e.Size, changed: e.Time}, nil
}

// Create makes a file; one that is there stays, unless overwrite.
func (h *FleetFiles) Create(c *Ctx) (Reply, error) {
	i, p, err := h.place(c)
	if err != nil {
		return nil, err
	}
	b, err := fields(c, fleet.ReadFileBody)
	if err != nil {
		return nil, err
	}
	e, err := h.Workspaces.Put(c, i, files.Write{Path: p, Data: b.Content, Mode: b.Permissions, New: !b.Overwrite})
	return data(fleet.FileWritten{Path: files.Full(p), Size: &e.Size, CreatedAt: wire.Time(e.Time)}).with(fiber.StatusCreated), err
}

// Update replaces a file that is there.
func (h *FleetFiles) Update(c *Ctx) (Reply, error) {
	i, p, err := h.place(c)
	if err != nil {
		return nil, err
	}
	b, err := fields(c, fleet.ReadFileBody)
	if err != nil {
		return nil, err
	}
	e, err := h.Workspaces.Put(c, i, files.Write{Path: p, Data: b.Content, Mode: b.Permissions, Known: true})
	return data(fleet.FileWritten{Path: files.Full(p), Size: &e.Size, UpdatedAt: wire.Time(e.Time)}), err
}

// Patch changes a part of a file.
func (h *FleetFiles) Patch(c *Ctx) (Reply, error) {
	i, p, err := h.place(c)
	if err != nil {
		return nil, err
	}
	b, err := fields(c, fleet.ReadPatch)
	if err != nil {
		return nil, err
	}
	e, err := h.Workspaces.Patch(c, i, p, files.Edit{Verb: b.Operation, Data: b.Content, Position: b.Position, Length: b.Length})
	return data(fleet.FileWritten{Path: files.Full(p), Size: &e.Size, UpdatedAt: wire.Time(e.Time)}), err
}

// Destroy deletes a file; the trash keeps it for a day.
func (h *FleetFiles) Destroy(c *Ctx) (Reply, error) {
	i, p, err := h.place(c)
	if err != nil {
		return nil, err
	}
	e, err := h.Workspaces.Stat(c, i, p)
	if err == nil && e.Dir && e.Link == "" {
		err = fault.New(fault.Invalid, "sandbox.is_a_directory", "%q is a directory", files.Full(p))
	}
	if err != nil {
		return nil, err
	}
	return h.gone(c, i, p, false)
}

func (h *FleetFiles) gone(c *Ctx, i *models.Instance, p string, recursive bool) (Reply, error) {
	_, err := h.Workspaces.Delete(c, c.Scope, i, p, recursive)
	return data(fleet.FileWritten{Path: files.Full(p), DeletedAt: wire.Time(time.Now())}), err
}

// Index lists a directory.
func (h *FleetFiles) Index(c *Ctx) (Reply, error) {
	i, p, err := h.place(c)
	if err != nil {
		return nil, err
	}
	hidden := c.Query("includeHidden") == "true" || c.Query("include_hidden") == "true"
	list, more, err := h.Workspaces.List(c, i, p, c.Query("recursive") == "true")
	if err != nil {
		return nil, err
	}
	out := fleet.Directory{Path: files.Full(p), Entries: []fleet.DirectoryEntry{}, Truncated: more}
	for _, e := range list {
		name := strings.TrimPrefix(e.Path, strings.TrimPrefix(p+"/", "./"))
		if !hidden && (strings.HasPrefix(name, ".") || strings.Contains(name, "/.")) {
			continue
		}
		out.Entries = append(out.Entries, fleet.DirectoryEntry{Name: name, Path: files.Full(e.Path), Type: fleet.FileType(e.Dir), Size: e.Size, ModifiedAt: wire.Time(e.Time)})
	}
	return data(out), nil
}

// CreateDirectory makes one.
func (h *FleetFiles) CreateDirectory(c *Ctx) (Reply, error) {
	i, p, err := h.place(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	parents, mode, err := fleet.ReadDirectoryBody(f)
	if err == nil {
		err = h.Workspaces.Mkdir(c, i, p, parents, mode)
	}
	return data(fleet.FileWritten{Path: files.Full(p), CreatedAt: wire.Time(time.Now())}).with(fiber.StatusCreated), err
}

// DestroyDirectory deletes one; without recursive only an empty one.
func (h *FleetFiles) DestroyDirectory(c *Ctx) (Reply, error) {
	i, p, err := h.place(c)
	if err != nil {
		return nil, err
	}
	e, err := h.Workspaces.Stat(c, i, p)
	if err == nil && (!e.Dir || e.Link != "") {
		err = fault.New(fault.Invalid, "sandbox.not_a_directory", "%q is not a directory", files.Full(p))
	}
	if err != nil {
		return nil, err
	}
	recursive := c.Query("recursive") == "true"
	if f, ferr := c.Fields(); ferr == nil && !recursive {
		b := f.OptionalBool("recursive")
		recursive = b != nil && *b
	}
	return h.gone(c, i, p, recursive)
}

// Metadata describes a file or a directory.
func (h *FleetFiles) Metadata(c *Ctx) (Reply, error) {
	i, p, err := h.place(c)
	if err != nil {
		return nil, err
	}
	e, err := h.Workspaces.Stat(c, i, p)
	out := fleet.Metadata{Path: files.Full(p), Type: fleet.FileType(e.Dir), Size: e.Size, Permissions: fmt.Sprintf("%03o", e.Mode&0o777),
		CreatedAt: wire.Time(e.Time), ModifiedAt: wire.Time(e.Time), Stamp: e.Stamp()}
	return data(out), err
}
