package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// start is from the start of the process to its first answer, on data that is there.
func (b *bench) start() error {
	s, err := b.open("start")
	if err != nil {
		return err
	}
	s.down()
	var pb *pocketbase
	if b.pocketbase != "" {
		if pb, err = b.openPocketBase("start-pb"); err != nil {
			return err
		}
		pb.down()
	}
	var ours, theirs sample
	for n := range b.rounds {
		if err := s.up(b); err != nil {
			return err
		}
		s.down()
		if pb != nil {
			if err := pb.up(b); err != nil {
				return err
			}
			pb.down()
		}
		if n > 0 {
			ours = append(ours, s.took)
			if pb != nil {
				theirs = append(theirs, pb.took)
			}
		}
	}
	peer := ""
	if pb != nil {
		peer = "PocketBase " + ms(theirs.at(50))
	}
	b.add(row{"Process start → first answer", "p50 " + ms(ours.at(50)) + ", p95 " + ms(ours.at(95)), peer, "≤ 300 ms", goal(ours.at(50), 300)})
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	size := float64(info.Size())
	b.add(row{"Binary", mb(size), "", "≤ 60 MB", goal(size, 60<<20)})
	return nil
}

// bwrap runs a command in bubblewrap with the namespaces that ours have.
func bwrap(command ...string) *exec.Cmd {
	args := []string{"--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
		"--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"}
	return exec.Command("bwrap", append(args, command...)...)
}

func haveBwrap() bool { return bwrap("true").Run() == nil }

// create is an instance from the call to RUNNING, and to the first effect of a command that a message asked for.
func (b *bench) create() error {
	s, err := b.open("create")
	if err != nil {
		return err
	}
	defer s.down()
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.close()
	var accepted, running, first, theirs sample
	peer := haveBwrap()
	for n := range 3*b.rounds + 1 {
		began := time.Now()
		id, err := s.create(c, fmt.Sprintf("r%d", n))
		if err != nil {
			return err
		}
		answered := time.Since(began)
		if err := s.becomes(c, id, "RUNNING"); err != nil {
			return err
		}
		ran := time.Since(began)
		if err := s.remove(c, id); err != nil {
			return err
		}
		acted, err := s.firstEffect(c, n)
		if err != nil {
			return err
		}
		began = time.Now()
		if peer {
			if err := bwrap("/bin/sh", "-c", "echo first").Run(); err != nil {
				return err
			}
		}
		if n > 0 {
			accepted, running, first, theirs = append(accepted, answered), append(running, ran), append(first, acted), append(theirs, time.Since(began))
		}
	}
	beside := ""
	if peer {
		beside = fmt.Sprintf("bubblewrap, one command %s", ms(theirs.at(50)))
	}
	b.add(row{"`POST /api/instances` → answered", "p50 " + ms(accepted.at(50)) + ", p95 " + ms(accepted.at(95)), "", "", ""})
	b.add(row{"`POST /api/instances` → RUNNING", "p50 " + ms(running.at(50)) + ", p95 " + ms(running.at(95)), beside, "≤ 60 ms p50", goal(running.at(50), 60)})
	b.add(row{"`POST /api/instances`, `POST /chat` → the command has run", "p50 " + ms(first.at(50)) + ", p95 " + ms(first.at(95)), beside, "≤ 100 ms p50 (40)", goal(first.at(50), 100)})
	return nil
}

// firstEffect creates an instance, sends it a message at once, and waits for what its command does.
func (s *server) firstEffect(c *conn, n int) (time.Duration, error) {
	began := time.Now()
	id, err := s.create(c, fmt.Sprintf("f%d", n))
	if err != nil {
		return 0, err
	}
	if _, err := s.json(c, "POST", "/chat", map[string]string{"instance": id, "message": "run `echo first > first`"}); err != nil {
		return 0, err
	}
	file := filepath.Join(s.dir, "sandboxes", id, "workspace", "first")
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Microsecond) {
		if info, err := os.Stat(file); err == nil && info.Size() > 0 {
			break
		}
		if time.Now().After(until) {
			return 0, fmt.Errorf("no effect of the first command of %s", id)
		}
	}
	took := time.Since(began)
	return took, s.remove(c, id)
}

// hundred creates a hundred at once.
func (b *bench) hundred() error {
	s, err := b.open("hundred")
	if err != nil {
		return err
	}
	defer s.down()
	var p50, all, p50peer, allPeer []float64
	peer := haveBwrap()
	for n := range max(3, b.rounds/3) {
		took, err := s.many(n, 100)
		if err != nil {
			return err
		}
		theirs := sample{}
		if peer {
			theirs = manyBwrap(100)
		}
		if n > 0 {
			p50, all = append(p50, took.at(50)), append(all, took.at(100))
			p50peer, allPeer = append(p50peer, theirs.at(50)), append(allPeer, theirs.at(100))
		}
	}
	beside := ""
	if peer {
		beside = fmt.Sprintf("bubblewrap p50 %s, all %s", ms(median(p50peer)), ms(median(allPeer)))
	}
	b.add(row{"100 creates at once → RUNNING", "p50 " + ms(median(p50)) + ", all " + ms(median(all)), beside, "≤ 250 ms p50", goal(median(p50), 250)})
	return nil
}

func (s *server) many(round, count int) (sample, error) {
	took, ids, errs := make(sample, count), make([]string, count), make([]error, count)
	var all sync.WaitGroup
	began := time.Now()
	for n := range count {
		all.Go(func() {
			c, err := dial(s.addr)
			if err == nil {
				ids[n], errs[n] = s.create(c, fmt.Sprintf("m%d-%d", round, n))
				c.close()
			}
		})
	}
	all.Wait()
	c, err := dial(s.addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	for left := count; left > 0; time.Sleep(5 * time.Millisecond) { // one reader, so that looking does not hold up
		states, err := s.states(c)
		if err != nil {
			return nil, err
		}
		for n, id := range ids {
			if errs[n] != nil {
				return nil, errs[n]
			}
			if took[n] == 0 && states[id] == "RUNNING" {
				took[n], left = time.Since(began), left-1
			}
		}
		if time.Since(began) > time.Minute {
			return nil, fmt.Errorf("%d of %d never run", left, count)
		}
	}
	for _, id := range ids {
		if err := s.remove(c, id); err != nil {
			return nil, err
		}
	}
	return took, nil
}

func manyBwrap(count int) sample {
	took := make(sample, count)
	var all sync.WaitGroup
	began := time.Now()
	for n := range took {
		all.Go(func() {
			_ = bwrap("/bin/sh", "-c", "echo first").Run()
			took[n] = time.Since(began)
		})
	}
	all.Wait()
	return took
}
