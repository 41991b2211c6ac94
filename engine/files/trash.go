package files

import (
	"context"
	"math"
	"path"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/kit/filename"
	"lobstead/models"
)

const (
	trashDir   = sandbox.Hidden + "/trash"
	uploadDir  = sandbox.Hidden + "/uploads"
	weighed    = 64 // levels of a directory that is deleted; a deeper one goes for good
	trashShare = 4  // the trash takes at most a quarter of the instance's storage
)

func inTrash(id string) string { return path.Join(trashDir, id) }

// Delete moves a file or a directory to the trash, from where Restore brings it back for a day. What is larger than the
// trash may be is gone for good: then there is no row. Of a directory that is not empty nothing is deleted without
// recursive.
func (d *Desk) Delete(ctx context.Context, sc *models.Scope, i *models.Instance, p string, recursive bool) (*models.TrashedFile, error) {
	rel, err := removable(p)
	if err != nil {
		return nil, err
	}
	var row *models.TrashedFile
	err = d.change(ctx, i, func(h sandbox.Hands) error {
		f, err := d.leaving(ctx, h, rel, recursive)
		if err != nil {
			return err
		}
		row, err = d.discard(ctx, sc, i, h, f)
		return err
	})
	return row, err
}

func removable(p string) (string, error) {
	rel, err := local(p)
	if err == nil && rel == "." {
		err = fault.New(fault.Invalid, "sandbox.path_invalid", "The workspace itself cannot be removed")
	}
	return rel, err
}

// leaving is what is to be deleted, with how large it is.
func (d *Desk) leaving(ctx context.Context, h sandbox.Hands, rel string, recursive bool) (f models.TrashedFile, err error) {
	e, err := h.Stat(ctx, rel)
	if err != nil {
		return f, said(err, rel)
	}
	size, err := d.weigh(ctx, h, e, recursive)
	return models.TrashedFile{Path: filename.Spell(rel), Directory: e.Dir, Bytes: size}, err
}

// weigh tells how large what is to be deleted is.
func (d *Desk) weigh(ctx context.Context, h sandbox.Hands, e Entry, recursive bool) (int64, error) {
	if !e.Dir {
		return e.Size, nil
	}
	list, err := h.List(ctx, e.Path, weighed, 50_000)
	if err != nil {
		return 0, said(err, e.Path)
	}
	if len(list) > 0 && !recursive {
		return 0, fault.New(fault.Conflict, "sandbox.not_empty", "%q is not empty", Full(e.Path))
	}
	var sum int64
	for _, one := range list {
		if strings.Count(one.Path, "/")-strings.Count(e.Path, "/") >= weighed { // what cannot be measured would fill the workspace from the trash too
			return math.MaxInt64, nil
		}
		if !one.Dir && one.Link == "" {
			sum += one.Size
		}
	}
	return sum, nil
}

// discard moves one thing to the trash.
func (d *Desk) discard(ctx context.Context, sc *models.Scope, i *models.Instance, h sandbox.Hands, f models.TrashedFile) (*models.TrashedFile, error) {
	from := filename.Bytes(f.Path)
	return d.bin(ctx, sc, i, h, f, func(keep string) error {
		if keep == "" {
			return said(h.Remove(ctx, from, true), from)
		}
		return said(h.Move(ctx, sandbox.Carry{From: from, To: keep}), from)
	})
}

// bin makes room in the trash for what take puts to keep, or, where keep is "", removes for good: it is larger than the trash
// may be, and there is no row. The row is written first: what no row knows of would stay for ever.
func (d *Desk) bin(ctx context.Context, sc *models.Scope, i *models.Instance, h sandbox.Hands, f models.TrashedFile, take func(keep string) error) (*models.TrashedFile, error) {
	share := int64(i.StorageMB) << 20 / trashShare
	if f.Bytes > share {
		if f.Bytes == math.MaxInt64 { // nobody knows
			f.Bytes = 0
		}
		if _, err := sc.TrashFile(ctx, i, f, true); err != nil {
			return nil, err
		}
		return nil, take("")
	}
	if err := d.makeRoom(ctx, sc, i, h, share-f.Bytes); err != nil {
		return nil, err
	}
	row, err := sc.TrashFile(ctx, i, f, false)
	if err != nil {
		return nil, err
	}
	if err := take(inTrash(row.ID)); err != nil {
		_ = sc.ForgetTrashed(context.WithoutCancel(ctx), row.ID)
		return nil, err
	}
	return row, nil
}

