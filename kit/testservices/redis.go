package testservices

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis gives the URL of an empty Redis that belongs to this call alone: a throwaway server when the
// program is installed, so that a test may flush it, else a database of the server that
// TEST_REDIS_URL names, which lets only one test at a time use it. Skips with neither.
func Redis(t testing.TB) (url string) {
	t.Helper()
	if _, err := exec.LookPath(redisServer); err == nil {
		return RedisServer(t).URL
	}
	shared := os.Getenv("TEST_REDIS_URL")
	if shared == "" {
		leftOut(t, "Redis", "redis-server is not installed and TEST_REDIS_URL is not set")
	}
	return sharedRedis(t, shared)
}

const redisServer = "redis-server"

// Server is a Redis that a test may kill and start again: its address stays, what it held does not.
type Server struct {
	URL string

	t        testing.TB
	bin, dir string
	cmd      *exec.Cmd // nil while it is down
}

// RedisServer starts a server of the test's own, on a socket in a directory of its own: no port to race for, no
// stranger on it. It skips when the program is not installed.
func RedisServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, bin: Program(t, redisServer)}
	var err error
	if s.dir, err = os.MkdirTemp("", "redis"); err != nil { // t.TempDir's names are too long for a socket
		t.Fatal(err)
	}
	s.URL = "unix://" + s.socket()
	t.Cleanup(func() {
		s.Kill()
		_ = os.RemoveAll(s.dir)
	})
	s.Start()
	return s
}

func (s *Server) socket() string { return filepath.Join(s.dir, "s") }

// Start brings it up, empty.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.Command(s.bin, "--port", "0", "--unixsocket", s.socket(), "--unixsocketperm", "700",
		"--save", "", "--appendonly", "no", "--dir", s.dir)
	dieWithParent(s.cmd)
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		s.t.Fatalf("start Redis: %v", err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("unix", s.socket())
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("Redis does not come up: %v", err)
		}
	}
}

// Kill ends it without a word, if it is up.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// sharedRedis takes the first database whose lock is free. The lock lives in database 0 and ends by
// itself, for test processes that are killed.
func sharedRedis(t testing.TB, url string) string {
	t.Helper()
	opt, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal("TEST_REDIS_URL is not a Redis address")
	}
	locks := redis.NewClient(opt)
	ctx := context.Background()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for db := 1; db < 16; db++ {
			lock := fmt.Sprintf("testservices:%d", db)
			ok, err := locks.SetNX(ctx, lock, 1, 10*time.Minute).Result()
			if err != nil {
				t.Fatalf("TEST_REDIS_URL: %v", err)
			}
			if !ok {
				continue
			}
			mine := *opt
			mine.DB = db
			c := redis.NewClient(&mine)
			_ = c.FlushDB(ctx).Err()
			_ = c.Close()
			t.Cleanup(func() {
				_ = locks.Del(ctx, lock).Err()
				_ = locks.Close()
			})
			return withDB(t, url, db)
		}
	}
	t.Fatal("no free database on TEST_REDIS_URL")
	return ""
}
