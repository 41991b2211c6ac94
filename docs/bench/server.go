package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// server is a running Lobstead with an owner's key.
type server struct {
	cmd     *exec.Cmd
	dir     string
	addr    string
	metrics string
	key     string
	took    time.Duration // from the start of the process to its first answer
	more    []string      // further variables of its environment
	core    bool          // it has one processor to itself
}

func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// found makes a data directory with an owner; more are further variables of its environment.
func (b *bench) found(name string, more ...string) (*server, error) {
	s := &server{dir: filepath.Join(b.dir, name), more: more}
	cmd := exec.Command(b.binary, "init", "--data", s.dir, "--email", "owner@example.org", "--name", "Owner", "--organization", "Bench", "--password-file", "-", "--json")
	cmd.Env, cmd.Stdin = append(s.env(), more...), strings.NewReader("a password for nobody to keep")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("init: %w", err)
	}
	var made struct {
		Key string `json:"api_key"`
	}
	err = json.Unmarshal(out, &made)
	s.key = made.Key
	return s, err
}

// env: the offline model's typing pace is for eyes, not for clocks.
func (s *server) env() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(s.dir), "OFFLINE_PACE=0", "LOG_LEVEL=warn"}
}

func (b *bench) open(name string, more ...string) (*server, error) {
	s, err := b.found(name, more...)
	if err != nil {
		return nil, err
	}
	return s, s.up(b)
}

func (s *server) up(b *bench) error {
	s.addr, s.metrics = freeAddr(), freeAddr()
	run := exec.Command
	if s.core {
		run = onOneCore
	}
	s.cmd = run(b.binary, "serve", "--data", s.dir, "--listen", s.addr, "--metrics-listen", s.metrics)
	s.cmd.Env, s.cmd.Stderr = append(append(s.env(), s.more...), "LIMIT_REQUESTS=0", "LIMIT_CREATIONS=0"), os.Stderr
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return err
	}
	err := answers(s.addr, "/healthz")
	s.took = time.Since(began)
	return err
}

// answers waits for the first 200.
func answers(addr, path string) error {
	for until := time.Now().Add(60 * time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
		c, err := dial(addr)
		if err != nil {
			continue
		}
		code, _, err := c.do("GET", path, "", nil)
		c.close()
		if err == nil && code == 200 {
			return nil
		}
	}
	return errors.New(addr + " does not answer")
}

func (s *server) down() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		_ = s.cmd.Process.Kill()
		<-done
	}
}

// json asks for data; a status of 400 or more is an error.
func (s *server) json(c *conn, method, path string, body any) (map[string]any, error) {
	var raw []byte
	if body != nil {
		raw, _ = json.Marshal(body)
	}
	code, answer, err := c.do(method, path, s.headers()+"Accept: application/json\r\nContent-Type: application/json\r\n", raw)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	_ = json.Unmarshal(answer, &out)
	if code >= 400 {
		return out, fmt.Errorf("%s %s: %d %s", method, path, code, answer)
	}
	return out, nil
}

func (s *server) headers() string { return "Authorization: Bearer " + s.key + "\r\n" }

// create deploys without waiting.
func (s *server) create(c *conn, name string) (string, error) {
	out, err := s.json(c, "POST", "/api/instances", map[string]string{"name": name, "region": "local", "tier": "STARTER"})
	id, _ := out["id"].(string)
	return id, err
}

// becomes waits for a state; "" is gone.
func (s *server) becomes(c *conn, id, state string) error {
	for until := time.Now().Add(60 * time.Second); time.Now().Before(until); time.Sleep(2 * time.Millisecond) {
		out, err := s.json(c, "GET", "/api/instances/"+id, nil)
		if state == "" && err != nil || err == nil && out["status"] == state {
			return nil
		}
	}
	return fmt.Errorf("instance %s does not become %q", id, state)
}

func (s *server) remove(c *conn, id string) error {
	if _, err := s.json(c, "DELETE", "/api/instances/"+id, nil); err != nil {
		return err
	}
	return s.becomes(c, id, "")
}

// heap is what the Go runtime of the server holds, after a collection.
func (s *server) heap() (float64, error) {
	c, err := dial(s.metrics)
	if err != nil {
		return 0, err
	}
	defer c.close()
	_, body, err := c.do("GET", "/metrics", "", nil)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(body)) {
		if v, ok := strings.CutPrefix(line, "go_memstats_heap_alloc_bytes "); ok {
			return strconv.ParseFloat(strings.TrimSpace(v), 64)
		}
	}
	return 0, errors.New("no heap figure")
}
