package door

import (
	"strings"
	"testing"

	"lobstead/engine/llm"
)

// BenchmarkMeasure judges a short request and one of 12 KB.
func BenchmarkMeasure(b *testing.B) {
	for name, text := range map[string]string{"short": "What is the tallest tree of this city?", "long": strings.Repeat("The harbour master writes down when each ship comes in. ", 220)} {
		r := llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: text}}}}}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				measure(r)
			}
		})
	}
}
