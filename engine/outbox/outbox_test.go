package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"lobstead/engine/outbox"
	"lobstead/kit/secret"
	"lobstead/models"
)

var link = regexp.MustCompile(`https://x\.example/join\?token=([0-9A-Za-z]{43})`)

// plain undoes the letter's encoding as far as a link needs it.
func plain(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "=\r\n", ""), "=3D", "=")
}

func TestALetterCarriesItsLink(t *testing.T) {
	s := serve(t, nil)
	r := newRig(t, s)
	d := r.deliver(r.invite("ada@example.com"))
	require.Equal(t, models.DeliverySent, d.State)
	require.Contains(t, d.Response, "OK: queued")
	require.Len(t, s.letters(), 1)
	l := s.letters()[0]
	require.Equal(t, "ada@example.com", l.To)
	require.Equal(t, "<"+d.IdempotencyKey+"@example.org>", l.ID)
	found := link.FindStringSubmatch(plain(l.Text))
	require.Len(t, found, 2, l.Text)
	_, err := r.sy.Invitation(t.Context(), secret.Of(found[1]))
	require.NoError(t, err, "the link works")
	require.NotContains(t, fmt.Sprint(d), found[1])
	require.Equal(t, d.State, r.deliver(d).State)
	require.Len(t, s.letters(), 1, "what is sent is not sent again")
}

// 4xx passes: the same letter under the same Message-ID, after a pause of the table.
func TestALetterIsTriedAgain(t *testing.T) {
	s := serve(t, func(n int, _ taken, _ *smtp.Conn) error {
		if n < 3 {
			return refusal(451, "greylisted")
		}
		return nil
	})
	r := newRig(t, s)
	d := r.invite("ada@example.com")
	for n := 1; n <= 2; n++ {
		got := r.deliver(d)
		require.Equal(t, models.DeliveryPending, got.State)
		require.Equal(t, "451 4.1.1 greylisted", got.Response)
		wait := got.NextAt.Sub(r.clock.Now())
		require.GreaterOrEqual(t, wait, outbox.Pauses[n-1])
		require.LessOrEqual(t, wait, outbox.Pauses[n-1]*5/4)
		r.deliver(d)
		require.Len(t, s.letters(), n, "not before its time")
		r.clock.Add(wait)
	}
	got := r.deliver(d)
	require.Equal(t, models.DeliverySent, got.State)
	require.Len(t, got.Log(), 3)
	for _, l := range s.letters() {
		require.Equal(t, s.letters()[0], l)
	}
}

func TestPausesFitTheAttempts(t *testing.T) {
	require.Len(t, outbox.Pauses, models.DeliveryAttempts-1)
	for n := range models.DeliveryAttempts + 5 {
		want := outbox.Pauses[min(max(n, 1), len(outbox.Pauses))-1]
		for range 100 {
			p := outbox.Pause(n)
			require.GreaterOrEqual(t, p, want)
			require.Less(t, p, want*5/4)
		}
	}
}

// 5xx is for good: no second attempt, and what the server said is kept without the link that it may repeat.
func TestARefusedLetterIsDead(t *testing.T) {
	s := serve(t, func(_ int, l taken, _ *smtp.Conn) error {
		return refusal(550, "no such mailbox, you sent "+link.FindString(plain(l.Text)))
	})
	r := newRig(t, s)
	d := r.deliver(r.invite("ada@example.com"))
	require.Equal(t, models.DeliveryDead, d.State)
	require.Equal(t, "550 5.1.1 no such mailbox, you sent https://x.example/join?token="+models.SecretMark, d.Response)
	require.NotRegexp(t, link, d.LastError+d.Tries)
	require.Contains(t, d.LastError, "127.0.0.1", "the operator reads where")
	require.Len(t, s.letters(), 1)
}

// The connection ends after the letter was read and before the answer: nobody knows whether it was taken, so it is sent
// again under the same Message-ID.
func TestACutConnection(t *testing.T) {
	s := serve(t, func(n int, _ taken, c *smtp.Conn) error {
		if n == 1 {
			return c.Conn().Close()
		}
		return nil
	})
	r := newRig(t, s)
	d := r.deliver(r.invite("ada@example.com"))
	require.Equal(t, models.DeliveryPending, d.State)
	require.NotEmpty(t, d.LastError)
	r.clock.Add(time.Hour)
	require.Equal(t, models.DeliverySent, r.deliver(d).State)
	require.Len(t, s.letters(), 2)
	require.Equal(t, s.letters()[0], s.letters()[1])
}

// A server that is not there passes too.
func TestAServerThatIsAway(t *testing.T) {
	r := newRig(t, &server{url: "smtp://127.0.0.1:1"})
	d := r.deliver(r.invite("ada@example.com"))
	require.Equal(t, models.DeliveryPending, d.State)
	require.Empty(t, d.Response, "nobody said anything")
	require.Contains(t, d.LastError, "refused")
}

