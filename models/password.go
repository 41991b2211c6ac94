package models

import (
	"context"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// ChangePassword sets a person's password, who proves the present one where there is one. All their sign-ins but
// keep end.
func (sy *System) ChangePassword(ctx context.Context, by Actor, keep string, current, next secret.String) error {
	var is fault.Issues
	validatePassword(&is, "password", next)
	if err := is.Err(); err != nil {
		return err
	}
	u, err := sy.User(ctx, by.UserID)
	if err != nil {
		return err
	}
	if u.PasswordHash != "" && !checkPassword(current, u.PasswordHash) {
		is.Custom("current", "This is not your present password")
		return is.Err()
	}
	hash, err := hashPassword(next)
	if err != nil {
		return err
	}
	return sy.tx(ctx, func(tx *gorm.DB) error {
		// The hash is compared once more: of two changes at once, the second proved a password that is no more.
		hit, err := changed(tx.Model(&User{}).Where("id = ? AND password_hash = ?", u.ID, u.PasswordHash), map[string]any{"password_hash": hash, "updated_at": sy.store.now()})
		if err == nil && !hit {
			err = fault.New(fault.Conflict, "password.changed", "The password was changed meanwhile")
		}
		if err != nil {
			return err
		}
		if _, err := sy.endSignIns(tx, u.ID, keep); err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "password.changed", kind: "user", id: u.ID, of: u.Email, before: map[string]any{"had_password": u.PasswordHash != ""}})
	})
}

// SetSecondFactor asks for a passkey after the password, or no longer does. It needs both to be there.
func (sy *System) SetSecondFactor(ctx context.Context, by Actor, on bool) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		u, err := first[User](locked(tx).Where("id = ?", by.UserID))
		if err != nil || u.SecondFactor == on {
			return err
		}
		w, err := waysOf(tx, u)
		if err != nil {
			return err
		}
		if on && (w.passkeys == 0 || !w.password) {
			return fault.New(fault.Invalid, "second_factor.missing", "A second factor needs a password and a passkey")
		}
		if _, err := changed(tx.Model(&User{}).Where("id = ?", u.ID), map[string]any{"second_factor": on, "updated_at": sy.store.now()}); err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "second_factor.changed", kind: "user", id: u.ID, of: u.Email, after: map[string]any{"on": on}})
	})
}

// ways count how a person can sign in.
type ways struct {
	password             bool
	passkeys, identities int64
}

func waysOf(tx *gorm.DB, u *User) (w ways, err error) {
	w.password = u.PasswordHash != ""
	if err := tx.Model(&Passkey{}).Where("user_id = ?", u.ID).Count(&w.passkeys).Error; err != nil {
		return w, err
	}
	err = tx.Model(&Identity{}).Where("user_id = ?", u.ID).Count(&w.identities).Error
	return w, err
}

// keepsOne refuses to take away a person's last way in.
func (w ways) keepsOne() error {
	if !w.password && w.passkeys+w.identities == 0 {
		return fault.New(fault.Invalid, "sign_in.last_way", "This is your only way to sign in").Hinting("Set a password or add a passkey first")
	}
	return nil
}
