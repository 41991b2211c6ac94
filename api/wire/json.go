package wire

import (
	"bytes"
	"encoding/json"
)

// JSON writes a value of our own types, which cannot fail, as model services do: without escapes for HTML.
func JSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // a type that cannot be written is a defect
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
