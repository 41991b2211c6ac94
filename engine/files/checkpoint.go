package files

import (
	"context"
	"errors"
	"maps"
	"slices"

	"lobstead/kit/fault"
	"lobstead/kit/filename"
	"lobstead/models"
)

const lastSnapshot = "last"

// Checkpoints note what turns change. Its methods are safe for concurrent use, also by several processes of a host: those
// for one instance follow each other.
type Checkpoints struct{ *Desk }

// Before notes how the workspace is, once for each turn, before the first tool that may change it. It takes a few seconds
// at most; what goes wrong is for the log and never keeps a turn from going on.
func (c *Checkpoints) Before(ctx context.Context, sc *models.Scope, i *models.Instance, turnID string) error {
	if old, err := sc.TurnCheckpoint(ctx, turnID); err != nil || old != nil {
		return err // the turn goes on: what was before it is known
	}
	n := models.Checkpoint{InstanceID: i.ID, TurnID: &turnID}
	err := c.locked(ctx, i, func(s *store) error {
		if old, err := sc.TurnCheckpoint(ctx, turnID); err != nil || old != nil { // another process was quicker
			return err
		}
		_, err := c.open(ctx, sc, i, s, n)
		return err
	})
	if fault.Is(err, fault.TooLarge) || fault.Is(err, fault.Timeout) {
		err = errors.Join(err, unknown(ctx, sc, n, err))
	}
	return err
}

func (c *Checkpoints) open(ctx context.Context, sc *models.Scope, i *models.Instance, s *store, n models.Checkpoint) (*models.Checkpoint, error) {
	last, _ := s.load(lastSnapshot)
	snap, err := c.look(ctx, s, i, last)
	if err != nil {
		return nil, err
	}
	row, _, err := sc.OpenCheckpoint(ctx, n)
	if err != nil {
		return nil, err
	}
	if !snap.same(last) {
		err = s.save(lastSnapshot, snap)
	}
	if err == nil && s.again(lastSnapshot, row.ID) != nil { // a disk that knows no links
		err = s.save(row.ID, snap)
	}
	if err != nil {
		_ = sc.ForgetCheckpoints(context.WithoutCancel(ctx), row.ID)
	}
	return row, err
}

// unknown notes that nothing is known of a turn, and why, so that people need not take silence for "it changed nothing".
func unknown(ctx context.Context, sc *models.Scope, n models.Checkpoint, why error) error {
	row, _, err := sc.OpenCheckpoint(ctx, n)
	if err != nil {
		return err
	}
	return sc.CloseCheckpoint(ctx, row.ID, unseen(why), anything)
}

// anything stands for changes that nobody saw.
var anything = []models.FileChange{{Path: ".", What: models.FileChanged, Lost: true}}

func unseen(why error) string {
	return fault.As(why).Detail + ": what this changed, if anything, is not known and cannot be put back."
}

// After notes what the turn changed. A turn without a note of before has nothing to say.
func (c *Checkpoints) After(ctx context.Context, sc *models.Scope, i *models.Instance, turnID string) error {
	row, err := sc.TurnCheckpoint(ctx, turnID)
	if err != nil || row == nil {
		return err
	}
	return c.locked(ctx, i, func(s *store) error { return c.close(ctx, sc, i, s, row) })
}

func (c *Checkpoints) close(ctx context.Context, sc *models.Scope, i *models.Instance, s *store, row *models.Checkpoint) error {
	before, ok := s.load(row.ID)
	if !ok {
		if row.EndedAt != nil { // what is said of it stays true
			return nil
		}
		return sc.ForgetCheckpoints(ctx, row.ID)
	}
	last, _ := s.load(lastSnapshot)
	after, err := c.look(ctx, s, i, last)
	if err != nil { // too much was made to be looked at: that something was changed is still true
		return sc.CloseCheckpoint(ctx, row.ID, unseen(err), anything)
	}
	if !after.same(last) {
		if err := s.save(lastSnapshot, after); err != nil {
			return err
		}
	}
	if err := sc.CloseCheckpoint(ctx, row.ID, before.Note, compare(before, after)); err != nil {
		return err
	}
	return c.prune(ctx, sc, i, s, after)
}

