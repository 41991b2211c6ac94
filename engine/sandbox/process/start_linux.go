package process

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
	"lobstead/engine/sandbox/hands"
	"lobstead/engine/sandbox/wire"
	"lobstead/kit/fault"
)

// Start implements sandbox.Driver.
func (d *Driver) Start(ctx context.Context, id string) error {
	b, err := d.box(id)
	if err != nil {
		return err
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := b.spec()
	if err != nil {
		return err
	}
	if r, ok := b.running(); ok {
		if d.answers(ctx, b) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fault.Wrap(err, fault.Timeout, "sandbox.timeout", "The sandbox did not answer in time")
		}
		if !r.kill(stopWithin) {
			return fault.New(fault.Unavailable, "sandbox.stuck", "The sandbox does not answer and does not end")
		}
	}
	d.awaitOwned(id)
	d.clean(b)
	for {
		err := d.launch(ctx, b, id, &s)
		step, ok := errors.AsType[*confine.Step](err)
		if err == nil || ctx.Err() != nil {
			return err
		}
		// One layer that this host refuses is given up, and shown, rather than all of them.
		if !ok || !softens[step.Layer] || !d.giveUp(step.Layer, step.What+": "+step.Err.Error()) {
			return fault.Wrap(err, fault.Unavailable, "sandbox.start", "The sandbox could not be started")
		}
	}
}

// softens are the layers that a start can do without.
var softens = map[string]bool{confine.UserNS: true, confine.MountNS: true, confine.PidNS: true, confine.IpcNS: true,
	confine.UtsNS: true, confine.NetNS: true, confine.CgroupNS: true, confine.Landlock: true, confine.Seccomp: true}

func (d *Driver) awaitOwned(id string) {
	d.mu.Lock()
	o := d.owned[id]
	d.mu.Unlock()
	if o != nil {
		<-o.done
	}
}

func (d *Driver) answers(ctx context.Context, b *box) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	c := wire.NewClient(b.dial)
	defer func() { _ = c.Close() }()
	return c.Ping(ctx) == nil
}

// launch makes one attempt. A *confine.Step says which layer did not work.
func (d *Driver) launch(ctx context.Context, b *box, id string, s *spec) error {
	tree := d.workspaceTree(b)
	defer closeFile(tree)
	f := d.draft(b, s, tree != nil)
	ok := false
	defer func() {
		if !ok {
			f.groups.remove()
		}
	}()
	f.setup.Token = rand.Text()
	f.setup.Tag = newTag()
	ln, err := b.listen()
	if err != nil {
		return err
	}
	defer closeFile(ln)
	made := make(chan []sandbox.Layer, 1)
	go func() {
		g, layers := makeGroups(d.cgroups(), f.name, f.limits)
		f.groups = g
		made <- layers
	}()
	child, err := d.spawn(b, f, s, ln, tree)
	cgroups := <-made
	if err != nil {
		return err
	}
	born, _ := birth(child.proc.Pid)
	r := run{PID: child.proc.Pid, Birth: born, Owner: os.Getpid(), Token: f.setup.Token, Tag: f.setup.Tag,
		Since: time.Now().UTC(), Groups: f.groups}
	rep, err := child.introduce(ctx, f, cgroups)
	if err == nil && rep.Failed != "" {
		err = &confine.Step{Layer: rep.Failed, What: rep.Detail, Err: errors.New("refused by this host")}
	}
	if err == nil {
		r.Isolation = slices.Concat(f.layers, cgroups, rep.Layers, d.offLayers())
		err = d.acceptable(&r)
	}
	if err == nil {
		err = storeFault(b.save("run.json", r))
	}
	if err == nil {
		_ = os.Remove(b.path("died.json"))
		err = d.own(b, id, child, r)
	}
	if err != nil {
		child.abandon()
		return err
	}
	ok = true
	return nil
}

// acceptable refuses a sandbox whose commands could read the control plane's files.
func (d *Driver) acceptable(r *run) error {
	for _, layer := range []string{confine.MountNS, confine.Landlock, confine.OwnUser} {
		if applied(r.Isolation, layer) {
			return nil
		}
	}
	return fault.New(fault.Unavailable, "sandbox.isolation", "This host offers neither namespaces nor landlock, and the server is not root: nothing would keep a sandbox from the server's files")
}

