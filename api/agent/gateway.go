package agent

import "lobstead/api/wire"

// Extra is what the last chunk of the gateway's streams says beside the usage (agent-api.md, 2.1). Priced is true
// exactly when CostUSD is a number; the three baseline fields are all set or all null.
type Extra struct {
	RequestID       string   `json:"request_id"`
	ServedModel     string   `json:"served_model"`
	RequestedModel  string   `json:"requested_model"`
	Routed          bool     `json:"routed"`
	CostUSD         *float64 `json:"cost_usd"`
	SavingsUSD      *float64 `json:"savings_usd"`
	Priced          bool     `json:"priced"`
	BaselineModel   *string  `json:"baseline_model"`
	BaselineReason  *string  `json:"baseline_reason"`
	BaselineCostUSD *float64 `json:"baseline_cost_usd"`
	Cached          bool     `json:"cached,omitempty"` // ours: the instance's cache gave the answer
}

// GatewayModel is one model of the gateway's list.
type GatewayModel struct {
	ID            string        `json:"id"`
	Object        string        `json:"object"` // model
	Created       int64         `json:"created"`
	OwnedBy       string        `json:"owned_by"`
	Label         string        `json:"label"`
	Tier          string        `json:"tier"`
	ContextWindow int           `json:"context_window"` // tokens; 0 = unknown
	PricePerMTok  *PricePerMTok `json:"price_per_mtok"` // null: unknown
	Managed       bool          `json:"managed"`        // the host has a key for it
}

// PricePerMTok is in dollars for one million tokens.
type PricePerMTok struct {
	Input  float64 `json:"input"`
	Output float64 `json:"output"`
}

// GatewayModels is the gateway's list.
type GatewayModels struct {
	Object string         `json:"object"` // list
	Data   []GatewayModel `json:"data"`
}

// PreviewRequest asks which model would answer.
type PreviewRequest struct {
	Prompt         string
	Model          string
	PlanTier       string // "" = nobody said
	Conversation   int
	ExpectedOutput int
}

// ReadPreview reads a question about routing.
func ReadPreview(f *wire.Fields) (PreviewRequest, error) {
	r := PreviewRequest{Model: "auto"}
	prompt, ok := f.String("prompt")
	if n := len([]rune(prompt)); ok && (n < 1 || n > 8000) {
		f.Issues.Custom("prompt", "The prompt must have 1 to 8000 characters")
	}
	r.Prompt = prompt
	if s, ok := f.OptionalString("requested_model"); ok && s != nil && *s != "" {
		r.Model = *s
	}
	if s, ok := f.OptionalString("plan_tier"); ok && s != nil {
		r.PlanTier = "pro"
		switch *s {
		case "starter", "performance", "enterprise":
			r.PlanTier = *s
		}
	}
	if n := f.OptionalInt("conversation_length", 0, 1_000_000); n != nil {
		r.Conversation = *n
	}
	r.ExpectedOutput = max(1, estimate(prompt)/2)
	if n := f.OptionalInt("expected_output_tokens", 1, 200_000); n != nil {
		r.ExpectedOutput = *n
	}
	return r, f.Err()
}

// estimate is the contract's: four characters a token.
func estimate(text string) int { return (len([]rune(text)) + 3) / 4 }

// InputTokens estimates the prompt.
func (r PreviewRequest) InputTokens() int { return max(1, estimate(r.Prompt)) }

// Preview says which model would answer, and what it would cost. Nothing is called.
type Preview struct {
	Object         string           `json:"object"` // routing_preview
	RequestedModel string           `json:"requested_model"`
	PlanTier       string           `json:"plan_tier"`
	Complexity     int              `json:"complexity"`
	Tier           string           `json:"tier"`
	Routed         bool             `json:"routed"`
	Reason         string           `json:"reason"`
	Model          PreviewModel     `json:"model"`
	TokenEstimate  TokenEstimate    `json:"token_estimate"`
	CostUSD        *float64         `json:"cost_usd"`
	Baseline       *PreviewBaseline `json:"baseline"`
	Note           string           `json:"note"`
}

// PreviewModel is the model that would answer.
type PreviewModel struct {
	Key                  string        `json:"key"`
	Label                string        `json:"label"`
	Provider             *string       `json:"provider"`
	ContextWindow        *int          `json:"context_window"`
	PricePerMTok         *PricePerMTok `json:"price_per_mtok"`
	ManagedKeyConfigured bool          `json:"managed_key_configured"`
}

// TokenEstimate counts tokens that nobody counted.
type TokenEstimate struct {
	Input     int    `json:"input"`
	Output    int    `json:"output"`
	Method    string `json:"method"`
	Estimated bool   `json:"estimated"`
}

// PreviewBaseline is what the same would cost without a router.
type PreviewBaseline struct {
	Model     string  `json:"model"`
	Label     string  `json:"label"`
	CostUSD   float64 `json:"cost_usd"`
	SavingUSD float64 `json:"saving_usd"`
}

// USD gives nano-dollars as dollars; nil stays nil.
func USD(nanos *int64) *float64 {
	if nanos == nil {
		return nil
	}
	v := float64(*nanos) / 1e9
	return &v
}

// Usage is what was called through the gateway in a span of time.
type Usage struct {
	Enabled          bool         `json:"enabled"`
	OrgID            string       `json:"org_id"`
	AuthenticatedVia string       `json:"authenticated_via"` // session, api_key
	Range            string       `json:"range"`             // 7d, 14d, 30d, 90d
	GroupBy          string       `json:"group_by"`          // day, model, key, agent
	Summary          UsageSummary `json:"summary"`
	Groups           []UsageGroup `json:"groups"`
	Truncated        bool         `json:"truncated"`
}

// UsageSummary sums all calls. Latencies are of those that were answered; null when none was.
type UsageSummary struct {
	Requests         int            `json:"requests"`
	Errors           int            `json:"errors"`
	ErrorRate        float64        `json:"error_rate"` // 0 to 1
	ErrorsByClass    map[string]int `json:"errors_by_class"`
	PromptTokens     int            `json:"prompt_tokens"`
	CompletionTokens int            `json:"completion_tokens"`
	TotalTokens      int            `json:"total_tokens"`
	CostUSD          float64        `json:"cost_usd"`
	UnpricedRequests int            `json:"unpriced_requests"`
	P50              *int64         `json:"p50_latency_ms"`
	P95              *int64         `json:"p95_latency_ms"`
	P99              *int64         `json:"p99_latency_ms"`
	Streamed         int            `json:"streamed"`
}

// UsageGroup is one day, model, key or agent.
type UsageGroup struct {
	Key              string  `json:"key"`
	Requests         int     `json:"requests"`
	Errors           int     `json:"errors"`
	TotalTokens      int     `json:"total_tokens"`
	CostUSD          float64 `json:"cost_usd"`
	UnpricedRequests int     `json:"unpriced_requests"`
	P50              *int64  `json:"p50_latency_ms"`
	P95              *int64  `json:"p95_latency_ms"`
}
