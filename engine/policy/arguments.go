package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
)

// arguments are a call's, read in the one way in which no tool can read them otherwise.
type arguments struct {
	values    map[string]any // by key as it was sent
	canonical string
}

// get finds an argument as encoding/json would: without regard to case.
func (a arguments) get(name string) string {
	for k, v := range a.values {
		if s, ok := v.(string); ok && strings.EqualFold(k, name) {
			return s
		}
	}
	return ""
}

const maxDepth = 100

// parse reads a JSON object. A key that comes twice is refused, and at the top also one that comes in two cases: tools
// would take one of them and policy the other.
func parse(raw []byte) (arguments, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return arguments{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return arguments{}, errors.New("there is more after the object")
	}
	top, ok := v.(map[string]any)
	if !ok {
		return arguments{}, errors.New("they are no object")
	}
	for k := range top {
		for other := range top {
			if k != other && strings.EqualFold(k, other) {
				return arguments{}, fmt.Errorf("%q comes twice", strings.ToLower(k))
			}
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(top); err != nil { // keys come out sorted
		return arguments{}, err
	}
	return arguments{top, strings.TrimSuffix(b.String(), "\n")}, nil
}

func value(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.New("they are nested too deeply")
	}
	t, err := d.Token()
	if err != nil {
		return nil, errors.New("they are not JSON")
	}
	switch t {
	case json.Delim('{'):
		out := map[string]any{}
		for d.More() {
			k, err := d.Token()
			key, ok := k.(string)
			if err != nil || !ok {
				return nil, errors.New("they are not JSON")
			}
			if _, twice := out[key]; twice {
				return nil, fmt.Errorf("%q comes twice", key)
			}
			if out[key], err = value(d, depth+1); err != nil {
				return nil, err
			}
		}
		return out, closing(d)
	case json.Delim('['):
		out := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, closing(d)
	}
	return t, nil
}

func closing(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errors.New("they are not JSON")
	}
	return nil
}

// Subject is the text that a rule's pattern is held against; "" when the arguments cannot be read.
func Subject(c Call) string {
	args, err := parse(c.Input)
	if err != nil {
		return ""
	}
	return subject(c.Tool, args)
}

func subject(tool string, args arguments) string {
	switch tool {
	case "bash":
		return args.get("command")
	case "read_file", "write_file", "edit_file", "list_files", "search_files":
		return inWorkspace(args.get("path"))
	case "fetch_url":
		u, err := url.Parse(strings.TrimSpace(args.get("url")))
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	}
	return args.canonical
}

// inWorkspace spells a path as the sandbox resolves it: nothing leaves the workspace.
func inWorkspace(p string) string {
	if strings.HasPrefix(p, "/") {
		p = strings.TrimPrefix(path.Clean(p)+"/", "/workspace/")
	}
	p = path.Clean("/" + p)
	if p == "/" {
		return "."
	}
	return p[1:]
}

// Fingerprint names exactly one call in one instance: any other argument, tool or instance has another one. The order of
// keys and the spaces between them say nothing, every character within a value does.
func Fingerprint(c Call) (string, error) {
	args, err := parse(c.Input)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal([]string{"call/1", c.InstanceID, c.Tool, args.canonical})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
