package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// TeamMember is a person's place in the organization, with the person.
type TeamMember struct {
	Membership Membership `gorm:"embedded;embeddedPrefix:m_"`
	User       User       `gorm:"embedded;embeddedPrefix:u_"`
}

const memberColumns = `m.id AS m_id, m.organization_id AS m_organization_id, m.user_id AS m_user_id, m.role AS m_role, m.created_at AS m_created_at,
	m.updated_at AS m_updated_at, u.id AS u_id, u.email AS u_email, u.name AS u_name, u.blocked_at AS u_blocked_at, u.no_letters AS u_no_letters, u.created_at AS u_created_at`

// Members lists the organization's people: the owner first, then by age of membership.
func (sc *Scope) Members(ctx context.Context) ([]TeamMember, error) {
	return sc.team(sc.read(ctx))
}

func (sc *Scope) team(db *gorm.DB) ([]TeamMember, error) {
	rows := []TeamMember{}
	err := db.WithContext(rawContext(db.Statement.Context)).Raw(`SELECT `+memberColumns+`
		FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ?
		ORDER BY CASE WHEN m.role = ? THEN 0 ELSE 1 END, m.created_at, m.id`, sc.Org, Owner).Scan(&rows).Error
	return rows, translate(err)
}

// Member finds one by the membership's id or the person's.
func (sc *Scope) Member(ctx context.Context, memberID string) (*TeamMember, error) {
	return sc.member(sc.read(ctx), memberID)
}

func (sc *Scope) member(db *gorm.DB, memberID string) (*TeamMember, error) {
	rows := []TeamMember{}
	err := db.WithContext(rawContext(db.Statement.Context)).Raw(`SELECT `+memberColumns+`
		FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? AND (m.id = ? OR m.user_id = ?)`,
		sc.Org, memberID, memberID).Scan(&rows).Error
	if err == nil && len(rows) == 0 {
		err = fault.NotFoundf("member")
	}
	if err != nil {
		return nil, translate(err)
	}
	return &rows[0], nil
}

// checkInvitedRole notes a role that nobody can be invited to: there is one owner, by transfer only.
func checkInvitedRole(is *fault.Issues, r Role) {
	if r != Admin && r != Member {
		is.NotOneOf("role", string(r), string(Admin), string(Member))
	}
}

// addMember lets an existing person in; Conflict when they are in already.
func (sc *Scope) addMember(tx *gorm.DB, u *User, role Role, now time.Time) (*TeamMember, error) {
	m := Membership{ID: id.New(), OrganizationID: sc.Org, UserID: u.ID, Role: role, CreatedAt: now, UpdatedAt: now}
	if err := tx.Create(&m).Error; err != nil {
		return nil, err
	}
	return &TeamMember{m, *u}, sc.audit(tx, act{name: "member.added", kind: "member", id: m.ID, of: u.Email, after: map[string]any{"role": role}})
}

// changeMember reads a member inside a transaction, lets f decide, and notes the act.
func (sc *Scope) changeMember(ctx context.Context, memberID string, f func(tx *gorm.DB, m *TeamMember) (act, error)) (*TeamMember, error) {
	var m *TeamMember
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		var err error
		if m, err = sc.member(tx, memberID); err != nil {
			return err
		}
		a, err := f(tx, m)
		if err != nil || a.name == "" {
			return err
		}
		a.kind, a.id, a.of = "member", m.Membership.ID, m.User.Email
		return sc.audit(tx, a)
	})
	return m, err
}

// ChangeRole makes a member an admin or an admin a member; the owner's role goes by TransferOwnership only.
func (sc *Scope) ChangeRole(ctx context.Context, memberID string, role Role) (*TeamMember, error) {
	var is fault.Issues
	if checkInvitedRole(&is, role); len(is) > 0 {
		return nil, is.Err()
	}
	return sc.changeMember(ctx, memberID, func(tx *gorm.DB, m *TeamMember) (act, error) {
		was := m.Membership.Role
		switch {
		case was == Owner:
			return act{}, fault.New(fault.Forbidden, "member.owner", "Cannot change the organization owner's role").Hinting("Transfer ownership first")
		case was == role:
			return act{}, nil
		}
		m.Membership.Role = role
		_, err := changed(tx.Model(&Membership{}).Where("id = ?", m.Membership.ID), map[string]any{"role": role, "updated_at": sc.store.now()})
		return act{name: "member.role_changed", before: map[string]any{"role": was}, after: map[string]any{"role": role}}, err
	})
}

// RemoveMember ends somebody's membership. Their keys in this organization end with it.
func (sc *Scope) RemoveMember(ctx context.Context, memberID string) (*TeamMember, error) {
	return sc.endMembership(ctx, memberID, func(m *TeamMember) error {
		if m.User.ID == sc.Actor.UserID {
			return fault.New(fault.Invalid, "member.self", "Cannot remove yourself").Hinting("Leave the organization instead")
		}
		return nil
	}, "member.removed")
}

// Leave ends the actor's own membership.
func (sc *Scope) Leave(ctx context.Context) (*TeamMember, error) {
	return sc.endMembership(ctx, sc.Actor.UserID, func(*TeamMember) error { return nil }, "member.left")
}

func (sc *Scope) endMembership(ctx context.Context, memberID string, gate func(*TeamMember) error, name string) (*TeamMember, error) {
	return sc.changeMember(ctx, memberID, func(tx *gorm.DB, m *TeamMember) (act, error) {
		if err := gate(m); err != nil {
			return act{}, err
		}
		if m.Membership.Role == Owner {
			return act{}, fault.New(fault.Forbidden, "member.owner", "Cannot remove the organization owner").Hinting("Transfer ownership first")
		}
		if err := tx.Where("id = ?", m.Membership.ID).Delete(&Membership{}).Error; err != nil {
			return act{}, err
		}
		if _, err := changed(tx.Model(&APIKey{}).Where("user_id = ? AND revoked_at IS NULL", m.User.ID), map[string]any{"revoked_at": sc.store.now()}); err != nil {
			return act{}, err
		}
		return act{name: name, before: map[string]any{"role": m.Membership.Role}}, nil
	})
}

// TransferOwnership makes a member the owner; the actor, who is it now, becomes an admin.
func (sc *Scope) TransferOwnership(ctx context.Context, memberID string) (*TeamMember, error) {
	return sc.changeMember(ctx, memberID, func(tx *gorm.DB, m *TeamMember) (act, error) {
		if m.Membership.Role == Owner {
			return act{}, fault.New(fault.Invalid, "member.owner", "This member is the owner already")
		}
		if m.User.BlockedAt != nil {
			return act{}, fault.New(fault.Invalid, "member.blocked", "This person is blocked")
		}
		was, now := m.Membership.Role, sc.store.now()
		hit, err := changed(tx.Model(&Membership{}).Where("user_id = ? AND role = ?", sc.Actor.UserID, Owner), map[string]any{"role": Admin, "updated_at": now})
		if err == nil && !hit {
			err = fault.New(fault.Forbidden, "forbidden", "Insufficient permissions")
		}
		if err == nil {
			m.Membership.Role = Owner
			_, err = changed(tx.Model(&Membership{}).Where("id = ?", m.Membership.ID), map[string]any{"role": Owner, "updated_at": now})
		}
		return act{name: "organization.transferred", before: map[string]any{"role": was}, after: map[string]any{"role": Owner}}, err
	})
}
