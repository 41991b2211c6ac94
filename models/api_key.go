package models

import (
	"context"
	"time"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// APIKey is a program's credential in one organization, with its creator's role; the key is shown once.
type APIKey struct {
	ID              string
	OrganizationID  string
	UserID          string
	Name            string
	Prefix          string
	KeyHash         string
	Scopes          string
	ExpiresAt       *time.Time
	LastUsedAt      *time.Time
	LastUsedAddress string
	RevokedAt       *time.Time
	CreatedAt       time.Time
}

// KeyPrefix starts every key of the platform.
const KeyPrefix = "lob_"

// CreateAPIKey makes a key for the acting person; the key itself is only ever returned here.
func (sc *Scope) CreateAPIKey(ctx context.Context, name string, expires *time.Time) (*APIKey, secret.String, error) {
	var is fault.Issues
	name = validName(&is, "name", name, 100)
	if err := is.Err(); err != nil {
		return nil, secret.String{}, err
	}
	key, hash := secret.Token(KeyPrefix)
	row := &APIKey{ID: id.New(), OrganizationID: sc.Org, UserID: sc.Actor.UserID, Name: name, Prefix: secret.Prefix(key.Reveal()),
		KeyHash: hash, ExpiresAt: expires, CreatedAt: sc.store.now()}
	if err := sc.write(ctx).Create(row).Error; err != nil {
		return nil, secret.String{}, translate(err)
	}
	return row, key, nil
}

// ByAPIKey finds who a bearer key acts for, and notes its use.
func (sy *System) ByAPIKey(ctx context.Context, key secret.String, address string) (*Principal, error) {
	now := sy.store.now()
	rows := []principalRow{}
	err := sy.read(ctx).Raw(`SELECT `+principalColumns+`, k.id AS cred_id, k.last_used_at AS last_seen
		FROM api_keys k JOIN users u ON u.id = k.user_id
		JOIN memberships m ON m.user_id = u.id AND m.organization_id = k.organization_id
		JOIN organizations o ON o.id = m.organization_id
		WHERE k.key_hash = ? AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?) AND u.blocked_at IS NULL`,
		secret.Hash(key.Reveal()), now).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	if len(rows) == 0 {
		return nil, errUnauthorized
	}
	row := rows[0]
	p := row.principal()
	p.KeyID = row.CredID
	if row.LastSeen == nil || now.Sub(*row.LastSeen) > seenEvery {
		sy.note(ctx, sy.write(ctx).Model(&APIKey{}).Where("id = ?", row.CredID),
			map[string]any{"last_used_at": now, "last_used_address": clip(cleanText(address), 64)})
	}
	return p, nil
}
