package files

import (
	"bytes"
	"context"
	"slices"
	"unicode/utf8"

	"lobstead/engine/sandbox"
	"lobstead/kit/diff"
	"lobstead/kit/fault"
	"lobstead/kit/filename"
	"lobstead/models"
)

// Difference is one file of a checkpoint with what happened in it.
type Difference struct {
	models.FileChange
	Text    string // unified; "" when it is no text, or not kept
	Added   int
	Removed int
	Why     string // why there is no text
	Can     bool   // it can be put back
}

const (
	maxDiffed    = 256 << 10 // bytes of a text that is compared
	maxDiffFiles = 100       // of a checkpoint
	maxDiffText  = 48 << 10  // bytes of one difference
)

// Differences are the files of a checkpoint, the first ones with what happened in them.
func (d *Desk) Differences(ctx context.Context, i *models.Instance, c *models.Checkpoint) ([]Difference, error) {
	s, err := d.store(ctx, i)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.root.Close() }()
	out := []Difference{}
	for n, f := range c.Files() {
		one := Difference{FileChange: f, Can: s.can(f)}
		if n < maxDiffFiles {
			s.compare(&one)
		}
		out = append(out, one)
	}
	return out, nil
}

// can tells whether a file can be made as it was.
func (s *store) can(f models.FileChange) bool {
	return f.Path != "." && (f.What == models.FileAdded || f.Before != "" && s.has(f.Before))
}

func (s *store) compare(one *Difference) {
	var before, after []byte
	switch {
	case one.Link != "":
		one.Why = "It was a link to " + one.Link
		return
	case one.What != models.FileAdded && one.Before == "", one.What != models.FileRemoved && one.After == "":
		one.Why = "It is too large to be kept, or was a link"
		return
	}
	if one.Before != "" {
		if before = s.content(one.Before); before == nil {
			one.Why = "What was there before is not kept any longer"
			return
		}
	}
	if one.After != "" {
		if after = s.content(one.After); after == nil {
			one.Why = "What was there then is not kept any longer"
			return
		}
	}
	switch {
	case len(before) > maxDiffed || len(after) > maxDiffed:
		one.Why = "It is too long to be compared here"
	case !utf8.Valid(before) || !utf8.Valid(after) || bytes.IndexByte(before, 0) >= 0 || bytes.IndexByte(after, 0) >= 0:
		one.Why = "It is no text"
	case bytes.Equal(before, after):
		one.Why = "Only its permissions changed"
	default:
		one.Text, one.Added, one.Removed = diff.Unified(one.Path, string(before), string(after))
		if len(one.Text) > maxDiffText {
			one.Text = one.Text[:maxDiffText]
		}
	}
}

// Restored is what came of putting things back.
type Restored struct {
	Files   int
	Skipped []string // what was not kept
}

// PutBack makes files as they were before a checkpoint: the one at a path, or with "" all of them. Files that the turn
// added go to the trash. The putting back is a checkpoint of its own and can be undone like any other.
func (c *Checkpoints) PutBack(ctx context.Context, sc *models.Scope, i *models.Instance, row *models.Checkpoint, only string) (out Restored, err error) {
	list := slices.DeleteFunc(row.Files(), func(f models.FileChange) bool { return only != "" && f.Path != only })
	if len(list) == 0 {
		return out, fault.New(fault.NotFound, "file.not_found", "The checkpoint has no such file")
	}
	paths := []string{}
	err = c.change(ctx, i, func(h sandbox.Hands) error {
		return c.locked(ctx, i, func(s *store) error {
			list = slices.DeleteFunc(list, func(f models.FileChange) bool {
				can := s.can(f)
				if can {
					paths = append(paths, f.Path)
				} else {
					out.Skipped = append(out.Skipped, f.Path)
				}
				return !can
			})
			if len(list) == 0 {
				return nil
			}
			mine, err := c.open(ctx, sc, i, s, models.Checkpoint{InstanceID: i.ID, RestoredID: row.ID})
			if err != nil {
				return err
			}
			err = each("put back", paths, func(n int) error {
				ok, err := c.putBack(ctx, sc, i, h, s, list[n])
				switch {
				case err != nil:
				case ok:
					out.Files++
				default:
					out.Skipped = append(out.Skipped, list[n].Path)
				}
				return err
			})
			if cerr := c.close(context.WithoutCancel(ctx), sc, i, s, mine); err == nil { // also after half of it: what was changed can be undone
				err = cerr
			}
			return err
		})
	})
	if out.Files > 0 {
		if aerr := sc.AuditRestore(context.WithoutCancel(ctx), i, row, paths); err == nil {
			err = aerr
		}
	}
	return out, err
}

// putBack does so with one file; false when what was there is not kept.
func (c *Checkpoints) putBack(ctx context.Context, sc *models.Scope, i *models.Instance, h sandbox.Hands, s *store, f models.FileChange) (bool, error) {
	rel, err := local(f.Path)
	if err != nil || rel == "." {
		return false, nil //nolint:nilerr // not a file of the workspace
	}
	e, err := h.Stat(ctx, rel)
	if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		return false, said(err, rel)
	}
	there := err == nil
	if f.What == models.FileAdded {
		if there {
			_, err = c.discard(ctx, sc, i, h, models.TrashedFile{Path: filename.Spell(rel), Bytes: e.Size, Directory: e.Dir})
			return err == nil, err
		}
		return true, nil
	}
	data := s.content(f.Before)
	if f.Before == "" || data == nil {
		return false, nil
	}
	if there && (e.Dir || e.Link != "") { // something else took its place
		if _, err := c.discard(ctx, sc, i, h, models.TrashedFile{Path: filename.Spell(rel), Bytes: e.Size, Directory: e.Dir}); err != nil {
			return false, err
		}
	}
	err = h.Put(ctx, sandbox.Put{Path: rel, Mode: f.BeforeMode, Size: int64(len(data))}, bytes.NewReader(data))
	return err == nil, said(err, rel)
}
