package models

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Organization owns everything but people.
type Organization struct {
	ID        string
	Name      string
	Slug      string
	Plan      Tier
	CreatedAt time.Time
	UpdatedAt time.Time

	SuspendedAt     *time.Time // nothing of it runs until billing or staff end it
	SuspendedReason string
	SuspendedBy     Suspender
	DeletingAt      *time.Time // its owner ended it: it goes when its instances are gone
	InstanceLimit   *int       // instead of the plan's; nil = the plan's
	TimeZone        string     `gorm:"default:UTC"` // IANA: when the days and months of its budgets begin
	UsageZone       string     // that the sums by day are made for; "" = not made

	AutomationsHeldAt *time.Time // nothing of it runs by itself since
	AutomationsHeldBy string
}

// Membership is a person's place in an organization.
type Membership struct {
	ID             string
	OrganizationID string
	UserID         string
	Role           Role
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Organization reads the scope's own.
func (sc *Scope) Organization(ctx context.Context) (*Organization, error) {
	return first[Organization](sc.read(ctx).Where("id = ?", sc.Org))
}

// NewOrganizationFor makes a further organization whose owner is a person with an account.
func (sy *System) NewOrganizationFor(ctx context.Context, by Actor, name string) (*Organization, error) {
	var is fault.Issues
	name = validName(&is, "name", name, 100)
	if err := is.Err(); err != nil {
		return nil, err
	}
	now := sy.store.now()
	o := &Organization{ID: id.New(), Name: name, Plan: Starter, CreatedAt: now, UpdatedAt: now}
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		if err := lockFounding(tx); err != nil {
			return err
		}
		if err := createOwned(tx, o, by.UserID); err != nil {
			return err
		}
		return sy.store.In(o.ID).As(by).enter(tx, act{name: "organization.created", kind: "organization", id: o.ID, of: name})
	})
	return o, err
}

// createOwned makes an organization and its owner's membership; the caller holds the founding lock.
func createOwned(tx *gorm.DB, o *Organization, userID string) error {
	var err error
	if o.Slug, err = freeSlug(tx, o.Name); err != nil {
		return err
	}
	if err := tx.Create(o).Error; err != nil {
		return err
	}
	return tx.Create(&Membership{ID: id.New(), OrganizationID: o.ID, UserID: userID, Role: Owner, CreatedAt: o.CreatedAt, UpdatedAt: o.CreatedAt}).Error
}

// OrganizationsOf lists where a person belongs, with their role there, by name; what is being deleted is left out.
func (sy *System) OrganizationsOf(ctx context.Context, userID string) ([]Principal, error) {
	return sy.places(ctx, "m.user_id = ? ORDER BY lower(o.name), o.id", userID)
}

// AtInstance gives a person as a member of the organization that an instance belongs to; NotFound when they are none.
func (sy *System) AtInstance(ctx context.Context, p *Principal, instanceID string) (*Principal, error) {
	rows, err := sy.places(ctx, "m.user_id = ? AND o.id = (SELECT organization_id FROM instances WHERE id = ?)", p.User.ID, instanceID)
	if err == nil && len(rows) == 0 {
		err = fault.NotFoundf("instance")
	}
	if err != nil {
		return nil, err
	}
	rows[0].SignInID = p.SignInID
	return &rows[0], nil
}

func (sy *System) places(ctx context.Context, where string, args ...any) ([]Principal, error) {
	rows := []principalRow{}
	err := sy.read(ctx).Raw(`SELECT `+principalColumns+` FROM memberships m JOIN users u ON u.id = m.user_id
		JOIN organizations o ON o.id = m.organization_id AND o.deleting_at IS NULL WHERE `+where, args...).Scan(&rows).Error
	out := make([]Principal, len(rows))
	for i := range rows {
		out[i] = *rows[i].principal()
	}
	return out, translate(err)
}

// LookAt makes a browser show another of its person's organizations; NotFound for one they do not belong to.
func (sy *System) LookAt(ctx context.Context, userID, signInID, organizationID string) error {
	var n int64
	if err := sy.read(ctx).Model(&Membership{}).Where("user_id = ? AND organization_id = ?", userID, organizationID).Count(&n).Error; err != nil {
		return translate(err)
	}
	if n == 0 {
		return fault.NotFoundf("organization")
	}
	_, err := changed(sy.write(ctx).Model(&SignIn{}).Where("id = ? AND user_id = ?", signInID, userID), map[string]any{"looks_at": organizationID})
	return err
}

// RenameOrganization changes the name; the slug stays, since clients may have kept it.
func (sc *Scope) RenameOrganization(ctx context.Context, name string) (*Organization, error) {
	var is fault.Issues
	name = validName(&is, "name", name, 100)
	if err := is.Err(); err != nil {
		return nil, err
	}
	return sc.changeOrganization(ctx, func(o *Organization) (map[string]any, act) {
		if o.Name == name {
			return nil, act{}
		}
		return map[string]any{"name": name}, act{name: "organization.renamed", before: map[string]any{"name": o.Name}, after: map[string]any{"name": name}}
	})
}

