package agent

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/models"
)

func TestTaint(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]models.Origin{
		`fetch_url {"url":"https://evil.example"}`: models.FromWeb, `bash {"command":"curl -s http://x"}`: models.FromWeb, `bash {"command":"ls"}`: models.FromModel,
		`read_file {"path":"uploads/a.pdf"}`: models.FromFile, `read_file {"path":"/workspace/uploads/a.pdf"}`: models.FromFile, `read_file {"path":"notes.md"}`: models.FromModel,
		`mail__read {}`: models.FromTool, `recall {"query":"x"}`: models.FromModel, `bash {"command":"cat uploads/x"}`: models.FromFile,
	} {
		tool, args := input[:indexSpace(input)], input[indexSpace(input)+1:]
		got, _ := taintOfCall(models.ToolCall{Tool: tool, Input: json.RawMessage(args)})
		require.Equal(t, want, got, input)
	}
	for want, m := range map[models.Origin]models.UserMessage{models.FromModel: {Text: "hello", Source: "page"}, models.FromChannel: {Source: "telegram"},
		models.FromFile: {Source: "page", Attachments: []models.AttachmentNote{{Name: "a.pdf"}}}} {
		got, _ := taintOfMessage(m)
		require.Equal(t, want, got)
	}
}

func indexSpace(s string) int {
	for i := range s {
		if s[i] == ' ' {
			return i
		}
	}
	return len(s)
}
