package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/id"
)

// ApprovalGrant lets exactly one call run again without a question: in one conversation, or until a time.
type ApprovalGrant struct {
	ID             string
	OrganizationID string
	InstanceID     string
	SessionID      *string // nil = in every conversation with the instance
	Fingerprint    string
	Tool           string
	Input          string // JSON
	GrantedBy      string // user
	GrantedName    string
	ExpiresAt      *time.Time // nil = with the conversation
	CreatedAt      time.Time
}

// grant writes down what an approval allows beyond its one call.
func (sc *Scope) grant(tx *gorm.DB, a *Approval, d Resolution) error {
	if d.Lasts == GrantOnce {
		return nil
	}
	now := sc.store.now()
	g := ApprovalGrant{ID: id.New(), OrganizationID: sc.Org, InstanceID: a.InstanceID, Fingerprint: a.Fingerprint, Tool: a.Tool, Input: a.Input,
		GrantedBy: sc.Actor.UserID, GrantedName: clip(cleanText(sc.Actor.label()), 200), CreatedAt: now}
	if d.Lasts == GrantSession {
		g.SessionID = &a.SessionID
	} else {
		until := now.AddDate(0, 0, d.Days)
		g.ExpiresAt = &until
	}
	return tx.Create(&g).Error
}

// valid narrows to the grants that hold now.
func (sc *Scope) valid(db *gorm.DB) *gorm.DB {
	return db.Where("expires_at IS NULL OR expires_at > ?", sc.store.now())
}

// GrantFor finds a grant that covers a call; NotFound when nobody gave one.
func (sc *Scope) GrantFor(ctx context.Context, instanceID, sessionID, fingerprint string) (*ApprovalGrant, error) {
	return first[ApprovalGrant](sc.valid(sc.read(ctx)).Where("instance_id = ? AND fingerprint = ? AND (session_id IS NULL OR session_id = ?)",
		instanceID, fingerprint, sessionID).Order("id").Limit(1))
}

// Grants lists those of an instance that hold now, newest first.
func (sc *Scope) Grants(ctx context.Context, instanceID string) ([]ApprovalGrant, error) {
	return all[ApprovalGrant](sc.valid(sc.read(ctx)).Where("instance_id = ?", instanceID).Order("id DESC"))
}

// Grant reads one, whether it holds or not.
func (sc *Scope) Grant(ctx context.Context, grantID string) (*ApprovalGrant, error) {
	return first[ApprovalGrant](sc.read(ctx).Where("id = ?", grantID))
}

// RevokeGrant takes a grant back: the call is asked for again.
func (sc *Scope) RevokeGrant(ctx context.Context, grantID string) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		g, err := first[ApprovalGrant](locked(tx).Where("id = ?", grantID))
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", g.ID).Delete(&ApprovalGrant{}).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "grant.revoked", kind: "grant", id: g.ID, of: g.Tool,
			before: map[string]any{"instance": g.InstanceID, "input": clip(g.Input, 2000), "fingerprint": g.Fingerprint, "granted_by": g.GrantedName}})
	})
}
