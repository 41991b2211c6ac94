package models_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// letters is a store with an organization that invites by mail.
type letters struct {
	t     *testing.T
	store *models.Store
	sc    *models.Scope
	sy    *models.System
	clock *clock.Fake
	staff models.Actor
}

func newLetters(t *testing.T) *letters {
	t.Helper()
	c := clock.NewFake(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	l := &letters{t: t, store: modelstest.NewAt(t, c), clock: c}
	var f *models.Founded
	l.sc, f = modelstest.Found(t, l.store, "Acme")
	l.sy, l.staff = l.store.AsSystem("test"), models.Actor{UserID: f.User.ID, Name: "Staff", Staff: true, Reason: "a ticket"}
	return l
}

const joinLink = "https://x.example/join?token="

func (l *letters) invite(email string) *models.Invited {
	l.t.Helper()
	in, err := l.sc.InviteByMail(l.t.Context(), email, models.Member, func(i *models.Invitation) models.Mail {
		return models.Mail{Subject: "Join " + i.InvitedBy, Text: joinLink + models.SecretMark}
	})
	require.NoError(l.t, err)
	return in
}

func (l *letters) claim(d *models.Delivery) *models.Claim {
	l.t.Helper()
	c, err := l.sy.ClaimDelivery(l.t.Context(), d.ID, "w", models.DeliveryKinds)
	require.NoError(l.t, err)
	return c
}

func (l *letters) held(d *models.Delivery, why string) {
	l.t.Helper()
	_, err := l.sy.ClaimDelivery(l.t.Context(), d.ID, "other", models.DeliveryKinds)
	require.ErrorIs(l.t, err, models.ErrDeliveryHeld, why)
}

func (l *letters) settle(c *models.Claim, a models.Attempt) *models.Delivery {
	l.t.Helper()
	d, err := l.sy.SettleDelivery(l.t.Context(), c, a)
	require.NoError(l.t, err)
	return d
}

func (l *letters) row(id string) *models.Delivery {
	l.t.Helper()
	d, err := l.sy.DeliveryByID(l.t.Context(), id)
	require.NoError(l.t, err)
	return &d.Delivery
}

// sealed tells whether a row still holds its secret.
func (l *letters) sealed(id string) bool {
	l.t.Helper()
	n := 0
	require.NoError(l.t, l.store.SQL().QueryRowContext(l.t.Context(), "SELECT count(*) FROM deliveries WHERE secret_sealed IS NOT NULL AND id = '"+id+"'").Scan(&n))
	return n == 1
}

func (l *letters) due() []string {
	l.t.Helper()
	ids, err := l.sy.DueDeliveries(l.t.Context(), models.DeliveryKinds, 100)
	require.NoError(l.t, err)
	return ids
}

// Every state and every move, as the table is meant: written down a second time.
func TestDeliveryMoves(t *testing.T) {
	t.Parallel()
	want := map[models.DeliveryState]string{models.DeliveryPending: "send:sent retry:pending die:dead drop:dropped", models.DeliverySent: "replay:pending refuse:dead",
		models.DeliveryDead: "drop:dropped replay:pending", models.DeliveryDropped: ""}
	require.Len(t, models.DeliveryMoves, len(models.DeliveryStates))
	for _, s := range models.DeliveryStates {
		got := []string{}
		for _, m := range models.AllDeliveryMoves {
			if to, ok := models.DeliveryMoves[s][m]; ok {
				got = append(got, string(m)+":"+string(to))
			}
			require.Equal(t, models.DeliveryMoves[s][m] != "", s.May(m))
		}
		require.Equal(t, want[s], strings.Join(got, " "), s)
	}
}

func TestInvitationIsWrittenWithItsLetter(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	in := l.invite("Ada@Example.com")
	require.True(t, in.Token.Empty(), "the link is the addressee's alone")
	d := l.row(in.Delivery.ID)
	require.Equal(t, models.DeliveryPending, d.State)
	require.Equal(t, "ada@example.com", d.Destination)
	require.Equal(t, in.Invitation.ID, d.AboutID)
	require.Equal(t, []string{d.ID}, l.due())
	require.True(t, l.sealed(d.ID))
	for _, table := range []string{"deliveries", "invitations", "audit_entries"} {
		for _, row := range dump(t, l.store, table) {
			require.NotContains(t, row, l.claimless(d.ID), "%s holds the token in the clear", table)
		}
	}
	c := l.claim(d)
	open, err := l.sy.Invitation(t.Context(), c.Secret)
	require.NoError(t, err)
	require.Equal(t, in.Invitation.ID, open.Invitation.ID)
	m, err := c.Mail()
	require.NoError(t, err)
	require.Equal(t, models.Mail{Subject: "Join Owner of Acme", Text: joinLink + models.SecretMark}, m)

	sent := l.settle(c, models.Attempt{Sent: true, Response: "250 OK", Took: 3 * time.Millisecond})
	require.Equal(t, models.DeliverySent, sent.State)
	require.Equal(t, l.clock.Now(), sent.EndedAt.UTC())
	require.False(t, l.sealed(d.ID), "wiped")
	require.Equal(t, []models.DeliveryTry{{At: l.clock.Now(), By: "w", Millis: 3, Response: "250 OK"}}, sent.Log())
	require.Empty(t, l.due())
	by, err := l.sc.InvitationDeliveries(t.Context(), []models.Invitation{*in.Invitation})
	require.NoError(t, err)
	require.Equal(t, models.DeliverySent, by[in.Invitation.ID].State)
	require.Empty(t, by[in.Invitation.ID].Payload)

	// What joins at once and what is refused writes no letter.
	_, f := modelstest.Found(t, l.store, "Beta")
	require.Nil(t, l.invite(f.User.Email).Delivery)
	_, err = l.sc.InviteByMail(t.Context(), "nonsense", models.Member, nil)
	require.True(t, fault.Is(err, fault.Invalid))
	counts, err := l.sy.CountDeliveries(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[models.DeliveryState]int{models.DeliverySent: 1}, counts)
}

// claimless opens a row's secret without a claim, to look for it elsewhere.
func (l *letters) claimless(id string) string {
	l.t.Helper()
	c := l.claim(&models.Delivery{ID: id})
	require.NoError(l.t, l.sy.ReleaseDelivery(l.t.Context(), c))
	require.Zero(l.t, l.row(id).Attempts, "given back as if it had not been tried")
	return c.Secret.Reveal()
}

func TestDeliveryIsTriedAgainAndDies(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	d := l.invite("ada@example.com").Delivery
	for n := 1; n <= models.DeliveryAttempts; n++ {
		c := l.claim(d)
		require.Equal(t, n, c.Attempts)
		l.held(d, "held by another")
		require.Empty(t, l.due())
		got := l.settle(c, models.Attempt{Error: "no\x00 answer", Response: "450 later", Pause: time.Minute})
		require.Equal(t, "no\uFFFD answer", got.LastError)
		_, err := l.sy.SettleDelivery(t.Context(), c, models.Attempt{Sent: true})
		require.ErrorIs(t, err, models.ErrDeliveryLease, "a claim ends once")
		if n == models.DeliveryAttempts {
			require.Equal(t, models.DeliveryDead, got.State)
			require.Equal(t, "Every attempt failed", got.Reason)
			require.Len(t, got.Log(), n)
			break
		}
		require.Equal(t, models.DeliveryPending, got.State)
		l.held(d, "not due")
		l.clock.Add(time.Minute)
	}
	require.False(t, l.sealed(d.ID))
	l.held(d, "dead")

	other := l.invite("bob@example.com").Delivery
	got := l.settle(l.claim(other), models.Attempt{Permanent: true, Error: "x", Response: "550 no such mailbox"})
	require.Equal(t, models.DeliveryDead, got.State)
	require.Equal(t, "It was refused for good", got.Reason)
	require.Equal(t, "550 no such mailbox", got.Response)
}

// A worker that is killed between the claim and the end loses its lease; one that kills all its workers dies.
func TestDeliveryOfALostWorker(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	d := l.invite("ada@example.com").Delivery
	late := l.claim(d)
	l.clock.Add(models.DeliveryLease + time.Millisecond)
	require.Equal(t, []string{d.ID}, l.due())
	c := l.claim(d)
	require.Equal(t, 2, c.Attempts)
	require.Equal(t, late.IdempotencyKey, c.IdempotencyKey)
	require.Equal(t, late.Secret.Reveal(), c.Secret.Reveal())
	_, err := l.sy.SettleDelivery(t.Context(), late, models.Attempt{Permanent: true})
	require.ErrorIs(t, err, models.ErrDeliveryLease, "whoever was slower than the lease writes nothing")
	require.ErrorIs(t, l.sy.ReleaseDelivery(t.Context(), late), models.ErrDeliveryLease)
	for range models.DeliveryAttempts - 2 {
		l.clock.Add(models.DeliveryLease + time.Millisecond)
		l.claim(d)
	}
	l.clock.Add(models.DeliveryLease + time.Millisecond)
	l.held(d, "its attempts are used up")
	require.Equal(t, models.DeliveryDead, l.row(d.ID).State)
	require.Contains(t, l.row(d.ID).Reason, "No worker finished")
}

// One destination of one organization is served in order; others go on meanwhile.
func TestDeliveriesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	first := l.test("ada@example.com")
	second := l.test("ada@example.com")
	elsewhere := l.test("bob@example.com")
	own := l.invite("ada@example.com").Delivery
	require.Equal(t, []string{first.ID, own.ID, elsewhere.ID}, l.due(), "another organization's letter to the same address waits for nobody, and organizations take turns")
	l.held(second, "behind the first")
	next, err := l.sy.NextDelivery(t.Context(), first)
	require.NoError(t, err)
	require.Equal(t, first.ID, next)
	l.settle(l.claim(first), models.Attempt{Error: "x", Pause: models.LaneHold})
	l.held(second, "the first is tried again before")
	l.clock.Add(models.LaneHold)
	c := l.claim(first)
	next, err = l.sy.NextDelivery(t.Context(), first)
	require.NoError(t, err)
	require.Empty(t, next)
	done := l.settle(c, models.Attempt{Permanent: true})
	next, err = l.sy.NextDelivery(t.Context(), done)
	require.NoError(t, err)
	require.Equal(t, second.ID, next, "a dead one holds nobody up")
	c = l.claim(second)
	_, err = l.sy.ReplayDelivery(t.Context(), l.staff, first.ID)
	require.NoError(t, err)
	l.held(first, "while the one behind it is on its way")
	l.settle(c, models.Attempt{Sent: true})
	l.claim(first)
}

