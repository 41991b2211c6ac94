package hands

import (
	"io"
	"math"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

const (
	perFile   = 4 << 10 // the least that a file counts: many empty files fill a disk too
	watchDisk = 100 * time.Millisecond

	unmeasured = math.MaxInt64 / 2
)

// diskMeter knows how much the workspace takes. A measurement walks it, so recent ones are reused.
type diskMeter struct {
	mu       sync.Mutex
	at       time.Time
	took     time.Duration
	bytes    int64
	watching bool
}

// measure gives a figure that is no older than age.
func (m *diskMeter) measure(d *daemon, age time.Duration) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if begun := time.Now(); begun.Sub(m.at) > age || m.at.IsZero() {
		s := summer{seen: map[uint64]bool{}}
		for _, tree := range []*os.Root{d.root, d.temp} {
			if tree == nil {
				continue
			}
			if dir, err := tree.Open("."); err == nil {
				s.dir(dir, 0)
			}
		}
		s.unlinked(d)
		m.bytes, m.at, m.took = s.sum, time.Now(), time.Since(begun)
	}
	return m.bytes
}

// reserve refuses a write that would pass the quota.
func (m *diskMeter) reserve(d *daemon, n int64) error {
	if d.storage <= 0 {
		return nil
	}
	used := m.measure(d, time.Second)
	if n > d.storage-used { // what was reserved and not used, or was removed since, counts until the next look
		used = m.measure(d, 0)
	}
	if used >= unmeasured {
		return fault.New(fault.Full, "sandbox.disk_full", "The workspace has directories more than %d levels deep, which cannot be measured", sandbox.MaxDepth).Hinting("Remove them")
	}
	if n > d.storage-used {
		return fault.New(fault.Full, "sandbox.disk_full", "The workspace is full: %d MB of %d MB are used", used>>20, d.storage>>20)
	}
	m.mu.Lock()
	m.bytes += n + perFile
	m.mu.Unlock()
	return nil
}

// watchDisk measures while anything but the daemon runs, and ends everything when the quota is passed.
func (d *daemon) watchDisk() {
	m := &d.disk
	m.mu.Lock()
	defer m.mu.Unlock()
	if d.storage <= 0 || m.watching {
		return
	}
	m.watching = true
	go func() {
		for pause := watchDisk; ; {
			time.Sleep(pause)
			used := m.measure(d, 0)
			if used > d.storage {
				d.overQuota()
			}
			m.mu.Lock()
			pause = min(max(watchDisk, 4*m.took), 2*time.Second)
			if len(d.processes()) <= 1 {
				m.watching = false
				m.mu.Unlock()
				return
			}
			m.mu.Unlock()
		}
	}()
}

func (d *daemon) overQuota() {
	d.mu.Lock()
	for r := range d.execs {
		r.end(func(res *sandbox.Result) { res.Reason = "disk quota exceeded" })
	}
	for _, t := range d.terminals {
		t.because("disk quota exceeded")
	}
	d.mu.Unlock()
	d.kill(everything)
}

// summer adds up what a tree takes on disk; a file with several names counts once.
type summer struct {
	sum  int64
	seen map[uint64]bool
}

func (s *summer) add(st *unix.Stat_t) {
	if st.Nlink > 1 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		if s.seen[st.Ino] {
			return
		}
		s.seen[st.Ino] = true
	}
	s.sum += max(st.Blocks*512, perFile)
}

// dir adds a directory and closes it. It goes by descriptors, never by names that can be exchanged.
func (s *summer) dir(f *os.File, depth int) {
	defer func() { _ = f.Close() }()
	if depth > sandbox.MaxDepth {
		s.sum = unmeasured
		return
	}
	for {
		names, err := f.Readdirnames(512)
		for _, n := range names {
			var st unix.Stat_t
			if unix.Fstatat(int(f.Fd()), n, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
				continue
			}
			s.add(&st)
			if st.Mode&unix.S_IFMT != unix.S_IFDIR {
				continue
			}
			fd, err := unix.Openat(int(f.Fd()), n, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
			if err == nil {
				s.dir(os.NewFile(uintptr(fd), n), depth+1)
			}
		}
		if err != nil || len(names) == 0 {
			return
		}
	}
}

// unlinked adds files that have no name any more but are held open: they take space all the same.
func (s *summer) unlinked(d *daemon) {
	var ws unix.Stat_t
	if unix.Stat(".", &ws) != nil {
		return
	}
	self := os.Getpid()
	for _, p := range d.processes() {
		if p.pid == self {
			continue
		}
		base := "/proc/" + strconv.Itoa(p.pid) + "/fd"
		dir, err := os.Open(base)
		if err != nil {
			continue
		}
		names, err := dir.Readdirnames(4096)
		_ = dir.Close()
		if err != nil && err != io.EOF { //nolint:errorlint // Readdirnames gives it bare
			continue
		}
		for _, n := range names {
			var st unix.Stat_t
			if unix.Stat(base+"/"+n, &st) == nil && st.Nlink == 0 && st.Dev == ws.Dev && st.Mode&unix.S_IFMT == unix.S_IFREG && !s.seen[st.Ino] {
				s.seen[st.Ino] = true
				s.sum += st.Blocks * 512
			}
		}
	}
}
