package models_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// joined makes an account of an address by an invitation.
func joined(t *testing.T, store *models.Store, sc *models.Scope, email string, role models.Role) (*models.TeamMember, *models.Scope) {
	t.Helper()
	in, err := sc.Invite(t.Context(), email, role)
	require.NoError(t, err)
	require.NotNil(t, in.Invitation)
	u, err := store.AsSystem("test").AcceptInvitation(t.Context(), in.Token, models.Joining{Name: "New", Password: secret.Of(modelstest.Password)}, "192.0.2.1")
	require.NoError(t, err)
	m, err := sc.Member(t.Context(), u.ID)
	require.NoError(t, err)
	return m, sc.As(models.Actor{UserID: u.ID, Name: u.Name, Role: role})
}

func TestInvitations(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	other, otherOwner := modelstest.Found(t, store, "Beta")
	sy, ctx := store.AsSystem("test"), t.Context()

	_, err := sc.Invite(ctx, "no address", "OWNER")
	require.Len(t, fault.As(err).Fields, 2, "all findings at once")

	first, err := sc.Invite(ctx, " Alice@Example.com ", models.Member)
	require.NoError(t, err)
	require.Nil(t, first.Member)
	require.Equal(t, "alice@example.com", first.Invitation.Email)
	again, err := sc.Invite(ctx, "alice@example.com", models.Admin)
	require.NoError(t, err)
	_, err = sy.Invitation(ctx, first.Token)
	require.True(t, fault.Is(err, fault.NotFound), "a second invitation voids the first link")
	for _, row := range dump(t, store, "invitations") {
		require.NotContains(t, row, again.Token.Reveal())
	}
	_, err = other.Invitations(ctx)
	require.NoError(t, err)
	require.True(t, fault.Is(other.RevokeInvitation(ctx, again.Invitation.ID), fault.NotFound))

	_, err = sy.AcceptInvitation(ctx, again.Token, models.Joining{Name: " ", Password: secret.Of("short")}, "")
	require.Len(t, fault.As(err).Fields, 2)
	require.True(t, fault.Is(sy.AcceptInvitationAs(ctx, again.Token, otherOwner.User.ID, ""), fault.Forbidden), "bound to the address")
	u, err := sy.AcceptInvitation(ctx, again.Token, models.Joining{Name: "Alice", Password: secret.Of(modelstest.Password)}, "")
	require.NoError(t, err)
	_, err = sy.AcceptInvitation(ctx, again.Token, models.Joining{Name: "Alice", Password: secret.Of(modelstest.Password)}, "")
	require.True(t, fault.Is(err, fault.NotFound), "single use")
	m, err := sc.Member(ctx, u.ID)
	require.NoError(t, err)
	require.Equal(t, models.Admin, m.Membership.Role)

	// An account joins at once, and only once.
	in, err := other.Invite(ctx, "alice@example.com", models.Member)
	require.NoError(t, err)
	require.Equal(t, u.ID, in.Member.User.ID)
	_, err = other.Invite(ctx, "alice@example.com", models.Member)
	require.True(t, fault.Is(err, fault.Conflict))
	require.Equal(t, "Already exists", fault.As(err).Detail)
	orgs, err := sy.OrganizationsOf(ctx, u.ID)
	require.NoError(t, err)
	require.Len(t, orgs, 2)
}

func TestInvitationsExpireAndAreWithdrawn(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	sy, ctx := store.AsSystem("test"), t.Context()
	a, err := sc.Invite(ctx, "a@example.com", models.Member)
	require.NoError(t, err)
	require.NoError(t, sc.RevokeInvitation(ctx, a.Invitation.ID))
	_, err = sy.Invitation(ctx, a.Token)
	require.True(t, fault.Is(err, fault.NotFound))
	b, err := sc.Invite(ctx, "b@example.com", models.Member)
	require.NoError(t, err)
	_, err = store.SQL().ExecContext(ctx, `UPDATE invitations SET expires_at = '2001-01-01 00:00:00'`)
	require.NoError(t, err)
	_, err = sy.AcceptInvitation(ctx, b.Token, models.Joining{Name: "B", Password: secret.Of(modelstest.Password)}, "")
	require.True(t, fault.Is(err, fault.NotFound))
	rows, err := sc.Invitations(ctx)
	require.NoError(t, err)
	require.Len(t, rows, 1)
}