// Servers of one organization that never answer hold up nobody else; what an organization has under way is counted over all workers.
func TestOneOrganizationHoldsNotAllPlaces(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	const most = 32
	own := []*models.Delivery{}
	for n := range most + 2 {
		own = append(own, l.invite(fmt.Sprintf("p%d@example.com", n)).Delivery)
	}
	l.clock.Add(time.Second)
	late := l.test("late@example.com") // of nobody's organization
	require.Equal(t, []string{own[0].ID, late.ID}, l.due()[:2], "they take turns")
	claims := []*models.Claim{}
	for _, d := range own[:most] {
		claims = append(claims, l.claim(d))
	}
	require.Equal(t, []string{late.ID}, l.due())
	l.held(own[most], "its organization has enough under way")
	l.claim(late)
	l.settle(claims[0], models.Attempt{Error: "slow", Pause: time.Hour})
	require.Equal(t, []string{own[most].ID, own[most+1].ID}, l.due(), "a place is free")
	l.claim(own[most])
	l.held(own[most+1], "and taken again")
	l.clock.Add(models.DeliveryLease + time.Second)
	l.claim(own[most+1]) // workers that were lost hold nothing
}

// One that fails for long waits beside its lane, and is due again when the lane is open; a pause that the other side asks
// for is everybody's, and costs no attempt.
func TestALaneIsNotHeldForEver(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	first, second, third := l.test("ada@example.com"), l.test("ada@example.com"), l.test("ada@example.com")
	d := l.settle(l.claim(first), models.Attempt{Error: "x", Pause: 4 * time.Hour, Asked: true})
	require.Zero(t, d.Attempts)
	l.held(second, "the other side wants to be left alone")
	l.clock.Add(4 * time.Hour)
	d = l.settle(l.claim(first), models.Attempt{Error: "x", Pause: time.Hour})
	require.Equal(t, 1, d.Attempts)
	require.Equal(t, []string{second.ID}, l.due(), "it has failed for hours: the others are served")
	next, err := l.sy.NextDelivery(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, second.ID, next)
	l.settle(l.claim(second), models.Attempt{Sent: true})
	require.ElementsMatch(t, []string{first.ID, third.ID}, l.due(), "the way is open again: what waited beside it need not wait for its hour")
	l.settle(l.claim(first), models.Attempt{Permanent: true})
	_, err = l.sy.ReplayDelivery(t.Context(), l.staff, first.ID)
	require.NoError(t, err)
	l.held(third, "a replayed one stands in its lane again")
	l.settle(l.claim(first), models.Attempt{Sent: true})
	_, err = l.sy.ReplayDelivery(t.Context(), l.staff, first.ID)
	require.ErrorContains(t, err, "cannot be replayed", "who got a letter cannot tell that it is the same")
}