// changeOrganization reads the organization inside a transaction, lets f decide, and notes the act.
func (sc *Scope) changeOrganization(ctx context.Context, f func(o *Organization) (map[string]any, act)) (*Organization, error) {
	var out *Organization
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		o, err := sc.heldOrganization(tx)
		if err != nil {
			return err
		}
		set, a := f(o)
		if out = o; len(set) == 0 {
			return nil
		}
		set["updated_at"] = sc.store.now()
		if _, err := changed(tx.Model(&Organization{}).Where("id = ?", sc.Org), set); err != nil {
			return err
		}
		if out, err = first[Organization](tx.Where("id = ?", sc.Org)); err != nil {
			return err
		}
		a.kind, a.id, a.of = "organization", out.ID, out.Name
		return sc.audit(tx, a)
	})
	return out, err
}

// NoteExport notes that somebody took everything with them.
func (sc *Scope) NoteExport(ctx context.Context) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		o, err := first[Organization](tx.Where("id = ?", sc.Org))
		if err != nil {
			return err
		}
		return sc.audit(tx, act{name: "organization.exported", kind: "organization", id: o.ID, of: o.Name})
	})
}

// Holdings count what an organization would lose.
type Holdings struct {
	Instances, Sessions, Turns, Memories, Attachments, Members, Keys, Providers int
}

// Holdings counts the organization's rows, for the page that asks before a deletion.
func (sc *Scope) Holdings(ctx context.Context) (h Holdings, err error) {
	for _, c := range []struct {
		to    *int
		model any
	}{{&h.Instances, &Instance{}}, {&h.Sessions, &Session{}}, {&h.Turns, &Turn{}}, {&h.Memories, &Memory{}}, {&h.Attachments, &Attachment{}},
		{&h.Members, &Membership{}}, {&h.Keys, &APIKey{}}, {&h.Providers, &Provider{}}} {
		if *c.to, err = sc.count(ctx, c.model); err != nil {
			return h, err
		}
	}
	return h, nil
}

// DeleteOrganization writes the wish that the organization be gone: nobody reaches it from now on, and its
// instances want to be deleted. FinishDeletions removes the rest when the reconciler has removed those. It gives
// the instances whose reconcilers are to be told, with nothing but their ids.
func (sc *Scope) DeleteOrganization(ctx context.Context) ([]Instance, error) {
	var rows []Instance
	sy := sc.store.AsSystem("the note of an organization's deletion outlives it")
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		o, err := first[Organization](locked(tx).Where("id = ? AND deleting_at IS NULL", sc.Org))
		if err != nil {
			return err
		}
		now := sc.store.now()
		if _, err := changed(tx.Model(&Organization{}).Where("id = ?", sc.Org), map[string]any{"deleting_at": now, "updated_at": now}); err != nil {
			return err
		}
		if _, err := changed(tx.Model(&Instance{}).Where("organization_id = ? AND desired <> ?", sc.Org, WantDeleted), map[string]any{"desired": WantDeleted,
			"generation": gorm.Expr("generation + 1"), "attempts": 0, "retry_at": nil, "reason": "", "updated_at": now}); err != nil {
			return err
		}
		if rows, err = all[Instance](tx.Select("id", "organization_id").Where("organization_id = ?", sc.Org)); err != nil {
			return err
		}
		return sy.audit(tx, sc.Actor, act{name: "organization.deleted", kind: "organization", id: o.ID, of: o.Name, before: map[string]any{"slug": o.Slug, "plan": o.Plan}})
	})
	return rows, err
}

// FinishDeletions removes the organizations whose deletion was asked for and whose instances are gone, and gives
// their ids.
func (sy *System) FinishDeletions(ctx context.Context) ([]string, error) {
	rows, err := all[Organization](sy.read(ctx).Where("deleting_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM instances i WHERE i.organization_id = organizations.id)"))
	done := []string{}
	for i := range rows {
		if err := sy.write(ctx).Where("id = ? AND deleting_at IS NOT NULL", rows[i].ID).Delete(&Organization{}).Error; err != nil {
			return done, translate(err)
		}
		done = append(done, rows[i].ID)
	}
	return done, err
}

// Slug makes the address form of a name: lower case letters, digits and single hyphens, at most 40.
func Slug(name string) string {
	var b strings.Builder
	hyphen := false
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			if hyphen && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			hyphen = false
		} else {
			hyphen = true
		}
		if b.Len() >= 40 {
			break
		}
	}
	if b.Len() == 0 {
		return "team"
	}
	return strings.TrimRight(clip(b.String(), 40), "-")
}

// freeSlug finds a slug that no organization has yet.
func freeSlug(tx *gorm.DB, name string) (string, error) {
	base := Slug(name)
	for i := 1; ; i++ {
		s := base
		if i > 1 {
			s += "-" + strconv.Itoa(i)
		}
		var n int64
		if err := tx.Model(&Organization{}).Where("slug = ?", s).Count(&n).Error; err != nil || n == 0 {
			return s, err
		}
	}
}