func (c *Checkpoints) look(ctx context.Context, s *store, i *models.Instance, last *snapshot) (*snapshot, error) {
	v, err := c.view(ctx, i)
	if err != nil {
		return nil, err
	}
	defer func() { _ = v.Close() }()
	return s.take(ctx, v, last)
}

// store opens what is kept for an instance.
func (d *Desk) store(ctx context.Context, i *models.Instance) (*store, error) {
	if d.Host == nil {
		return nil, elsewhere()
	}
	root, err := d.Host.Keep(ctx, i.ID)
	if fault.Is(err, fault.NotFound) {
		return nil, elsewhere()
	}
	if err != nil {
		return nil, err
	}
	return &store{root: root, most: quota(i)}, nil
}

func quota(i *models.Instance) int64 { return min(int64(i.StorageMB)<<20/keepShare, maxStore) }

// compare tells what happened between two snapshots, by path.
func compare(before, after *snapshot) []models.FileChange {
	out := []models.FileChange{}
	for p, b := range before.Items {
		a, there := after.Items[p]
		switch {
		case !there:
			out = append(out, change(p, models.FileRemoved, b, item{}))
		case differs(b, a):
			out = append(out, change(p, models.FileChanged, b, a))
		}
	}
	for p, a := range after.Items {
		if _, there := before.Items[p]; !there {
			out = append(out, change(p, models.FileAdded, item{}, a))
		}
	}
	slices.SortFunc(out, func(a, b models.FileChange) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
	return out
}

func differs(b, a item) bool {
	switch {
	case b.Link != a.Link || b.Size != a.Size || b.Mode != a.Mode:
		return true
	case b.Hash != "" && a.Hash != "":
		return b.Hash != a.Hash
	}
	return b.Link == "" && b.Version != a.Version
}

func change(p, what string, b, a item) models.FileChange {
	c := models.FileChange{Path: filename.Spell(p), What: what, Before: b.Hash, After: a.Hash, BeforeSize: b.Size, AfterSize: a.Size, BeforeMode: b.Mode, Link: filename.Spell(b.Link)}
	c.Lost = what != models.FileAdded && b.Hash == ""
	return c
}

// prune forgets the oldest checkpoints until what is kept fits its share, and then every content that nothing names.
func (c *Checkpoints) prune(ctx context.Context, sc *models.Scope, i *models.Instance, s *store, last *snapshot) error {
	rows, err := sc.Checkpoints(ctx, i.ID, 1000)
	if err != nil {
		return err
	}
	known := s.contents()
	used := s.used
	named := map[string]int{}
	for it := range maps.Values(last.Items) {
		named[it.Hash]++
	}
	each := func(row *models.Checkpoint, by int) {
		for _, f := range row.Files() {
			named[f.Before] += by
			named[f.After] += by
		}
	}
	open := map[string]bool{lastSnapshot: true}
	for n := range rows {
		each(&rows[n], 1)
		open[rows[n].ID] = true
		if rows[n].EndedAt == nil { // what it changes is not known, so all of what was before it stays
			before, _ := s.load(rows[n].ID)
			for it := range maps.Values(before.Items) {
				named[it.Hash]++
			}
		}
	}
	drop := []string{}
	free := func() int64 {
		var sum int64
		for hash, size := range known {
			if named[hash] <= 0 {
				sum += size
			}
		}
		return sum
	}
	for n := len(rows) - 1; n > 0 && (len(rows)-len(drop) > maxCheckpoints || used-free() > quota(i)*3/4 && len(drop) < len(rows)-1); n-- {
		if rows[n].EndedAt == nil {
			continue
		}
		each(&rows[n], -1)
		delete(open, rows[n].ID)
		drop = append(drop, rows[n].ID)
	}
	if err := sc.ForgetCheckpoints(ctx, drop...); err != nil {
		return err
	}
	if used > quota(i)/2 || len(drop) > 0 {
		s.sweep(func(hash string) bool { return named[hash] > 0 })
	}
	s.forget(func(name string) bool { return open[name] })
	return nil
}

// maxCheckpoints are kept of one instance.
const maxCheckpoints = 200
