package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// Invitation asks somebody without an account to join: bound to the address, single use, expiring, kept as a hash.
type Invitation struct {
	ID             string
	OrganizationID string
	Email          string
	Role           Role
	TokenHash      string
	InvitedBy      string // name, for the one who reads it
	ExpiresAt      time.Time
	CreatedAt      time.Time
}

// InvitationLife is how long a link works.
const InvitationLife = 7 * 24 * time.Hour

// Invited is what came of asking somebody: a member when the person has an account, else an invitation with the
// token of its link, which is only ever given here.
type Invited struct {
	Member     *TeamMember
	Invitation *Invitation
	Token      secret.String // empty when a letter brings it: the link is the addressee's alone
	Delivery   *Delivery     // the letter, nil without one
}

// Invite asks an address to join. An account of that address joins at once; Conflict when it is a member already.
// Asking an invited address again voids the earlier link.
func (sc *Scope) Invite(ctx context.Context, email string, role Role) (*Invited, error) {
	return sc.invite(ctx, email, role, nil)
}

// InviteByMail is Invite with a letter to somebody without an account, written into the outbox in the same transaction.
// SecretMark in its text stands for the token; the caller wakes the outbox.
func (sc *Scope) InviteByMail(ctx context.Context, email string, role Role, letter func(*Invitation) Mail) (*Invited, error) {
	return sc.invite(ctx, email, role, letter)
}

func (sc *Scope) invite(ctx context.Context, email string, role Role, letter func(*Invitation) Mail) (*Invited, error) {
	var is fault.Issues
	normal, ok := NormalEmail(email)
	if !ok {
		is.BadString("email", "email")
	}
	checkInvitedRole(&is, role)
	if err := is.Err(); err != nil {
		return nil, err
	}
	u, err := first[User](sc.store.AsSystem("who has this address").read(ctx).Where("email = ?", normal))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	out, now := &Invited{}, sc.store.now()
	err = sc.again(ctx, func(tx *gorm.DB) error {
		if err := sc.lockOrganization(tx); err != nil {
			return err
		}
		if err := sc.voidInvitations(tx, normal); err != nil {
			return err
		}
		if u != nil {
			var n int64
			if err := tx.Model(&Membership{}).Where("user_id = ?", u.ID).Count(&n).Error; err != nil || n > 0 {
				return errOr(err, fault.New(fault.Conflict, "member.exists", "Already exists"))
			}
			out.Member, err = sc.addMember(tx, u, role, now)
			return err
		}
		token, hash := secret.Token("")
		out.Invitation = &Invitation{ID: id.New(), OrganizationID: sc.Org, Email: normal, Role: role, TokenHash: hash, InvitedBy: sc.Actor.label(),
			ExpiresAt: now.Add(InvitationLife), CreatedAt: now}
		if err := tx.Create(out.Invitation).Error; err != nil {
			return err
		}
		if letter == nil {
			out.Token = token
		} else if out.Delivery, err = sc.deliver(tx, newDelivery{kind: MailDelivery, to: normal, aboutKind: aboutInvitation, aboutID: out.Invitation.ID,
			key: aboutInvitation + "-" + out.Invitation.ID, payload: letter(out.Invitation), secret: token, expires: &out.Invitation.ExpiresAt}); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "member.invited", kind: "invitation", id: out.Invitation.ID, of: normal, after: map[string]any{"role": role}})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// voidInvitations takes back what an address was asked before.
func (sc *Scope) voidInvitations(tx *gorm.DB, email string) error {
	ids := []string{}
	if err := tx.Model(&Invitation{}).Where("email = ?", email).Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return err
	}
	if err := tx.Where("id IN ?", ids).Delete(&Invitation{}).Error; err != nil {
		return err
	}
	return sc.store.dropAbout(tx, aboutInvitation, ids, "The address was invited again")
}

// errOr gives err, or the other when there is none.
func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// Invitations lists who was asked and has not answered, newest first; expired ones too, so that they can be asked again.
func (sc *Scope) Invitations(ctx context.Context) ([]Invitation, error) {
	return all[Invitation](sc.read(ctx).Omit("token_hash").Order("created_at DESC, id DESC"))
}

// RevokeInvitation voids a link.
func (sc *Scope) RevokeInvitation(ctx context.Context, invitationID string) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		row, err := first[Invitation](locked(tx).Where("id = ?", invitationID))
		if err != nil {
			return err
		}
		if err := tx.Where("id = ?", row.ID).Delete(&Invitation{}).Error; err != nil {
			return err
		}
		if err := sc.store.dropAbout(tx, aboutInvitation, []string{row.ID}, "The invitation was withdrawn"); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "invitation.revoked", kind: "invitation", id: row.ID, of: row.Email, before: map[string]any{"role": row.Role}})
	})
}

