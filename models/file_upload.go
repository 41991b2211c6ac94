package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// FileUpload is a file that comes in pieces. How much of it is there is the size of what lies in the workspace's own
// corner under the row's id, so that no two truths can differ.
type FileUpload struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Path           string
	Bytes          int64
	Overwrite      bool
	CreatedBy      string
	CreatedAt      time.Time
	ExpiresAt      time.Time
	PlacedAt       *time.Time // when the file took its place; where its bytes are still in the corner, it was only about to
}

// UploadLife is how long an upload waits for its next piece.
const UploadLife = 24 * time.Hour

// placedLife is how long one that is complete is remembered, for who did not get the answer.
const placedLife = time.Hour

// maxUploads are open at once for one instance.
const maxUploads = 100

// CreateUpload begins one. TooMany upload.limit when too many wait.
func (sc *Scope) CreateUpload(ctx context.Context, u FileUpload) (*FileUpload, error) {
	now := sc.store.now()
	u.ID, u.OrganizationID, u.CreatedBy, u.CreatedAt, u.ExpiresAt = id.New(), sc.Org, sc.Actor.UserID, now, now.Add(UploadLife)
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		var open int64
		if err := tx.Model(&FileUpload{}).Where("instance_id = ? AND placed_at IS NULL", u.InstanceID).Count(&open).Error; err != nil {
			return err
		}
		if open >= maxUploads {
			return fault.New(fault.TooMany, "upload.limit", "%d uploads of this instance are not complete", open).Hinting("Finish or cancel some")
		}
		return tx.Create(&u).Error
	})
	return &u, err
}

// Upload reads one of the actor's own.
func (sc *Scope) Upload(ctx context.Context, instanceID, uploadID string) (*FileUpload, error) {
	return first[FileUpload](sc.read(ctx).Where("id = ? AND instance_id = ? AND created_by = ?", uploadID, instanceID, sc.Actor.UserID))
}

// Uploads lists the actor's own that are not complete.
func (sc *Scope) Uploads(ctx context.Context, instanceID string) ([]FileUpload, error) {
	return all[FileUpload](sc.read(ctx).Where("instance_id = ? AND created_by = ? AND placed_at IS NULL", instanceID, sc.Actor.UserID).Order("created_at, id").Limit(maxUploads))
}

// PlaceUpload notes that one is complete and its file takes its place now; false takes that back.
func (sc *Scope) PlaceUpload(ctx context.Context, uploadID string, placed bool) error {
	now := sc.store.now()
	set := map[string]any{"placed_at": nil, "expires_at": now.Add(UploadLife)}
	if placed {
		set = map[string]any{"placed_at": now, "expires_at": now.Add(placedLife)}
	}
	return translate(sc.write(ctx).Model(&FileUpload{}).Where("id = ?", uploadID).Updates(set).Error)
}

// EndUpload forgets one that is cancelled, or whose bytes are gone.
func (sc *Scope) EndUpload(ctx context.Context, uploadID string) error {
	return translate(sc.write(ctx).Where("id = ?", uploadID).Delete(&FileUpload{}).Error)
}
