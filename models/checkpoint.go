package models

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Checkpoint is what one turn, or one restoring, did to the files of a workspace. The contents that were there before
// are kept beside the sandbox by engine/files; the row knows which they are.
type Checkpoint struct {
	ID             string
	OrganizationID string
	InstanceID     string
	TurnID         *string // nil = somebody put things back
	RestoredID     string  // the checkpoint that was put back
	Note           string  // what is not covered, for people
	Added          int
	Changed        int
	Removed        int
	Changes        string // JSON list of FileChange
	CreatedBy      string
	CreatedAt      time.Time
	EndedAt        *time.Time // nil = not known yet
}

// FileChange is one file of a checkpoint. Before and After name kept contents by their hash; "" = there was none, or it
// was not kept.
type FileChange struct {
	Path       string `json:"path"`
	What       string `json:"what"` // added, changed, removed
	Before     string `json:"before,omitempty"`
	After      string `json:"after,omitempty"`
	BeforeSize int64  `json:"before_size"`
	AfterSize  int64  `json:"after_size"`
	BeforeMode uint32 `json:"before_mode,omitempty"`
	Link       string `json:"link,omitempty"` // what a symbolic link led to before
	Lost       bool   `json:"lost,omitempty"` // what was there before was too large to be kept
}

// MaxFileChanges is how many files of a checkpoint are listed; the counts are of all.
const MaxFileChanges = 2000

// What may happen to a file.
const (
	FileAdded   = "added"
	FileChanged = "changed"
	FileRemoved = "removed"
)

// Files are the changes, at most as many as were worth listing.
func (c *Checkpoint) Files() []FileChange {
	out := []FileChange{}
	_ = json.Unmarshal([]byte(c.Changes), &out) // written by us
	return out
}

// OpenCheckpoint notes that the files are about to be changed. A turn has one: fresh is false when it was there.
func (sc *Scope) OpenCheckpoint(ctx context.Context, c Checkpoint) (row *Checkpoint, fresh bool, err error) {
	c.ID, c.OrganizationID, c.Changes, c.CreatedBy, c.CreatedAt = id.New(), sc.Org, "[]", clip(sc.Actor.label(), 200), sc.store.now()
	err = sc.tx(ctx, func(tx *gorm.DB) error {
		if c.TurnID != nil {
			if row, err = first[Checkpoint](tx.Where("turn_id = ?", *c.TurnID)); !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		row, fresh = &c, true
		return tx.Create(&c).Error
	})
	return row, fresh, err
}

// CloseCheckpoint writes what happened. One without a change is deleted: nobody asks for it.
func (sc *Scope) CloseCheckpoint(ctx context.Context, checkpointID, note string, files []FileChange) error {
	counts := map[string]int{}
	for _, f := range files {
		counts[f.What]++
	}
	list, err := json.Marshal(files[:min(len(files), MaxFileChanges)])
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return translate(sc.write(ctx).Where("id = ?", checkpointID).Delete(&Checkpoint{}).Error)
	}
	_, err = changed(sc.write(ctx).Model(&Checkpoint{}).Where("id = ?", checkpointID), map[string]any{"note": clip(note, 500), "added": counts[FileAdded],
		"changed": counts[FileChanged], "removed": counts[FileRemoved], "changes": string(list), "ended_at": sc.store.now()})
	return err
}

// AuditRestore writes into the audit log that files were put back to what they were before a checkpoint.
func (sc *Scope) AuditRestore(ctx context.Context, i *Instance, c *Checkpoint, paths []string) error {
	after := map[string]any{"checkpoint": c.ID, "files": len(paths)}
	if c.TurnID != nil {
		after["turn"] = *c.TurnID
	}
	if len(paths) > 0 {
		after["first"] = paths[0]
	}
	return sc.holding(ctx, func(tx *gorm.DB) error {
		return sc.audit(tx, act{name: "files.restored", kind: "instance", id: i.ID, of: i.Name, after: after})
	})
}

// Checkpoint reads one of an instance.
func (sc *Scope) Checkpoint(ctx context.Context, instanceID, checkpointID string) (*Checkpoint, error) {
	return first[Checkpoint](sc.read(ctx).Where("id = ? AND instance_id = ?", checkpointID, instanceID))
}

// TurnCheckpoint reads what a turn changed; nil when it changed nothing that is known.
func (sc *Scope) TurnCheckpoint(ctx context.Context, turnID string) (*Checkpoint, error) {
	c, err := first[Checkpoint](sc.read(ctx).Where("turn_id = ?", turnID))
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return c, err
}

// TurnCheckpoints reads those of several turns, by turn.
func (sc *Scope) TurnCheckpoints(ctx context.Context, turns []string) (map[string]*Checkpoint, error) {
	if len(turns) == 0 {
		return nil, nil
	}
	list, err := all[Checkpoint](sc.read(ctx).Where("turn_id IN ? AND ended_at IS NOT NULL", turns))
	out := map[string]*Checkpoint{}
	for n := range list {
		out[*list[n].TurnID] = &list[n]
	}
	return out, err
}

// Checkpoints lists an instance's, newest first.
func (sc *Scope) Checkpoints(ctx context.Context, instanceID string, most int) ([]Checkpoint, error) {
	return all[Checkpoint](sc.read(ctx).Where("instance_id = ?", instanceID).Order("created_at DESC, id DESC").Limit(most))
}

// ForgetCheckpoints deletes rows whose contents are not kept any longer.
func (sc *Scope) ForgetCheckpoints(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return translate(sc.write(ctx).Where("id IN ?", ids).Delete(&Checkpoint{}).Error)
}
