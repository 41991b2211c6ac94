package models

import (
	"context"
	"slices"
	"time"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// LoginTokenLife is how long a program's token is good, used or not (fleet-api.md, section 1).
const LoginTokenLife = 24 * time.Hour

// OpenLoginToken makes the sign-in that a program's signed token is to name, in one organization of a person who proved who they are: ""
// is the one that they joined first. NotFound for one that they do not belong to, Forbidden for who is blocked.
func (sy *System) OpenLoginToken(ctx context.Context, userID, organizationID string, c Client) (*SignIn, error) {
	rows, err := all[Membership](sy.read(ctx).Where("user_id = ?", userID).Order("created_at, id"))
	if err != nil {
		return nil, err
	}
	n := slices.IndexFunc(rows, func(m Membership) bool { return organizationID == "" || m.OrganizationID == organizationID })
	switch {
	case n >= 0:
		organizationID = rows[n].OrganizationID
	case organizationID != "":
		return nil, fault.NotFoundf("organization")
	}
	_, hash := secret.Token("") // nobody has it: the row is found by its id
	return sy.openSignIn(ctx, SignIn{UserID: userID, Kind: TokenSignIn, TokenHash: hash, LooksAt: organizationID}, LoginTokenLife, c)
}

// ByLoginToken finds who a program's token belongs to, by the sign-in that it names: a person in the organization that it was made for, and
// in no browser. The caller has verified the token.
func (sy *System) ByLoginToken(ctx context.Context, signInID string) (*Principal, error) {
	now := sy.store.now()
	row, err := sy.signedIn(ctx, now, "s.kind = 'token' AND s.id = ? AND (o.id IS NULL OR o.id = s.looks_at)", signInID)
	if err != nil {
		return nil, err
	}
	sy.seen(ctx, row, now, map[string]any{"last_seen_at": now})
	return row.principal(), nil
}