var errInvitation = fault.New(fault.NotFound, "invitation", "This invitation was used, was withdrawn or has expired").Hinting("Ask for a new one")

// OpenInvitation is what the holder of a link may know of it.
type OpenInvitation struct {
	Invitation   Invitation
	Organization Organization
	HasAccount   bool // the address has one by now: it signs in to accept
}

// Invitation finds what a link stands for; NotFound when it is used up, withdrawn or expired.
func (sy *System) Invitation(ctx context.Context, token secret.String) (*OpenInvitation, error) {
	row, o, err := sy.openInvitation(sy.read(ctx), token)
	if err != nil {
		return nil, err
	}
	var n int64
	err = sy.read(ctx).Model(&User{}).Where("email = ?", row.Email).Count(&n).Error
	return &OpenInvitation{Invitation: *row, Organization: *o, HasAccount: n > 0}, translate(err)
}

func (sy *System) openInvitation(db *gorm.DB, token secret.String) (*Invitation, *Organization, error) {
	db = db.Session(&gorm.Session{})
	row, err := first[Invitation](db.Where("token_hash = ? AND expires_at > ?", secret.Hash(token.Reveal()), sy.store.now()))
	var o *Organization
	if err == nil {
		o, err = first[Organization](db.Where("id = ? AND deleting_at IS NULL", row.OrganizationID))
	}
	if fault.Is(err, fault.NotFound) {
		err = errInvitation
	}
	return row, o, err
}

// Joining is what a person without an account says of themselves.
type Joining struct {
	Name     string
	Password secret.String
}

// AcceptInvitation makes the account that the invitation is bound to and lets it in. Who holds the link proved
// that they read that address's mail.
func (sy *System) AcceptInvitation(ctx context.Context, token secret.String, j Joining, address string) (*User, error) {
	var is fault.Issues
	name := validName(&is, "name", j.Name, 100)
	validatePassword(&is, "password", j.Password)
	if err := is.Err(); err != nil {
		return nil, err
	}
	if open, err := sy.Invitation(ctx, token); err != nil || open.HasAccount {
		return nil, errOr(err, fault.New(fault.Conflict, "invitation.account", "This address has an account").Hinting("Sign in to accept"))
	}
	hash, err := hashPassword(j.Password)
	if err != nil {
		return nil, err
	}
	now := sy.store.now()
	u := &User{ID: id.New(), Name: name, PasswordHash: hash, Theme: "system", CreatedAt: now, UpdatedAt: now}
	return u, sy.accept(ctx, token, address, func(tx *gorm.DB, row *Invitation) (*User, error) {
		u.Email = row.Email
		return u, tx.Create(u).Error
	})
}

// AcceptInvitationAs lets a signed-in person in by a link to their own address.
func (sy *System) AcceptInvitationAs(ctx context.Context, token secret.String, userID, address string) error {
	return sy.accept(ctx, token, address, func(tx *gorm.DB, row *Invitation) (*User, error) {
		u, err := first[User](tx.Where("id = ?", userID))
		if err == nil && u.Email != row.Email {
			err = fault.New(fault.Forbidden, "invitation.address", "This invitation is for another address").Hinting("Sign in with " + row.Email)
		}
		return u, err
	})
}

// accept uses a link up and makes the membership, all or nothing.
func (sy *System) accept(ctx context.Context, token secret.String, address string, who func(*gorm.DB, *Invitation) (*User, error)) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		row, o, err := sy.openInvitation(tx, token)
		if err != nil {
			return err
		}
		if err := sy.store.In(o.ID).lockOrganization(tx); err != nil { // before the invitation, as all who take both
			return err
		}
		return sy.join(tx, row, address, who)
	})
}

// join uses an invitation up and makes a person the member that it asks for: errInvitation when it is used up by now.
func (sy *System) join(tx *gorm.DB, row *Invitation, address string, who func(*gorm.DB, *Invitation) (*User, error)) error {
	res := tx.Where("id = ?", row.ID).Delete(&Invitation{})
	if res.Error != nil {
		return res.Error
	}
	if res.RowsAffected == 0 {
		return errInvitation
	}
	if err := sy.store.dropAbout(tx, aboutInvitation, []string{row.ID}, "The invitation was accepted"); err != nil {
		return err
	}
	u, err := who(tx, row)
	if err != nil {
		return err
	}
	sc := sy.store.In(row.OrganizationID).As(Actor{UserID: u.ID, Name: u.Name, Role: row.Role, Address: address})
	_, err = sc.addMember(tx, u, row.Role, sy.store.now())
	return err
}
