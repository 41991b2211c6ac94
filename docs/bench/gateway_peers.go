package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// upstream is a model service that answers at once: what a gateway adds is all that is seen.
type upstream struct {
	addr string
	http *http.Server
}

const (
	mockModel  = "mock-1"
	mockPieces = 20 // of a streamed answer
)

func openUpstream() (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{addr: l.Addr().String(), http: &http.Server{Handler: http.HandlerFunc(answerMock), ReadHeaderTimeout: time.Minute}}
	go func() { _ = u.http.Serve(l) }()
	return u, nil
}

func (u *upstream) down() { _ = u.http.Close() }

// answerMock speaks OpenAI's words; a path with "slow" waits between pieces, so that many streams are open at once.
func answerMock(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		writeJSON(w, `{"object":"list","data":[{"id":"`+mockModel+`","object":"model","created":1,"owned_by":"mock"}]}`)
		return
	}
	body := make([]byte, r.ContentLength)
	for n := 0; n < len(body); {
		k, err := r.Body.Read(body[n:])
		if n += k; err != nil {
			break
		}
	}
	if !strings.Contains(string(body), `"stream":true`) {
		writeJSON(w, `{"id":"c","object":"chat.completion","created":1,"model":"`+mockModel+`","choices":[{"index":0,"message":{"role":"assistant","content":"An answer of a few words."},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":6,"total_tokens":18}}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := w.(http.Flusher)
	say := func(rest string) {
		_, _ = fmt.Fprintf(w, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"%s\",%s}\n\n", mockModel, rest)
		flush.Flush()
	}
	var wait time.Duration
	if strings.Contains(string(body), slowPrompt) {
		wait = 250 * time.Millisecond
	}
	for n := range mockPieces {
		say(`"choices":[{"index":0,"delta":{"content":"piece` + strconv.Itoa(n) + ` "},"finish_reason":null}]`)
		time.Sleep(wait)
	}
	say(`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]`)
	say(`"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":40,"total_tokens":52}`)
	_, _ = w.Write([]byte("data: [DONE]\n\n"))
}

func writeJSON(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write([]byte(text))
}

// onOneCore is a command that has the first processor to itself: the client and the upstream move to the others.
func onOneCore(name string, args ...string) *exec.Cmd {
	return exec.Command("taskset", append([]string{"-c", "0", name}, args...)...)
}

// leaveCore moves every thread of this process off the first processor; those to come inherit it.
func leaveCore(cores int) error {
	var set unix.CPUSet
	for n := 1; n < cores; n++ {
		set.Set(n)
	}
	return eachThread(&set)
}

func takeCores(cores int) error {
	var set unix.CPUSet
	for n := range cores {
		set.Set(n)
	}
	return eachThread(&set)
}

func eachThread(set *unix.CPUSet) error {
	threads, err := os.ReadDir("/proc/self/task")
	for _, t := range threads {
		id, _ := strconv.Atoi(t.Name())
		_ = unix.SchedSetaffinity(id, set) // a thread that has ended meanwhile needs no place
	}
	return err
}

// nginx passes requests on and looks at nothing: what any gateway costs at least.
func (b *bench) openNginx(up string) (addr string, down func(), err error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		return "", nil, err
	}
	dir := filepath.Join(b.dir, "nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	addr = freeAddr()
	conf := fmt.Sprintf(`daemon off; worker_processes 1; pid %[1]s/pid; error_log stderr crit;
events { worker_connections 8192; }
http {
  access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  upstream model { server %[2]s; keepalive 64; keepalive_requests 1000000; }
  server { listen %[3]s; keepalive_requests 1000000; location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } }
}`, dir, up, addr)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return "", nil, err
	}
	return b.startPeer(addr, onOneCore(program, "-c", file, "-p", dir))
}

// openPortkey runs the gateway of npm's package; it is installed into the scratch directory.
func (b *bench) openPortkey() (addr string, down func(), err error) {
	dir := filepath.Join(b.dir, "portkey")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "@portkey-ai/gateway@1.15.2")
	if out, err := install.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("npm install: %w: %.200s", err, out)
	}
	addr = freeAddr()
	_, port, _ := net.SplitHostPort(addr)
	cmd := onOneCore("node", filepath.Join(dir, "node_modules/@portkey-ai/gateway/build/start-server.js"), "--port="+port, "--headless")
	return b.startPeer(addr, cmd)
}

func (b *bench) startPeer(addr string, cmd *exec.Cmd) (string, func(), error) {
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	down := func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return addr, down, nil
		}
	}
	down()
	return "", nil, fmt.Errorf("%s does not listen", cmd.Path)
}
