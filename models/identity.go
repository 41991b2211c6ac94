package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// Identity is a person as another service knows them.
type Identity struct {
	ID            string
	UserID        string
	Provider      string // its issuer: settings may change hands, an issuer's subjects do not
	Subject       string
	Email         string
	EmailVerified bool
	CreatedAt     time.Time
}

// Vouched is what a service said of somebody, after its word was verified.
type Vouched struct {
	Issuer, Service string // Service is its name, for people
	Subject         string
	Email, Name     string
	EmailVerified   bool
}

// errUnverified refuses an address that anybody could have typed.
func errUnverified(v Vouched) error {
	return fault.New(fault.Forbidden, "sign_in.unverified", "%s does not say that your e-mail address is verified", v.Service).
		Hinting("Verify it there, then try again")
}

// WhoIs tells which account a vouched person would sign in to, without signing in: nil when there would be none.
func (sy *System) WhoIs(ctx context.Context, v Vouched) (*User, error) {
	u, _, err := knownPerson(sy.read(ctx), v)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
		return nil, nil
	}
	return u, err
}

// SignInVouched opens a sign-in for a person whom a service vouches for: who is known by it, else the account of the
// same verified address, which is linked, else a new account where an open invitation waits for that address.
// Forbidden when there is none of these, when the address is not verified, and for people who are blocked.
func (sy *System) SignInVouched(ctx context.Context, v Vouched, c Client) (secret.String, *User, error) {
	var u *User
	link := func(tx *gorm.DB) error {
		var linked bool
		var err error
		u, linked, err = knownPerson(tx, v)
		if fault.Is(err, fault.NotFound) {
			u, linked, err = sy.newcomer(tx, v, c.Address)
		}
		switch {
		case err != nil:
			return err
		case u.BlockedAt != nil:
			return errBlocked
		case linked:
			return nil
		}
		return sy.link(tx, u, v, c.Address)
	}
	err := sy.tx(ctx, link)
	if isDuplicate(err) { // somebody was quicker, by the same door
		err = sy.tx(ctx, link)
	}
	if err != nil {
		return secret.String{}, nil, err
	}
	c.Way = v.Service
	token, err := sy.OpenSignIn(ctx, u.ID, c)
	return token, u, err
}

// knownPerson finds whom a service speaks of, and whether it was linked before: NotFound for nobody, Forbidden when
// only an unverified address would tell.
func knownPerson(db *gorm.DB, v Vouched) (*User, bool, error) {
	db = db.Session(&gorm.Session{})
	known, err := first[Identity](db.Where("provider = ? AND subject = ?", v.Issuer, v.Subject))
	if err == nil {
		u, err := first[User](db.Where("id = ?", known.UserID))
		return u, true, err
	}
	if !fault.Is(err, fault.NotFound) {
		return nil, false, err
	}
	email, ok := NormalEmail(v.Email)
	if !v.EmailVerified || !ok {
		return nil, false, errUnverified(v)
	}
	u, err := first[User](db.Where("email = ?", email))
	return u, false, err
}

// newcomer is invited, unless the same person's other window was quicker: one after the other, each looks again.
func (sy *System) newcomer(tx *gorm.DB, v Vouched, address string) (*User, bool, error) {
	email, _ := NormalEmail(v.Email) // knownPerson checked it
	rows, err := sy.invitationsTo(tx, email)
	if err != nil {
		return nil, false, err
	}
	orgs := []string{}
	for _, row := range rows {
		orgs = append(orgs, row.OrganizationID)
	}
	if err := sy.lockOrganizations(tx, orgs); err != nil {
		return nil, false, err
	}
	if err := lockFounding(tx); err != nil {
		return nil, false, err
	}
	u, linked, err := knownPerson(tx, v)
	if fault.Is(err, fault.NotFound) {
		u, err = sy.invited(tx, email, v.Name, address)
	}
	return u, linked, err
}

