package openai

import (
	"encoding/json"
	"strings"

	"lobstead/api/wire"
	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

// pictures counts and gets the pictures of one request.
type pictures struct {
	fetch Fetch
	n     int
}

func (p *pictures) get(param, url string) (*llm.Image, error) {
	if p.n++; p.n > wire.MaxImages {
		return nil, wire.BadParam(param, "a request may hold %d pictures at most", wire.MaxImages)
	}
	if !strings.HasPrefix(url, "data:") {
		if p.fetch == nil {
			return nil, wire.BadParam(param, "a picture must be sent as a data URL")
		}
		return p.fetch(url)
	}
	kind, data, err := wire.Image(url)
	if err != nil {
		return nil, wire.BadParam(param, "%s", fault.As(err).Detail)
	}
	return &llm.Image{MediaType: kind, Data: data}, nil
}

// contentPart is one piece of a message in the words of both APIs.
type contentPart struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	Refusal string          `json:"refusal"`
	Image   json.RawMessage `json:"image_url"` // {url} in chat completions, a text in responses
}

// parts reads a message's content: a text, a list of parts, or null.
func (p *pictures) parts(param string, raw json.RawMessage) ([]llm.Part, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []llm.Part{{Text: text}}, nil
	}
	var list []contentPart
	if json.Unmarshal(raw, &list) != nil {
		return nil, wire.BadParam(param, "content must be a text or a list of parts")
	}
	var out []llm.Part
	for _, c := range list {
		switch c.Type {
		case "text", "input_text", "output_text", "refusal":
			out = append(out, llm.Part{Text: c.Text + c.Refusal})
		case "image_url", "input_image":
			img, err := p.get(param, imageAddress(c.Image))
			if err != nil {
				return nil, err
			}
			out = append(out, llm.Part{Image: img})
		default:
			return nil, wire.BadParam(param, "content of the type %.64q is not supported", c.Type)
		}
	}
	return out, nil
}

func imageAddress(raw json.RawMessage) string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return one
	}
	var in struct {
		URL string `json:"url"`
	}
	_ = json.Unmarshal(raw, &in)
	return in.URL
}

// textOf joins the texts of a message's content.
func (p *pictures) textOf(param string, raw json.RawMessage) (string, error) {
	list, err := p.parts(param, raw)
	if err != nil {
		return "", err
	}
	var text []string
	for _, x := range list {
		if x.Image != nil {
			return "", wire.BadParam(param, "a picture cannot stand here")
		}
		text = append(text, x.Text)
	}
	return strings.Join(text, "\n"), nil
}

// callOf makes a tool call of what a client sends back.
func callOf(param, id, name, arguments string) (*llm.ToolCall, error) {
	if name == "" || id == "" {
		return nil, wire.BadParam(param, "a tool call needs an id and a name")
	}
	input := json.RawMessage("{}")
	if json.Valid([]byte(arguments)) && wire.IsObject(json.RawMessage(arguments)) {
		input = json.RawMessage(arguments)
	}
	return &llm.ToolCall{ID: id, Name: name, Input: input}, nil
}

// join adds what one side says to what it said just before: the results of calls, and the items of one answer, come one
// by one.
func join(list []llm.Message, role llm.Role, parts ...llm.Part) []llm.Message {
	if last := len(list) - 1; last >= 0 && list[last].Role == role {
		list[last].Parts = append(list[last].Parts, parts...)
		return list
	}
	return append(list, llm.Message{Role: role, Parts: parts})
}
