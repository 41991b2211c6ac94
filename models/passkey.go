package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Passkey is a key pair of which the person's device keeps the secret half.
type Passkey struct {
	ID           string
	UserID       string
	Name         string // the person's own word for it
	CredentialID string // base64url, as the device named it
	Credential   []byte // JSON of what proves it: the web side writes and reads it
	LastUsedAt   *time.Time
	CreatedAt    time.Time
}

// maxPasskeys a person may have: their names travel in a cookie while one is asked for.
const maxPasskeys = 20

// Passkeys lists a person's, oldest first.
func (sy *System) Passkeys(ctx context.Context, userID string) ([]Passkey, error) {
	return all[Passkey](sy.read(ctx).Where("user_id = ?", userID).Order("created_at, id"))
}

// PasskeyOwner finds whose passkey an id of a device is: NotFound for an unknown one.
func (sy *System) PasskeyOwner(ctx context.Context, credentialID string) (*User, error) {
	k, err := first[Passkey](sy.read(ctx).Where("credential_id = ?", credentialID))
	if err != nil {
		return nil, err
	}
	return sy.User(ctx, k.UserID)
}

// AddPasskey keeps a new one of the actor's; Conflict when the device is known already.
func (sy *System) AddPasskey(ctx context.Context, by Actor, name, credentialID string, credential []byte) (*Passkey, error) {
	var is fault.Issues
	name = validName(&is, "name", name, 100)
	if err := is.Err(); err != nil {
		return nil, err
	}
	k := &Passkey{ID: id.New(), UserID: by.UserID, Name: name, CredentialID: credentialID, Credential: credential, CreatedAt: sy.store.now()}
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		u, err := first[User](locked(tx).Where("id = ?", by.UserID))
		if err != nil {
			return err
		}
		w, err := waysOf(tx, u)
		if err == nil && w.passkeys >= maxPasskeys {
			err = fault.New(fault.Invalid, "passkey.limit", "You have %d passkeys, which is the most there can be", maxPasskeys)
		}
		if err != nil {
			return err
		}
		if err := tx.Create(k).Error; err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "passkey.added", kind: "passkey", id: k.ID, of: name, after: map[string]any{"person": u.Email}})
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// UsePasskey notes that a passkey was used, with its new counter; was is the credential that the use was checked
// against, so that of two uses of one counter only one counts.
func (sy *System) UsePasskey(ctx context.Context, credentialID string, was, now []byte) error {
	hit, err := changed(sy.write(ctx).Model(&Passkey{}).Where("credential_id = ? AND credential = ?", credentialID, was),
		map[string]any{"credential": now, "last_used_at": sy.store.now()})
	if err == nil && !hit {
		err = fault.New(fault.Conflict, "passkey.used", "This passkey was used meanwhile")
	}
	return err
}

// RemovePasskey forgets one of the actor's; another person's is NotFound. Without any, the second factor ends.
func (sy *System) RemovePasskey(ctx context.Context, by Actor, passkeyID string) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		u, err := first[User](locked(tx).Where("id = ?", by.UserID))
		if err != nil {
			return err
		}
		k, err := first[Passkey](tx.Where("id = ? AND user_id = ?", passkeyID, by.UserID))
		if err != nil {
			return err
		}
		w, err := waysOf(tx, u)
		if err != nil {
			return err
		}
		w.passkeys--
		if err := w.keepsOne(); err != nil {
			return err
		}
		if err := tx.Where("id = ?", k.ID).Delete(&Passkey{}).Error; err != nil {
			return err
		}
		if u.SecondFactor && w.passkeys == 0 {
			if _, err := changed(tx.Model(&User{}).Where("id = ?", u.ID), map[string]any{"second_factor": false, "updated_at": sy.store.now()}); err != nil {
				return err
			}
		}
		return sy.audit(tx, by, act{name: "passkey.removed", kind: "passkey", id: k.ID, of: k.Name, before: map[string]any{"person": u.Email}})
	})
}