func (l *letters) test(address string) *models.Delivery {
	l.t.Helper()
	d, err := l.sy.AskTestMail(l.t.Context(), l.staff, address, models.Mail{Subject: "s", Text: "t"})
	require.NoError(l.t, err)
	return d
}

// What an invitation's end makes pointless is not sent.
func TestLettersOfGoneInvitations(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	first := l.invite("ada@example.com")
	again := l.invite("ada@example.com")
	require.Equal(t, models.DeliveryDropped, l.row(first.Delivery.ID).State)
	require.False(t, l.sealed(first.Delivery.ID))
	require.Equal(t, models.DeliveryPending, l.row(again.Delivery.ID).State, "the first one's end is not its own")
	c := l.claim(again.Delivery)
	require.NoError(t, l.sc.RevokeInvitation(t.Context(), again.Invitation.ID))
	require.Equal(t, "The invitation was withdrawn", l.row(again.Delivery.ID).Reason)
	_, err := l.sy.SettleDelivery(t.Context(), c, models.Attempt{Sent: true})
	require.ErrorIs(t, err, models.ErrDeliveryLease)
	require.Equal(t, models.DeliveryDropped, l.row(again.Delivery.ID).State)

	bob := l.invite("bob@example.com")
	token := secret.Of(l.claimless(bob.Delivery.ID))
	_, err = l.sy.AcceptInvitation(t.Context(), token, models.Joining{Name: "Bob", Password: secret.Of(modelstest.Password)}, "")
	require.NoError(t, err)
	require.Equal(t, "The invitation was accepted", l.row(bob.Delivery.ID).Reason)

	cy := l.invite("cy@example.com").Delivery
	l.clock.Add(models.InvitationLife)
	l.held(cy, "the link is over")
	require.Equal(t, models.DeliveryDead, l.row(cy.ID).State)
	require.Contains(t, l.row(cy.ID).Reason, "lost its use")
	_, err = l.sy.ReplayDelivery(t.Context(), l.staff, cy.ID)
	require.Equal(t, "delivery.gone", fault.As(err).Code)
}

