package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// memory is what a server holds with one running instance and nothing to do.
func (b *bench) memory() error {
	s, err := b.open("memory")
	if err != nil {
		return err
	}
	defer s.down()
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.close()
	id, err := s.create(c, "idle")
	if err != nil {
		return err
	}
	if err := s.becomes(c, id, "RUNNING"); err != nil {
		return err
	}
	time.Sleep(10 * time.Second)
	rss, private := resident(s.cmd.Process.Pid)
	hands, own := resident(daemonOf(s.cmd.Process.Pid))
	b.add(row{"Memory of the server, idle with one running instance", mb(rss) + " (" + mb(private) + " of it not the program's file)", "", "≤ 60 MB", goal(rss, 60<<20)})
	b.add(row{"Memory of one idle sandbox", mb(hands) + " (" + mb(own) + " of it not the program's file)", "", "", ""})
	return nil
}

// daemonOf finds the one sandbox that a server started.
func daemonOf(server int) int {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		stat, _ := os.ReadFile(dir + "/stat")
		f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(f) > 2 && f[1] == strconv.Itoa(server) {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			return pid
		}
	}
	return 0
}

const manyStreams = 10_000

// streams opens ten thousand pages' event streams and lets them be.
func (b *bench) streams() error {
	s, err := b.open("streams")
	if err != nil {
		return err
	}
	defer s.down()
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.close()
	id, err := s.create(c, "watched")
	if err != nil {
		return err
	}
	if err := s.becomes(c, id, "RUNNING"); err != nil {
		return err
	}
	session, err := s.session(c, id)
	if err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	rss0, _ := resident(s.cmd.Process.Pid)
	heap0, err := s.heap()
	if err != nil {
		return err
	}
	began := time.Now()
	open, err := s.openStreams("/live/chat/"+session+"?after=0", manyStreams)
	defer func() {
		for _, o := range open {
			o.close()
		}
	}()
	if err != nil {
		return err
	}
	took := time.Since(began)
	// Two heartbeats: the first state was sent, the garbage of opening is collected and given back.
	time.Sleep(40 * time.Second)
	rss1, _ := resident(s.cmd.Process.Pid)
	heap1, err := s.heap()
	if err != nil {
		return err
	}
	perRSS, perHeap := (rss1-rss0)/manyStreams/1024, (heap1-heap0)/manyStreams/1024
	b.add(row{"Memory of an idle event stream, at 10,000", fmt.Sprintf("%.1f KB resident, %.1f KB of it heap; opened in %.0f s", perRSS, perHeap, took.Seconds()), "", "≤ 6 KB", goal(perRSS, 6)})
	return nil
}

func (s *server) openStreams(path string, count int) ([]*conn, error) {
	var mu sync.Mutex
	var open []*conn
	var first error
	var all sync.WaitGroup
	const dialers = 16
	for range dialers {
		all.Go(func() {
			for range count / dialers {
				c, err := dial(s.addr)
				if err == nil {
					if err = c.send("GET", path, s.headers(), nil); err == nil {
						_, _, err = c.head()
					}
				}
				mu.Lock()
				if err != nil {
					first = err
					mu.Unlock()
					return
				}
				c.in = nil // ten thousand buffers are not needed any more
				open = append(open, c)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return open, first
}
