package work_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"lobstead/engine/agent"
	"lobstead/engine/automate"
	"lobstead/engine/outbox"
	"lobstead/engine/provision"
	"lobstead/engine/provision/provisiontest"
	"lobstead/engine/sandbox"
	"lobstead/jobs"
	"lobstead/jobs/work"
	"lobstead/kit/events"
	"lobstead/kit/secret"
	"lobstead/kit/testservices"
	"lobstead/migrations"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestMain(m *testing.M) {
	// gorm's cache of statements has a goroutine that nothing ends.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

type titles struct{ n atomic.Int32 }

func (t *titles) Title(context.Context, string, string) error { t.n.Add(1); return nil }

// post is a way out that counts.
type post struct {
	mu   sync.Mutex
	sent []string // keys
}

func (p *post) Send(_ context.Context, c *models.Claim) (outbox.Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, c.IdempotencyKey)
	return outbox.Answer{Text: "taken"}, nil
}

func (p *post) keys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(slices.Values(p.sent))
}

// floor is a database, a Redis and a driver; workers are started on it.
type floor struct {
	t      testing.TB
	store  *models.Store
	redis  *jobs.Redis
	client *jobs.Client
	bus    *events.Bus
	driver sandbox.Driver
	titles titles
	post   post
	desk   *provision.Desk
	sc     *models.Scope
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newFloor(t testing.TB, redis secret.String, driver sandbox.Driver) *floor {
	t.Helper()
	f := &floor{t: t, store: modelstest.New(t), driver: driver}
	var err error
	f.redis, err = jobs.OpenRedis(t.Context(), redis)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.redis.Close() })
	f.client, f.bus = jobs.NewClient(f.redis, quiet()), events.Open(f.redis.Client())
	t.Cleanup(f.bus.Close)
	f.desk = &provision.Desk{Bus: f.bus, Jobs: f.client}
	t.Cleanup(f.desk.Close)
	f.sc, _ = modelstest.Found(t, f.store, "Acme")
	return f
}

// worker runs one; ear is the bus on which it hears wishes, a foreign one hears none.
func (f *floor) worker(node string, ear *events.Bus) (stop func()) {
	rec := &provision.Reconciler{Store: f.store, Bus: ear, Driver: f.driver, Node: node, Log: quiet()}
	s := work.New(work.Config{Redis: f.redis, Log: quiet(), Reconciler: rec, Titler: &f.titles, Backups: f.store.AsSystem("backups"),
		Ledger:   &agent.Turns{Store: f.store, Bus: ear},
		Observer: &provision.Observer{Store: f.store, Bus: ear, Driver: f.driver, Log: quiet()},
		Sweeper:  &provision.Sweeper{Reconciler: rec, Jobs: f.client, Log: quiet()},
		Outbox:   &outbox.Outbox{Store: f.store, Bus: ear, Jobs: f.client, Senders: map[models.DeliveryKind]outbox.Sender{models.MailDelivery: &f.post}, Node: node, Log: quiet()},
		Timer:    &automate.Timer{Desk: &automate.Desk{Store: f.store, Bus: ear, Turns: &agent.Turns{Store: f.store, Bus: ear}}, Log: quiet()}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			require.NoError(f.t, err)
		case <-time.After(8 * time.Second):
			f.t.Error("the worker does not stop")
		}
	})
	f.t.Cleanup(stop)
	return stop
}

func (f *floor) create(n int) []*models.Instance {
	f.t.Helper()
	out := []*models.Instance{}
	for k := range n {
		i, err := f.desk.Create(f.t.Context(), f.sc, models.NewInstance{Name: fmt.Sprintf("i-%d", k), Region: "local", Tier: models.Starter})
		require.NoError(f.t, err)
		out = append(out, i)
	}
	return out
}

// allRun waits for all; Await has its own bus, so that a worker without hints is seen too.
func (f *floor) allRun(made []*models.Instance) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 60*time.Second)
	defer cancel()
	for _, i := range made {
		got, err := f.desk.Await(ctx, f.sc, i.ID, i.Generation)
		require.NoError(f.t, err)
		require.Equal(f.t, models.Running, got.State, "%+v", got)
	}
}