// makeRoom removes the oldest until no more than room is taken.
func (d *Desk) makeRoom(ctx context.Context, sc *models.Scope, i *models.Instance, h sandbox.Hands, room int64) error {
	rows, err := sc.TrashedFiles(ctx, i.ID)
	if err != nil {
		return err
	}
	drop := []models.TrashedFile{}
	for _, row := range rows { // newest first
		if room -= row.Bytes; room < 0 {
			drop = append(drop, row)
		}
	}
	return d.drop(ctx, sc, h, drop)
}

// drop removes what is in the trash for good.
func (d *Desk) drop(ctx context.Context, sc *models.Scope, h sandbox.Hands, rows []models.TrashedFile) error {
	ids := []string{}
	for _, row := range rows {
		if err := h.Remove(ctx, inTrash(row.ID), true); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		ids = append(ids, row.ID)
	}
	return sc.ForgetTrashed(ctx, ids...)
}

// restore brings back what was deleted. Where something else has taken its place it comes back beside it, by another
// name, which is given.
func (d *Desk) restore(ctx context.Context, sc *models.Scope, h sandbox.Hands, row *models.TrashedFile) (string, error) {
	to, err := free(row.Path, func(to string) error {
		return h.Move(ctx, sandbox.Carry{From: inTrash(row.ID), To: filename.Bytes(to)})
	})
	if err != nil {
		return "", said(err, row.Path)
	}
	return to, sc.ForgetTrashed(ctx, row.ID)
}

// EmptyTrash removes one thing of the trash for good, or with "" all of it.
func (d *Desk) EmptyTrash(ctx context.Context, sc *models.Scope, i *models.Instance, trashed string) error {
	rows, err := sc.TrashedFiles(ctx, i.ID)
	if err != nil {
		return err
	}
	if trashed != "" {
		row, err := sc.TrashedFile(ctx, i.ID, trashed)
		if err != nil {
			return err
		}
		rows = []models.TrashedFile{*row}
	}
	return d.change(ctx, i, func(h sandbox.Hands) error { return d.drop(ctx, sc, h, rows) })
}

// swept are looked at together.
const swept = 500

// Sweep removes what expired from workspaces that run; those of stopped ones wait until they run again, and hold up no
// others.
func (d *Desk) Sweep(ctx context.Context, s *models.Store) error {
	sy := s.AsSystem("files whose time is over")
	if err := d.sweepAll(ctx, sy.ExpiredTrash, inTrash, func(l models.Leftover) error { return s.In(l.OrganizationID).ForgetTrashed(ctx, l.ID) }); err != nil {
		return err
	}
	return d.sweepAll(ctx, sy.ExpiredUploads, inUploads, func(l models.Leftover) error { return s.In(l.OrganizationID).EndUpload(ctx, l.ID) })
}

func (d *Desk) sweepAll(ctx context.Context, expired func(ctx context.Context, behind string, most int) ([]models.Leftover, error), at func(id string) string, forget func(models.Leftover) error) error {
	for behind := ""; ; {
		list, err := expired(ctx, behind, swept)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, l := range list {
			if d.sweep(ctx, l, at(l.ID)) {
				err = forget(l)
			}
			if err != nil {
				return err
			}
		}
		behind = list[len(list)-1].ID
	}
}

// sweep tells whether a leftover is gone.
func (d *Desk) sweep(ctx context.Context, l models.Leftover, p string) bool {
	if d.Host == nil {
		return false
	}
	h, err := d.Host.Hands(ctx, l.InstanceID)
	if err != nil {
		return false
	}
	defer func() { _ = h.Close() }()
	err = h.Remove(ctx, p, true)
	return err == nil || fault.Is(err, fault.NotFound)
}