// invitationsTo lists the open invitations of an address, oldest first.
func (sy *System) invitationsTo(tx *gorm.DB, email string) ([]Invitation, error) {
	return all[Invitation](tx.Where(`email = ? AND expires_at > ? AND EXISTS
		(SELECT 1 FROM organizations o WHERE o.id = invitations.organization_id AND o.deleting_at IS NULL)`, email, sy.store.now()).Order("created_at, id"))
}

// invited makes the account that open invitations to a verified address wait for, and accepts them all.
func (sy *System) invited(tx *gorm.DB, email, name, address string) (*User, error) {
	rows, err := sy.invitationsTo(tx, email)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.Forbidden, "sign_in.no_account", "There is no account for %s", email).Hinting("Ask a team for an invitation to this address")
	}
	now := sy.store.now()
	u := &User{ID: id.New(), Email: email, Name: personName(name, email), Theme: "system", CreatedAt: now, UpdatedAt: now}
	if err := tx.Create(u).Error; err != nil {
		return nil, err
	}
	for n := range rows {
		if err := sy.join(tx, &rows[n], address, func(*gorm.DB, *Invitation) (*User, error) { return u, nil }); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// personName is what a service calls somebody where that can be a name here, else the address.
func personName(name, email string) string {
	var is fault.Issues
	name = clip(cleanText(name), 100)
	if name = validName(&is, "name", name, 100); len(is) > 0 {
		return email
	}
	return name
}

func (sy *System) link(tx *gorm.DB, u *User, v Vouched, address string) error {
	email, _ := NormalEmail(v.Email)
	row := Identity{ID: id.New(), UserID: u.ID, Provider: v.Issuer, Subject: v.Subject, Email: email, EmailVerified: v.EmailVerified, CreatedAt: sy.store.now()}
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	return sy.audit(tx, u.actor(address), act{name: "identity.linked", kind: "user", id: u.ID, of: u.Email,
		after: map[string]any{"service": v.Service, "issuer": v.Issuer, "subject": v.Subject, "email": email}})
}

// LinkIdentity links a vouched person to a signed-in account of the same verified address; Conflict when the service
// knows them as somebody else here, Forbidden for another address.
func (sy *System) LinkIdentity(ctx context.Context, by Actor, v Vouched) error {
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		u, linked, err := knownPerson(tx, v)
		switch {
		case fault.Is(err, fault.NotFound) || err == nil && u.ID != by.UserID && !linked:
			return fault.New(fault.Forbidden, "identity.address", "%s knows you as %s, which is not the address of this account", v.Service, v.Email).
				Hinting("Only accounts of the same verified address are linked")
		case err != nil:
			return err
		case u.ID != by.UserID:
			return fault.New(fault.Conflict, "identity.taken", "This account of %s is linked to somebody else here", v.Service)
		case linked:
			return nil
		}
		return sy.link(tx, u, v, by.Address)
	})
	return err
}

// Identities lists the services that are linked to a person, oldest first.
func (sy *System) Identities(ctx context.Context, userID string) ([]Identity, error) {
	return all[Identity](sy.read(ctx).Where("user_id = ?", userID).Order("created_at, id"))
}

// UnlinkIdentity ends one of the actor's links; another person's is NotFound.
func (sy *System) UnlinkIdentity(ctx context.Context, by Actor, identityID string) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		u, err := first[User](locked(tx).Where("id = ?", by.UserID))
		if err != nil {
			return err
		}
		row, err := first[Identity](tx.Where("id = ? AND user_id = ?", identityID, by.UserID))
		if err != nil {
			return err
		}
		w, err := waysOf(tx, u)
		if err != nil {
			return err
		}
		w.identities--
		if err := w.keepsOne(); err != nil {
			return err
		}
		if err := tx.Where("id = ?", row.ID).Delete(&Identity{}).Error; err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "identity.unlinked", kind: "user", id: u.ID, of: u.Email,
			before: map[string]any{"issuer": row.Provider, "subject": row.Subject, "email": row.Email}})
	})
}
