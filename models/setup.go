package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// SetupLink lets the first owner in: printed on the host, single use, expiring, kept as a hash.
type SetupLink struct {
	ID        string
	TokenHash string
	ExpiresAt time.Time
	UsedAt    *time.Time
	CreatedAt time.Time
}

// SetupLinkLife is how long a printed link works; a restart prints a fresh one.
const SetupLinkLife = time.Hour

// Founding is what the first owner says of themselves.
type Founding struct {
	Email        string
	Name         string
	Password     secret.String
	Organization string
}

// Founded is what came of it.
type Founded struct {
	User         User
	Organization Organization
}

// HasOwner tells whether anybody owns this installation yet.
func (sy *System) HasOwner(ctx context.Context) (bool, error) {
	var n int64
	err := sy.read(ctx).Model(&Membership{}).Where("role = ?", Owner).Limit(1).Count(&n).Error
	return n > 0, translate(err)
}

// NewSetupLink makes a link's token and voids all earlier ones; Conflict when an owner exists.
func (sy *System) NewSetupLink(ctx context.Context) (secret.String, error) {
	if has, err := sy.HasOwner(ctx); err != nil || has {
		if err == nil {
			err = fault.New(fault.Conflict, "setup.done", "This installation has an owner already")
		}
		return secret.String{}, err
	}
	token, hash := secret.Token("")
	now := sy.store.now()
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("used_at IS NULL").Delete(&SetupLink{}).Error; err != nil {
			return err
		}
		return tx.Create(&SetupLink{ID: id.New(), TokenHash: hash, ExpiresAt: now.Add(SetupLinkLife), CreatedAt: now}).Error
	})
	return token, err
}

// CheckSetupLink tells whether a token would be taken: NotFound when not.
func (sy *System) CheckSetupLink(ctx context.Context, token secret.String) error {
	_, err := first[SetupLink](sy.read(ctx).Where("token_hash = ? AND used_at IS NULL AND expires_at > ?", secret.Hash(token.Reveal()), sy.store.now()))
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "setup.link", "This setup link was used or has expired. Restart the server to print a new one")
	}
	return err
}

// Found uses up a setup link and makes the first owner with their organization, all or nothing.
func (sy *System) Found(ctx context.Context, token secret.String, f Founding) (*Founded, error) {
	if err := sy.CheckSetupLink(ctx, token); err != nil {
		return nil, err // before the password is hashed: that costs 64 MiB
	}
	return sy.found(ctx, f, func(tx *gorm.DB) error {
		now := sy.store.now()
		hit, err := changed(tx.Model(&SetupLink{}).Where("token_hash = ? AND used_at IS NULL AND expires_at > ?", secret.Hash(token.Reveal()), now),
			map[string]any{"used_at": now})
		if err == nil && !hit {
			err = fault.New(fault.NotFound, "setup.link", "This setup link was used or has expired")
		}
		if err != nil {
			return err
		}
		return noOwner(tx)
	})
}

// FoundOnHost is Found for `lobstead init`: whoever runs it owns the host already.
func (sy *System) FoundOnHost(ctx context.Context, f Founding) (*Founded, error) {
	return sy.found(ctx, f, noOwner)
}

// noOwner refuses a second first owner: a link may still lie about when the host made one itself.
func noOwner(tx *gorm.DB) error {
	var n int64
	if err := tx.Model(&Membership{}).Where("role = ?", Owner).Count(&n).Error; err != nil {
		return err
	}
	if n > 0 {
		return fault.New(fault.Conflict, "setup.done", "This installation has an owner already")
	}
	return nil
}

func (sy *System) found(ctx context.Context, f Founding, gate func(*gorm.DB) error) (*Founded, error) {
	var is fault.Issues
	email, ok := NormalEmail(f.Email)
	if !ok {
		is.BadString("email", "email")
	}
	name := validName(&is, "name", f.Name, 100)
	orgName := validName(&is, "organization", f.Organization, 100)
	validatePassword(&is, "password", f.Password)
	if err := is.Err(); err != nil {
		return nil, err
	}
	hash, err := hashPassword(f.Password)
	if err != nil {
		return nil, err
	}
	now := sy.store.now()
	out := &Founded{
		User:         User{ID: id.New(), Email: email, Name: name, PasswordHash: hash, Theme: "system", CreatedAt: now, UpdatedAt: now},
		Organization: Organization{ID: id.New(), Name: orgName, Plan: Business, CreatedAt: now, UpdatedAt: now},
	}
	err = sy.tx(ctx, func(tx *gorm.DB) error {
		if err := lockFounding(tx); err != nil {
			return err
		}
		if err := gate(tx); err != nil {
			return err
		}
		var err error
		if out.User.Staff, err = noStaff(tx); err != nil { // the first one runs the installation
			return err
		}
		if err := tx.Create(&out.User).Error; err != nil {
			return err
		}
		if err := createOwned(tx, &out.Organization, out.User.ID); err != nil {
			return err
		}
		return sy.audit(tx, Actor{UserID: out.User.ID, Name: name, Role: Owner}, act{name: "organization.founded", kind: "organization", id: out.Organization.ID,
			of: orgName, after: map[string]any{"owner": email, "staff": out.User.Staff}})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// noStaff tells whether nobody runs the installation yet.
func noStaff(tx *gorm.DB) (bool, error) {
	var n int64
	err := tx.Model(&User{}).Where("staff = ?", true).Limit(1).Count(&n).Error
	return n == 0, err
}

// NewOrganization makes a further organization with an owner; the seed command and the tests use it.
func (sy *System) NewOrganization(ctx context.Context, f Founding) (*Founded, error) {
	return sy.found(ctx, f, func(*gorm.DB) error { return nil })
}
