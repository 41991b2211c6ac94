package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"
)

// way is one path from the client to the model service: straight, or through a gateway.
type way struct {
	name, addr, headers string
	took, added         sample // of one call; added, by round, to the straight way
	first               sample // of one stream to its first piece
	firstAdded          []float64
	rates               []float64
	whole               bool // its streams are not measured
}

const (
	calls      = 200 // one after the other, in a round
	inFlight   = 16
	firsts     = 40
	loadTime   = time.Second
	slowPrompt = "take your time"
	manyLive   = 1000
)

func chatBody(rest, words string) []byte {
	return []byte(`{"model":"` + mockModel + `"` + rest + `,"messages":[{"role":"system","content":"You are brief."},{"role":"user","content":"What is the tallest tree of this city? ` + words + `"}]}`)
}

// gateway is what our door adds to a call that nginx only passes on and Portkey's gateway routes: a key is checked, a
// model is chosen, a budget in money is held and settled, the call is written down, headers tell what it cost.
func (b *bench) gateway() error {
	up, err := openUpstream()
	if err != nil {
		return err
	}
	defer up.down()
	s, err := b.openGateway(up.addr)
	if err != nil {
		return err
	}
	defer s.down()
	const plain = "Content-Type: application/json\r\n"
	direct := &way{name: "direct", addr: up.addr, headers: plain}
	ours := &way{name: "ours", addr: s.addr, headers: plain + s.headers()}
	all := []*way{direct, ours}
	nginx, portkey := &way{name: "nginx", headers: plain}, &way{name: "Portkey", headers: plain +
		"Authorization: Bearer none\r\nx-portkey-provider: openai\r\nx-portkey-custom-host: http://" + up.addr + "/v1\r\n", whole: true}
	for w, open := range map[*way]func() (string, func(), error){
		nginx:   func() (string, func(), error) { return b.openNginx(up.addr) },
		portkey: b.openPortkey,
	} {
		addr, down, err := open()
		if err != nil {
			b.notes = append(b.notes, w.name+" could not be had here ("+err.Error()+"): its columns are empty.")
			continue
		}
		defer down()
		w.addr = addr
		all = append(all, w)
	}
	if err := leaveCore(runtime.NumCPU()); err != nil {
		return err
	}
	defer func() { _ = takeCores(runtime.NumCPU()) }()
	for n := range b.rounds {
		if err := gatewayRound(n, all, direct); err != nil {
			return err
		}
	}
	b.gatewayRows(direct, ours, nginx, portkey)
	return b.gatewayLoad(s, ours)
}

// gatewayRound measures every way once; the first round is dropped.
func gatewayRound(n int, all []*way, direct *way) error {
	var base, baseFirst sample
	for _, w := range all {
		took, err := w.ask(calls)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		first, err := w.firsts(firsts)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		r, err := w.rate()
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		if w == direct {
			base, baseFirst = took, first
		}
		if n > 0 {
			w.took, w.first, w.rates = append(w.took, took...), append(w.first, first...), append(w.rates, r)
			w.added = append(w.added, time.Duration((took.at(50)-base.at(50))*1e6))
			w.firstAdded = append(w.firstAdded, first.at(50)-baseFirst.at(50))
		}
	}
	return nil
}

func (b *bench) gatewayRows(direct, ours, nginx, portkey *way) {
	peers := func(of func(w *way) string) string {
		out := ""
		for _, w := range []*way{nginx, portkey} {
			if w.addr != "" {
				out += w.name + " " + of(w) + ", "
			}
		}
		return out + "direct " + of(direct)
	}
	added := func(w *way) string { return ms(w.added.at(50)) }
	b.add(row{"Gateway: added to one call, p50", added(ours), peers(func(w *way) string {
		if w == direct {
			return ms(w.took.at(50)) + " in all"
		}
		return added(w)
	}), "≤ 2 × nginx", verdict(nginx, ours.added.at(50) <= 2*nginx.added.at(50))})
	b.add(row{"Gateway: one call, p99", ms(ours.took.at(99)), peers(func(w *way) string { return ms(w.took.at(99)) }), "≤ direct + 0.40 ms", goal(ours.took.at(99), direct.took.at(99)+0.4)})
	perSecond := func(w *way) string { return strconv.FormatFloat(median(w.rates), 'f', 0, 64) + "/s" }
	met := median(ours.rates) >= 0.55*median(nginx.rates) && (portkey.addr == "" || median(ours.rates) >= 11*median(portkey.rates))
	b.add(row{"Gateway: 16 in flight, one core", perSecond(ours), peers(perSecond), "≥ 0.55 × nginx, ≥ 11 × Portkey", verdict(nginx, met)})
	first := func(w *way) string {
		if w.whole {
			return "not measured"
		}
		return ms(median(w.firstAdded))
	}
	b.add(row{"Gateway: added to the first streamed piece, p50", first(ours), peers(func(w *way) string {
		if w == direct {
			return ms(w.first.at(50)) + " in all"
		}
		return first(w)
	}), "≤ 5 × nginx", verdict(nginx, median(ours.firstAdded) <= 5*median(nginx.firstAdded))})
}

// verdict says nothing where the peer is missing.
func verdict(peer *way, met bool) string {
	switch {
	case peer.addr == "":
		return ""
	case met:
		return "met"
	}
	return "**missed**"
}

