package files

import (
	"context"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/kit/filename"
	"lobstead/kit/size"
	"lobstead/models"
)

// each does one thing after the other, which were all looked at before. When one fails all the same, the fault says which
// were done and which were not: Conflict files.partly, with a field for each. verb is what is said of one that was done:
// "moved". Nothing was done when the first one fails, and then its own fault says all.
func each(verb string, names []string, do func(n int) error) error {
	for n := range names {
		if err := do(n); err != nil {
			return partly(verb, names, n, err)
		}
	}
	return nil
}

func partly(verb string, names []string, done int, err error) error {
	if done == 0 {
		return err
	}
	names = slices.Clone(names)
	why := fault.As(err).Detail
	for n, name := range names {
		names[n] = filename.Bytes(name)
	}
	said := fmt.Sprintf("%s: %s. %s was not: %s", strings.ToUpper(verb[:1])+verb[1:], listed(names[:done]), strconv.Quote(names[done]), why)
	if rest := names[done+1:]; len(rest) > 0 {
		said += ". Not reached: " + listed(rest)
	}
	out := fault.Wrap(err, fault.Conflict, "files.partly", "%s", said)
	for n, name := range names {
		one := fault.Issue{Code: "custom", Path: []any{filename.Spell(name)}, Message: verb}
		switch {
		case n == done:
			one.Message = "not " + verb + ": " + why
		case n > done:
			one.Message = "not " + verb + ": not reached"
		}
		out.Fields = append(out.Fields, one)
	}
	return out
}

// which keeps the words of a fault, which name the path, where an edge has fixed ones: of several paths it says which one.
func which(err error) error {
	f := *fault.As(err)
	f.Fields = fault.Issues{{Code: "custom", Message: f.Detail, Path: []any{}}}
	return &f
}

const maxListed = 5 // names in a sentence

func listed(names []string) string {
	out := []string{}
	for _, n := range names[:min(len(names), maxListed)] {
		out = append(out, strconv.Quote(n))
	}
	if more := len(names) - maxListed; more > 0 {
		out = append(out, strconv.Itoa(more)+" more")
	}
	return strings.Join(out, ", ")
}

// uncovered leaves out what is named twice, and what goes along with a directory that is named too.
func uncovered(paths []string) []string {
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	return slices.DeleteFunc(slices.Clone(paths), func(p string) bool {
		return slices.ContainsFunc(paths, func(above string) bool { return strings.HasPrefix(p, above+"/") })
	})
}

// CarryAll copies or moves several things. All are looked at first: a source that is missing, a target that is taken,
// copies that do not fit, and nothing is done. What is overwritten goes to the trash, as Delete would have it.
func (d *Desk) CarryAll(ctx context.Context, sc *models.Scope, i *models.Instance, list []Carry) error {
	list, err := spelledCarries(list)
	if err != nil {
		return err
	}
	return d.change(ctx, i, func(h sandbox.Hands) error {
		if len(list) > 1 { // one is looked at by whoever does it
			if err := d.carriable(ctx, i, h, list); err != nil {
				return err
			}
		}
		names, verb := []string{}, "copied"
		for _, c := range list {
			names = append(names, Full(c.From))
			if c.Move {
				verb = "moved"
			}
		}
		return each(verb, names, func(n int) error {
			c := list[n]
			at := c.To
			if path.Base(c.To) == path.Base(c.From) { // it has its name already
				at = path.Dir(c.To)
			}
			if err := nameable(ctx, h, at); err != nil {
				return err
			}
			return d.carry(ctx, sc, i, h, c)
		})
	})
}

// carry does so with one thing. With overwrite it looks again when another one was quicker: what that put there is
// overwritten too.
func (d *Desk) carry(ctx context.Context, sc *models.Scope, i *models.Instance, h sandbox.Hands, c Carry) error {
	do := h.Copy
	if c.Move {
		do = h.Move
	}
	for tries := 0; ; tries++ {
		old, err := d.replaced(ctx, h, c)
		switch {
		case err != nil:
			return err
		case old == nil:
			err = do(ctx, sandbox.Carry{From: c.From, To: c.To})
		default:
			_, err = d.bin(ctx, sc, i, h, *old, func(keep string) error {
				return do(ctx, sandbox.Carry{From: c.From, To: c.To, Overwrite: true, Keep: keep})
			})
		}
		if err == nil || !c.Overwrite || fault.As(err).Code != "sandbox.exists" || tries >= 5 {
			return said(err, c.From)
		}
	}
}

// replaced is what a copy or a move takes the place of, nil for nothing. A file takes no directory's place, nor a directory
// a file's.
func (d *Desk) replaced(ctx context.Context, h sandbox.Hands, c Carry) (*models.TrashedFile, error) {
	if !c.Overwrite || c.From == c.To {
		return nil, nil
	}
	from, err := h.Stat(ctx, c.From)
	if err != nil {
		return nil, said(err, c.From)
	}
	old, err := d.leaving(ctx, h, c.To, true)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case strings.HasPrefix(c.From, c.To+"/"):
		return nil, fault.New(fault.Invalid, "sandbox.into_itself", "%q cannot take the place of what it is in", Full(c.To))
	case strings.HasPrefix(c.To, c.From+"/"):
		return nil, fault.New(fault.Invalid, "sandbox.into_itself", "%q cannot go into itself", Full(c.From))
	case old.Directory != from.Dir:
		return nil, sandbox.OtherKind(Full(c.To), old.Directory)
	}
	return &old, nil
}