func TestMembersComeAndGo(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, f := modelstest.Found(t, store, "Acme")
	ctx := t.Context()
	admin, asAdmin := joined(t, store, sc, "admin@example.com", models.Admin)
	member, asMember := joined(t, store, sc, "member@example.com", models.Member)

	_, err := asAdmin.RemoveMember(ctx, f.User.ID)
	require.Equal(t, "Cannot remove the organization owner", fault.As(err).Detail)
	require.True(t, fault.Is(err, fault.Forbidden))
	_, err = asAdmin.RemoveMember(ctx, admin.Membership.ID)
	require.Equal(t, "Cannot remove yourself", fault.As(err).Detail)
	require.True(t, fault.Is(err, fault.Invalid))
	_, err = sc.ChangeRole(ctx, f.User.ID, models.Admin)
	require.True(t, fault.Is(err, fault.Forbidden))
	_, err = sc.ChangeRole(ctx, member.User.ID, models.Owner)
	require.True(t, fault.Is(err, fault.Invalid), "ownership is transferred, not given")
	_, err = sc.Leave(ctx)
	require.True(t, fault.Is(err, fault.Forbidden), "an organization has an owner")

	m, err := sc.ChangeRole(ctx, member.Membership.ID, models.Admin)
	require.NoError(t, err)
	require.Equal(t, models.Admin, m.Membership.Role)

	_, key, err := asMember.CreateAPIKey(ctx, models.NewAPIKey{Name: "mine"})
	require.NoError(t, err)
	_, err = asAdmin.RemoveMember(ctx, member.User.ID)
	require.NoError(t, err)
	_, err = store.AsSystem("test").ByAPIKey(ctx, key, "")
	require.True(t, fault.Is(err, fault.Unauthenticated))
	// Asked in again, the old key stays dead.
	_, err = sc.Invite(ctx, "member@example.com", models.Member)
	require.NoError(t, err)
	_, err = store.AsSystem("test").ByAPIKey(ctx, key, "")
	require.True(t, fault.Is(err, fault.Unauthenticated))

	_, err = sc.TransferOwnership(ctx, admin.User.ID)
	require.NoError(t, err)
	rows, err := sc.Members(ctx)
	require.NoError(t, err)
	require.Equal(t, admin.User.ID, rows[0].User.ID)
	require.Equal(t, models.Owner, rows[0].Membership.Role)
	_, err = sc.TransferOwnership(ctx, member.User.ID)
	require.True(t, fault.Is(err, fault.Forbidden), "who is no owner any more gives nothing away")
	_, err = sc.Leave(ctx)
	require.NoError(t, err)
}

