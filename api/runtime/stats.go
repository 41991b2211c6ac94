package runtime

import (
	"encoding/json"
	"time"

	"lobstead/models"
)

// Costs answers GET /api/stats/costs.
type Costs struct {
	Costs []Cost `json:"costs"`
}

// Cost is one settled call.
type Cost struct {
	ID        string  `json:"id"`
	Model     string  `json:"model"`
	Provider  string  `json:"provider"`
	TokensIn  int     `json:"tokens_in"`
	TokensOut int     `json:"tokens_out"`
	Cost      float64 `json:"cost"` // dollars
	Tier      *string `json:"tier"` // null: nobody knows what the model costs
	Cached    bool    `json:"cached"`
	CreatedAt string  `json:"created_at"`
}

// NewCost presents a settled call; tier is "" when it is not known.
func NewCost(e *models.LedgerEntry, tier string) Cost {
	c := Cost{ID: e.ID, Model: e.Model, Provider: e.Provider, TokensIn: e.InputTokens, TokensOut: e.OutputTokens, Cost: models.Dollars(e.CostNanos), Cached: e.Cached(), CreatedAt: Time(e.CreatedAt)}
	if tier != "" {
		c.Tier = &tier
	}
	return c
}

// Cache answers GET /api/stats/cache.
type Cache struct {
	Hits    int64   `json:"hits"`
	Misses  int64   `json:"misses"`
	Entries int64   `json:"entries"`
	HitRate float64 `json:"hit_rate"` // 0–100
}

// Transactions answers GET /api/stats/transactions.
type Transactions struct {
	Transactions []Transaction `json:"transactions"`
}

// Transaction is money that was spent; here that is always a call of a model, paid to who served it.
type Transaction struct {
	ID           string  `json:"id"`
	Type         string  `json:"tx_type"`
	Amount       float64 `json:"amount"`
	Currency     string  `json:"currency"`
	Counterparty string  `json:"counterparty"`
	Hash         *string `json:"tx_hash"` // of a chain: none here
	Metadata     string  `json:"metadata_json"`
	CreatedAt    string  `json:"created_at"`
}

// NewTransaction presents a settled call as one.
func NewTransaction(e *models.LedgerEntry) Transaction {
	meta, _ := json.Marshal(map[string]any{"model": e.Model, "purpose": e.Purpose, "turn_id": e.TurnID, "session_id": e.SessionID, "tokens_in": e.InputTokens, "tokens_out": e.OutputTokens})
	return Transaction{ID: e.ID, Type: "inference", Amount: models.Dollars(e.CostNanos), Currency: "USD", Counterparty: e.Provider, Metadata: string(meta), CreatedAt: Time(e.CreatedAt)}
}

// Timeseries answers GET /api/stats/timeseries; all lists have Hours entries, the oldest first.
type Timeseries struct {
	Hours  int      `json:"hours"`
	Labels []string `json:"labels"` // HH:00, UTC
	Series Series   `json:"series"`
}

// Series are the figures of each hour.
type Series struct {
	Cost     []float64 `json:"cost_per_hour"` // dollars
	Tokens   []int64   `json:"tokens_per_hour"`
	Sessions []int     `json:"sessions_per_hour"` // that began
	Latency  []int64   `json:"latency_p50_ms"`    // 0 when no call was answered
	Cron     []float64 `json:"cron_success_rate"` // 1 when nothing ran
}

// NewTimeseries presents the sums of some hours and when sessions began in them.
func NewTimeseries(span *models.UsageSpan, cells []models.UsageCell, sessions []time.Time) Timeseries {
	n := len(span.Starts)
	t := Timeseries{Hours: n, Labels: make([]string, n), Series: Series{Cost: make([]float64, n), Tokens: make([]int64, n), Sessions: make([]int, n), Latency: make([]int64, n), Cron: make([]float64, n)}}
	for i, begins := range span.Starts {
		t.Labels[i], t.Series.Cron[i] = begins.UTC().Format("15:00"), 1
	}
	for i := range cells {
		c := &cells[i]
		t.Series.Cost[c.Step], t.Series.Tokens[c.Step] = models.Dollars(c.CostNanos), c.Tokens()
		if d, ok := c.Took.Percentile(.5); ok {
			t.Series.Latency[c.Step] = d.Milliseconds()
		}
	}
	for _, at := range sessions {
		if i := int(at.Sub(span.From) / time.Hour); i >= 0 && i < n {
			t.Series.Sessions[i]++
		}
	}
	return t
}
