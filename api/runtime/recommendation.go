package runtime

// Profile is how agents were used in a period (runtime-api.md, section 11). Rates are 0–1.
type Profile struct {
	TotalSessions       int64                 `json:"total_sessions"`
	TotalTurns          int64                 `json:"total_turns"`
	TotalCost           float64               `json:"total_cost"`
	AvgQuality          *float64              `json:"avg_quality"` // 1–5; null: nothing was graded
	GradeCoverage       float64               `json:"grade_coverage"`
	ModelsUsed          []string              `json:"models_used"`
	ModelStats          map[string]ModelStats `json:"model_stats"`
	AvgSessionLength    float64               `json:"avg_session_length"`
	AvgTokensPerTurn    float64               `json:"avg_tokens_per_turn"`
	ToolSuccessRate     float64               `json:"tool_success_rate"`
	CacheHitRate        float64               `json:"cache_hit_rate"`
	MemoryRetrievalRate float64               `json:"memory_retrieval_rate"`
}

// ModelStats are one model's part.
type ModelStats struct {
	Turns            int64    `json:"turns"`
	AvgCost          float64  `json:"avg_cost"`
	AvgQuality       *float64 `json:"avg_quality"`
	CacheHitRate     float64  `json:"cache_hit_rate"`
	AvgOutputDensity float64  `json:"avg_output_density"`
}

// Recommendation is what to change.
type Recommendation struct {
	Category        string     `json:"category"`
	Priority        string     `json:"priority"` // Low, Medium, High
	Title           string     `json:"title"`
	Explanation     string     `json:"explanation"`
	Action          string     `json:"action"`
	Evidence        []Evidence `json:"evidence"`
	EstimatedImpact *Impact    `json:"estimated_impact"`
}

// Evidence is one figure behind it.
type Evidence struct {
	Metric  string `json:"metric"`
	Value   string `json:"value"`
	Context string `json:"context"`
}

// Impact is what following it may bring.
type Impact struct {
	MonthlySavings *float64 `json:"monthly_savings"`
	QualityChange  *string  `json:"quality_change"`
	Description    string   `json:"description"`
}

// Recommendations answers GET /api/recommendations.
type Recommendations struct {
	Period          string           `json:"period"`
	Profile         Profile          `json:"profile"`
	Recommendations []Recommendation `json:"recommendations"`
	Count           int              `json:"count"`
}

// DeepAnalysis answers POST /api/recommendations/generate.
type DeepAnalysis struct {
	Status          string           `json:"status"`
	Recommendations []Recommendation `json:"heuristic_recommendations"`
	DeepAnalysis    string           `json:"deep_analysis"`
	AnalysisModel   string           `json:"analysis_model"`
	TokensIn        int              `json:"tokens_in"`
	TokensOut       int              `json:"tokens_out"`
	Cost            float64          `json:"cost"`
	Profile         Profile          `json:"profile"`
}
