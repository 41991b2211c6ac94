package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// pocketbase is the peer for pages: one binary, SQLite, a list of 50 rows behind a credential.
type pocketbase struct {
	cmd   *exec.Cmd
	dir   string
	addr  string
	token string
	took  time.Duration
	one   string // a record's id
}

const pbEmail, pbPassword = "owner@example.org", "a-password-for-nobody"

func (b *bench) openPocketBase(name string) (*pocketbase, error) {
	p := &pocketbase{dir: filepath.Join(b.dir, name)}
	cmd := exec.Command(b.pocketbase, "superuser", "upsert", pbEmail, pbPassword, "--dir", p.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pocketbase: %w: %s", err, out)
	}
	return p, p.up(b)
}

func (p *pocketbase) up(b *bench) error {
	p.addr = freeAddr()
	p.cmd = exec.Command(b.pocketbase, "serve", "--http", p.addr, "--dir", p.dir)
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return err
	}
	err := answers(p.addr, "/api/health")
	p.took = time.Since(began)
	return err
}

func (p *pocketbase) down() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	_ = p.cmd.Wait()
}

func (p *pocketbase) headers() string { return "Authorization: " + p.token + "\r\n" }

func (p *pocketbase) post(c *conn, path string, body any) (map[string]any, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	code, answer, err := c.do("POST", path, p.headers()+"Content-Type: application/json\r\n", raw)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	_ = json.Unmarshal(answer, &out)
	if code >= 400 {
		return nil, fmt.Errorf("pocketbase %s: %d %s", path, code, answer)
	}
	return out, nil
}

// fill makes a table like our instances with 50 rows.
func (p *pocketbase) fill() error {
	c, err := dial(p.addr)
	if err != nil {
		return err
	}
	defer c.close()
	out, err := p.post(c, "/api/collections/_superusers/auth-with-password", map[string]string{"identity": pbEmail, "password": pbPassword})
	if err != nil {
		return err
	}
	p.token, _ = out["token"].(string)
	fields := []map[string]string{}
	for _, name := range []string{"name", "region", "tier", "state", "reason", "model"} {
		fields = append(fields, map[string]string{"name": name, "type": "text"})
	}
	for _, name := range []string{"memory_mb", "storage_mb"} {
		fields = append(fields, map[string]string{"name": name, "type": "number"})
	}
	fields = append(fields, map[string]string{"name": "last_active", "type": "date"})
	if _, err := p.post(c, "/api/collections", map[string]any{"name": "instances", "type": "base", "fields": fields}); err != nil {
		return err
	}
	for n := range 50 {
		out, err := p.post(c, "/api/collections/instances/records", map[string]any{"name": fmt.Sprintf("agent-%d", n), "region": "local", "tier": "STARTER",
			"state": "STOPPED", "model": "offline-1", "memory_mb": 512, "storage_mb": 1024, "last_active": "2026-01-02 03:04:05.000Z"})
		if err != nil {
			return err
		}
		p.one, _ = out["id"].(string)
	}
	return nil
}
