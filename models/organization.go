package models

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Organization owns everything but people.
type Organization struct {
	ID        string
	Name      string
	Slug      string
	Plan      Tier
	CreatedAt time.Time
	UpdatedAt time.Time
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

// MembershipsOf gives a person's memberships, oldest first.
func (sy *System) MembershipsOf(ctx context.Context, userID string) ([]Membership, error) {
	return all[Membership](sy.read(ctx).Where("user_id = ?", userID).Order("created_at, id"))
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
