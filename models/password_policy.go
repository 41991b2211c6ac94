package models

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// PasswordPolicy says who may sign in with a password.
type PasswordPolicy string

// The policies. Staff count as owners: they run the installation.
const (
	PasswordsForAll    PasswordPolicy = "everybody"
	PasswordsForOwners PasswordPolicy = "owners"
	PasswordsForNobody PasswordPolicy = "nobody"
)

// PasswordPolicies from most to least.
var PasswordPolicies = []PasswordPolicy{PasswordsForAll, PasswordsForOwners, PasswordsForNobody}

const passwordKey = "password_sign_in"

// PasswordPolicy reads it.
func (sy *System) PasswordPolicy(ctx context.Context) (PasswordPolicy, error) {
	return sy.passwordPolicy(sy.read(ctx))
}

func (sy *System) passwordPolicy(db *gorm.DB) (PasswordPolicy, error) {
	text, err := sy.setting(db, passwordKey)
	if p := PasswordPolicy(text); slices.Contains(PasswordPolicies, p) {
		return p, err
	}
	return PasswordsForAll, err
}

// MaySignInWithPassword tells whether a policy lets a person in.
func (sy *System) MaySignInWithPassword(ctx context.Context, u *User, p PasswordPolicy) (bool, error) {
	switch p {
	case PasswordsForAll:
		return true, nil
	case PasswordsForNobody:
		return false, nil
	}
	var n int64
	err := sy.read(ctx).Model(&Membership{}).Where("user_id = ? AND role = ?", u.ID, Owner).Limit(1).Count(&n).Error
	return u.Staff || n > 0, translate(err)
}

// SetPasswordPolicy changes it. Passwords are only taken away while another way in was tested and is open:
// environment are the providers that are set there.
func (sy *System) SetPasswordPolicy(ctx context.Context, by Actor, p PasswordPolicy, environment []SignInProvider) error {
	if !slices.Contains(PasswordPolicies, p) {
		var is fault.Issues
		is.NotOneOf("passwords", string(p), string(PasswordsForAll), string(PasswordsForOwners), string(PasswordsForNobody))
		return is.Err()
	}
	environment, err := sy.tested(ctx, environment...)
	if err != nil {
		return err
	}
	open := slices.ContainsFunc(environment, func(e SignInProvider) bool { return e.TestedAt != nil })
	return sy.tx(ctx, func(tx *gorm.DB) error {
		if err := lockFounding(tx); err != nil {
			return err
		}
		was, err := sy.passwordPolicy(tx)
		if err != nil || was == p {
			return err
		}
		if p != PasswordsForAll && !open {
			if n, err := openProviders(tx, ""); err != nil || n == 0 {
				return errOr(err, fault.New(fault.Invalid, "password_policy.only_way", "Passwords are the only way in").
					Hinting("Test and enable a sign-in provider first"))
			}
		}
		if err := sy.set(tx, passwordKey, string(p)); err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "password_policy.changed", kind: "installation", of: "Sign-in with a password",
			before: map[string]any{"for": was}, after: map[string]any{"for": p}})
	})
}

// openProviders counts the tested and enabled rows besides one.
func openProviders(tx *gorm.DB, besides string) (n int64, err error) {
	err = tx.Model(&SignInProvider{}).Where("enabled = ? AND tested_at IS NOT NULL AND id <> ?", true, besides).Count(&n).Error
	return n, err
}

// notTheLast refuses to close the last way in while passwords are not for everybody. Those of the environment do not
// count: they can be gone at the next start.
func (sy *System) notTheLast(tx *gorm.DB, p *SignInProvider) error {
	policy, err := sy.passwordPolicy(tx)
	if err != nil || policy == PasswordsForAll || !p.Enabled {
		return err
	}
	if n, err := openProviders(tx, p.ID); err != nil || n == 0 {
		return errOr(err, fault.New(fault.Invalid, "sign_in_provider.last", "This is the last way in besides passwords, and passwords are not for everybody").
			Hinting("Allow passwords for everybody first"))
	}
	return nil
}