// A lane goes out in order, in one go; a letter that waits for its next attempt holds the others of its lane only.
func TestOrder(t *testing.T) {
	s := serve(t, func(n int, _ taken, _ *smtp.Conn) error {
		if n == 1 {
			return refusal(450, "later")
		}
		return nil
	})
	r := newRig(t, s)
	first := r.letter("ada@example.com", "1")
	for n := 2; n <= 20; n++ {
		r.letter("ada@example.com", fmt.Sprint(n))
	}
	r.deliver(first)
	require.Len(t, s.letters(), 1)
	require.Equal(t, models.DeliverySent, r.deliver(r.letter("bob@example.com", "x")).State)
	r.clock.Add(time.Hour)
	r.deliver(first)
	got := []string{}
	for _, l := range s.letters() {
		if l.To == "ada@example.com" {
			got = append(got, strings.TrimSpace(l.Text))
		}
	}
	want := []string{"1"}
	for n := 1; n <= 20; n++ {
		want = append(want, fmt.Sprint(n))
	}
	require.Equal(t, want, got)
}

// Many outboxes hear of the same letters at once: each letter goes out once, each lane in order.
func TestManyWorkers(t *testing.T) {
	s := serve(t, nil)
	r := newRig(t, s)
	for n := range 4 {
		r.follow(r.outbox(s, fmt.Sprint("w", n)))
	}
	last := ""
	for n := range 10 {
		for _, to := range []string{"ada@example.com", "bob@example.com", "cy@example.com"} {
			last = r.letter(to, fmt.Sprint(n)).ID
			outbox.Wake(t.Context(), r.bus, last)
		}
	}
	require.Eventually(t, func() bool {
		if err := r.box.Sweep(t.Context()); err != nil { // hints of those that were behind others are lost: the sweep has them
			return false
		}
		for _, id := range r.queue.take() {
			_ = r.box.Deliver(t.Context(), id)
		}
		counts, err := r.sy.CountDeliveries(t.Context())
		return err == nil && counts[models.DeliverySent] == 30
	}, 30*time.Second, 10*time.Millisecond)
	next := map[string]int{}
	for _, l := range s.letters() {
		require.Equal(t, fmt.Sprint(next[l.To]), strings.TrimSpace(l.Text), "%s out of order or twice", l.To)
		next[l.To]++
	}
}

func (q *queue) take() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := q.ids
	q.ids = nil
	return out
}

// A sweep leaves the work to the queue, and does by itself what the queue did not bring about or cannot take.
func TestSweep(t *testing.T) {
	s := serve(t, nil)
	r := newRig(t, s)
	r.follow(r.box)
	d := r.invite("ada@example.com")
	require.NoError(t, r.box.Sweep(t.Context()))
	require.Equal(t, []string{d.ID}, r.queue.take())
	require.Equal(t, models.DeliveryPending, r.row(d.ID).State)
	require.NoError(t, r.box.Sweep(t.Context()), "the queue lost it")
	r.ends(d.ID, models.DeliverySent)

	r.queue.broken = true
	d = r.invite("bob@example.com")
	require.NoError(t, r.box.Sweep(t.Context()))
	r.ends(d.ID, models.DeliverySent)

	hinted := r.invite("cy@example.com")
	outbox.Wake(t.Context(), r.bus, hinted.ID)
	r.ends(hinted.ID, models.DeliverySent)
	require.Len(t, s.letters(), 3)
}

// Without a way out a delivery waits for a worker that has one.
func TestNoWayOut(t *testing.T) {
	s := serve(t, nil)
	r := newRig(t, s)
	d := r.invite("ada@example.com")
	r.box.Senders = nil
	require.NoError(t, r.box.Sweep(t.Context()))
	require.Empty(t, r.queue.take())
	require.Zero(t, r.deliver(d).Attempts)
	r.box = r.outbox(s, "b")
	require.Equal(t, models.DeliverySent, r.deliver(d).State)
}

// slow is a way out that waits until it is told to stop.
type slow struct{ began chan struct{} }

func (s slow) Send(ctx context.Context, _ *models.Claim) (outbox.Answer, error) {
	close(s.began)
	<-ctx.Done()
	return outbox.Answer{}, ctx.Err()
}

// A worker that stops gives back what it has on its way: nobody's failure, and another one has it at once.
func TestAStoppedWorkerGivesBack(t *testing.T) {
	s := serve(t, nil)
	r := newRig(t, s)
	d := r.invite("ada@example.com")
	way := slow{make(chan struct{})}
	r.box.Senders = map[models.DeliveryKind]outbox.Sender{models.MailDelivery: way}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.box.Deliver(ctx, d.ID) }()
	<-way.began
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.Zero(t, r.row(d.ID).Attempts)
	r.box = r.outbox(s, "b")
	require.Equal(t, models.DeliverySent, r.deliver(d).State)
}

// Withdrawn while it is on its way: the end stands, whatever the worker brings home.
func TestDroppedMeanwhile(t *testing.T) {
	var r *rig
	var d *models.Delivery
	s := serve(t, func(int, taken, *smtp.Conn) error {
		return r.sc.RevokeInvitation(context.Background(), d.AboutID)
	})
	r = newRig(t, s)
	d = r.invite("ada@example.com")
	require.Equal(t, models.DeliveryDropped, r.deliver(d).State)
}

func TestPermanentKeepsItsCause(t *testing.T) {
	cause := errors.New("x")
	require.ErrorIs(t, outbox.Permanent(cause), cause)
	require.Equal(t, "x", outbox.Permanent(cause).Error())
}
