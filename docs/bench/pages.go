package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// target is one address whose answers are timed.
type target struct {
	name, addr, path, headers string
	took                      sample
	rates                     []float64
}

const (
	together = 8
	asked    = 60
	rateTime = 400 * time.Millisecond
)

// pages are the list of 50, one record, and a conversation of 1,000 events, beside PocketBase's list and record.
func (b *bench) pages() error {
	s, err := b.open("pages")
	if err != nil {
		return err
	}
	defer s.down()
	instance, session, err := s.fill()
	if err != nil {
		return err
	}
	html := s.headers() + "Accept: text/html\r\n"
	ours := []*target{
		{name: "List of 50, page", addr: s.addr, path: "/instances", headers: html},
		{name: "List of 50, JSON", addr: s.addr, path: "/api/instances", headers: s.headers()},
		{name: "One instance, page", addr: s.addr, path: "/instances/" + instance, headers: html},
		{name: "One instance with logs and metrics, JSON", addr: s.addr, path: "/api/instances/" + instance, headers: s.headers()},
		{name: "Overview, page", addr: s.addr, path: "/", headers: html},
		{name: "Conversation of 1,000 events, page", addr: s.addr, path: "/chat/" + session, headers: html},
	}
	all := ours
	var list, record *target
	if b.pocketbase != "" {
		p, err := b.openPocketBase("pages-pb")
		if err != nil {
			return err
		}
		defer p.down()
		if err := p.fill(); err != nil {
			return err
		}
		list = &target{name: "list of 50", addr: p.addr, path: "/api/collections/instances/records?perPage=50", headers: p.headers()}
		record = &target{name: "record", addr: p.addr, path: "/api/collections/instances/records/" + p.one, headers: p.headers()}
		all = append(append([]*target{}, ours...), list, record)
	}
	for n := range b.rounds {
		for _, t := range all {
			took, err := times(t.addr, t.path, t.headers, asked)
			if err != nil {
				return err
			}
			r, err := rate(t.addr, t.path, t.headers, together, rateTime)
			if err != nil {
				return err
			}
			if n > 0 {
				t.took, t.rates = append(t.took, took...), append(t.rates, r)
			}
		}
	}
	for n, t := range ours {
		peer, want, verdict := "", "p99 ≤ 20 ms", goal(t.took.at(99), 20)
		beside := list
		if n >= 2 {
			beside = record
		}
		if beside != nil && n < 4 {
			peer = "PocketBase " + beside.name + " " + beside.figure()
		}
		if n == 0 {
			want = "p50 ≤ 1 ms, rate ≥ PocketBase's"
			verdict = goal(t.took.at(50), 1)
			if beside != nil && median(t.rates) < median(beside.rates) {
				verdict = "**missed**"
			}
		}
		b.add(row{t.name, t.figure(), peer, want, verdict})
	}
	return nil
}

func (t *target) figure() string {
	return fmt.Sprintf("p50 %s, p99 %s, %.0f/s", ms(t.took.at(50)), ms(t.took.at(99)), median(t.rates))
}

// fill makes 50 instances, all but one stopped, and a conversation of a thousand events.
func (s *server) fill() (instance, session string, err error) {
	c, err := dial(s.addr)
	if err != nil {
		return "", "", err
	}
	defer c.close()
	for n := range 50 {
		if instance, err = s.create(c, fmt.Sprintf("agent-%d", n)); err != nil {
			return "", "", err
		}
		if err = s.becomes(c, instance, "RUNNING"); err != nil {
			return "", "", err
		}
		if n == 49 {
			break
		}
		if _, err = s.json(c, "POST", "/api/instances/"+instance+"/actions", map[string]string{"action": "stop"}); err != nil {
			return "", "", err
		}
	}
	if session, err = s.session(c, instance); err != nil {
		return "", "", err
	}
	for events := 0; events < 1000; {
		for _, text := range []string{"run `seq 1 20`", "hello", "write notes.txt with some words", "read notes.txt"} {
			body := map[string]string{"message": text, "session_id": session}
			if _, err = s.json(c, "POST", "/api/agent/chat?instance="+instance, body); err != nil {
				return "", "", err
			}
		}
		if events, err = s.last(session); err != nil {
			return "", "", err
		}
	}
	return instance, session, nil
}

var benchLine = regexp.MustCompile(`BenchmarkRows\S*\s+\d+\s+([\d.]+) ns/op.*?\s(\d+) allocs/op`)

// render is the templates' own cost, by the Go benchmark beside them.
func (b *bench) render() error {
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", "BenchmarkRows$", "-benchmem", "-count", "5", "./views/instances")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	var took, allocs []float64
	for _, m := range benchLine.FindAllStringSubmatch(string(out), -1) {
		ns, _ := strconv.ParseFloat(m[1], 64)
		n, _ := strconv.ParseFloat(m[2], 64)
		took, allocs = append(took, ns), append(allocs, n)
	}
	if len(took) == 0 {
		return fmt.Errorf("no figure in %s", out)
	}
	b.add(row{"templ render of 50 rows", fmt.Sprintf("%.0f µs, %.0f allocations", median(took)/1000, median(allocs)), "", "≤ 100 µs, ≤ 300", goal(max(median(took)/1000, median(allocs)/3), 100)})
	return nil
}
