package llm

import (
	"context"
	"strings"
)

// Embedder is a Provider that can place texts among others: those that mean about the same lie in about the same direction.
type Embedder interface {
	Embed(ctx context.Context, model, text string) (Embedding, error) // errors are *Error
}

// Embedding is where a text lies. Usage is Estimated when the service counted nothing.
type Embedding struct {
	Vector []float32
	Usage  Usage
}

// EmbeddingModel gives the usual model of a kind of provider, "" when somebody must name one.
func EmbeddingModel(kind string) string {
	return map[string]string{"openai": "text-embedding-3-small", "openrouter": "openai/text-embedding-3-small", "ollama": "nomic-embed-text"}[kind]
}

// embedders are not in the catalogue, whose models all chat: OpenAI's price list, in micro-dollars for one million tokens.
var embedders = map[string]int64{"text-embedding-3-small": 20_000, "text-embedding-3-large": 130_000, "text-embedding-ada-002": 100_000}

// embedderWindow is how much text they take, in tokens.
const embedderWindow = 8191

// LookupEmbedder finds an embedding model with its price; of OpenRouter's "vendor/model" the model counts.
func LookupEmbedder(kind, model string) (Entry, bool) {
	price, ok := embedders[strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])]
	return Entry{Provider: kind, ID: model, Context: embedderWindow, Prices: []Price{{Input: price}}}, ok
}