func TestStaffReplaysAndDrops(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	in := l.invite("ada@example.com")
	old := secret.Of(l.claimless(in.Delivery.ID))
	_, err := l.sy.ReplayDelivery(t.Context(), l.staff, in.Delivery.ID)
	require.True(t, fault.Is(err, fault.Conflict), "it is not dead")
	l.settle(l.claim(in.Delivery), models.Attempt{Permanent: true, Error: "x"})
	_, err = l.sy.ReplayDelivery(t.Context(), models.Actor{Name: "Staff", Staff: true}, in.Delivery.ID)
	require.True(t, fault.Is(err, fault.Invalid), "no act without a reason")

	d, err := l.sy.ReplayDelivery(t.Context(), l.staff, in.Delivery.ID)
	require.NoError(t, err)
	require.Equal(t, models.DeliveryPending, d.State)
	require.Zero(t, d.Attempts)
	require.Empty(t, d.Reason)
	require.NotEqual(t, in.Delivery.IdempotencyKey, d.IdempotencyKey, "another link is another letter")
	c := l.claim(d)
	_, err = l.sy.Invitation(t.Context(), old)
	require.True(t, fault.Is(err, fault.NotFound), "the old link works no more")
	_, err = l.sy.Invitation(t.Context(), c.Secret)
	require.NoError(t, err)

	_, err = l.sy.DropDelivery(t.Context(), l.staff, d.ID)
	require.NoError(t, err)
	require.False(t, l.sealed(d.ID))
	for _, f := range []func() error{
		func() error { _, err := l.sy.DropDelivery(t.Context(), l.staff, d.ID); return err },
		func() error { _, err := l.sy.ReplayDelivery(t.Context(), l.staff, d.ID); return err },
	} {
		require.Equal(t, "delivery.state", fault.As(f()).Code)
	}
	entries, err := l.sc.AuditEntries(t.Context(), models.AuditFilter{Act: "delivery."})
	require.NoError(t, err)
	require.Len(t, entries, 2, "the customer reads both")
	require.Equal(t, "delivery.dropped", entries[0].Act)
	require.Equal(t, "a ticket", entries[0].Reason)
	require.Equal(t, models.ActorStaff, entries[0].ActorKind)

	// One without a secret and without an organization keeps its key; the installation's chain has the acts.
	test := l.test("bob@example.com")
	l.settle(l.claim(test), models.Attempt{Permanent: true})
	again, err := l.sy.ReplayDelivery(t.Context(), l.staff, test.ID)
	require.NoError(t, err)
	require.Equal(t, test.IdempotencyKey, again.IdempotencyKey)
	entries, err = l.sy.AuditEntries(t.Context(), models.InstallationChain, models.AuditFilter{Act: "delivery."})
	require.NoError(t, err)
	require.Len(t, entries, 1)
	_, err = l.sy.AskTestMail(t.Context(), l.staff, "nonsense", models.Mail{})
	require.True(t, fault.Is(err, fault.Invalid))
}

