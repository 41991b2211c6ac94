package outbox_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"lobstead/engine/outbox"
	"lobstead/kit/mail"
	"lobstead/kit/secret"
	"lobstead/models"
)

// helper is this program as a worker that a test kills: it delivers one letter.
func helper() bool {
	dir := os.Getenv("OUTBOX_TEST_DIR")
	if dir == "" {
		return false
	}
	ctx := context.Background()
	box, _, err := secret.LoadOrCreate(dir, secret.String{})
	if err != nil {
		panic(err)
	}
	store, err := models.Open(ctx, models.Options{Dir: dir, URL: os.Getenv("OUTBOX_TEST_URL"), Box: box})
	if err != nil {
		panic(err)
	}
	sender, err := mail.New(secret.Of(os.Getenv("OUTBOX_TEST_SMTP")), "Lobstead <no-reply@example.org>")
	if err != nil {
		panic(err)
	}
	o := &outbox.Outbox{Store: store, Node: "killed", Log: slog.New(slog.DiscardHandler),
		Senders: map[models.DeliveryKind]outbox.Sender{models.MailDelivery: outbox.Mail{Server: sender}}}
	if err := o.Deliver(ctx, os.Getenv("OUTBOX_TEST_ID")); err != nil {
		panic(err)
	}
	return true
}

// A worker is killed by the kernel after the server has read the letter and before anything was written down: when the
// lease is over another one sends it again, under the same Message-ID.
func TestAKilledWorker(t *testing.T) {
	read, release := make(chan struct{}), make(chan struct{})
	free := sync.OnceFunc(func() { close(release) })
	s := serve(t, func(n int, _ taken, _ *smtp.Conn) error {
		if n == 1 {
			close(read)
			<-release
		}
		return nil
	})
	t.Cleanup(free)
	r := newRig(t, s)
	d := r.invite("ada@example.com")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "OUTBOX_TEST_DIR="+r.o.Dir, "OUTBOX_TEST_URL="+r.o.URL, "OUTBOX_TEST_SMTP="+s.url, "OUTBOX_TEST_ID="+d.ID)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	select {
	case <-read:
	case <-time.After(60 * time.Second):
		_ = cmd.Process.Kill()
		t.Fatal("the worker sent nothing")
	}
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	free()

	held := r.row(d.ID)
	require.Equal(t, models.DeliveryPending, held.State)
	require.Contains(t, held.LeaseOwner, "killed/")
	require.Equal(t, 1, r.deliver(d).Attempts, "the lease still holds")
	r.clock.Add(2 * models.DeliveryLease)
	require.NoError(t, r.box.Sweep(t.Context()))
	require.Equal(t, []string{d.ID}, r.queue.take())
	got := r.deliver(d)
	require.Equal(t, models.DeliverySent, got.State)
	require.Equal(t, 2, got.Attempts)
	require.Len(t, s.letters(), 2)
	require.Equal(t, s.letters()[0], s.letters()[1])
}
