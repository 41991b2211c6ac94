package provision_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"lobstead/engine/provision"
	"lobstead/engine/provision/provisiontest"
	"lobstead/kit/clock"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestMain(m *testing.M) {
	// gorm's cache of statements has a goroutine that nothing ends.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// rig is one database with one worker's parts.
type rig struct {
	t      testing.TB
	dir    string // of the SQLite file
	store  *models.Store
	bus    *events.Bus
	driver *provisiontest.Driver
	rec    *provision.Reconciler
	obs    *provision.Observer
	desk   *provision.Desk
	sc     *models.Scope
}

// lost is a queue that loses everything.
type lost struct{}

func (lost) Reconcile(context.Context, string, string) error { return nil }

func newRig(t testing.TB, c clock.Clock) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), bus: events.Open(nil), driver: &provisiontest.Driver{}}
	if modelstest.Postgres() {
		r.store = modelstest.NewAt(t, c)
	} else {
		r.store = modelstest.Open(t, models.Options{Dir: r.dir, Clock: c})
	}
	r.rec = r.reconciler("node", c)
	r.obs = &provision.Observer{Store: r.store, Bus: r.bus, Driver: r.driver, Log: slog.New(slog.DiscardHandler), Clock: c}
	r.desk = &provision.Desk{Bus: r.bus, Jobs: lost{}}
	t.Cleanup(func() { r.desk.Close() })
	r.sc, _ = modelstest.Found(t, r.store, "Acme")
	return r
}

// in is the same rig for a subtest: a database with its password hash costs more than most tests.
func (r *rig) in(t testing.TB) *rig {
	c := *r
	c.t = t
	return &c
}

func (r *rig) reconciler(node string, c clock.Clock) *provision.Reconciler {
	return &provision.Reconciler{Store: r.store, Bus: r.bus, Driver: r.driver, Node: node, Log: slog.New(slog.DiscardHandler), Clock: c}
}

// follow runs a worker's ear until the test or stop ends it.
func (r *rig) follow(rec *provision.Reconciler) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	wait := rec.Follow(ctx)
	stop = sync.OnceFunc(func() { cancel(); wait() })
	r.t.Cleanup(stop)
	return stop
}

func (r *rig) create(name string) *models.Instance {
	r.t.Helper()
	i, err := r.desk.Create(r.t.Context(), r.sc, models.NewInstance{Name: name, Region: "local", Tier: models.Starter})
	require.NoError(r.t, err)
	return i
}

func (r *rig) reconcile(id string) *models.Instance {
	r.t.Helper()
	require.NoError(r.t, r.rec.Reconcile(r.t.Context(), r.sc.Org, id))
	i, err := r.sc.Instance(r.t.Context(), id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	require.NoError(r.t, err)
	return i
}

func (r *rig) act(id string, a models.Action) *models.Instance {
	r.t.Helper()
	i, err := r.desk.Act(r.t.Context(), r.sc, id, a)
	require.NoError(r.t, err)
	return i
}

// await waits generously: timings belong in benchmarks.
func (r *rig) await(i *models.Instance) *models.Instance {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	out, err := r.desk.Await(ctx, r.sc, i.ID, i.Generation)
	require.NoError(r.t, err)
	require.NoError(r.t, ctx.Err(), "no answer")
	return out
}

func (r *rig) steps(i *models.Instance) map[string]models.InstanceStep {
	r.t.Helper()
	rows, err := r.sc.Steps(r.t.Context(), i)
	require.NoError(r.t, err)
	out := map[string]models.InstanceStep{}
	for _, s := range rows {
		require.NotContains(r.t, out, s.Name)
		out[s.Name] = s
	}
	return out
}
