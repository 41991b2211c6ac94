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

//go:embed agents.mjs
var agents string

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

// A framework runs the loop of its own agent, with its own tool, over our doors.
func TestAgentFramework(t *testing.T) {
	w, model := world(t)
	steps := append(weather(), weather()...) // chat completions, responses
	model.set(steps...)
	out := testservices.NodeScript(t, "agent-framework", testservices.AgentFramework, agents, w.URL, w.Acme.Member.Key)
	assert.Contains(t, out, "the framework ran its agent")
	asked := model.now().Requests()
	require.Len(t, asked, len(steps))
	for n := 1; n < len(asked); n += 2 {
		results := []string{}
		for _, m := range asked[n].Messages {
			for _, p := range m.Parts {
				if p.Result != nil {
					results = append(results, p.Result.Content)
				}
			}
		}
		assert.Equal(t, []string{"rain"}, results)
	}
}
