package hands

import (
	"os"

	"golang.org/x/sys/unix"

	"lobstead/engine/sandbox"
)

// openPTY gives both ends of a new terminal: ours is polled, the shell's blocks. The other end is taken from ours and
// not by its name, which need not be within reach.
func openPTY(rows, columns int) (ours, theirs *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: "/dev/ptmx", Err: err}
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, os.NewSyscallError("unlock", err)
	}
	other, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		err = os.NewSyscallError("peer", errno)
		return nil, nil, err
	}
	ours = os.NewFile(uintptr(fd), "ptmx")
	setSize(ours, rows, columns)
	return ours, os.NewFile(other, "tty"), nil
}

// setSize tells the kernel, which tells the programs in front.
func setSize(ours *os.File, rows, columns int) {
	size := unix.Winsize{Row: uint16(bounded(rows, 24)), Col: uint16(bounded(columns, 80))}
	if raw, err := ours.SyscallConn(); err == nil { // Fd would make it block
		_ = raw.Control(func(fd uintptr) { _ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &size) })
	}
}

func bounded(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return min(n, sandbox.MaxTerminal)
}
