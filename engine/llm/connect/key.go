package connect

import (
	"strings"

	"lobstead/engine/llm"
	"lobstead/kit/secret"
)

// begins are how the keys of each service begin; the longer beginnings come first.
var begins = []struct {
	prefix string
	kind   Kind
}{{"sk-ant-", Anthropic}, {"sk-or-", OpenRouter}, {"AIza", Gemini}, {"sk-", OpenAI}}

// KindOf tells which service a key is of: by how it begins, else by the service of the model that it is for. False when
// neither says.
func KindOf(key secret.String, model string) (Kind, bool) {
	for _, b := range begins {
		if strings.HasPrefix(key.Reveal(), b.prefix) {
			return b.kind, true
		}
	}
	for _, k := range []Kind{Anthropic, Gemini, OpenAI} {
		if _, ok := llm.Lookup(string(k), model); ok && model != "" {
			return k, true
		}
	}
	return "", false
}
