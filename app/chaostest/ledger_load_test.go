package chaostest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm/llmtest"
)

// spenders are callers of the gateway and senders of messages, and what they were told.
type spenders struct {
	h     *house
	agent string
	stop  chan struct{}
	all   sync.WaitGroup

	mu       sync.Mutex
	bills    []int          // of the calls to come: no two are alike
	answered map[int]string // bills of calls that were answered, and how
	accepted []string       // sessions of messages that were accepted
	refused  map[string]int
}

// longest is the longest answer of a call of the gateway: its bill, which names it, is an output of so many tokens at most.
const longest = 8000

var billed = regexp.MustCompile(`bill me (\d+)\.`)

// spenders makes a model that charges each call of the gateway what it asks to be charged, and fails now and then.
func (h *house) spenders(agent string, model *llmtest.Faulty, roll *rand.Rand) *spenders {
	r := fork(roll) // the service decides of one call at a time
	model.Each(func(request []byte) llmtest.Fault {
		f := llmtest.Fine
		switch n := r.IntN(100); {
		case n < 4:
			f = llmtest.TooFast
		case n < 8:
			f = llmtest.Broken
		case n < 10:
			f = llmtest.CutAtOnce
		case n < 11:
			f = llmtest.CutInMiddle
		}
		f.Delay = time.Duration(r.IntN(150)) * time.Millisecond
		f.Usage = &[2]int{10, 1 + r.IntN(4000)}
		if m := billed.FindSubmatch(request); m != nil {
			f.Usage[1], _ = strconv.Atoi(string(m[1]))
		}
		return f
	})
	return &spenders{h: h, agent: agent, answered: map[int]string{}, refused: map[string]int{}, bills: r.Perm(longest)}
}

// begin starts everybody; half of them call the gateway, the others converse.
func (s *spenders) begin(roll *rand.Rand) {
	s.stop = make(chan struct{})
	for n := range callers {
		r, once := fork(roll), s.call
		if n%2 == 1 {
			once = s.say
		}
		s.all.Go(func() {
			for {
				select {
				case <-s.stop:
					return
				case <-time.After(time.Duration(r.IntN(100)) * time.Millisecond):
					once(r)
				}
			}
		})
	}
}

// underWay waits until something was answered and something accepted: a machine that is busy needs longer than a round for it.
func (s *spenders) underWay(most time.Duration) {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		some := len(s.answered) > 0 && len(s.accepted) > 0
		s.mu.Unlock()
		if some {
			return
		}
	}
}

func (s *spenders) end() {
	close(s.stop)
	s.all.Wait()
}

// call asks the gateway in one of its spellings, streamed or whole.
func (s *spenders) call(r *rand.Rand) {
	s.mu.Lock()
	if len(s.bills) == 0 {
		s.mu.Unlock()
		return
	}
	bill := s.bills[0]
	s.bills = s.bills[1:]
	s.mu.Unlock()
	path, streamed := []string{"/v1/chat/completions", "/api/gateway/v1/chat/completions", "/anthropic/v1/messages"}[r.IntN(3)], r.IntN(2) == 0
	code, body := s.h.ask("POST", path, map[string]any{"model": "mock-1", "max_tokens": longest, "stream": streamed,
		"messages": []map[string]string{{"role": "user", "content": fmt.Sprintf("This is a call of somebody who is counted: bill me %d. That is all.", bill)}}}, "application/json")
	end := `"usage"`
	switch {
	case streamed && strings.HasPrefix(path, "/anthropic"):
		end = "message_stop"
	case streamed:
		end = "[DONE]"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case code == 200 && strings.Contains(string(body), end) && !strings.Contains(string(body), `"error"`):
		s.answered[bill] = path
	case code != 0:
		s.refused[fmt.Sprint("a call: ", code)]++
	}
}

// say opens a conversation, or goes on with one.
func (s *spenders) say(r *rand.Rand) {
	s.mu.Lock()
	session := ""
	if len(s.accepted) > 0 && r.IntN(3) == 0 {
		session = s.accepted[r.IntN(len(s.accepted))]
	}
	s.mu.Unlock()
	path := "/chat"
	if session != "" {
		path += "/" + session + "/messages"
	}
	code, raw := s.h.ask("POST", path, map[string]string{"instance": s.agent, "message": "Say something."}, "application/json")
	var out struct {
		Session string `json:"session_id"`
		Turn    string `json:"turn_id"`
	}
	_ = json.Unmarshal(raw, &out)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case out.Session != "":
		s.accepted = append(s.accepted, out.Session)
	case code != 0 && out.Turn == "":
		s.refused[fmt.Sprint("a message: ", code)]++
	}
}

// accounted holds what callers were told against the books: each answer is charged once, exactly as billed, and each
// message that was accepted became a turn that ended.
func (s *spenders) accounted(b *book, l *ledger) {
	t := s.h.t
	require.NotEmpty(t, s.answered, "%v", s.refused)
	require.NotEmpty(t, s.accepted, "%v", s.refused)
	charged := map[int]int{}
	for _, e := range l.settled {
		if e.purpose == "gateway" && e.failure == "" {
			charged[int(e.output)]++
		}
	}
	for bill, how := range s.answered {
		require.Equal(t, 1, charged[bill], "the answer of %s for %d tokens is charged so often", how, bill)
	}
	for bill, n := range charged {
		require.Equal(t, 1, n, "the call for %d tokens is charged so often", bill)
	}
	turns := map[string]int{}
	for _, r := range b.rows(`SELECT session_id, state, reason FROM turns`) {
		turns[r[0]]++
		require.Contains(t, []string{"done", "failed"}, r[1], "%v", r)
	}
	for _, session := range s.accepted {
		require.NotZero(t, turns[session], "an accepted message is lost")
	}
	t.Logf("refused: %v", s.refused)
}
