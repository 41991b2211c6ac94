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
	if bin, err := exec.LookPath("redis-server"); err == nil {
		return ownRedis(t, bin)
	}
	shared := os.Getenv("TEST_REDIS_URL")
	if shared == "" {
		leftOut(t, "Redis", "redis-server is not installed and TEST_REDIS_URL is not set")
	}
	return sharedRedis(t, shared)
}

// ownRedis listens on a socket in a directory of its own: no port to race for, no stranger on it.
func ownRedis(t testing.TB, bin string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "redis") // t.TempDir's names are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	sock := filepath.Join(dir, "s")
	cmd := exec.Command(bin, "--port", "0", "--unixsocket", sock, "--unixsocketperm", "700",
		"--save", "", "--appendonly", "no", "--dir", dir)
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start Redis: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("unix", sock)
		if err == nil {
			_ = c.Close()
			return "unix://" + sock
		}
		if time.Now().After(end) {
			t.Fatalf("Redis does not come up: %v", err)
		}
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
