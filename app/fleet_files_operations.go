package app

import (
	"github.com/gofiber/fiber/v2"

	"lobstead/api/fleet"
	"lobstead/api/wire"
	"lobstead/engine/files"
	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// fields reads the body by a reader of the family.
func fields[T any](c *Ctx, read func(*wire.Fields) (T, error)) (T, error) {
	f, err := c.Fields()
	if err != nil {
		var none T
		return none, err
	}
	return read(f)
}

// Copy copies one thing or several.
func (h *FleetFiles) Copy(c *Ctx) (Reply, error) { return h.carry(c, false) }

// Move moves one thing or several.
func (h *FleetFiles) Move(c *Ctx) (Reply, error) { return h.carry(c, true) }

// carry does one after the other: one that fails says so in its own line.
func (h *FleetFiles) carry(c *Ctx, move bool) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	list, err := fields(c, fleet.ReadCarries)
	if err != nil {
		return nil, err
	}
	out := fleet.Operations{Results: []fleet.Operation{}}
	var halt error // nothing else will go better
	for n, one := range list {
		r := fleet.Operation{Source: spelled(one.Source), Destination: spelled(one.Destination)}
		err := halt
		if err == nil {
			err = h.Workspaces.CarryAll(c, c.Scope, i, []files.Carry{{From: one.Source, To: one.Destination, Move: move, Overwrite: one.Overwrite}})
		}
		if k := fault.KindOf(err); err != nil && (k == fault.Unavailable || k == fault.Internal || fault.As(err).Code == "instance.stopped") {
			if halt = err; n == 0 {
				return nil, err
			}
		}
		if r.Success = err == nil; err != nil {
			r.Error = fleet.NewError(fault.As(err), false).Error
		}
		out.Results = append(out.Results, r)
	}
	return data(out), nil
}

// spelled is a caller's path as answers write it; one that is none stays as it came.
func spelled(p string) string {
	rel, err := files.Path(p)
	if err != nil {
		return p
	}
	return files.Full(rel)
}

// Search finds files by name, by content or both.
func (h *FleetFiles) Search(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	b, err := fields(c, fleet.ReadSearch)
	if err != nil {
		return nil, err
	}
	found, more, err := h.Workspaces.Search(c, i, files.Query{Text: b.Query, Path: b.Path, Names: b.Names, Content: b.Content, Glob: b.Glob, CaseSensitive: b.CaseSensitive, Max: b.Max})
	if err != nil {
		return nil, err
	}
	out := fleet.FoundFiles{Results: []fleet.FoundFile{}, Total: len(found), Truncated: more}
	for _, f := range found {
		out.Results = append(out.Results, fleet.FoundFile{Path: files.Full(f.Path), Type: fleet.FileType(f.Dir), Size: f.Size, Matches: f.Lines})
	}
	return data(out), nil
}

// Pack makes an archive.
func (h *FleetFiles) Pack(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	b, err := fields(c, fleet.ReadArchive)
	if err != nil {
		return nil, err
	}
	made, err := h.Workspaces.Pack(c, i, sandbox.Pack{Paths: b.Paths, To: b.Output, Format: b.Format, Level: b.Level, Overwrite: b.Overwrite})
	out := fleet.ArchiveMade{Path: spelled(b.Output), Size: made.Size, Format: b.Format, Files: made.Files, Skipped: made.Skipped}
	return data(out).with(fiber.StatusCreated), err
}

// Unpack unpacks an archive: all of it or nothing.
func (h *FleetFiles) Unpack(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	b, err := fields(c, fleet.ReadExtract)
	if err != nil {
		return nil, err
	}
	out, err := h.Workspaces.Unpack(c, i, sandbox.Unpack{Archive: b.Archive, To: b.Destination, Overwrite: b.Overwrite})
	return data(fleet.ArchiveExtracted{Destination: spelled(b.Destination), FilesExtracted: out.Files}), err
}
