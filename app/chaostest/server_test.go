// Package chaostest kills, freezes, floods and starves the real program and looks what is left: the binary as
// `make build` makes it, real sandboxes, real signals. It asks over HTTP and reads the database and /proc; it
// calls nothing of the program's code. CHAOS_ROUNDS multiplies the rounds and CHAOS_MINUTES is how
// long the automations run (`make chaos`), CHAOS_BINARY names a binary that is built already, CHAOS_SEED repeats the dice of
// an earlier run.
package chaostest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var built struct {
	once sync.Once
	path string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.path != "" && os.Getenv("CHAOS_BINARY") == "" {
		_ = os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

// binary builds the program once, as `make build` does, so that both share the build cache.
func binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.path = os.Getenv("CHAOS_BINARY"); built.path != "" {
			return
		}
		dir, err := os.MkdirTemp("", "chaos")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "lobstead")
		cmd := exec.Command("../../bin/build", built.path)
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	require.NoError(t, built.err)
	return built.path
}

// rounds is how often something is repeated: n here, n times CHAOS_ROUNDS under `make chaos`.
func rounds(n int) int {
	if more, err := strconv.Atoi(os.Getenv("CHAOS_ROUNDS")); err == nil && more > 1 {
		return n * more
	}
	return n
}

// minutes is how long a test lasts that goes by the clock; 0 = as briefly as in the suite.
func minutes() time.Duration {
	m, err := strconv.Atoi(os.Getenv("CHAOS_MINUTES"))
	if err != nil {
		return 0
	}
	return time.Duration(m) * time.Minute
}

