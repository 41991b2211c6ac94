package process

import (
	"context"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

const (
	stopWithin  = time.Second
	startWithin = 10 * time.Second
	switchedOff = "switched off by configuration"
	// daemonThreads are the daemon's own, which count where processes and threads do.
	daemonThreads = 20
)

// Driver keeps sandboxes as processes of this machine. It is safe for concurrent use, and any number of
// processes may have one for the same directory.
type Driver struct {
	cfg     Config
	boxes   string
	exe     *os.File // held open: an upgrade on disk must not mix two versions
	starter *starter
	cgroups func() []hierarchy
	root    bool

	mu     sync.Mutex
	off    map[string]string // layers this host refused, and why
	owned  map[string]*owned // by id; what this process started
	closed bool
}

// owned is a daemon that lives and dies with this process.
type owned struct {
	control *os.File // its end tells the daemon that we are gone
	done    chan struct{}
}

// New opens the directory and tidies up after a server that died; sandboxes are started by Start only.
func New(cfg Config) (*Driver, error) {
	if cfg.Dir == "" {
		return nil, fault.New(fault.Invalid, "sandbox.config", "The process driver needs a directory")
	}
	if cfg.Args == nil {
		cfg.Args = []string{"hands"}
	}
	if cfg.Processes <= 0 {
		cfg.Processes = defaultProcesses
	}
	dir, err := filepath.Abs(filepath.Join(cfg.Dir, "sandboxes"))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "sandbox.config", "Bad directory")
	}
	d := &Driver{cfg: cfg, boxes: dir, root: os.Geteuid() == 0, off: map[string]string{}, owned: map[string]*owned{}}
	for layer, off := range cfg.Disable {
		if off {
			d.off[layer] = switchedOff
		}
	}
	// Search permission for others: without a mount namespace a sandbox's own user walks this path.
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "sandbox.config", "The sandboxes' directory cannot be made")
	}
	if cfg.Exe == "" {
		d.exe, err = openProgram(dir)
	} else {
		d.exe, err = os.Open(cfg.Exe)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "sandbox.config", "The daemon's program cannot be opened")
	}
	d.cgroups = sync.OnceValue(func() []hierarchy { return findCgroups(cfg.CgroupParent, cfg.Disable) })
	d.starter = newStarter()
	d.tidy()
	return d, nil
}

// tidy removes the remains of daemons whose server was killed; they ended with it.
func (d *Driver) tidy() {
	ids, _ := d.List(context.Background())
	for _, id := range ids {
		b, err := d.box(id)
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		if unlock, err := b.lock(ctx); err == nil {
			if _, alive := b.running(); !alive {
				d.clean(b)
			}
			unlock()
		}
		cancel()
	}
}

// Ensure implements sandbox.Driver. New limits hold from the next start.
func (d *Driver) Ensure(ctx context.Context, s sandbox.Spec) error {
	b, err := d.box(s.ID)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.dir, 0o711); err != nil {
		return storeFault(err)
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	var old spec
	known, err := b.load("spec.json", &old)
	if err != nil {
		known = false // half a record is as good as none: the workspace decides
	}
	now := spec{Spec: s, UID: -1}
	switch {
	case known:
		now.UID = old.UID
	case d.root && d.why(ownUser) == "":
		if now.UID, err = d.allocate(); err != nil {
			return err
		}
	}
	for dir, mode := range map[string]os.FileMode{b.workspace(): 0o755, b.temp(): 0o700} {
		if err := os.Mkdir(dir, mode); err != nil && !os.IsExist(err) {
			return storeFault(err)
		}
		if now.UID >= 0 {
			if err := os.Lchown(dir, now.UID, now.UID); err != nil {
				return storeFault(err)
			}
		}
	}
	return storeFault(b.save("spec.json", now))
}

func storeFault(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fault.Wrap(err, fault.Full, "sandbox.disk_full", "The server's disk is full")
	}
	return fault.Wrap(err, fault.Internal, "sandbox.store", "The sandbox's directory cannot be written")
}