// gatewayLoad opens a thousand streams at once, then loads the server for half a minute.
func (b *bench) gatewayLoad(s *server, ours *way) error {
	lost, longest, err := ours.many(manyLive)
	if err != nil {
		return err
	}
	b.add(row{"Gateway: 1,000 streams at once", fmt.Sprintf("%d pieces lost, longest silence %s of a service that speaks every 250 ms", lost, ms(longest)), "", "0 lost, no stall (1 s)",
		verdict(ours, lost == 0 && longest < 1000)})
	if _, err := ours.hammer(64, 30*time.Second); err != nil {
		return err
	}
	loaded, own := resident(s.cmd.Process.Pid)
	time.Sleep(time.Minute)
	after, _ := resident(s.cmd.Process.Pid)
	b.add(row{"Gateway: memory after 30 s at 64 in flight", mb(loaded) + " (" + mb(own) + " of it not the program's file), a minute later " + mb(after), "", "≤ 80 MB", goal(loaded, 80<<20)})
	return nil
}

// openGateway is a server whose only model is the mock, with a price, under a budget in money.
func (b *bench) openGateway(up string) (*server, error) {
	s, err := b.found("gateway")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", filepath.Join(s.dir, "lobstead.db"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	if _, err = db.Exec(`INSERT INTO catalogue_edits (id, provider, model, tier, input, output, context, created_at) VALUES ('bench', 'openai-compatible', ?, 'standard', 1000000, 2000000, 100000, ?)`,
		mockModel, time.Now().UTC()); err != nil {
		return nil, err
	}
	s.more = []string{"OPENAI_API_KEY=none", "OPENAI_BASE_URL=http://" + up + "/v1"}
	s.core = true
	if err := s.up(b); err != nil {
		return nil, err
	}
	c, err := dial(s.addr)
	if err != nil {
		return s, err
	}
	defer c.close()
	_, err = s.json(c, "POST", "/settings/budgets", map[string]string{"of": "organization", "unit": "money", "period": "month", "amount": "1000000"})
	return s, err
}

const chatAt = "/v1/chat/completions"

// ask makes calls one after the other.
func (w *way) ask(n int) (sample, error) {
	c, err := dial(w.addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	body, out := chatBody("", ""), make(sample, 0, n)
	for range n {
		began := time.Now()
		code, answer, err := c.do("POST", chatAt, w.headers, body)
		if err != nil {
			return nil, err
		}
		if code != 200 {
			return nil, fmt.Errorf("%d %.300s", code, answer)
		}
		out = append(out, time.Since(began))
	}
	return out, nil
}

func (w *way) rate() (float64, error) { return w.hammer(inFlight, loadTime) }

// hammer gives calls a second of several connections.
func (w *way) hammer(conns int, d time.Duration) (float64, error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	total, began := 0, time.Now()
	for range conns {
		all.Go(func() {
			n, err := w.until(began.Add(d))
			mu.Lock()
			defer mu.Unlock()
			total, failed = total+n, errors.Join(failed, err)
		})
	}
	all.Wait()
	return float64(total) / time.Since(began).Seconds(), failed
}

func (w *way) until(end time.Time) (n int, err error) {
	c, err := dial(w.addr)
	if err != nil {
		return 0, err
	}
	defer c.close()
	body := chatBody("", "")
	for ; time.Now().Before(end); n++ {
		if code, answer, err := c.do("POST", chatAt, w.headers, body); err != nil || code != 200 {
			return n, errors.Join(err, fmt.Errorf("%d %.300s", code, answer))
		}
	}
	return n, nil
}

// firsts times streams to their first words.
func (w *way) firsts(n int) (sample, error) {
	if w.whole {
		return nil, nil
	}
	out := make(sample, 0, n)
	for range n {
		c, err := dial(w.addr)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		pieces, err := w.stream(c, "", func(n int) {
			if n == 1 {
				out = append(out, time.Since(began))
			}
		})
		c.close()
		if err != nil || pieces != mockPieces {
			return nil, errors.Join(err, fmt.Errorf("%d of %d pieces came", pieces, mockPieces))
		}
	}
	return out, nil
}

var wordy = []byte(`"content":"piece`)

// stream reads one answer and says when each of its pieces has come.
func (w *way) stream(c *conn, prompt string, came func(n int)) (pieces int, err error) {
	if err := c.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		return 0, err
	}
	if err := c.send("POST", chatAt, w.headers, chatBody(`,"stream":true`, prompt)); err != nil {
		return 0, err
	}
	code, _, err := c.head()
	if err != nil {
		return 0, err
	}
	for code == 200 {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return pieces, err
		}
		if bytes.Contains(line, wordy) {
			pieces++
			came(pieces)
		}
		if bytes.Contains(line, []byte("[DONE]")) {
			return pieces, nil
		}
	}
	return 0, fmt.Errorf("a stream answers %d", code)
}

// many opens streams at once; longest is the longest silence in any of them, in milliseconds.
func (w *way) many(n int) (lost int, longest float64, err error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var silences []float64
	for range n {
		all.Go(func() {
			most, pieces, e := w.watch()
			mu.Lock()
			defer mu.Unlock()
			lost, silences, err = lost+mockPieces-pieces, append(silences, most), errors.Join(err, e)
		})
	}
	all.Wait()
	return lost, slices.Max(silences), err
}

// watch reads one slow stream; its first piece may take what a thousand openings take.
func (w *way) watch() (most float64, pieces int, err error) {
	c, err := dial(w.addr)
	if err != nil {
		return 0, 0, err
	}
	defer c.close()
	var last time.Time
	pieces, err = w.stream(c, slowPrompt, func(n int) {
		if now := time.Now(); n > 1 {
			most = max(most, float64(now.Sub(last).Microseconds())/1000)
			last = now
		} else {
			last = now
		}
	})
	return most, pieces, err
}