func dice(t testing.TB) *rand.Rand {
	seed, err := strconv.ParseUint(os.Getenv("CHAOS_SEED"), 10, 64)
	if err != nil {
		seed = rand.Uint64()
	}
	t.Logf("CHAOS_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// house is one data directory with what was founded in it.
type house struct {
	t    testing.TB
	dir  string // the data directory
	env  []string
	key  string
	addr string // of the web side, the same over all its lives
}

type process struct {
	cmd  *exec.Cmd
	log  *lockedBuffer
	done chan struct{}
	err  error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const password = "a password for nobody to keep"

// newHouse founds an owner with a key. The sandbox's user has to walk to the workspace, so the directory is not
// one of t.TempDir's.
func newHouse(t testing.TB, dir string, env ...string) *house {
	t.Helper()
	if dir == "" {
		var err error
		dir, err = os.MkdirTemp("", "chaos")
		require.NoError(t, err)
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	h := &house{t: t, dir: filepath.Join(dir, "data"), addr: "127.0.0.1:0",
		env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "METRICS_LISTEN=off", "OFFLINE_PACE=2"}, env...)}
	cmd := exec.Command(binary(t), "init", "--data", h.dir, "--email", "owner@example.org", "--name", "Owner", "--organization", "Chaos", "--password-file", "-", "--json")
	cmd.Env, cmd.Stdin = h.env, strings.NewReader(password)
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	var made struct {
		Key string `json:"api_key"`
	}
	require.NoError(t, json.Unmarshal(out, &made), string(out))
	require.NotEmpty(t, made.Key)
	h.key = made.Key
	t.Cleanup(func() {
		require.Eventually(t, func() bool { return len(h.processes()) == 0 }, 10*time.Second, 20*time.Millisecond, "processes are left: %v", h.processes())
		require.Empty(t, h.mounts(), "mounts are left")
	})
	return h
}

// launch starts one role and does not wait.
func (h *house) launch(role string, args ...string) *process {
	h.t.Helper()
	p := &process{log: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd = exec.Command(binary(h.t), append([]string{role, "--data", h.dir}, args...)...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = append([]string{"LIMIT_REQUESTS=0", "LIMIT_CREATIONS=0"}, h.env...), p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(h.t, p.cmd.Start())
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	h.t.Cleanup(func() {
		p.kill()
		if h.t.Failed() {
			h.t.Logf("--- log of %s\n%s", role, notable(p.log.String()))
		}
	})
	return p
}

// notable is the end of what a log says besides that all is well, and its last line: short, so that the logs of many processes do
// not bury why a test failed.
func notable(log string) string {
	lines := strings.Split(strings.TrimRight(log, "\n"), "\n")
	last := lines[len(lines)-1]
	rest := slices.DeleteFunc(lines[:len(lines)-1], func(line string) bool { return strings.Contains(line, " level=INFO ") })
	out := strings.Join(append(rest, last), "\n")
	if len(out) > 1500 {
		return "…" + out[len(out)-1500:]
	}
	return out
}

var readyAt = regexp.MustCompile(`(?m)is ready[^\n]*http://([0-9.]+:[0-9]+)`)

// web starts a role that listens and waits for the line that says so.
func (h *house) web(role string, args ...string) *process {
	h.t.Helper()
	p := h.launch(role, append(args, "--listen", h.addr)...)
	require.Eventually(h.t, func() bool {
		m := readyAt.FindStringSubmatch(p.log.String())
		if m == nil {
			return !p.running()
		}
		if h.addr != m[1] { // a restart keeps the address, which streams read meanwhile
			h.addr = m[1]
		}
		return true
	}, 30*time.Second, 2*time.Millisecond, "%s does not start", role)
	require.True(h.t, p.running(), "%s ended: %s", role, p.log)
	return p
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	_ = p.cmd.Process.Kill()
	<-p.done
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 90 * time.Second}

// ask sends one request; status 0 means that no answer came.
func (h *house) ask(method, path string, body any, accept string) (int, []byte) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(h.t, err)
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, "http://"+h.addr+path, in)
	require.NoError(h.t, err)
	r.Header.Set("Authorization", "Bearer "+h.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, out
}

func (h *house) json(method, path string, body any) (int, map[string]any) {
	code, raw := h.ask(method, path, body, "application/json")
	out := map[string]any{}
	_ = json.Unmarshal(raw, &out)
	return code, out
}

// inPerson signs in as the owner and posts a form: some things no key may do. It gives the page that comes after.
func (h *house) inPerson(path string, form url.Values) string {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(h.t, err)
	browser := &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	visit := func(method, path string, form url.Values, want int) (page, next string) {
		r, err := http.NewRequest(method, "http://"+h.addr+path, strings.NewReader(form.Encode()))
		require.NoError(h.t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		res, err := browser.Do(r)
		require.NoError(h.t, err)
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		require.NoError(h.t, err)
		require.Equal(h.t, want, res.StatusCode, "%s", text)
		return string(text), res.Header.Get("Location")
	}
	visit("POST", "/sign-in", url.Values{"email": {"owner@example.org"}, "password": {password}}, 303)
	_, next := visit("POST", path, form, 303)
	out, _ := visit("GET", next, nil, 200)
	return out
}

// create deploys an instance and waits until it runs.
func (h *house) create(name string) string {
	h.t.Helper()
	code, out := h.json("POST", "/api/instances", map[string]string{"name": name, "region": "local", "tier": "STARTER"})
	require.Equal(h.t, 201, code, "%v", out)
	id, _ := out["id"].(string)
	h.runs(id)
	return id
}

func (h *house) runs(id string) {
	h.t.Helper()
	state := ""
	var last map[string]any
	running := func() bool {
		_, last = h.json("GET", "/api/instances/"+id, nil)
		state, _ = last["status"].(string)
		return state == "RUNNING"
	}
	for end := time.Now().Add(40 * time.Second); !running(); time.Sleep(10 * time.Millisecond) {
		require.True(h.t, time.Now().Before(end), "the instance is %v", last)
	}
}

// open sends the first message of a new conversation and gives its session; "" when no answer came.
func (h *house) open(instance, message string) string {
	code, out := h.json("POST", "/chat", map[string]string{"instance": instance, "message": message})
	if code != 0 {
		require.Contains(h.t, []int{200, 201}, code, "%v", out)
	}
	id, _ := out["session_id"].(string)
	return id
}

// chat is one message and its answer.
func (h *house) chat(instance, message string) string {
	h.t.Helper()
	code, out := h.json("POST", "/api/agent/chat?instance="+instance, map[string]string{"message": message})
	require.Equal(h.t, 200, code, "%v", out)
	text, _ := out["response"].(string)
	return text
}

func (h *house) workspace(instance string) string {
	return filepath.Join(h.dir, "sandboxes", instance, "workspace")
}

// effects counts the lines of a file in the workspace.
func (h *house) effects(instance, file string) map[string]int {
	out := map[string]int{}
	b, _ := os.ReadFile(filepath.Join(h.workspace(instance), file))
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		out[s.Text()]++
	}
	return out
}

func within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
