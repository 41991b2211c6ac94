package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	piece      = 8 << 20 // of an upload on the page
	smallFiles = 200
	smallSize  = 4 << 10
)

// transfer is one way of moving files, ours and the file server's.
type transfer struct {
	what  string
	bytes int     // of one round
	files int     // of one round; 0 = throughput is told in bytes
	goal  float64 // times the file server's speed; 0 = none: what a request with a credential costs is the greater part
	ours  func() error
	peer  func() error

	took, beside, ratio []float64 // seconds of each round
}

// files moves files into a running instance and out of it, beside nginx with its WebDAV module on a directory of the same disk.
func (b *bench) files() error {
	s, err := b.open("files")
	if err != nil {
		return err
	}
	defer s.down()
	addr, stop, err := b.openFileServer()
	if err != nil {
		return err
	}
	defer stop()
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.close()
	p, err := dial(addr)
	if err != nil {
		return err
	}
	defer p.close()
	agent, err := s.create(c, "one")
	if err == nil {
		err = s.becomes(c, agent, "RUNNING")
	}
	if err != nil {
		return err
	}
	list := s.transfers(c, p, agent)
	for n := range b.rounds {
		for _, t := range list {
			if err := t.round(n > 0); err != nil {
				return fmt.Errorf("%s: %w", t.what, err)
			}
		}
	}
	for _, t := range list {
		want, verdict := "", ""
		if t.goal > 0 {
			want, verdict = fmt.Sprintf("≥ %g × nginx", t.goal), goal(t.goal, median(t.ratio))
		}
		b.add(row{t.what, fmt.Sprintf("%s, %.2f × nginx", t.speed(median(t.took)), median(t.ratio)), "nginx " + t.speed(median(t.beside)), want, verdict})
	}
	return nil
}

// round times both, one right after the other.
func (t *transfer) round(kept bool) error {
	began := time.Now()
	if err := t.ours(); err != nil {
		return err
	}
	between := time.Now()
	if err := t.peer(); err != nil {
		return err
	}
	took, beside := between.Sub(began).Seconds(), time.Since(between).Seconds()
	if kept {
		t.took, t.beside, t.ratio = append(t.took, took), append(t.beside, beside), append(t.ratio, beside/took)
	}
	return nil
}

func (t *transfer) speed(seconds float64) string {
	if t.files > 0 {
		return fmt.Sprintf("%.0f/s", float64(t.files)/seconds)
	}
	return fmt.Sprintf("%.0f MB/s", float64(t.bytes)/1e6/seconds)
}

