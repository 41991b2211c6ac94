package models_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func founding(n int) models.Founding {
	return models.Founding{Email: fmt.Sprintf("Owner%d@Example.com", n), Name: "Ada", Organization: "Acme", Password: secret.Of(modelstest.Password)}
}

func TestSetupLink(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sy, ctx := store.AsSystem("test"), t.Context()
	early, err := sy.NewSetupLink(ctx)
	require.NoError(t, err)
	link, err := sy.NewSetupLink(ctx)
	require.NoError(t, err)
	require.True(t, fault.Is(sy.CheckSetupLink(ctx, early), fault.NotFound), "a new link voids the earlier one")
	require.True(t, fault.Is(second(sy.Found(ctx, early, founding(0))), fault.NotFound))
	require.NoError(t, sy.CheckSetupLink(ctx, link))
	fake.Add(models.SetupLinkLife)
	require.True(t, fault.Is(sy.CheckSetupLink(ctx, link), fault.NotFound), "expired")
	require.True(t, fault.Is(second(sy.Found(ctx, link, founding(0))), fault.NotFound))
	link, err = sy.NewSetupLink(ctx)
	require.NoError(t, err)
	bad := founding(0)
	bad.Email, bad.Name, bad.Organization, bad.Password = "no", " ", "\x01", secret.Of("short")
	require.Len(t, fault.As(second(sy.Found(ctx, link, bad))).Fields, 4, "all at once")
	require.NoError(t, sy.CheckSetupLink(ctx, link), "a refused form does not use it up")
	var won atomic.Int32
	var wg sync.WaitGroup
	for n := range 10 {
		wg.Go(func() {
			if _, err := sy.Found(ctx, link, founding(n)); err == nil {
				won.Add(1)
			} else if k := fault.KindOf(err); k != fault.NotFound && k != fault.Conflict {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	require.EqualValues(t, 1, counts(t, store)["memberships"], "the losers left nothing")
	require.True(t, fault.Is(sy.CheckSetupLink(ctx, link), fault.NotFound))
	require.True(t, fault.Is(second(sy.NewSetupLink(ctx)), fault.Conflict))
}

// Whoever founds on the host closes the door that a printed link left open, and two at once make one owner.
func TestFoundOnHost(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sy, ctx := store.AsSystem("test"), t.Context()
	link, err := sy.NewSetupLink(ctx)
	require.NoError(t, err)
	var won atomic.Int32
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			if _, err := sy.FoundOnHost(ctx, founding(n)); err == nil {
				won.Add(1)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	require.True(t, fault.Is(second(sy.Found(ctx, link, founding(9))), fault.Conflict), "no second first owner")
}

func TestSlugsAreUniqueUnderConcurrency(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	var wg sync.WaitGroup
	var slugs sync.Map
	for n := range 8 {
		wg.Go(func() {
			f, err := store.AsSystem("test").NewOrganization(t.Context(), founding(n))
			if err != nil {
				t.Error(err)
				return
			}
			if _, twice := slugs.LoadOrStore(f.Organization.Slug, 1); twice {
				t.Errorf("%s twice", f.Organization.Slug)
			}
		})
	}
	wg.Wait()
	_, err := store.AsSystem("test").NewOrganization(t.Context(), founding(3))
	require.True(t, fault.Is(err, fault.Conflict), "the address is taken: %v", err)
	for in, want := range map[string]string{"Acme Inc.": "acme-inc", "  ": "team", "Ünï": "n", "a--b__c": "a-b-c", "-x-": "x", "日本": "team"} {
		require.Equal(t, want, models.Slug(in))
	}
	require.LessOrEqual(t, len(models.Slug(string(make([]byte, 200))+"abc def abc def abc def abc def abc def abc def")), 40)
}

func TestSignInAnswersAlike(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	_, f := modelstest.Found(t, store, "Acme")
	_, blocked := modelstest.Found(t, store, "Blocked")
	ctx, sy := t.Context(), store.AsSystem("test")
	set := func(id string, columns map[string]any) {
		require.NoError(t, store.Gorm(models.SystemContext(ctx, "test")).Model(&models.User{}).Where("id = ?", id).Updates(columns).Error)
	}
	set(blocked.User.ID, map[string]any{"blocked_at": time.Now()})
	var want *fault.Error
	for _, c := range [][2]string{{f.User.Email, "wrong password"}, {"nobody@example.com", modelstest.Password}, {blocked.User.Email, modelstest.Password},
		{"no address", "x"}, {"", ""}, {f.User.Email, ""}, {f.User.Email, modelstest.Password + " "}} {
		token, u, err := byPassword(ctx, sy, c[0], secret.Of(c[1]))
		require.True(t, token.Empty())
		require.Nil(t, u)
		if want == nil {
			want = fault.As(err)
		}
		require.Equal(t, want, fault.As(err), "%v", c)
	}
	require.Equal(t, fault.Unauthenticated, want.Kind)
	decoy, _, _, err := argon2id.DecodeHash(models.DecoyHash())
	require.NoError(t, err, "a decoy that does not parse would answer at once")
	real, _, _, err := argon2id.DecodeHash(f.User.PasswordHash)
	require.NoError(t, err)
	require.Equal(t, real, decoy, "the same work for an unknown address")
	require.Equal(t, argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: modelstest.Argon2id.Parallelism, SaltLength: 16, KeyLength: 32}, modelstest.Argon2id)
	token, _, err := byPassword(ctx, sy, " "+f.User.Email+" ", secret.Of(modelstest.Password))
	require.NoError(t, err)
	set(f.User.ID, map[string]any{"blocked_at": time.Now()})
	require.True(t, fault.Is(second(sy.BySignIn(ctx, token)), fault.Unauthenticated), "blocked at once")
}

func TestSignInsAreListedAndRevoked(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	_, f := modelstest.Found(t, store, "Acme")
	_, g := modelstest.Found(t, store, "Beta")
	ctx, sy := t.Context(), store.AsSystem("test")
	open := func(user string) secret.String {
		fake.Add(time.Second)
		token, err := sy.OpenSignIn(ctx, user, models.Client{UserAgent: "browser", Address: "::1"})
		require.NoError(t, err)
		return token
	}
	a, b, c, foreign := open(f.User.ID), open(f.User.ID), open(f.User.ID), open(g.User.ID)
	rows, err := sy.SignIns(ctx, f.User.ID)
	require.NoError(t, err)
	require.Len(t, rows, 3)
	p, err := sy.BySignIn(ctx, a)
	require.NoError(t, err)
	require.Equal(t, rows[2].ID, p.SignInID, "last used first")
	require.Equal(t, models.Owner, p.Membership.Role)
	require.True(t, fault.Is(sy.RevokeSignIn(ctx, models.Actor{UserID: g.User.ID}, p.SignInID), fault.NotFound), "another person's")
	require.NoError(t, sy.RevokeSignIn(ctx, models.Actor{UserID: f.User.ID}, p.SignInID))
	require.True(t, fault.Is(sy.RevokeSignIn(ctx, models.Actor{UserID: f.User.ID}, p.SignInID), fault.NotFound), "once")
	require.True(t, fault.Is(second(sy.BySignIn(ctx, a)), fault.Unauthenticated))
	p, err = sy.BySignIn(ctx, b)
	require.NoError(t, err)
	require.NoError(t, sy.RevokeOtherSignIns(ctx, models.Actor{UserID: f.User.ID}, p.SignInID))
	require.NoError(t, sy.RevokeOtherSignIns(ctx, models.Actor{UserID: f.User.ID}, p.SignInID))
	notes, err := sy.AuditEntries(ctx, models.InstallationChain, models.AuditFilter{Actor: f.User.ID, Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []string{"sign_in.others_revoked", "sign_in.revoked"}, []string{notes[0].Act, notes[1].Act}, "what ended nothing is no act")
	require.Equal(t, f.User.Email, notes[1].TargetName)
	require.JSONEq(t, `{"address": "::1", "browser": "browser"}`, notes[1].Before)
	require.JSONEq(t, `{"sign_ins": 1}`, notes[0].Before)
	require.True(t, fault.Is(second(sy.BySignIn(ctx, c)), fault.Unauthenticated))
	require.NoError(t, second(sy.BySignIn(ctx, b)))
	require.NoError(t, second(sy.BySignIn(ctx, foreign)), "others keep theirs")
	fake.Add(models.SignInLife - time.Minute)
	require.NoError(t, second(sy.BySignIn(ctx, b)), "use prolongs it")
	fake.Add(models.SignInLife - time.Minute)
	require.NoError(t, second(sy.BySignIn(ctx, b)))
	require.True(t, fault.Is(second(sy.BySignIn(ctx, foreign)), fault.Unauthenticated), "unused it ends")
	fake.Add(models.SignInLife)
	require.True(t, fault.Is(second(sy.BySignIn(ctx, b)), fault.Unauthenticated))
}

func TestNormalEmail(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"A@Example.COM": "a@example.com", " a@b.de\n": "a@b.de", "a+b@c.io": "a+b@c.io", "root@localhost": "root@localhost",
		"": "", "a": "", "a@b": "", "a@": "", "@b.de": "", "A <a@b.de>": "", "a@b.de, c@d.de": "", "a@b.de\nBcc: x@y.z": "", "a\x00@b.de": "",
		"a b@c.de": "", "a@b..de": "", "a@.de": "", "(x)a@b.de": "", `"a b"@c.de`: "", "a\xff@b.de": "", "a@b.de(x)": "",
	} {
		got, ok := models.NormalEmail(in)
		require.Equal(t, want, got, "%q", in)
		require.Equal(t, want != "", ok, "%q", in)
	}
	_, ok := models.NormalEmail(string(make([]byte, 300)) + "@example.com")
	require.False(t, ok)
}

// byPassword opens a sign-in for who proves a password, as the form does.
func byPassword(ctx context.Context, sy *models.System, email string, password secret.String) (secret.String, *models.User, error) {
	u, err := sy.CheckPassword(ctx, email, password)
	if err != nil {
		return secret.String{}, nil, err
	}
	token, err := sy.OpenSignIn(ctx, u.ID, models.Client{Way: "password"})
	return token, u, err
}
