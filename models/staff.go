package models

import (
	"context"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// How long the reason of an act of staff is, in characters.
const (
	minReason = 3
	maxReason = 500
)

// ByStaff is an actor who acts for the installation, and why. The reason is checked here, so that no act of staff
// goes without one: a missing one is fault.Invalid with the field "reason".
func ByStaff(a Actor, reason string) (Actor, error) {
	var is fault.Issues
	reason = strings.TrimSpace(reason)
	switch n := utf8.RuneCountInString(reason); {
	case n < minReason:
		is.Custom("reason", "Say why, in at least 3 characters: it stands in the audit log")
	case n > maxReason:
		is.Custom("reason", "Say why in at most 500 characters")
	}
	CheckText(&is, "reason", reason, 4*maxReason)
	a.Staff, a.Reason = true, reason
	return a, is.Err()
}

// People lists everybody with an account, newest first.
func (sy *System) People(ctx context.Context, l Listing) ([]User, error) {
	db := sy.read(ctx).Omit("password_hash")
	switch l.State {
	case "staff":
		db = db.Where("staff = ?", true)
	case "blocked":
		db = db.Where("blocked_at IS NOT NULL")
	}
	return all[User](l.apply(db, "name", "email"))
}

var errOwnAccess = fault.New(fault.Invalid, "user.self", "Not yourself: another member of staff can do that")

// Block keeps a person out: no sign-in and no key of theirs works from now on. The caller ends their streams.
func (sy *System) Block(ctx context.Context, by Actor, userID string) (*User, error) {
	return sy.changePerson(ctx, by, userID, func(tx *gorm.DB, u *User) (act, error) {
		switch {
		case u.ID == by.UserID:
			return act{}, errOwnAccess
		case u.BlockedAt != nil:
			return act{}, nil
		}
		now := sy.store.now()
		u.BlockedAt = &now
		if _, err := sy.endSignIns(tx, u.ID, ""); err != nil {
			return act{}, err
		}
		_, err := changed(tx.Model(&User{}).Where("id = ?", u.ID), map[string]any{"blocked_at": now, "updated_at": now})
		return act{name: "person.blocked"}, err
	})
}

// Unblock lets a person in again; they sign in afresh.
func (sy *System) Unblock(ctx context.Context, by Actor, userID string) (*User, error) {
	return sy.changePerson(ctx, by, userID, func(tx *gorm.DB, u *User) (act, error) {
		if u.BlockedAt == nil {
			return act{}, nil
		}
		u.BlockedAt = nil
		_, err := changed(tx.Model(&User{}).Where("id = ?", u.ID), map[string]any{"blocked_at": nil, "updated_at": sy.store.now()})
		return act{name: "person.unblocked"}, err
	})
}

// SignOutEverywhere ends all of a person's sign-ins; their keys stay.
func (sy *System) SignOutEverywhere(ctx context.Context, by Actor, userID string) (*User, error) {
	return sy.changePerson(ctx, by, userID, func(tx *gorm.DB, u *User) (act, error) {
		_, err := sy.endSignIns(tx, u.ID, "")
		return act{name: "person.signed_out"}, err
	})
}

// SetStaff makes a person staff of the installation, or takes it away: never one's own, never the last one's.
func (sy *System) SetStaff(ctx context.Context, by Actor, userID string, staff bool) (*User, error) {
	return sy.changePerson(ctx, by, userID, func(tx *gorm.DB, u *User) (act, error) {
		switch {
		case u.Staff == staff:
			return act{}, nil
		case staff && u.BlockedAt != nil:
			return act{}, fault.New(fault.Invalid, "user.blocked", "This person is blocked")
		case !staff && u.ID == by.UserID:
			return act{}, errOwnAccess
		}
		if !staff {
			var others int64
			if err := tx.Model(&User{}).Where("staff = ? AND blocked_at IS NULL AND id <> ?", true, u.ID).Count(&others).Error; err != nil {
				return act{}, err
			}
			if others == 0 {
				return act{}, fault.New(fault.Invalid, "user.last_staff", "This is the last member of staff")
			}
		}
		was := u.Staff
		u.Staff = staff
		_, err := changed(tx.Model(&User{}).Where("id = ?", u.ID), map[string]any{"staff": staff, "updated_at": sy.store.now()})
		return act{name: "person.staff_changed", before: map[string]any{"staff": was}, after: map[string]any{"staff": staff}}, err
	})
}

// changePerson reads a person inside a transaction, lets f decide, and notes the act: in the installation's chain,
// and in that of each organization where the person is a member. An act without a name changed nothing.
func (sy *System) changePerson(ctx context.Context, by Actor, userID string, f func(tx *gorm.DB, u *User) (act, error)) (*User, error) {
	if _, err := ByStaff(by, by.Reason); err != nil {
		return nil, err
	}
	var u *User
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		homes := []string{}
		if err := tx.Model(&Membership{}).Where("user_id = ?", userID).Pluck("organization_id", &homes).Error; err != nil {
			return err
		}
		if err := sy.lockOrganizations(tx, homes); err != nil {
			return err
		}
		if err := lockFounding(tx); err != nil {
			return err
		}
		var err error
		if u, err = first[User](locked(tx).Where("id = ?", userID)); err != nil {
			return err
		}
		a, err := f(tx, u)
		if err != nil || a.name == "" {
			return err
		}
		a.kind, a.id, a.of = "person", u.ID, u.Email
		for _, org := range homes {
			if err := sy.store.In(org).As(by).audit(tx, a); err != nil {
				return err
			}
		}
		return sy.audit(tx, by, a)
	})
	return u, err
}

// Noted is an act of staff on something that no row stands for, such as a task of the queue.
type Noted struct {
	Act          string // "job.run"
	Kind, ID, Of string // what it was done to
	After        map[string]any
}

// Note writes such an act into the chain of the organization that it concerns; into the installation's when that
// is "" or gone.
func (sy *System) Note(ctx context.Context, by Actor, org string, n Noted) error {
	if _, err := ByStaff(by, by.Reason); err != nil {
		return err
	}
	a := act{name: n.Act, kind: n.Kind, id: n.ID, of: n.Of, after: n.After}
	return sy.tx(ctx, func(tx *gorm.DB) error {
		if org != "" {
			_, err := first[Organization](tx.Select("id").Where("id = ?", org))
			if err == nil {
				return sy.store.In(org).As(by).audit(tx, a)
			}
			if !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		return sy.audit(tx, by, a)
	})
}
