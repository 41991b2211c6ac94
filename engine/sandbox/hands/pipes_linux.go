package hands

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox/wire"
)

// pipes are one side of a command's standard streams.
type pipes struct{ stdin, stdout, stderr *os.File }

// newPipes gives our ends and the command's. Ours are polled; the command's block, as programs expect.
func newPipes(stdin []byte) (ours, theirs *pipes, err error) {
	ours, theirs = &pipes{}, &pipes{}
	defer func() {
		if err != nil {
			ours.close()
			theirs.close()
		}
	}()
	if ours.stdout, theirs.stdout, err = pipe(false); err != nil {
		return
	}
	if ours.stderr, theirs.stderr, err = pipe(false); err != nil {
		return
	}
	if len(stdin) > 0 {
		ours.stdin, theirs.stdin, err = pipe(true)
		return
	}
	theirs.stdin, err = os.Open(os.DevNull)
	return
}

func pipe(in bool) (ours, theirs *os.File, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, err
	}
	if in {
		p[0], p[1] = p[1], p[0]
	}
	if err := unix.SetNonblock(p[0], true); err != nil {
		_ = unix.Close(p[0])
		_ = unix.Close(p[1])
		return nil, nil, err
	}
	return os.NewFile(uintptr(p[0]), "pipe"), os.NewFile(uintptr(p[1]), "pipe"), nil
}

func (p *pipes) child() []uintptr { return []uintptr{p.stdin.Fd(), p.stdout.Fd(), p.stderr.Fd()} }

func (p *pipes) close() {
	for _, f := range []*os.File{p.stdin, p.stdout, p.stderr} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// drain bounds the wait for the rest of the output.
func (p *pipes) drain() {
	until := time.Now().Add(drainFor)
	_ = p.stdout.SetReadDeadline(until)
	_ = p.stderr.SetReadDeadline(until)
	if p.stdin != nil {
		_ = p.stdin.SetWriteDeadline(until)
	}
}

// pump sends output as it comes. When nobody takes it any more the command is ended by gone.
func pump(f *os.File, k wire.Kind, w *writer, gone func()) {
	buf := make([]byte, frameHead+32<<10)
	read := f.Read
	for {
		n, err := read(buf[frameHead:])
		if n > 0 {
			if w.framed(k, buf[:frameHead+n]) != nil {
				gone()
				return
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			read = leftover(f)
			continue
		}
		if err != nil {
			return
		}
	}
}

// leftover reads what lies in the pipe without waiting: a deadline that passed hides it from Read. It ends
// after a pipe's worth, because a background process may write for ever.
func leftover(f *os.File) func([]byte) (int, error) {
	left := 1 << 20
	raw, err := f.SyscallConn()
	return func(p []byte) (n int, rerr error) {
		if err != nil || left <= 0 {
			return 0, os.ErrClosed
		}
		cerr := raw.Control(func(fd uintptr) { n, rerr = unix.Read(int(fd), p) })
		if cerr != nil || rerr != nil || n <= 0 {
			return 0, os.ErrClosed
		}
		left -= n
		return n, nil
	}
}
