package models

import (
	"cmp"
	"context"
	"sync"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// SignIn is one signed-in browser: the cookie holds a random token, the row its hash. Or it is a program's, whose signed token names the
// row: what ends a browser's sign-in ends it too.
type SignIn struct {
	ID         string
	UserID     string
	Kind       SignInKind
	TokenHash  string
	UserAgent  string
	Address    string
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time
	RevokedAt  *time.Time
	LooksAt    string // the organization that this browser chose; another of the person's when it is gone. A token's never changes
}

// SignInKind is who holds a sign-in.
type SignInKind string

// The kinds.
const (
	BrowserSignIn SignInKind = "browser"
	TokenSignIn   SignInKind = "token"
)

// SignInLife is how long a browser stays signed in without being used.
const SignInLife = 30 * 24 * time.Hour

// seenEvery is how stale LastSeenAt may be: a write per request would cost more than it tells.
const seenEvery = time.Minute

var errBlocked = fault.New(fault.Forbidden, "user.blocked", "This account is blocked").Hinting("Ask whoever runs this server")

var errSignIn = fault.New(fault.Unauthenticated, "sign_in.wrong", "The e-mail address or the password is wrong")

// decoyHash makes a sign-in with an unknown address as slow as one with a wrong password: its parameters
// are those of a password set on this machine.
var decoyHash = sync.OnceValue(func() string {
	token, _ := secret.Token("")
	hash, _ := hashPassword(token) // fails only without a random source
	return hash
})

// Client is what a browser shows of itself, and the way its person came in.
type Client struct {
	UserAgent string
	Address   string
	Way       string // for the audit log: "password", "passkey", "password and passkey", a provider's name
}

// CheckPassword finds who an address and a password belong to; wrong, unknown and blocked answer alike.
func (sy *System) CheckPassword(ctx context.Context, email string, password secret.String) (*User, error) {
	normal, ok := NormalEmail(email)
	if !ok {
		normal = ""
	}
	u, err := first[User](sy.read(ctx).Where("email = ?", normal))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	hash := decoyHash()
	if u != nil && u.PasswordHash != "" {
		hash = u.PasswordHash
	}
	if !checkPassword(password, hash) || u == nil || u.PasswordHash == "" || u.BlockedAt != nil {
		return nil, errSignIn
	}
	return u, nil
}

// OpenSignIn makes a fresh token for a person who proved who they are; Forbidden for one who is blocked.
func (sy *System) OpenSignIn(ctx context.Context, userID string, c Client) (secret.String, error) {
	token, hash := secret.Token("")
	_, err := sy.openSignIn(ctx, SignIn{UserID: userID, Kind: BrowserSignIn, TokenHash: hash}, SignInLife, c)
	return token, err
}

func (sy *System) openSignIn(ctx context.Context, row SignIn, life time.Duration, c Client) (*SignIn, error) {
	now := sy.store.now()
	row.ID, row.UserAgent, row.Address = id.New(), clip(cleanText(c.UserAgent), 400), clip(cleanText(c.Address), 64)
	row.CreatedAt, row.LastSeenAt, row.ExpiresAt = now, now, now.Add(life)
	return &row, sy.tx(ctx, func(tx *gorm.DB) error {
		u, err := first[User](tx.Where("id = ?", row.UserID))
		if err != nil {
			return err
		}
		if u.BlockedAt != nil {
			return errBlocked
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return sy.audit(tx, u.actor(c.Address), act{name: "sign_in.opened", kind: "user", id: u.ID, of: u.Email, after: map[string]any{"way": cmp.Or(c.Way, "setup")}})
	})
}

// NoteLockout writes down that tries to sign in were refused because there were too many of them.
func (sy *System) NoteLockout(ctx context.Context, account, address string) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		return sy.audit(tx, Actor{Address: address}, act{name: "sign_in.locked", kind: "account", of: account})
	})
}

// Principal is who a request comes from, resolved afresh for each. A signed-in person who belongs nowhere has an
// empty membership, which may nothing.
type Principal struct {
	User         User
	Membership   Membership
	Organization Organization
	SignInID     string    // cookie
	KeyID        string    // bearer
	Scopes       Scopes    // of the key
	Instance     *Instance // whose token this is: an agent, who is no person and has no role
}

// May tells whether the principal has a capability in its organization. An agent may call models, and nothing else.
func (p *Principal) May(c Can) bool {
	if p.Instance != nil {
		return c == CanInfer
	}
	return p.Membership.Role.May(c) && p.Scopes.Allow(c)
}

// Actor is the principal as it is written into rows.
func (p *Principal) Actor() Actor {
	if p.Instance != nil {
		return Actor{Name: p.Instance.Name}
	}
	return Actor{UserID: p.User.ID, KeyID: p.KeyID, Name: p.User.Name, Role: p.Membership.Role, Scopes: p.Scopes}
}

var errUnauthorized = fault.New(fault.Unauthenticated, "unauthorized", "Unauthorized")

// principalRow is what one join tells of a credential: who, and where they first belong.
type principalRow struct {
	User         User         `gorm:"embedded;embeddedPrefix:u_"`
	Membership   Membership   `gorm:"embedded;embeddedPrefix:m_"`
	Organization Organization `gorm:"embedded;embeddedPrefix:o_"`
	CredID       string
	Scopes       string
	LastSeen     *time.Time
}

func (r *principalRow) principal() *Principal {
	if r.Organization.ID == "" { // none, or one that is being deleted
		return &Principal{User: r.User}
	}
	return &Principal{User: r.User, Membership: r.Membership, Organization: r.Organization}
}

