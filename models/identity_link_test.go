package models_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

const issuer = "https://issuer.example"

func vouched(subject, email string, verified bool) models.Vouched {
	return models.Vouched{Issuer: issuer, Service: "Example", Subject: subject, Email: email, Name: "Ada", EmailVerified: verified}
}

// acts lists what the installation's chain holds besides foundings, oldest first.
func acts(t *testing.T, store *models.Store) []string {
	t.Helper()
	rows, err := store.AsSystem("test").AuditEntries(t.Context(), models.InstallationChain, models.AuditFilter{})
	require.NoError(t, err)
	out := []string{}
	for i := len(rows) - 1; i >= 0; i-- {
		if rows[i].Act != "organization.founded" {
			out = append(out, rows[i].Act)
		}
	}
	return out
}

func TestVouchedPeopleLinkByVerifiedAddressOnly(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, f := modelstest.Found(t, store, "Acme")
	sy, ctx := store.AsSystem("test"), t.Context()
	in := func(v models.Vouched) (*models.User, error) {
		_, u, err := sy.SignInVouched(ctx, v, models.Client{})
		return u, err
	}
	_, err := in(vouched("1", f.User.Email, false))
	require.Equal(t, "sign_in.unverified", fault.As(err).Code)
	_, err = in(vouched("1", "nobody@example.com", true))
	require.Equal(t, "sign_in.no_account", fault.As(err).Code)
	require.Contains(t, fault.As(err).Detail, "nobody@example.com")
	for _, bad := range []string{"", "no address", "a@b"} {
		_, err = in(vouched("1", bad, true))
		require.True(t, fault.Is(err, fault.Forbidden), bad)
	}
	require.Empty(t, acts(t, store), "who was refused left nothing")

	u, err := in(vouched("1", "ACME@Example.com", true))
	require.NoError(t, err)
	require.Equal(t, f.User.ID, u.ID)
	u, err = in(vouched("1", "moved@example.com", false))
	require.NoError(t, err, "known by the subject, whatever the address is now")
	require.Equal(t, f.User.ID, u.ID)
	other := vouched("1", "", false)
	other.Issuer = "https://other.example"
	_, err = in(other)
	require.True(t, fault.Is(err, fault.Forbidden), "the same subject of another issuer is somebody else")
	require.Equal(t, []string{"identity.linked", "sign_in.opened", "sign_in.opened"}, acts(t, store))

	require.NoError(t, store.Gorm(models.SystemContext(ctx, "test")).Model(&models.User{}).Where("id = ?", u.ID).Update("blocked_at", fake.Now()).Error)
	for _, v := range []models.Vouched{vouched("1", "", false), vouched("2", f.User.Email, true)} {
		_, err = in(v)
		require.Equal(t, "user.blocked", fault.As(err).Code)
	}
	links, err := sy.Identities(ctx, u.ID)
	require.NoError(t, err)
	require.Len(t, links, 1, "a blocked account is not linked")

	_, err = sc.Invite(ctx, "new@example.com", models.Admin)
	require.NoError(t, err)
	_, err = in(vouched("3", "new@example.com", false))
	require.Equal(t, "sign_in.unverified", fault.As(err).Code)
	beta, _ := modelstest.Found(t, store, "Beta")
	_, err = beta.Invite(ctx, "New@example.com", models.Member)
	require.NoError(t, err)
	u, err = in(vouched("3", "new@example.com", true))
	require.NoError(t, err)
	require.Equal(t, "Ada", u.Name)
	places, err := sy.OrganizationsOf(ctx, u.ID)
	require.NoError(t, err)
	require.Len(t, places, 2, "both invitations")
	left, err := sc.Invitations(ctx)
	require.NoError(t, err)
	require.Empty(t, left, "used up")
	_, err = sc.Invite(ctx, "late@example.com", models.Member)
	require.NoError(t, err)
	fake.Add(models.InvitationLife)
	_, err = in(vouched("4", "late@example.com", true))
	require.Equal(t, "sign_in.no_account", fault.As(err).Code, "expired")
}

func TestLinksAreOnesOwn(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	_, a := modelstest.Found(t, store, "Acme")
	_, b := modelstest.Found(t, store, "Beta")
	sy, ctx := store.AsSystem("test"), t.Context()
	as := func(f *models.Founded) models.Actor { return models.Actor{UserID: f.User.ID, Name: f.User.Name} }
	require.Equal(t, "identity.address", fault.As(sy.LinkIdentity(ctx, as(a), vouched("1", b.User.Email, true))).Code)
	require.Equal(t, "identity.address", fault.As(sy.LinkIdentity(ctx, as(a), vouched("1", "else@example.com", true))).Code)
	require.Equal(t, "sign_in.unverified", fault.As(sy.LinkIdentity(ctx, as(a), vouched("1", a.User.Email, false))).Code)
	require.NoError(t, sy.LinkIdentity(ctx, as(a), vouched("1", a.User.Email, true)))
	require.NoError(t, sy.LinkIdentity(ctx, as(a), vouched("1", a.User.Email, true)), "twice is once")
	require.Equal(t, "identity.taken", fault.As(sy.LinkIdentity(ctx, as(b), vouched("1", b.User.Email, true))).Code)
	links, err := sy.Identities(ctx, a.User.ID)
	require.NoError(t, err)
	require.Len(t, links, 1)
	require.True(t, fault.Is(sy.UnlinkIdentity(ctx, as(b), links[0].ID), fault.NotFound))

	require.NoError(t, store.Gorm(models.SystemContext(ctx, "test")).Model(&models.User{}).Where("id = ?", a.User.ID).Update("password_hash", "").Error)
	require.Equal(t, "sign_in.last_way", fault.As(sy.UnlinkIdentity(ctx, as(a), links[0].ID)).Code)
	k, err := sy.AddPasskey(ctx, as(a), " Phone ", "credential", []byte("{}"))
	require.NoError(t, err)
	require.Equal(t, "Phone", k.Name)
	require.True(t, fault.Is(second(sy.AddPasskey(ctx, as(b), "x", "credential", []byte("{}"))), fault.Conflict))
	require.NoError(t, sy.UnlinkIdentity(ctx, as(a), links[0].ID))
	require.True(t, fault.Is(sy.RemovePasskey(ctx, as(b), k.ID), fault.NotFound))
	require.Equal(t, "sign_in.last_way", fault.As(sy.RemovePasskey(ctx, as(a), k.ID)).Code)
	require.Equal(t, []string{"identity.linked", "passkey.added", "identity.unlinked"}, acts(t, store))
}