// Stop implements sandbox.Driver.
func (d *Driver) Stop(ctx context.Context, id string) error {
	b, err := d.box(id)
	if err != nil {
		return err
	}
	unlock, err := b.lock(ctx)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	return d.stop(b, id)
}

func (d *Driver) stop(b *box, id string) error {
	var r run
	if ok, err := b.load("run.json", &r); ok && err == nil {
		r.Token = "" // tells the owner that this end is wanted
		if err := b.save("run.json", r); err != nil {
			return storeFault(err)
		}
		if !r.kill(stopWithin) {
			return fault.New(fault.Unavailable, "sandbox.stuck", "The sandbox does not end")
		}
	}
	d.mu.Lock()
	o := d.owned[id]
	d.mu.Unlock()
	if o != nil {
		<-o.done
	}
	_ = os.Remove(b.path("died.json"))
	d.clean(b)
	return nil
}

// clean removes what a dead daemon left: processes, cgroups, its socket and its record.
func (d *Driver) clean(b *box) {
	var r run
	if ok, err := b.load("run.json", &r); !ok || err != nil {
		return
	}
	r.sweep(applied(r.Isolation, pidNS))
	r.Groups.remove()
	_ = os.Remove(b.path("hands.sock"))
	_ = os.Remove(b.path("run.json"))
}

func applied(is sandbox.Isolation, name string) bool {
	for _, l := range is {
		if l.Name == name {
			return l.Applied
		}
	}
	return false
}

// Destroy implements sandbox.Driver.
func (d *Driver) Destroy(ctx context.Context, id string) error {
	b, err := d.box(id)
	if err != nil {
		return err
	}
	unlock, err := b.lock(ctx)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	if err := d.stop(b, id); err != nil {
		return err
	}
	// The record goes first: half a removal must not look like a sandbox.
	_ = os.Remove(b.path("spec.json"))
	if err := removeTree(b.dir); err != nil {
		return fault.Wrap(err, fault.Internal, "sandbox.store", "The sandbox's files cannot be removed")
	}
	return nil
}

// List implements sandbox.Driver.
func (d *Driver) List(context.Context) ([]string, error) {
	entries, err := os.ReadDir(d.boxes)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "sandbox.store", "The sandboxes' directory cannot be read")
	}
	ids := []string{}
	for _, e := range entries {
		if e.IsDir() && goodID.MatchString(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	return ids, nil
}

// Close implements sandbox.Driver: what this process started ends, what others started goes on.
func (d *Driver) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	ids := make([]string, 0, len(d.owned))
	for id := range d.owned {
		ids = append(ids, id)
	}
	d.mu.Unlock()
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() { _ = d.Stop(context.Background(), id) })
	}
	wg.Wait()
	d.starter.close()
	return d.exe.Close()
}

// uidBase is the first user id of this directory's sandboxes: above the ranges that distributions and
// systemd hand out, and different for each directory, so that two servers do not share users.
func (d *Driver) uidBase() int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(d.boxes))
	return 1_900_000_000 + int(h.Sum32()%3700)*uidSpan
}

const uidSpan = 1 << 16

// allocate takes the next user id that no sandbox has.
func (d *Driver) allocate() (int, error) {
	f, err := os.OpenFile(filepath.Join(d.boxes, ".uid"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return -1, storeFault(err)
	}
	defer func() { _ = f.Close() }()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return -1, storeFault(err)
	}
	buf := make([]byte, 16)
	n, _ := f.ReadAt(buf, 0)
	last, _ := strconv.Atoi(string(buf[:n]))
	used := map[int]bool{}
	if last >= uidSpan { // gone round once: now they must be looked up
		ids, _ := d.List(context.Background())
		for _, id := range ids {
			if s, err := (&box{filepath.Join(d.boxes, id)}).spec(); err == nil {
				used[s.UID] = true
			}
		}
	}
	for range uidSpan {
		last++
		if uid := d.uidBase() + last%uidSpan; !used[uid] {
			_, err := f.WriteAt([]byte(strconv.Itoa(last)), 0)
			return uid, storeFault(err)
		}
	}
	return -1, fault.New(fault.Full, "sandbox.users", "No user id is left for another sandbox")
}
