package models

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

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

// Scopes are the capabilities that a key keeps of its creator's; none means all of them. They are stored as words
// with commas.
type Scopes []Can

// Allow tells whether the scopes leave a capability.
func (s Scopes) Allow(c Can) bool { return len(s) == 0 || slices.Contains(s, c) }

// ParseScopes reads the stored form; what is no capability any more allows nothing.
func ParseScopes(stored string) Scopes {
	if stored == "" {
		return nil
	}
	out := Scopes{}
	for _, word := range strings.Split(stored, ",") {
		out = append(out, Can(word))
	}
	return out
}

// Words gives the capabilities as text; never nil.
func (s Scopes) Words() []string {
	words := make([]string, len(s))
	for i, c := range s {
		words[i] = string(c)
	}
	return words
}

func (s Scopes) String() string { return strings.Join(s.Words(), ",") }

// NewAPIKey is what a person says of a new key.
type NewAPIKey struct {
	Name    string
	Expires *time.Time // nil = never
	Scopes  Scopes     // nil = all that the creator may
}

// keyScopes are the capabilities that keys can have.
func keyScopes() Scopes {
	return slices.DeleteFunc(slices.Clone(Capabilities), func(c Can) bool { return !c.ForKeys() })
}

// CreateAPIKey makes a key for the acting person; the key itself is only ever returned here. A key can be given
// only what its creator has: a key with scopes makes keys with those at most.
func (sc *Scope) CreateAPIKey(ctx context.Context, n NewAPIKey) (*APIKey, secret.String, error) {
	var is fault.Issues
	n.Name = validName(&is, "name", n.Name, 100)
	scopes := Scopes{}
	for _, c := range n.Scopes {
		if slices.Contains(scopes, c) {
			continue
		}
		scopes = append(scopes, c)
		if !slices.Contains(Capabilities, c) || !c.ForKeys() {
			is.NotOneOf("scopes", string(c), keyScopes().Words()...)
		} else if !sc.Actor.May(c) {
			is.Custom("scopes", "You cannot give what you may not do yourself: "+string(c))
		}
	}
	if err := is.Err(); err != nil {
		return nil, secret.String{}, err
	}
	if len(scopes) == 0 {
		scopes = sc.Actor.Scopes
	}
	key, hash := secret.Token(KeyPrefix)
	row := &APIKey{ID: id.New(), OrganizationID: sc.Org, UserID: sc.Actor.UserID, Name: n.Name, Prefix: secret.Prefix(key.Reveal()),
		KeyHash: hash, Scopes: scopes.String(), ExpiresAt: n.Expires, CreatedAt: sc.store.now()}
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(row).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "key.created", kind: "key", id: row.ID, of: row.Name,
			after: map[string]any{"prefix": row.Prefix, "scopes": row.Scopes, "expires": row.ExpiresAt}})
	})
	return row, key, err
}

// APIKeys lists the organization's keys that were not revoked, newest first.
func (sc *Scope) APIKeys(ctx context.Context) ([]APIKey, error) {
	return all[APIKey](sc.read(ctx).Omit("key_hash").Where("revoked_at IS NULL").Order("created_at DESC, id DESC"))
}

// RevokeAPIKey ends a key for good and gives it, so that its streams can be told.
func (sc *Scope) RevokeAPIKey(ctx context.Context, keyID string) (*APIKey, error) {
	var row *APIKey
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		var err error
		if row, err = first[APIKey](locked(tx).Where("id = ? AND revoked_at IS NULL", keyID)); err != nil {
			return err
		}
		if _, err := changed(tx.Model(&APIKey{}).Where("id = ?", keyID), map[string]any{"revoked_at": sc.store.now()}); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "key.revoked", kind: "key", id: row.ID, of: row.Name, before: map[string]any{"prefix": row.Prefix}})
	})
	return row, err
}

// ByAPIKey finds who a bearer key acts for, and notes its use.
func (sy *System) ByAPIKey(ctx context.Context, key secret.String, address string) (*Principal, error) {
	now := sy.store.now()
	row := principalRow{}
	err := sy.read(sy.store.brief(ctx)).Raw(`SELECT `+principalColumns+`, k.id AS cred_id, k.scopes AS scopes, k.last_used_at AS last_seen
		FROM api_keys k JOIN users u ON u.id = k.user_id
		JOIN memberships m ON m.user_id = u.id AND m.organization_id = k.organization_id
		JOIN organizations o ON o.id = m.organization_id
		WHERE k.key_hash = ? AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ?) AND u.blocked_at IS NULL
			AND o.deleting_at IS NULL`,
		secret.Hash(key.Reveal()), now).Row().Scan(append(row.columns(), &row.CredID, &row.Scopes, &row.LastSeen)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errUnauthorized
	}
	if err != nil {
		return nil, translate(err)
	}
	p := row.principal()
	p.KeyID, p.Scopes = row.CredID, ParseScopes(row.Scopes)
	if row.LastSeen == nil || now.Sub(*row.LastSeen) > seenEvery {
		sy.note(ctx, sy.write(ctx).Model(&APIKey{}).Where("id = ?", row.CredID),
			map[string]any{"last_used_at": now, "last_used_address": clip(cleanText(address), 64)})
	}
	return p, nil
}
