package chaostest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A full disk is an answer, not an accident.
func TestDiskIsFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: a small file system needs root")
	}
	dir, err := os.MkdirTemp("", "chaos")
	require.NoError(t, err)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m,mode=0755"); err != nil {
		t.Skipf("NOT TESTED: tmpfs cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH))
		_ = os.RemoveAll(dir)
	})
	h := newHouse(t, dir)
	h.web("serve")
	agent := h.create("one")
	session := h.open(agent, "run `echo here`")
	h.book().settled(20 * time.Second)
	for range rounds(2) {
		h.fill()
		refused, body := 0, []byte(nil)
		for range 40 { // the last free pages of the database's own files are still written
			code, raw := h.ask("POST", "/api/agent/sessions?instance="+agent, map[string]string{"title": "no room"}, "application/json")
			if code != 200 {
				refused, body = code, raw
				break
			}
		}
		require.Contains(t, []int{503, 507}, refused, "%s", body)
		require.Contains(t, string(body), "full")
		code, out := h.json("POST", "/chat/"+session+"/messages", map[string]string{"message": "run `echo no room`"})
		require.Contains(t, []int{503, 507}, code, "%v", out)
		for _, path := range []string{"/", "/instances", "/instances/" + agent, "/chat/" + session, "/readyz"} {
			code, _ := h.ask("GET", path, nil, "text/html")
			require.Equal(t, 200, code, path)
		}
		require.NoError(t, os.Remove(filepath.Join(filepath.Dir(h.dir), "filler")))
		began := time.Now()
		require.Eventually(t, func() bool {
			code, _ := h.json("POST", "/api/agent/sessions?instance="+agent, map[string]string{"title": "room"})
			return code == 200
		}, 5*time.Second, 10*time.Millisecond)
		t.Logf("writes are back %s after there is space", time.Since(began))
		require.Contains(t, h.chat(agent, "run `echo again`"), "again")
	}
	b := h.book()
	b.settled(20 * time.Second)
	b.audit()
	require.Equal(t, "ok", b.one(`PRAGMA integrity_check`))
}

// fill leaves no byte free on the house's file system.
func (h *house) fill() {
	h.t.Helper()
	f, err := os.Create(filepath.Join(filepath.Dir(h.dir), "filler"))
	require.NoError(h.t, err)
	for _, size := range []int{64 << 10, 4 << 10, 1} {
		for block := make([]byte, size); ; {
			if _, err := f.Write(block); err != nil {
				break
			}
		}
	}
	require.NoError(h.t, f.Close())
}