func TestPasswordChange(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	_, f := modelstest.Found(t, store, "Acme")
	_, g := modelstest.Found(t, store, "Beta")
	sy, ctx := store.AsSystem("test"), t.Context()
	by := models.Actor{UserID: f.User.ID, Name: f.User.Name}
	open := func(user string) (secret.String, string) {
		token, err := sy.OpenSignIn(ctx, user, models.Client{})
		require.NoError(t, err)
		p, err := sy.BySignIn(ctx, token)
		require.NoError(t, err)
		return token, p.SignInID
	}
	here, keep := open(f.User.ID)
	there, _ := open(f.User.ID)
	colleague, _ := open(g.User.ID)
	fresh := secret.Of("another lobster")
	for _, bad := range []string{"", "wrong", modelstest.Password + " "} {
		require.Len(t, fault.As(sy.ChangePassword(ctx, by, keep, secret.Of(bad), fresh)).Fields, 1, bad)
	}
	require.Len(t, fault.As(sy.ChangePassword(ctx, by, keep, secret.Of(modelstest.Password), secret.Of("short"))).Fields, 1)
	require.NoError(t, second(sy.BySignIn(ctx, there)))
	require.NoError(t, sy.ChangePassword(ctx, by, keep, secret.Of(modelstest.Password), fresh))
	require.NoError(t, second(sy.BySignIn(ctx, here)))
	require.NoError(t, second(sy.BySignIn(ctx, colleague)))
	require.True(t, fault.Is(second(sy.BySignIn(ctx, there)), fault.Unauthenticated))
	require.True(t, fault.Is(second(sy.CheckPassword(ctx, f.User.Email, secret.Of(modelstest.Password))), fault.Unauthenticated))
	require.NoError(t, second(sy.CheckPassword(ctx, f.User.Email, fresh)))

	require.Equal(t, "second_factor.missing", fault.As(sy.SetSecondFactor(ctx, by, true)).Code)
	k, err := sy.AddPasskey(ctx, by, "Phone", "c", []byte("{}"))
	require.NoError(t, err)
	require.NoError(t, sy.SetSecondFactor(ctx, by, true))
	require.NoError(t, sy.SetSecondFactor(ctx, by, true), "twice is once")
	require.True(t, user(t, sy, f.User.ID).SecondFactor)
	require.NoError(t, sy.UsePasskey(ctx, "c", []byte("{}"), []byte(`{"n":1}`)))
	require.True(t, fault.Is(sy.UsePasskey(ctx, "c", []byte("{}"), []byte(`{"n":2}`)), fault.Conflict), "a counter counts once")
	require.NoError(t, sy.RemovePasskey(ctx, by, k.ID))
	require.False(t, user(t, sy, f.User.ID).SecondFactor, "nobody is asked for what they have not")
}

func user(t *testing.T, sy *models.System, userID string) *models.User {
	t.Helper()
	u, err := sy.User(t.Context(), userID)
	require.NoError(t, err)
	return u
}

func TestTokensAreSpentOnce(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sy, ctx := store.AsSystem("test"), t.Context()
	until := fake.Now().Add(time.Minute)
	require.NoError(t, sy.Spend(ctx, "a", until))
	require.True(t, fault.Is(sy.Spend(ctx, "a", until), fault.Conflict))
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := sy.Spend(ctx, "b", until); err == nil {
				won.Add(1)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	fake.Add(2 * time.Minute)
	require.NoError(t, sy.Spend(ctx, "c", fake.Now().Add(time.Minute)))
	require.NoError(t, sy.Trim(ctx))
	var n int64
	require.NoError(t, store.Gorm(models.SystemContext(ctx, "test")).Model(&models.SpentToken{}).Count(&n).Error)
	require.EqualValues(t, 1, n, "the old ones are swept")
}

// Two windows of one newcomer come back at once: one account, both signed in.
func TestNewcomersComeOnce(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, _ := modelstest.Found(t, store, "Acme")
	ctx := t.Context()
	_, err := sc.Invite(ctx, "new@example.com", models.Member)
	require.NoError(t, err)
	var people sync.Map
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, u, err := store.AsSystem("test").SignInVouched(ctx, vouched("1", "new@example.com", true), models.Client{})
			if err != nil {
				t.Error(err)
				return
			}
			people.Store(u.ID, true)
		})
	}
	wg.Wait()
	n := 0
	people.Range(func(any, any) bool { n++; return true })
	require.Equal(t, 1, n)
}