func TestKeysHaveNoMoreThanTheirMaker(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	ctx := t.Context()
	_, asAdmin := joined(t, store, sc, "admin@example.com", models.Admin)
	_, _, err := asAdmin.CreateAPIKey(ctx, models.NewAPIKey{Name: "k", Scopes: models.Scopes{models.CanDeleteOrg}})
	require.True(t, fault.Is(err, fault.Invalid), "an admin's key deletes no organization")
	_, _, err = asAdmin.CreateAPIKey(ctx, models.NewAPIKey{Name: "k", Scopes: models.Scopes{"everything"}})
	require.True(t, fault.Is(err, fault.Invalid))
	_, key, err := asAdmin.CreateAPIKey(ctx, models.NewAPIKey{Name: "k", Scopes: models.Scopes{models.CanView, models.CanManageKeys}})
	require.NoError(t, err)
	p, err := store.AsSystem("test").ByAPIKey(ctx, key, "")
	require.NoError(t, err)
	require.True(t, p.May(models.CanView))
	require.False(t, p.May(models.CanUseInstances))
	byKey := store.In(sc.Org).As(p.Actor())
	_, _, err = byKey.CreateAPIKey(ctx, models.NewAPIKey{Name: "k", Scopes: models.Scopes{models.CanUseInstances}})
	require.True(t, fault.Is(err, fault.Invalid), "a key mints only a subset of itself")
	row, _, err := byKey.CreateAPIKey(ctx, models.NewAPIKey{Name: "k"})
	require.NoError(t, err)
	require.Equal(t, models.Scopes{models.CanView, models.CanManageKeys}, models.ParseScopes(row.Scopes))
	row, _, err = byKey.CreateAPIKey(ctx, models.NewAPIKey{Name: "k", Scopes: models.Scopes{models.CanView, models.CanView}})
	require.NoError(t, err)
	require.Equal(t, "view", row.Scopes, "each once")
}

func TestLookingAtAnotherOrganization(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, f := modelstest.Found(t, store, "Acme")
	beta, betaFounded := modelstest.Found(t, store, "Beta")
	sy, ctx := store.AsSystem("test"), t.Context()
	_, err := beta.Invite(ctx, f.User.Email, models.Member)
	require.NoError(t, err)
	token, err := sy.OpenSignIn(ctx, f.User.ID, models.Client{})
	require.NoError(t, err)
	p, err := sy.BySignIn(ctx, token)
	require.NoError(t, err)
	require.Equal(t, sc.Org, p.Organization.ID)
	require.NoError(t, sy.LookAt(ctx, f.User.ID, p.SignInID, beta.Org))
	p, err = sy.BySignIn(ctx, token)
	require.NoError(t, err)
	require.Equal(t, beta.Org, p.Organization.ID)
	require.Equal(t, models.Member, p.Membership.Role, "the role there, not here")
	require.True(t, fault.Is(sy.LookAt(ctx, betaFounded.User.ID, p.SignInID, sc.Org), fault.NotFound))
	// Removed there, the browser shows what is left; without any, nothing may be done.
	_, err = beta.RemoveMember(ctx, f.User.ID)
	require.NoError(t, err)
	p, err = sy.BySignIn(ctx, token)
	require.NoError(t, err)
	require.Equal(t, sc.Org, p.Organization.ID)
	_, err = sc.DeleteOrganization(ctx)
	require.NoError(t, err)
	p, err = sy.BySignIn(ctx, token)
	require.NoError(t, err)
	require.Empty(t, p.Membership.ID)
	require.False(t, p.May(models.CanView))
	o, err := sy.NewOrganizationFor(ctx, p.Actor(), "Third")
	require.NoError(t, err)
	p, err = sy.BySignIn(ctx, token)
	require.NoError(t, err)
	require.Equal(t, o.ID, p.Organization.ID)
	require.Equal(t, models.Owner, p.Membership.Role)
}

func TestDeletingAnOrganization(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	org := populated(t, store, "Acme")
	beta := populated(t, store, "Beta")
	sc, sy, ctx := store.In(org), store.AsSystem("test"), t.Context()
	h, err := sc.Holdings(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, h.Instances)
	refs, err := sc.DeleteOrganization(ctx)
	require.NoError(t, err)
	require.Len(t, refs, 1)
	_, err = sc.DeleteOrganization(ctx)
	require.True(t, fault.Is(err, fault.NotFound), "once")
	i, err := sc.Instance(ctx, refs[0].ID)
	require.NoError(t, err)
	require.Equal(t, models.WantDeleted, i.Desired)
	done, err := sy.FinishDeletions(ctx)
	require.NoError(t, err)
	require.Empty(t, done, "its sandbox is not gone")
	_, err = store.SQL().ExecContext(ctx, `DELETE FROM instances WHERE organization_id = '`+org+`'`) // what the reconciler does
	require.NoError(t, err)
	done, err = sy.FinishDeletions(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{org}, done)
	for table := range owned {
		for _, row := range dump(t, store, table) {
			require.NotContains(t, row, "organization_id="+org, table)
		}
		if table != "instances" {
			require.Contains(t, strings.Join(dump(t, store, table), "\n"), "organization_id="+beta, table)
		}
	}
	entries, err := sy.AuditEntries(ctx, models.InstallationChain, models.AuditFilter{Act: "organization.deleted"})
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "Acme", entries[0].TargetName)
}