const principalColumns = `u.id AS u_id, u.email AS u_email, u.name AS u_name, u.theme AS u_theme, u.staff AS u_staff, u.no_letters AS u_no_letters,
	u.blocked_at AS u_blocked_at, m.id AS m_id, m.organization_id AS m_organization_id, m.user_id AS m_user_id, m.role AS m_role,
	o.id AS o_id, o.name AS o_name, o.slug AS o_slug, o.plan AS o_plan,
	o.suspended_at AS o_suspended_at, o.suspended_reason AS o_suspended_reason, o.suspended_by AS o_suspended_by, o.instance_limit AS o_instance_limit, o.created_at AS o_created_at, o.updated_at AS o_updated_at`

// columns is where principalColumns go, in their order. A key is looked up for every call of a program: gorm's own
// scanning takes longer than the query. No column of the memberships may be NULL.
func (r *principalRow) columns() []any {
	u, m, o := &r.User, &r.Membership, &r.Organization
	return []any{&u.ID, &u.Email, &u.Name, &u.Theme, &u.Staff, &u.NoLetters, &u.BlockedAt, &m.ID, &m.OrganizationID, &m.UserID, &m.Role,
		&o.ID, &o.Name, &o.Slug, &o.Plan, &o.SuspendedAt, &o.SuspendedReason, &o.SuspendedBy, &o.InstanceLimit, &o.CreatedAt, &o.UpdatedAt}
}

// BySignIn finds who a cookie's token belongs to, and notes that they were seen.
func (sy *System) BySignIn(ctx context.Context, token secret.String) (*Principal, error) {
	now := sy.store.now()
	row, err := sy.signedIn(ctx, now, "s.kind = 'browser' AND s.token_hash = ?", secret.Hash(token.Reveal()))
	if err != nil {
		return nil, err
	}
	p := row.principal()
	p.SignInID = row.CredID
	sy.seen(ctx, row, now, map[string]any{"last_seen_at": now, "expires_at": now.Add(SignInLife)})
	return p, nil
}

// signedIn reads who an open sign-in belongs to.
func (sy *System) signedIn(ctx context.Context, now time.Time, which string, arg string) (*principalRow, error) {
	rows := []principalRow{}
	err := sy.read(ctx).Raw(`SELECT `+principalColumns+`, s.id AS cred_id, s.last_seen_at AS last_seen
		FROM sign_ins s JOIN users u ON u.id = s.user_id
		LEFT JOIN memberships m ON m.user_id = u.id LEFT JOIN organizations o ON o.id = m.organization_id AND o.deleting_at IS NULL
		WHERE `+which+` AND s.revoked_at IS NULL AND s.expires_at > ? AND u.blocked_at IS NULL
		ORDER BY CASE WHEN o.id IS NULL THEN 2 WHEN o.id = s.looks_at THEN 0 ELSE 1 END, m.created_at, m.id LIMIT 1`, arg, now).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	if len(rows) == 0 {
		return nil, errUnauthorized
	}
	return &rows[0], nil
}

// seen notes that a sign-in was used, not more often than it tells something.
func (sy *System) seen(ctx context.Context, row *principalRow, now time.Time, set map[string]any) {
	if row.LastSeen == nil || now.Sub(*row.LastSeen) > seenEvery {
		sy.note(ctx, sy.write(ctx).Model(&SignIn{}).Where("id = ? AND revoked_at IS NULL", row.CredID), set)
	}
}

// note writes that a credential was used. When that fails (the disk is full) the person is still let in.
func (sy *System) note(ctx context.Context, db *gorm.DB, set map[string]any) {
	if _, err := changed(db, set); err != nil {
		sy.store.log.WarnContext(ctx, "the use of a credential was not noted", "err", err)
	}
}

// SignIns lists a person's open sign-ins, last used first.
func (sy *System) SignIns(ctx context.Context, userID string) ([]SignIn, error) {
	return all[SignIn](sy.read(ctx).Where("user_id = ? AND revoked_at IS NULL AND expires_at > ?", userID, sy.store.now()).
		Order("last_seen_at DESC, id DESC"))
}

// RevokeSignIn ends one of the actor's sign-ins; another person's is NotFound.
func (sy *System) RevokeSignIn(ctx context.Context, by Actor, signInID string) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		row, err := first[SignIn](locked(tx).Where("id = ? AND user_id = ? AND revoked_at IS NULL", signInID, by.UserID))
		if err != nil {
			return err
		}
		if _, err := changed(tx.Model(&SignIn{}).Where("id = ?", row.ID), map[string]any{"revoked_at": sy.store.now()}); err != nil {
			return err
		}
		u, err := first[User](tx.Where("id = ?", by.UserID))
		if err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "sign_in.revoked", kind: "user", id: u.ID, of: u.Email, before: map[string]any{"address": row.Address, "browser": row.UserAgent}})
	})
}

// RevokeOtherSignIns ends all of the actor's sign-ins but one.
func (sy *System) RevokeOtherSignIns(ctx context.Context, by Actor, keep string) error {
	return sy.tx(ctx, func(tx *gorm.DB) error {
		u, err := first[User](tx.Where("id = ?", by.UserID))
		if err != nil {
			return err
		}
		n, err := sy.endSignIns(tx, u.ID, keep)
		if err != nil || n == 0 {
			return err
		}
		return sy.audit(tx, by, act{name: "sign_in.others_revoked", kind: "user", id: u.ID, of: u.Email, before: map[string]any{"sign_ins": n}})
	})
}

// endSignIns ends all of a person's sign-ins but one, "" for none, and tells how many.
func (sy *System) endSignIns(tx *gorm.DB, userID, keep string) (int64, error) {
	res := tx.Model(&SignIn{}).Where("user_id = ? AND id <> ? AND revoked_at IS NULL", userID, keep).Updates(map[string]any{"revoked_at": sy.store.now()})
	return res.RowsAffected, res.Error
}

// clip cuts a text at a rune border to at most n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
