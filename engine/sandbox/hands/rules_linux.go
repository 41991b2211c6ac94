package hands

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"lobstead/engine/sandbox/confine"
)

// threads that exist before the process limit counts: a Go program that cannot start a thread dies, and a
// fork bomb inside must not take the daemon with it. Sockets and pipes need none, they are polled.
const threads = 10

func warmThreads() {
	var ready, done sync.WaitGroup
	done.Add(1)
	for range threads {
		ready.Add(1)
		go func() {
			runtime.LockOSThread()
			ready.Done()
			done.Wait()
			runtime.UnlockOSThread()
		}()
	}
	ready.Wait()
	done.Done()
}

type openRules struct {
	confine.Rules
	files []*os.File
}

func (r *openRules) close() {
	for _, f := range r.files {
		_ = f.Close()
	}
}

// rules say what commands may reach. Inside a root of our own everything that is there may be read; else
// only what programs need. Directories that the sandbox's user may not reach by path are opened beforehand.
func (d *daemon) rules(p *confine.Plan) *openRules {
	r := &openRules{Rules: confine.Rules{Exec: []string{"/proc/self/exe"}, Write: []string{"."}, DenyTCP: !p.Net}}
	if p.Mount {
		r.Read = []string{"/"}
		r.Write = append(r.Write, "/tmp", "/dev/shm")
		r.Device = []string{"/dev"}
		return r
	}
	r.Read = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/etc/ld.so.cache",
		"/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki", "/etc/alternatives",
		"/etc/localtime", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/mime.types"}
	r.Device = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"}
	if f, err := os.Open(p.Temp); err == nil {
		r.files = append(r.files, f)
		r.Write = append(r.Write, fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	}
	return r
}