func TestAuditChain(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	other, _ := modelstest.Found(t, store, "Beta")
	sy, ctx := store.AsSystem("test"), t.Context()
	by := sc.As(models.Actor{UserID: sc.Actor.UserID, Name: "Root\x00", Role: models.Owner, Address: "192.0.2.7"})
	_, err := by.RenameOrganization(ctx, "Acme Inc")
	require.NoError(t, err)
	staff := sc.As(models.Actor{UserID: "s", Name: "Staff", Staff: true, Reason: "ticket 7"})
	_, err = staff.RenameOrganization(ctx, "Acme Ltd")
	require.NoError(t, err)
	_, err = other.RenameOrganization(ctx, "Beta 2")
	require.NoError(t, err)
	rows, err := sc.AuditEntries(ctx, models.AuditFilter{})
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, `{"name":"Acme Inc"}`, rows[1].After)
	require.Equal(t, `{"name":"Acme"}`, rows[1].Before)
	require.Equal(t, "192.0.2.7", rows[1].Address)
	require.Equal(t, models.ActorStaff, rows[0].ActorKind)
	require.Equal(t, "ticket 7", rows[0].Reason)
	require.Equal(t, rows[1].Hash, rows[0].PreviousHash)
	filtered, err := sc.AuditEntries(ctx, models.AuditFilter{Text: "STAFF", Act: "organization.", Since: time.Now().Add(-time.Hour)})
	require.NoError(t, err)
	require.Len(t, filtered, 1)

	whole := func() map[string]int64 {
		reports, err := sy.VerifyAudit(ctx)
		require.NoError(t, err)
		out := map[string]int64{}
		for _, r := range reports {
			out[r.Chain] = r.Broken
		}
		return out
	}
	require.Equal(t, map[string]int64{sc.Org: 0, other.Org: 0, models.InstallationChain: 0}, whole())
	for _, change := range []string{`UPDATE audit_entries SET actor_name = 'Nobody' WHERE seq = 1`, `UPDATE audit_entries SET actor_name = 'Nobody', hash = 'x' WHERE seq = 1`,
		`UPDATE audit_entries SET after = '{}' WHERE seq = 1`, `UPDATE audit_entries SET created_at = '2001-01-01 00:00:00' WHERE seq = 1`, `DELETE FROM audit_entries WHERE seq = 1`} {
		_, err = store.SQL().ExecContext(ctx, change+` AND chain = '`+sc.Org+`'`)
		require.NoError(t, err)
		broken := whole()
		require.Positive(t, broken[sc.Org], change)
		require.Zero(t, broken[other.Org])
	}
}

// Acts at once, of several connections, still make one chain.
func TestAuditChainUnderLoad(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	const n = 40
	errs := make(chan error, n)
	for range n {
		go func() { _, _, err := sc.CreateAPIKey(t.Context(), models.NewAPIKey{Name: "k"}); errs <- err }()
	}
	for range n {
		require.NoError(t, <-errs)
	}
	reports, err := store.AsSystem("test").VerifyAudit(t.Context())
	require.NoError(t, err)
	for _, r := range reports {
		require.Zero(t, r.Broken)
		if r.Chain == sc.Org {
			require.Equal(t, n, r.Entries)
		}
	}
}
