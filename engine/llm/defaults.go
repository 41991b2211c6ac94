package llm

// DefaultModel gives the model to begin with at a kind of provider, "" when the provider itself must be asked
// (ollama, openai-compatible). One middle model each: good with tools, not the dearest. Chosen on 2026-11-22
// from the catalogue of that day; a test checks that each is in the catalogue and takes tools.
func DefaultModel(kind string) string { return defaults[kind] }

var defaults = map[string]string{
	"openai":     "gpt-6-sol",
	"anthropic":  "claude-sonnet-5",
	"gemini":     "gemini-3.8-flash",
	"openrouter": "anthropic/claude-sonnet-5",
	"offline":    "offline-1",
}