// workspaceTree takes a mount of the workspace that the daemon can attach although its user may not walk
// the path there; nil where that is not possible or not needed.
func (d *Driver) workspaceTree(b *box) *os.File {
	if !d.root || d.why(confine.MountNS) != "" {
		return nil
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, b.workspace(), unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "workspace")
}

// own watches the daemon until it ends.
func (d *Driver) own(b *box, id string, c *child, r run) error {
	o := &owned{control: c.control, done: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return fault.New(fault.Unavailable, "sandbox.closed", "The driver is closed")
	}
	d.owned[id] = o
	go func() {
		state, _ := c.proc.Wait()
		_ = c.control.Close()
		b.epitaph(r, state)
		d.mu.Lock()
		delete(d.owned, id)
		d.mu.Unlock()
		close(o.done)
	}()
	return nil
}

// epitaph records why a daemon ended that nobody stopped, and ends what it left behind.
func (b *box) epitaph(r run, state *os.ProcessState) {
	var now run
	if ok, err := b.load("run.json", &now); !ok || err != nil || now.PID != r.PID || now.Token == "" {
		return
	}
	r.sweep(applied(r.Isolation, pidNS))
	reason := "ended unexpectedly"
	if state != nil {
		reason = "ended unexpectedly: " + state.String()
	}
	if r.Groups.oomKills() > 0 {
		reason = "killed: out of memory"
	}
	_ = b.save("died.json", died{Reason: reason, At: time.Now().UTC()})
}

func (b *box) dial(ctx context.Context) (net.Conn, string, error) {
	r, ok := b.running()
	if !ok {
		return nil, "", wire.Gone(errors.New("no daemon"))
	}
	dir, err := os.OpenFile(b.dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, "", wire.Gone(err)
	}
	defer closeFile(dir)
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", short(dir))
	if err != nil {
		return nil, "", wire.Gone(err)
	}
	return c, r.Token, nil
}

// short is the socket's name by way of its opened directory: a socket's path has room for 107 bytes only.
func short(dir *os.File) string { return fmt.Sprintf("/proc/self/fd/%d/hands.sock", dir.Fd()) }

// listen makes the socket. It exists before the daemon does, so that nobody has to wait for it.
func (b *box) listen() (*os.File, error) {
	dir, err := os.OpenFile(b.dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, storeFault(err)
	}
	defer closeFile(dir)
	_ = os.Remove(b.path("hands.sock"))
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, storeFault(err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	if err = unix.Bind(fd, &unix.SockaddrUnix{Name: short(dir)}); err == nil {
		if err = os.Chmod(b.path("hands.sock"), 0o600); err == nil {
			err = unix.Listen(fd, 128)
		}
	}
	if err != nil {
		closeFile(f)
		return nil, storeFault(err)
	}
	return f, nil
}

func closeFile(f *os.File) {
	if f != nil {
		_ = f.Close()
	}
}

// newTag picks a range of marks that no other sandbox of this host is likely to have.
func newTag() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return 1<<61 + (binary.BigEndian.Uint64(b[:])>>28+1)*hands.TagSpan
}

// introduce tells the daemon what to be while it is put into its cgroups, and hears how far it came.
func (c *child) introduce(ctx context.Context, f *draft, cgroups []sandbox.Layer) (rep hands.Report, err error) {
	joined := make(chan error, 1)
	go func() { joined <- f.groups.join(c.proc.Pid) }()
	until := time.Now().Add(startWithin)
	if t, ok := ctx.Deadline(); ok && t.Before(until) {
		until = t
	}
	_ = c.control.SetDeadline(until)
	stop := context.AfterFunc(ctx, func() { _ = c.control.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	line, err := json.Marshal(f.setup)
	if err == nil {
		_, err = c.control.Write(append(line, '\n'))
	}
	if err == nil {
		line, err = bufio.NewReader(c.control).ReadBytes('\n')
	}
	if err == nil {
		err = json.Unmarshal(line, &rep)
	}
	jerr := <-joined
	if ctx.Err() != nil {
		return rep, fault.Wrap(ctx.Err(), fault.Timeout, "sandbox.timeout", "The sandbox did not start in time")
	}
	if err != nil {
		return rep, fault.Wrap(err, fault.Unavailable, "sandbox.start", "The sandbox ended while it started")
	}
	if jerr != nil {
		for i, l := range cgroups {
			if l.Applied {
				cgroups[i] = sandbox.Layer{Name: l.Name, Detail: jerr.Error()}
			}
		}
	}
	_ = c.control.SetDeadline(time.Time{})
	return rep, nil
}
