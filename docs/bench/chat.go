package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// states are those of all instances.
func (s *server) states(c *conn) (map[string]string, error) {
	_, raw, err := c.do("GET", "/api/instances", s.headers(), nil)
	if err != nil {
		return nil, err
	}
	var list []struct{ ID, Status string }
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, i := range list {
		out[i.ID] = i.Status
	}
	return out, nil
}

// chat is a message from its sending to the first bytes of the answer on the page's stream, and a tool call from
// its entry in the log to its result's.
func (b *bench) chat() error {
	s, err := b.open("chat")
	if err != nil {
		return err
	}
	defer s.down()
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.close()
	warm, err := s.create(c, "warm")
	if err != nil {
		return err
	}
	if err := s.becomes(c, warm, "RUNNING"); err != nil {
		return err
	}
	session, err := s.session(c, warm)
	if err != nil {
		return err
	}
	var hot, cold, whole sample
	for n := range 5*b.rounds + 1 {
		took, err := s.firstByte(session)
		if err != nil {
			return err
		}
		began := time.Now()
		if _, err := s.json(c, "POST", "/api/agent/chat?instance="+warm, map[string]string{"message": "run `echo round`"}); err != nil {
			return err
		}
		if n > 0 {
			hot, whole = append(hot, took), append(whole, time.Since(began))
		}
	}
	for n := range b.rounds + 1 { // the sandbox is not there yet when the message comes
		id, err := s.create(c, fmt.Sprintf("cold%d", n))
		if err != nil {
			return err
		}
		fresh, err := s.session(c, id)
		if err != nil {
			return err
		}
		took, err := s.firstByte(fresh)
		if err != nil {
			return err
		}
		if n > 0 {
			cold = append(cold, took)
		}
		if err := s.remove(c, id); err != nil {
			return err
		}
	}
	trips, err := s.toolTrips()
	if err != nil {
		return err
	}
	b.add(row{"Message → first bytes of the answer on the page, sandbox warm", "p50 " + ms(hot.at(50)) + ", p95 " + ms(hot.at(95)), "", "≤ 20 ms p50", goal(hot.at(50), 20)})
	b.add(row{"Message → first bytes of the answer, sandbox cold", "p50 " + ms(cold.at(50)) + ", p95 " + ms(cold.at(95)), "", "", ""})
	b.add(row{"Tool call → its result in the log (`echo`, both committed)", "p50 " + ms(trips.at(50)) + ", p95 " + ms(trips.at(95)), "", "≤ 5 ms", goal(trips.at(50), 5)})
	b.add(row{"`POST /api/agent/chat` with a tool call → whole answer", "p50 " + ms(whole.at(50)) + ", p95 " + ms(whole.at(95)), "", "", ""})
	return nil
}

func (s *server) session(c *conn, instance string) (string, error) {
	out, err := s.json(c, "POST", "/api/agent/sessions?instance="+instance, map[string]string{"title": "bench"})
	in, _ := out["session"].(map[string]any)
	id, _ := in["id"].(string)
	return id, err
}

// firstByte opens the page's stream at its newest entry, sends a message beside it, and waits for words.
func (s *server) firstByte(session string) (time.Duration, error) {
	last, err := s.last(session)
	if err != nil {
		return 0, err
	}
	stream, err := dial(s.addr)
	if err != nil {
		return 0, err
	}
	defer stream.close()
	if err := stream.send("GET", fmt.Sprintf("/live/chat/%s?after=%d", session, last), s.headers(), nil); err != nil {
		return 0, err
	}
	if _, _, err := stream.head(); err != nil {
		return 0, err
	}
	time.Sleep(120 * time.Millisecond) // the first state of the page comes
	c, err := dial(s.addr)
	if err != nil {
		return 0, err
	}
	defer c.close()
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := s.json(c, "POST", "/chat/"+session+"/messages", map[string]string{"message": "hello"})
		done <- err
	}()
	_ = stream.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		line, err := stream.in.ReadString('\n')
		if err != nil {
			return 0, err
		}
		// A live block, or the entry itself when it was quicker than the stream; the person's own words do not count.
		if strings.Contains(line, `class="live-piece`) || strings.Contains(line, `class="it prose"`) {
			break
		}
	}
	took := time.Since(began)
	if err := <-done; err != nil {
		return 0, err
	}
	return took, s.idle(session)
}

func (s *server) book() (*sql.DB, error) {
	return sql.Open("sqlite", s.file()+"&_pragma=query_only(1)")
}

// file is the server's SQLite database.
func (s *server) file() string {
	return "file:" + filepath.Join(s.dir, "lobstead.db") + "?_pragma=busy_timeout(5000)"
}

func (s *server) last(session string) (n int, err error) {
	db, err := s.book()
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	err = db.QueryRow(`SELECT last_seq FROM sessions WHERE id = ?`, session).Scan(&n)
	return n, err
}

// idle waits until no turn of a session is open.
func (s *server) idle(session string) error {
	db, err := s.book()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for {
		n := 0
		if err := db.QueryRow(`SELECT COUNT(*) FROM turns WHERE session_id = ? AND state NOT IN ('done', 'failed', 'interrupted')`, session).Scan(&n); err != nil || n == 0 {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// toolTrips are the times between the entries of calls and results.
func (s *server) toolTrips() (sample, error) {
	db, err := s.book()
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(`SELECT c.created_at, r.created_at FROM events c JOIN events r ON r.turn_id = c.turn_id AND r.seq = c.seq + 1
		WHERE c.kind = 'tool_call' AND r.kind = 'tool_result' ORDER BY c.created_at`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out sample
	for rows.Next() {
		var from, to time.Time
		if err := rows.Scan(&from, &to); err != nil {
			return nil, err
		}
		out = append(out, to.Sub(from))
	}
	return out[min(1, len(out)):], rows.Err()
}
