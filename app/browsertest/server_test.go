// Package browsertest drives the real program with a real browser, from an empty data directory on. It owns what only
// both together can show: steps, streams, survival, looks. It must not import what it tests.
package browsertest

import (
	"bufio"
	"database/sql"
	"flag"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

var shots = flag.String("shots", "", "directory that receives a picture of every page in both themes and widths")

// server is one running program with its data.
type server struct {
	t     *testing.T
	data  string
	base  string // http://127.0.0.1:PORT
	setup string // the link for the first owner
	env   []string
	cmd   *exec.Cmd
	ended chan struct{}

	mu  sync.Mutex
	log []string
}

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "lobstead-browser")
	if err != nil {
		return "", err
	}
	scratch = append(scratch, dir)
	path := filepath.Join(dir, "lobstead")
	build := exec.Command("../../bin/build", path)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	return path, build.Run()
})

// scratch is removed at the end.
var scratch []string

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	closeBrowser()
	for _, dir := range scratch {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// start runs the program in a fresh data directory; its log must stay free of errors.
func start(t *testing.T, env ...string) *server {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the whole program")
	}
	dir, err := os.MkdirTemp("", "lobstead-data")
	require.NoError(t, err)
	s := &server{t: t, data: filepath.Join(dir, "data"), env: env}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	t.Cleanup(s.finish)
	s.run("127.0.0.1:0")
	return s
}

var link = regexp.MustCompile(`http://\S+`)

// run starts the process and waits for the line that says where it listens.
func (s *server) run(listen string) {
	s.t.Helper()
	path, err := binary()
	require.NoError(s.t, err, "the program does not build")
	s.cmd = exec.Command(path, "serve", "--data", s.data, "--listen", listen)
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(), "METRICS_LISTEN=off", "LIMIT_CREATIONS=0"}
	s.cmd.Env = append(s.cmd.Env, s.env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := s.cmd.StdoutPipe()
	require.NoError(s.t, err)
	errs, err := s.cmd.StderrPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, s.cmd.Start())
	said := make(chan string, 1)
	var readers sync.WaitGroup
	readers.Add(2)
	go func() { defer readers.Done(); s.collect(out, said) }()
	go func() { defer readers.Done(); s.collect(errs, nil) }()
	ended, cmd := make(chan struct{}), s.cmd
	s.ended = ended
	go func() { readers.Wait(); _ = cmd.Wait(); close(ended) }()
	select {
	case line := <-said:
		at, err := url.Parse(link.FindString(line))
		require.NoError(s.t, err, line)
		s.base = at.Scheme + "://" + at.Host
		if at.Path == "/setup" {
			s.setup = at.String()
		}
	case <-ended:
		s.t.Fatalf("the program ended: %s", strings.Join(s.lines(), "\n"))
	case <-time.After(time.Minute):
		s.t.Fatal("the program said nothing for a minute")
	}
}

func (s *server) collect(r io.Reader, said chan<- string) {
	for in := bufio.NewScanner(r); in.Scan(); {
		line := in.Text()
		if said != nil && strings.Contains(line, " is ready") {
			said <- line
			said = nil
		}
		s.mu.Lock()
		s.log = append(s.log, line)
		s.mu.Unlock()
	}
}

func (s *server) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

// database is what lies past the program, for what would take a test a month or a bill.
func (s *server) database() *sql.DB {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.data, "lobstead.db")+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

// kill is the power cut.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// restart comes back at the same address with the same data.
func (s *server) restart() {
	s.t.Helper()
	s.run(strings.TrimPrefix(s.base, "http://"))
}

// finish stops the program as an operator would, and reads its log.
func (s *server) finish() {
	if s.cmd == nil || s.ended == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(20 * time.Second):
		s.t.Error("the program does not stop")
		s.kill()
	}
	for _, line := range s.lines() {
		if strings.Contains(line, "level=ERROR") {
			s.t.Error("the server's log: " + line)
		}
	}
	if s.t.Failed() {
		all := s.lines()
		s.t.Log("the server's log ends with:\n" + strings.Join(all[max(0, len(all)-40):], "\n"))
	}
}
