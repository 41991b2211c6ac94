package clienttest_test

import (
	_ "embed"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/engine/llm/llmtest"
	"lobstead/kit/testservices"
)

//go:embed clients.mjs
var clients string

func TestNodeClients(t *testing.T) {
	w, model := world(t)
	steps := []llmtest.Step{}
	for range 4 { // two mounts of chat completions, responses, messages
		steps = append(steps, weather()...)
	}
	model.set(steps...)
	out := testservices.NodeScript(t, "model-clients", testservices.ModelClients, clients, w.URL, w.Acme.Member.Key)
	assert.Contains(t, out, "every client was answered")
	asked := model.now().Requests()
	require.Len(t, asked, len(steps))
	for n := 1; n < len(asked); n += 2 {
		heard(t, asked[n])
	}
}
