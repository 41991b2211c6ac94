package cloud

import (
	"lobstead/api/wire"
	"lobstead/models"
)

// Person is who a member is.
type Person struct {
	ID    string  `json:"id"`
	Name  *string `json:"name"`
	Email string  `json:"email"`
	Image *string `json:"image"` // null: no pictures are kept
}

// Member is one of the organization's people: flat and with the person nested, since clients read either. Somebody
// who was invited and has no account yet has status "invited", no person, and the invitation's id.
type Member struct {
	ID        string  `json:"id"`
	Role      string  `json:"role"` // OWNER, ADMIN, MEMBER
	Email     string  `json:"email"`
	Name      *string `json:"name"`
	Image     *string `json:"image"`
	UserID    *string `json:"userId"`
	User      *Person `json:"user"`
	Status    string  `json:"status"` // active, invited, blocked
	CreatedAt string  `json:"createdAt"`
	ExpiresAt *string `json:"expiresAt,omitempty"` // of an invitation
	InviteURL *string `json:"inviteUrl,omitempty"` // only in the answer to the invitation, and only when no mail was sent
}

// NewMember presents a member.
func NewMember(m *models.TeamMember) Member {
	name := text(m.User.Name)
	out := Member{ID: m.Membership.ID, Role: string(m.Membership.Role), Email: m.User.Email, Name: name, UserID: &m.User.ID,
		User: &Person{ID: m.User.ID, Name: name, Email: m.User.Email}, Status: "active", CreatedAt: wire.Time(m.Membership.CreatedAt)}
	if m.User.BlockedAt != nil {
		out.Status = "blocked"
	}
	return out
}

// NewMembers presents a team.
func NewMembers(rows []models.TeamMember) []Member {
	out := make([]Member, len(rows))
	for n := range rows {
		out[n] = NewMember(&rows[n])
	}
	return out
}

// NewInvited presents what came of an invitation; link is how it is accepted, "" when it was mailed.
func NewInvited(in *models.Invited, link string) Member {
	if in.Member != nil {
		return NewMember(in.Member)
	}
	i := in.Invitation
	expires := wire.Time(i.ExpiresAt)
	return Member{ID: i.ID, Role: string(i.Role), Email: i.Email, Status: "invited", CreatedAt: wire.Time(i.CreatedAt), ExpiresAt: &expires, InviteURL: text(link)}
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ReadInvitation reads who is asked to join, and as what.
func ReadInvitation(f *wire.Fields) (email string, role models.Role, err error) {
	email, ok := f.String("email")
	if _, valid := models.NormalEmail(email); ok && !valid {
		f.Issues.BadString("email", "email")
	}
	role = readRole(f)
	return email, role, f.Err()
}

// ReadRole reads a member's new role.
func ReadRole(f *wire.Fields) (models.Role, error) { return readRole(f), f.Err() }

func readRole(f *wire.Fields) models.Role {
	role, _ := f.Enum("role", string(models.Admin), string(models.Member))
	return models.Role(role)
}