func TestDeliveriesAreListedAndForgotten(t *testing.T) {
	t.Parallel()
	l := newLetters(t)
	a, b := l.invite("ada@example.com").Delivery, l.test("bob@example.com")
	list := func(f models.DeliveryFilter) []string {
		rows, err := l.sy.AllDeliveries(t.Context(), f)
		require.NoError(t, err)
		out := []string{}
		for _, r := range rows {
			require.Empty(t, r.Payload+string(r.SecretSealed))
			out = append(out, r.ID+" "+r.OrganizationName)
		}
		return out
	}
	require.Equal(t, []string{b.ID + " ", a.ID + " Acme"}, list(models.DeliveryFilter{}))
	require.Equal(t, []string{a.ID + " Acme"}, list(models.DeliveryFilter{Organization: l.sc.Org}))
	require.Equal(t, []string{b.ID + " "}, list(models.DeliveryFilter{Text: "BOB@"}))
	require.Equal(t, []string{a.ID + " Acme"}, list(models.DeliveryFilter{Before: b.ID}))
	require.Empty(t, list(models.DeliveryFilter{State: models.DeliveryDead}))
	require.Len(t, list(models.DeliveryFilter{Kind: models.MailDelivery, State: models.DeliveryPending}), 2)

	l.settle(l.claim(a), models.Attempt{Sent: true})
	l.settle(l.claim(b), models.Attempt{Permanent: true})
	waiting := l.test("cy@example.com")
	for _, step := range []struct {
		days int
		left []string
	}{{29, []string{waiting.ID, b.ID, a.ID}}, {2, []string{waiting.ID, b.ID}}, {60, []string{waiting.ID}}} {
		l.clock.Add(time.Duration(step.days) * 24 * time.Hour)
		require.NoError(t, l.sy.TidyDeliveries(t.Context()))
		got := []string{}
		for _, s := range list(models.DeliveryFilter{}) {
			id, _, _ := strings.Cut(s, " ")
			got = append(got, id)
		}
		require.Equal(t, step.left, got, "after %d days more", step.days)
	}
}
