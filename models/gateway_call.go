package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// GatewayCall is one call of a program through the gateway, as it ended.
type GatewayCall struct {
	ID             string // of the request
	OrganizationID string
	Door           string
	KeyID          string
	InstanceID     string
	Session        string
	Requested      string
	Model          string // that served
	Routed         bool
	Streamed       bool
	Error          string // the class, "" for an answer
	InputTokens    int
	OutputTokens   int
	CostNanos      int64
	Priced         bool
	Cached         bool  // answered from the instance's cache: no tokens were used
	FirstMS        int64 `gorm:"column:first_ms"`
	TotalMS        int64 `gorm:"column:total_ms"`
	CreatedAt      time.Time
}

// NoteGatewayCall writes down how a call ended, without keeping the caller waiting.
func (sc *Scope) NoteGatewayCall(ctx context.Context, c GatewayCall) {
	c.OrganizationID, c.KeyID, c.CreatedAt = sc.Org, sc.Actor.KeyID, sc.store.now()
	c.Session, c.Requested, c.Model = clip(cleanText(c.Session), 200), clip(cleanText(c.Requested), 200), clip(cleanText(c.Model), 200)
	sc.soon(ctx, "a call of the gateway", func(tx *gorm.DB) error {
		return within(tx).insert("gateway_calls", `id, organization_id, door, key_id, instance_id, session, requested, model, routed, streamed, error, input_tokens,
			output_tokens, cost_nanos, priced, cached, first_ms, total_ms, created_at`,
			c.ID, c.OrganizationID, c.Door, c.KeyID, c.InstanceID, c.Session, c.Requested, c.Model, c.Routed, c.Streamed, c.Error, c.InputTokens,
			c.OutputTokens, c.CostNanos, c.Priced, c.Cached, c.FirstMS, c.TotalMS, c.CreatedAt)
	})
}

// GatewayCallFilter narrows a list; "" is any.
type GatewayCallFilter struct {
	Since             time.Time
	InstanceID, KeyID string
	Limit             int
}

// GatewayCalls lists calls, the newest first.
func (sc *Scope) GatewayCalls(ctx context.Context, f GatewayCallFilter) ([]GatewayCall, error) {
	sc.store.caughtUp(ctx)
	q := sc.read(ctx).Where("created_at >= ?", f.Since).Order("created_at DESC, id DESC").Limit(f.Limit)
	if f.InstanceID != "" {
		q = q.Where("instance_id = ?", f.InstanceID)
	}
	if f.KeyID != "" {
		q = q.Where("key_id = ?", f.KeyID)
	}
	return all[GatewayCall](q)
}
