package chaostest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm/llmtest"
	"lobstead/kit/testservices"
)

// Fifty callers spend under six budgets while the server is killed anywhere: at every moment at which nothing runs the
// books are whole, and when all has come to rest nothing is held, lost or charged twice.
func TestLedgerSurvivesKills(t *testing.T) {
	t.Run("one process", func(t *testing.T) { ledgerSurvives(t, func(h *house) []*process { return []*process{h.web("serve")} }) })
	t.Run("web and workers", func(t *testing.T) {
		env := []string{"DATABASE_URL=" + testservices.Postgres(t), "REDIS_URL=" + testservices.Redis(t)}
		ledgerSurvives(t, func(h *house) []*process { return []*process{h.web("web"), h.launch("worker")} }, env...)
	})
}

const (
	callers   = 50
	lastRound = 30 * time.Second // for everything to come to rest
)

func ledgerSurvives(t *testing.T, launch func(*house) []*process, env ...string) {
	roll := dice(t)
	model := llmtest.Serve(t).List("mock-1")
	h := newHouse(t, "", append(env, "OPENAI_API_KEY=none", "OPENAI_BASE_URL="+model.URL+"/v1")...)
	b := h.book()
	b.exec(`INSERT INTO catalogue_edits (id, provider, model, tier, input, output, context, created_at) VALUES ('chaos', 'openai-compatible', 'mock-1', 'standard', 1000000, 2000000, 100000, '2026-01-01T00:00:00Z')`)
	fleet := launch(h)
	agent := h.create("one")
	b.exec(`UPDATE instances SET model = 'mock-1'`)           // its service has no default
	b.exec(`UPDATE organizations SET usage_zone = time_zone`) // sums by day are kept from the first call on, not from the next sweep
	s := h.spenders(agent, model, roll)
	limits := h.setLimits(agent, b)
	for n := range rounds(3) {
		h.raise(limits, b, func(room int64) int64 { return room/4 + roll.Int64N(room) })
		s.begin(roll)
		time.Sleep(200*time.Millisecond + time.Duration(roll.Int64N(int64(1500*time.Millisecond))))
		s.underWay(15 * time.Second)
		dies := fleet
		if len(fleet) > 1 && n%3 == 1 { // the worker alone: the web side goes on
			dies = fleet[1:]
		}
		for _, p := range dies {
			p.kill()
		}
		if len(dies) < len(fleet) {
			time.Sleep(200 * time.Millisecond)
			fleet[0].kill()
		}
		s.end()
		h.books(b).sound(t)
		if roll.IntN(2) == 0 {
			b.minutePasses()
		}
		fleet = launch(h)
	}
	for _, p := range fleet {
		p.kill()
	}
	b.minutePasses()
	launch(h)
	h.raise(limits, b, func(int64) int64 { return 1 << 39 })
	b.settled(lastRound)
	l := h.atRest(b)
	l.sound(t)
	l.atRest(t)
	s.accounted(b, l)
	t.Logf("%d calls of the gateway were answered, %d messages accepted, %d calls charged, %d of them lost in a kill", len(s.answered), len(s.accepted), len(l.settled), l.lost())
}

// limit is one budget of the test; room is how much more a round may spend.
type limit struct {
	id   string
	unit string
	room int64
}

// setLimits sets budgets of every kind of target and in every unit.
func (h *house) setLimits(agent string, b *book) []limit {
	h.t.Helper()
	var out []limit
	member, key := b.one(`SELECT user_id FROM memberships`), b.one(`SELECT id FROM api_keys`)
	for _, n := range []struct {
		of, unit, period string
		room             int64
	}{
		{"organization:", "money", "month", 800_000_000}, {"organization:", "tokens", "total", 500_000}, {"member:" + member, "messages", "day", 80},
		{"member:" + member, "money", "total", 1_000_000_000}, {"key:" + key, "tokens", "day", 600_000}, {"instance:" + agent, "tokens", "month", 200_000},
	} {
		code, made := h.json("POST", "/settings/budgets", map[string]string{"of": n.of, "unit": n.unit, "period": n.period, "amount": "0"})
		require.Equal(h.t, 201, code, "%v", made)
		id, _ := made["id"].(string)
		out = append(out, limit{id, n.unit, n.room})
	}
	return out
}

// raise lets each budget take some more than is spent of it; it never lowers one.
func (h *house) raise(limits []limit, b *book, room func(int64) int64) {
	h.t.Helper()
	for _, l := range limits {
		row := b.rows(`SELECT b.amount, coalesce(max(x.spent), 0) FROM budgets b LEFT JOIN budget_balances x ON x.budget_id = b.id WHERE b.id = '` + l.id + `' GROUP BY b.amount`)[0]
		amount := strconv.FormatInt(max(whole(h.t, row[0]), whole(h.t, row[1])+room(l.room)), 10)
		if l.unit == "money" {
			amount = fmt.Sprintf("%.6f", float64(whole(h.t, amount))/1e9)
		}
		code, out := h.json("POST", "/settings/budgets/"+l.id, map[string]string{"amount": amount})
		require.Equal(h.t, 200, code, "%v", out)
	}
}

// minutePasses ends the leases of calls whose process is gone, as a minute would.
func (b *book) minutePasses() { b.exec(`UPDATE reservations SET lease_until = '2026-01-01T00:00:00Z'`) }

func fork(roll *rand.Rand) *rand.Rand { return rand.New(rand.NewPCG(roll.Uint64(), roll.Uint64())) }