// spelledCarries reads the paths, and leaves out what moves along with its directory.
func spelledCarries(list []Carry) (out []Carry, err error) {
	moved := []string{}
	for _, c := range list {
		if c.From, err = local(c.From); err != nil {
			return nil, err
		}
		if c.To, err = local(c.To); err != nil {
			return nil, err
		}
		if out = append(out, c); c.Move {
			moved = append(moved, c.From)
		}
	}
	if len(out) < 2 {
		return out, nil
	}
	stay, seen := uncovered(moved), map[string]bool{}
	return slices.DeleteFunc(out, func(c Carry) bool {
		again := seen[c.From]
		seen[c.From] = true
		return again || c.Move && !slices.Contains(stay, c.From)
	}), nil
}

func (d *Desk) carriable(ctx context.Context, i *models.Instance, h sandbox.Hands, list []Carry) error {
	taken := map[string]string{}
	var bytes int64
	for _, c := range list {
		e, err := h.Stat(ctx, c.From)
		if err != nil {
			return which(said(err, c.From))
		}
		if other, ok := taken[c.To]; ok {
			return fault.New(fault.Conflict, "sandbox.exists", "%q and %q would both become %q", Full(other), Full(c.From), Full(c.To))
		}
		taken[c.To] = c.From
		if strings.HasPrefix(c.To, c.From+"/") {
			return fault.New(fault.Invalid, "sandbox.into_itself", "%q cannot go into itself", Full(c.From))
		}
		switch to, err := h.Stat(ctx, c.To); {
		case err == nil && !c.Overwrite && !(c.Move && c.From == c.To):
			return fault.New(fault.Conflict, "sandbox.exists", "%q exists", Full(c.To))
		case err == nil && strings.HasPrefix(c.From, c.To+"/"):
			return fault.New(fault.Invalid, "sandbox.into_itself", "%q cannot take the place of what it is in", Full(c.To))
		case err == nil && to.Dir != e.Dir:
			return sandbox.OtherKind(Full(c.To), to.Dir)
		case err != nil && !fault.Is(err, fault.NotFound):
			return err
		}
		if e.Special && !c.Move {
			return fault.New(fault.Invalid, "sandbox.not_a_file", "%q is not a regular file", Full(c.From))
		}
		if !c.Move {
			weight, err := d.weigh(ctx, h, e, true)
			if err != nil {
				return err
			}
			bytes += min(weight, math.MaxInt64-bytes)
		}
	}
	if bytes == 0 {
		return nil
	}
	u, err := h.Usage(ctx)
	if free := int64(i.StorageMB)<<20 - u.DiskBytes; err == nil && bytes > free {
		return fault.New(fault.Full, "sandbox.disk_full", "No space left: the copies take %s, and %s is free", size.Of(bytes), size.Of(max(free, 0)))
	}
	return err
}

// DeleteAll moves several things to the trash; all are looked at first. rows are what can come back, and gone counts what
// the trash had no room for.
func (d *Desk) DeleteAll(ctx context.Context, sc *models.Scope, i *models.Instance, paths []string) (rows []models.TrashedFile, gone int, err error) {
	for n := range paths {
		if paths[n], err = removable(paths[n]); err != nil {
			return nil, 0, err
		}
	}
	paths = uncovered(paths)
	done := []*models.TrashedFile{}
	err = d.change(ctx, i, func(h sandbox.Hands) error {
		list, names := []models.TrashedFile{}, []string{}
		for _, p := range paths {
			f, err := d.leaving(ctx, h, p, true)
			if err != nil && len(paths) > 1 {
				err = which(err)
			}
			if err != nil {
				return err
			}
			list, names = append(list, f), append(names, Full(p))
		}
		return each("deleted", names, func(n int) error {
			row, err := d.discard(ctx, sc, i, h, list[n])
			if err == nil {
				done = append(done, row)
			}
			return err
		})
	})
	for _, row := range done { // a later one may have taken the room of an earlier one
		if row == nil {
			gone++
		} else if _, ferr := sc.TrashedFile(ctx, i.ID, row.ID); ferr != nil {
			gone++
		} else {
			rows = append(rows, *row)
		}
	}
	return rows, gone, err
}

// RestoreAll brings several things back, each to where it was or beside what has taken its place; all are looked at first.
// It gives where they are.
func (d *Desk) RestoreAll(ctx context.Context, sc *models.Scope, i *models.Instance, ids []string) (to []string, err error) {
	rows, names := []*models.TrashedFile{}, []string{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		row, err := sc.TrashedFile(ctx, i.ID, id)
		if err != nil {
			return nil, err
		}
		rows, names = append(rows, row), append(names, Full(row.Path))
	}
	err = d.change(ctx, i, func(h sandbox.Hands) error {
		for _, row := range rows {
			if _, err := h.Stat(ctx, inTrash(row.ID)); fault.Is(err, fault.NotFound) {
				_ = sc.ForgetTrashed(ctx, row.ID)
				return fault.New(fault.NotFound, "file.gone", "%q is gone: its content was removed from the workspace", Full(row.Path))
			} else if err != nil {
				return err
			}
		}
		return each("restored", names, func(n int) error {
			p, err := d.restore(ctx, sc, h, rows[n])
			if err == nil {
				to = append(to, p)
			}
			return err
		})
	})
	return to, err
}
