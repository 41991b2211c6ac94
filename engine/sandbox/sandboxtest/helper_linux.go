package sandboxtest

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What the helper prints: an attempt that worked, and the end of attempts that did not.
const (
	escaped = "ESCAPED"
	held    = "HELD"
)

var attempts = map[string]func(args []string){
	"deep": deep, "daemon": daemonize, "beat": beat, "print": printMuch, "fifo": fifo, "fill": fillDisk, "memory": useMemory,
	"bomb": bomb, "descriptors": useDescriptors, "find": findFile, "read": readFile, "processes": readProcesses,
	"signal": signalOne, "killall": killAll, "dial": dial, "syscalls": callAll, "kernel": kernelFiles, "write": writeOutside,
	"hardlinks": hardLinks, "loopback": loopback, "swap": swap, "traps": layTraps, "tty": terminals,
}

// Helper runs one attempt inside a sandbox and gives the exit code of its process.
func Helper(args []string) int {
	if len(args) == 0 || attempts[args[0]] == nil {
		fmt.Fprintln(os.Stderr, "helper: unknown attempt", args)
		return 2
	}
	signal.Ignore(syscall.SIGXFSZ) // a file that grows too large is an error here, not a death
	attempts[args[0]](args[1:])
	return 0
}

func escape(format string, args ...any) { fmt.Printf(escaped+": "+format+"\n", args...) }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "helper:", err)
		os.Exit(3)
	}
}

// layTraps leaves what a reader of the workspace must not fall for.
func layTraps([]string) {
	must(os.Symlink("/etc/passwd", "secret"))
	must(os.Symlink("/etc", "outwards"))
	must(os.Symlink("../../..", "up"))
	must(syscall.Mkfifo("pipe", 0o600))
}

func deep(args []string) {
	n, err := strconv.Atoi(args[0])
	must(err)
	for range n {
		must(os.Mkdir("d", 0o755))
		must(os.Chdir("d"))
	}
}

// daemonize leaves the session twice, loses its parents and forgets its environment.
func daemonize(args []string) {
	again := func(verb string, args ...string) *exec.Cmd {
		c := exec.Command("/proc/self/exe", append([]string{"helper", verb}, args...)...)
		c.Env, c.SysProcAttr = []string{}, &syscall.SysProcAttr{Setsid: true}
		return c
	}
	if len(args) == 1 {
		must(again("daemon", args[0], "again").Run())
		return
	}
	must(again("beat", args[0]).Start())
}

func beat(args []string) {
	f, err := os.OpenFile(args[0], os.O_CREATE|os.O_WRONLY, 0o644)
	must(err)
	for n := range 6000 {
		_, _ = f.WriteAt([]byte(fmt.Sprintf("%020d", n)), 0)
		time.Sleep(10 * time.Millisecond)
	}
}

func printMuch(args []string) {
	n, err := strconv.Atoi(args[0])
	must(err)
	s := "BEGIN" + strings.Repeat("x", n-9) + "END\n"
	_, err = io.WriteString(os.Stdout, s)
	must(err)
}

func fifo(args []string) { must(unix.Mkfifo(args[0], 0o644)) }

func fillDisk(args []string) {
	dir := "fill"
	if args[0] == "tmp" {
		dir = filepath.Join(os.Getenv("TMPDIR"), "fill")
	}
	_ = os.MkdirAll("fill", 0o755)
	_ = os.MkdirAll(dir, 0o755)
	chunk := make([]byte, 1<<20)
	const most = 2 << 30
	switch args[0] {
	case "sparse":
		if os.WriteFile("fill/sparse", nil, 0o644) == nil && os.Truncate("fill/sparse", 100<<30) == nil {
			escape("a file of 100 GB")
		}
	case "many":
		for i := range 2_000_000 {
			if os.WriteFile(fmt.Sprintf("fill/%d", i), nil, 0o644) != nil {
				break
			}
		}
	default:
		total := 0
		for i := 0; total < most; i++ {
			f, err := os.Create(filepath.Join(dir, strconv.Itoa(i)))
			if err != nil {
				fmt.Println(held)
				return
			}
			if args[0] == "unlinked" {
				_ = os.Remove(f.Name())
				defer func() { _ = f.Close() }()
			}
			wrote := 0
			for ; wrote < 64<<20; wrote += len(chunk) {
				if _, err := f.Write(chunk); err != nil {
					break
				}
			}
			if total += wrote; wrote == 0 {
				break
			}
		}
		if total >= most {
			escape("wrote %d bytes", total)
		}
	}
	fmt.Println(held)
}

func useMemory(args []string) {
	n, err := strconv.Atoi(args[0])
	must(err)
	var all [][]byte
	for range n {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
	}
	escape("%d MB of memory", len(all))
}

// bomb starts copies of itself that have left its session.
func bomb([]string) {
	for {
		c := exec.Command("/proc/self/exe", "helper", "bomb")
		c.Env, c.SysProcAttr = []string{}, &syscall.SysProcAttr{Setsid: true}
		if c.Start() != nil {
			time.Sleep(time.Millisecond)
		}
	}
}

func useDescriptors([]string) {
	for range 200_000 {
		if _, err := unix.Open("/dev/null", unix.O_RDONLY, 0); err != nil {
			fmt.Println(held)
			return
		}
	}
	escape("200000 descriptors")
}

func dial(args []string) {
	if args[0] == "mptcp" {
		a, err := net.ResolveTCPAddr("tcp", args[1])
		must(err)
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 262)
		if err == nil {
			sa := &unix.SockaddrInet4{Port: a.Port}
			copy(sa.Addr[:], a.IP.To4())
			err = unix.Connect(s, sa)
		}
		if err == nil {
			escape("mptcp")
		}
		fmt.Println(held)
		return
	}
	c, err := net.DialTimeout(args[0], args[1], 500*time.Millisecond)
	if err == nil {
		_, _ = c.Write([]byte("x")) // a datagram "connects" always: the listener's side decides
		if args[0] != "udp" {
			escape("%s %s", args[0], args[1])
		}
	}
	fmt.Println(held)
}

func loopback([]string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		c, err := ln.Accept()
		must(err)
		_, _ = io.WriteString(c, "hello\n")
		_ = c.Close()
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	must(err)
	_, err = io.Copy(os.Stdout, c)
	must(err)
}

func swap(args []string) {
	must(os.Symlink("/", "link"))
	for until := time.Now().Add(1500 * time.Millisecond); time.Now().Before(until); {
		_ = unix.Renameat2(unix.AT_FDCWD, args[0], unix.AT_FDCWD, "link", unix.RENAME_EXCHANGE)
	}
}
