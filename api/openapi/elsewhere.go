package openapi

// Elsewhere names the families of JSON routes that this document leaves out, with the reason. A test of the app holds
// it against the routes.
var Elsewhere = map[string]string{
	"openai-api":    "OpenAI describes it, and its clients bring the description along",
	"anthropic-api": "Anthropic describes it, and its clients bring the description along",
	"gateway-api":   "it is OpenAI's chat completion again; what it adds stands in docs/compat.md",
	"fleet-api":     "it is the fleet's own, whose clients know it; what is different here stands in docs/compat.md",
	"runtime-api":   "it is the runtime's own, whose clients know it; what is different here stands in docs/compat.md",
}
