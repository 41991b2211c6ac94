package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/id"
)

// TrashedFile is a file or a directory that somebody deleted and that can come back until it expires. Its content is in
// the workspace's own corner, under the row's id; a row whose content is gone is worth nothing and is forgotten.
type TrashedFile struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Path           string
	Directory      bool
	Bytes          int64
	DeletedBy      string
	CreatedAt      time.Time
	ExpiresAt      time.Time
}

// TrashLife is how long what was deleted can come back.
const TrashLife = 24 * time.Hour

// TrashFile notes what is about to be moved to the trash, and writes it into the audit log. forGood says that it is too
// large for the trash: then there is no row, and the entry says so.
func (sc *Scope) TrashFile(ctx context.Context, i *Instance, f TrashedFile, forGood bool) (*TrashedFile, error) {
	now := sc.store.now()
	f.ID, f.OrganizationID, f.InstanceID, f.DeletedBy, f.CreatedAt, f.ExpiresAt = id.New(), sc.Org, i.ID, clip(sc.Actor.label(), 200), now, now.Add(TrashLife)
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		if !forGood {
			if err := tx.Create(&f).Error; err != nil {
				return err
			}
		}
		return sc.audit(tx, act{name: "file.deleted", kind: "instance", id: i.ID, of: i.Name, before: map[string]any{"path": f.Path, "bytes": f.Bytes, "directory": f.Directory},
			after: map[string]any{"for_good": forGood}})
	})
	return &f, err
}

// TrashedFiles lists what an instance's trash has, newest first.
func (sc *Scope) TrashedFiles(ctx context.Context, instanceID string) ([]TrashedFile, error) {
	return all[TrashedFile](sc.read(ctx).Where("instance_id = ?", instanceID).Order("created_at DESC, id DESC").Limit(1000))
}

// TrashedFile reads one.
func (sc *Scope) TrashedFile(ctx context.Context, instanceID, fileID string) (*TrashedFile, error) {
	return first[TrashedFile](sc.read(ctx).Where("id = ? AND instance_id = ?", fileID, instanceID))
}

// ForgetTrashed removes the rows of what came back, or is gone for good.
func (sc *Scope) ForgetTrashed(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return translate(sc.write(ctx).Where("id IN ?", ids).Delete(&TrashedFile{}).Error)
}

// Leftover is something in a workspace's own corner whose time is over.
type Leftover struct {
	ID             string
	OrganizationID string
	InstanceID     string
}

// ExpiredTrash lists what the trash need not keep any longer, by id, behind one.
func (sy *System) ExpiredTrash(ctx context.Context, behind string, most int) ([]Leftover, error) {
	return expired(sy.read(ctx).Model(&TrashedFile{}), sy.store.now(), behind, most)
}

// ExpiredUploads lists the uploads that nobody goes on with, by id, behind one.
func (sy *System) ExpiredUploads(ctx context.Context, behind string, most int) ([]Leftover, error) {
	return expired(sy.read(ctx).Model(&FileUpload{}), sy.store.now(), behind, most)
}

func expired(q *gorm.DB, now time.Time, behind string, most int) ([]Leftover, error) {
	return all[Leftover](q.Where("expires_at <= ? AND id > ?", now, behind).Order("id").Limit(most))
}