func slow(ctx context.Context, op provisiontest.Op, _ string) error {
	if op == provisiontest.Start {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

func deaf(t testing.TB) *events.Bus {
	b := events.Open(nil)
	t.Cleanup(b.Close)
	return b
}

// By the queue alone, flushed while it works, nothing is lost and nothing done twice.
func TestFlushInTheMiddleOfProvisioning(t *testing.T) {
	d := &provisiontest.Driver{Disturb: slow}
	f := newFloor(t, secret.String{}, d)
	f.worker("a", deaf(t))
	made := f.create(50)
	for range 3 {
		time.Sleep(100 * time.Millisecond)
		require.NoError(t, f.redis.Client().FlushAll(t.Context()).Err())
	}
	f.allRun(made)
	for _, i := range made {
		require.Equal(t, 1, d.Calls(i.ID, provisiontest.Start))
	}
	require.Zero(t, d.Overlaps())
}

// Rows that wait at a start are found without a hint and without a task.
func TestStartUpFindsWhatWaits(t *testing.T) {
	d := &provisiontest.Driver{}
	f := newFloor(t, secret.String{}, d)
	i := modelstest.Instance(t, f.sc, "one")
	stop := f.worker("a", f.bus)
	f.allRun([]*models.Instance{i})
	stop()
	require.NoError(t, d.Close(), "the server's end is the sandboxes' end")
	f.worker("a", f.bus)
	require.Eventually(t, func() bool { return d.State(i.ID) == sandbox.Running }, 20*time.Second, 5*time.Millisecond)
}

func TestTwoWorkersShareTheWork(t *testing.T) {
	d := &provisiontest.Driver{Disturb: slow}
	f := newFloor(t, secret.String{}, d)
	f.worker("a", f.bus)
	stop := f.worker("b", f.bus)
	made := f.create(20)
	stop() // in the middle: what it held goes on elsewhere
	f.allRun(made)
	require.Zero(t, d.Overlaps())
}

func TestTitlesGoThroughTheQueue(t *testing.T) {
	f := newFloor(t, secret.String{}, &provisiontest.Driver{})
	f.worker("a", f.bus)
	require.NoError(t, f.client.Title(t.Context(), "o", "s"))
	require.Eventually(t, func() bool { return f.titles.n.Load() == 1 }, 20*time.Second, 5*time.Millisecond)
}

// Redis is killed and comes back empty: the worker works meanwhile and uses the queue after.
func TestRedisDiesAndReturns(t *testing.T) {
	redis := testservices.RedisServer(t)
	d := &provisiontest.Driver{}
	f := newFloor(t, secret.Of(redis.URL), d)
	f.worker("a", deaf(t))
	f.allRun(f.create(2))
	redis.Kill()
	f.allRun([]*models.Instance{modelstest.Instance(t, f.sc, "while-away")})
	redis.Start()
	require.Eventually(t, func() bool {
		_ = f.client.Title(context.Background(), "o", "s")
		return f.titles.n.Load() > 0
	}, 40*time.Second, 100*time.Millisecond)
}

// Backups go through the queue; one whose task was lost is found by the sweep.
func TestBackupsRunAsTasks(t *testing.T) {
	f := newFloor(t, secret.String{}, &provisiontest.Driver{})
	stop := f.worker("a", f.bus)
	defer stop()
	sy := f.store.AsSystem("test")
	if f.store.Dialect() == migrations.Postgres {
		testservices.Program(t, "pg_dump")
	}
	made := func(ask func(id string) error) *models.Backup {
		b, err := sy.AskBackup(t.Context(), models.Actor{Name: "Staff", Staff: true, Reason: "for the test"})
		require.NoError(t, err)
		require.NoError(t, ask(b.ID))
		require.Eventually(t, func() bool {
			b, err = sy.Backup(t.Context(), b.ID)
			return err == nil && !b.Busy()
		}, 30*time.Second, 20*time.Millisecond)
		require.Equal(t, models.BackupDone, b.State, b.Problem)
		return b
	}
	made(func(id string) error { return f.client.Backup(t.Context(), id) })
	b := made(func(string) error { return f.client.Sweep(t.Context(), time.Now()) })
	_, err := sy.AskRehearsal(t.Context(), models.Actor{Name: "Staff", Staff: true, Reason: "for the test"}, b.ID)
	require.NoError(t, err)
	require.NoError(t, f.client.Rehearse(t.Context(), b.ID))
	require.Eventually(t, func() bool {
		b, err = sy.Backup(t.Context(), b.ID)
		return err == nil && !b.Busy()
	}, 30*time.Second, 20*time.Millisecond)
	require.Equal(t, models.RehearsalPassed, b.Rehearsal, b.Report)
}

// Without a hint, with a queue that is emptied again and again, each letter goes out; with a queue that works, once.
func TestDeliveriesSurviveAnEmptiedQueue(t *testing.T) {
	f := newFloor(t, secret.String{}, &provisiontest.Driver{})
	want := []string{}
	for n := range 20 {
		in, err := f.sc.InviteByMail(t.Context(), fmt.Sprintf("p%d@example.com", n), models.Member, func(*models.Invitation) models.Mail { return models.Mail{Text: models.SecretMark} })
		require.NoError(t, err)
		want = append(want, in.Delivery.IdempotencyKey)
	}
	slices.Sort(want)
	f.worker("a", deaf(t))
	f.worker("b", deaf(t))
	for range 5 {
		require.NoError(t, f.redis.Client().FlushAll(t.Context()).Err())
		time.Sleep(50 * time.Millisecond)
	}
	require.Eventually(t, func() bool { return slices.Equal(want, f.post.keys()) }, 30*time.Second, 20*time.Millisecond)
}

func TestDeliveriesGoThroughTheQueue(t *testing.T) {
	f := newFloor(t, secret.String{}, &provisiontest.Driver{})
	in, err := f.sc.InviteByMail(t.Context(), "p@example.com", models.Member, func(*models.Invitation) models.Mail { return models.Mail{Text: models.SecretMark} })
	require.NoError(t, err)
	f.worker("a", deaf(t))
	require.NoError(t, f.client.Deliver(t.Context(), in.Delivery.ID))
	require.Eventually(t, func() bool { return len(f.post.keys()) == 1 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, f.client.Deliver(t.Context(), "gone"), "a row that is not there is no failure")
}