func (s *server) transfers(c, p *conn, agent string) []*transfer {
	one, large, small := noise(1<<20), noise(64<<20), noise(smallSize)
	api := "/v1/agent/" + agent + "/filesystem/files/"
	text, _ := json.Marshal(map[string]any{"content": base64.StdEncoding.EncodeToString(one), "encoding": "base64", "overwrite": true})
	little, _ := json.Marshal(map[string]any{"content": base64.StdEncoding.EncodeToString(small), "encoding": "base64", "overwrite": true})
	kind := s.headers() + "Content-Type: application/json\r\n"
	each := func(f func(name string) error) func() error {
		return func() error {
			for n := range smallFiles {
				if err := f("small/" + strconv.Itoa(n)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	put := func(name string, data []byte) func() error {
		return func() error { return p.move("PUT", "/"+name, "", data) }
	}
	get := func(name string) (ours, peer func() error) {
		return func() error { return c.move("GET", api+name+"?download=true", s.headers(), nil) }, func() error { return p.move("GET", "/"+name, "", nil) }
	}
	down1, peer1 := get("one")
	down64, peer64 := get("large")
	return []*transfer{
		{what: "Upload of 1 MB, resumable", bytes: len(one), ours: func() error { return s.upload(c, agent, "one", one) }, peer: put("one", one)},
		{what: "Upload of 1 MB, `POST …/filesystem/files` (base64 in JSON)", bytes: len(one), ours: func() error { return c.move("POST", api+"posted", kind, text) }, peer: put("posted", one)},
		{what: "Upload of 64 MB, resumable, in pieces of 8 MB", bytes: len(large), goal: 0.5, ours: func() error { return s.upload(c, agent, "large", large) }, peer: put("large", large)},
		{what: "Download of 1 MB", bytes: len(one), ours: down1, peer: peer1},
		{what: "Download of 64 MB", bytes: len(large), goal: 0.5, ours: down64, peer: peer64},
		{what: "200 files of 4 KB up, one after the other", files: smallFiles, ours: each(func(name string) error { return c.move("POST", api+name, kind, little) }),
			peer: each(func(name string) error { return p.move("PUT", "/"+name, "", small) })},
		{what: "200 files of 4 KB down, one after the other", files: smallFiles, ours: each(func(name string) error { return c.move("GET", api+name+"?download=true", s.headers(), nil) }),
			peer: each(func(name string) error { return p.move("GET", "/"+name, "", nil) })},
	}
}

// noise is content that nothing can make smaller.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint64(n) | 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

// upload is what the page's script does: begin, then pieces one after the other.
func (s *server) upload(c *conn, agent, name string, data []byte) error {
	at := "/instances/" + agent + "/files/uploads"
	out, err := s.json(c, "POST", at, map[string]any{"path": name, "size": len(data), "overwrite": true})
	if err != nil {
		return err
	}
	for offset := 0; offset < len(data); offset += piece {
		part := data[offset:min(offset+piece, len(data))]
		if err := c.move("PUT", fmt.Sprintf("%s/%v?offset=%d", at, out["id"], offset), s.headers()+"Accept: application/json\r\nContent-Type: application/octet-stream\r\n", part); err != nil {
			return err
		}
	}
	return nil
}

// move sends a body, if there is one, without copying it, and reads the answer without keeping it.
func (c *conn) move(method, path, headers string, body []byte) error {
	if err := c.SetDeadline(time.Now().Add(90 * time.Second)); err != nil {
		return err
	}
	if body != nil {
		headers += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	if err := c.send(method, path, headers, nil); err != nil {
		return err
	}
	if body != nil {
		if _, err := c.Write(body); err != nil {
			return err
		}
	}
	code, h, err := c.head()
	if err != nil {
		return err
	}
	var answer io.Writer = io.Discard
	said := &bytes.Buffer{}
	if code >= 300 {
		answer = said
	}
	if h.Get("Transfer-Encoding") == "chunked" {
		text, err := c.chunks()
		if err != nil {
			return err
		}
		_, _ = answer.Write(text)
	} else if n, _ := strconv.ParseInt(h.Get("Content-Length"), 10, 64); n > 0 && code != 204 {
		if _, err := io.CopyN(answer, c.in, n); err != nil {
			return err
		}
	}
	if code >= 300 {
		return fmt.Errorf("%s %s: %d %.300s", method, path, code, said)
	}
	return nil
}

// openFileServer runs nginx over an empty directory: GET by sendfile, PUT into a file beside, which is renamed.
func (b *bench) openFileServer() (addr string, down func(), err error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		return "", nil, err
	}
	dir := filepath.Join(b.dir, "fileserver")
	for _, d := range []string{"root", "body"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o777); err != nil {
			return "", nil, err
		}
		if err := os.Chmod(filepath.Join(dir, d), 0o777); err != nil { // its workers are somebody else
			return "", nil, err
		}
	}
	addr = freeAddr()
	conf := strings.ReplaceAll(fmt.Sprintf(`daemon off; worker_processes auto; pid DIR/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; client_max_body_size 0; client_body_temp_path DIR/body; proxy_temp_path DIR/p; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s;
  server { listen %s; root DIR/root; keepalive_requests 1000000; dav_methods PUT; create_full_put_path on; }
}`, addr), "DIR", dir)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return "", nil, err
	}
	return b.startPeer(addr, exec.Command(program, "-c", file, "-p", dir))
}
