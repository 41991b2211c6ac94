package gemini

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"lobstead/engine/llm"
	"lobstead/engine/llm/wire"
)

const adapter = "gemini" // marks our signatures

// skipSignature is Google's documented stand-in for a call that another model made: from Gemini 3 on, a call
// without a signature is refused.
const skipSignature = "skip_thought_signature_validator"

type body struct {
	System     *content    `json:"systemInstruction,omitempty"`
	Contents   []content   `json:"contents"`
	Tools      []toolSet   `json:"tools,omitempty"`
	Generation *generation `json:"generationConfig,omitempty"`
	Choice     *toolConfig `json:"toolConfig,omitempty"`
}

type toolConfig struct {
	Calling struct {
		Mode  string   `json:"mode"`
		Names []string `json:"allowedFunctionNames,omitempty"`
	} `json:"functionCallingConfig"`
}

type content struct {
	Role  string `json:"role,omitempty"`
	Parts []part `json:"parts"`
}

type part struct {
	Text      *string   `json:"text,omitempty"`
	Inline    *inline   `json:"inlineData,omitempty"`
	Call      *call     `json:"functionCall,omitempty"`
	Response  *response `json:"functionResponse,omitempty"`
	Signature string    `json:"thoughtSignature,omitempty"`
}

type inline struct {
	MimeType string `json:"mimeType"`
	Data     []byte `json:"data"` // base64 by encoding/json
}

type call struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

type response struct {
	ID       string            `json:"id,omitempty"`
	Name     string            `json:"name"`
	Response map[string]string `json:"response"`
}

type toolSet struct {
	Functions []declaration `json:"functionDeclarations"`
}

type declaration struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Parameters  any    `json:"parameters,omitempty"`
}

type generation struct {
	MaxTokens   int       `json:"maxOutputTokens,omitempty"`
	Temperature *float64  `json:"temperature,omitempty"`
	Thinking    *thinking `json:"thinkingConfig,omitempty"`
	TopP        *float64  `json:"topP,omitempty"`
	Stop        []string  `json:"stopSequences,omitempty"`
	MimeType    string    `json:"responseMimeType,omitempty"`
	Schema      any       `json:"responseSchema,omitempty"`
}

type thinking struct {
	Include bool   `json:"includeThoughts"`
	Level   string `json:"thinkingLevel,omitempty"`
	Budget  int    `json:"thinkingBudget,omitempty"`
}

func encode(r llm.Request) body {
	b := body{Contents: []content{}}
	if strings.TrimSpace(r.System) != "" {
		b.System = &content{Parts: []part{{Text: &r.System}}}
	}
	if r.MaxTokens > 0 || r.Temperature != nil || r.TopP != nil || len(r.Stop) > 0 || r.Effort != "" || r.Output != nil {
		b.Generation = &generation{MaxTokens: r.MaxTokens, Temperature: r.Temperature, Thinking: think(r), TopP: r.TopP,
			Stop: r.Stop[:min(len(r.Stop), 5)]} // five at most
		if r.Output != nil {
			b.Generation.MimeType, b.Generation.Schema = "application/json", parameters(r.Output.Schema)
		}
	}
	if len(r.Tools) > 0 {
		set := toolSet{}
		for _, t := range r.Tools {
			set.Functions = append(set.Functions, declaration{t.Name, t.Description, parameters(t.Schema)})
		}
		b.Tools = []toolSet{set}
		b.Choice = choiceOf(r.Choice)
	}
	for _, m := range llm.Normalize(r.Messages) {
		if m.Role == llm.Assistant {
			b.Contents = append(b.Contents, content{"model", model(m, major(r.Model) >= 3)})
		} else {
			b.Contents = append(b.Contents, content{"user", user(m)})
		}
	}
	return b
}

func choiceOf(c llm.Choice) *toolConfig {
	var t toolConfig
	switch c.Mode {
	case llm.ChooseNone:
		t.Calling.Mode = "NONE"
	case llm.ChooseAny:
		t.Calling.Mode = "ANY"
	case llm.ChooseOne:
		t.Calling.Mode, t.Calling.Names = "ANY", []string{c.Name}
	default:
		return nil
	}
	return &t
}

// model writes what the model said. Reasoning itself does not go back, its signature does, in a part of its own
// or on the call that it belongs to.
func model(m llm.Message, strict bool) []part {
	var out []part
	first := true
	for _, p := range m.Parts {
		switch {
		case p.Thinking != nil:
			if sig := wire.Unsigned(adapter, p.Thinking.Signature); sig != "" {
				out = append(out, part{Text: new(string), Signature: sig})
			}
		case p.Call != nil:
			sig := wire.Unsigned(adapter, p.Call.Signature)
			if sig == "" && strict && first { // only the first of parallel calls carries one
				sig = skipSignature
			}
			first = false
			out = append(out, part{Call: &call{Name: p.Call.Name, Args: p.Call.Input}, Signature: sig})
		case p.Text != "":
			out = append(out, part{Text: &p.Text})
		}
	}
	if len(out) == 0 {
		text := "(no text)"
		out = append(out, part{Text: &text})
	}
	return out
}

func user(m llm.Message) []part {
	var out []part
	for _, p := range m.Parts {
		switch {
		case p.Result != nil:
			key := "output"
			if p.Result.Error {
				key = "error"
			}
			out = append(out, part{Response: &response{Name: p.Result.Name, Response: map[string]string{key: p.Result.Content}}})
		case p.Image != nil:
			out = append(out, part{Inline: &inline{p.Image.MediaType, p.Image.Data}})
		case p.Text != "":
			out = append(out, part{Text: &p.Text})
		}
	}
	return out
}

// think maps the effort: levels from Gemini 3 on, a budget for 2.5, nothing before.
func think(r llm.Request) *thinking {
	if r.Effort == "" {
		return nil
	}
	switch v := major(r.Model); {
	case v >= 3:
		level := "low"
		if r.Effort == llm.EffortHigh || r.Effort == llm.EffortMedium && strings.Contains(r.Model, "pro") {
			level = "high" // the first Pro models know only low and high
		} else if r.Effort == llm.EffortMedium {
			level = "medium"
		}
		return &thinking{Include: true, Level: level}
	case strings.Contains(r.Model, "gemini-2.5"):
		return &thinking{Include: true, Budget: budgets[r.Effort]}
	}
	return nil
}

var budgets = map[llm.Effort]int{llm.EffortLow: 1024, llm.EffortMedium: 8192, llm.EffortHigh: 24576}

var version = regexp.MustCompile(`gemini-(\d+)`)

// major is the model's generation; names without a number ("gemini-flash-latest") are current.
func major(model string) int {
	m := version.FindStringSubmatch(model)
	if m == nil {
		if strings.Contains(model, "gemini") {
			return 3
		}
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}
