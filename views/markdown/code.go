package markdown

import (
	"context"
	"strings"
	"sync"

	"lobstead/views/ui"
)

// copyButton is the shared component, rendered once.
var copyButton = sync.OnceValue(func() string {
	var b strings.Builder
	if err := ui.CopyButton().Render(context.Background(), &b); err != nil {
		panic(err)
	}
	return b.String()
})

// code appends a block with its language's name and a copy button: the markup of ui.Code.
func code(b []byte, info, text string) []byte {
	l, label := find(info)
	b = codeHead(b, label)
	b = l.highlight(b, strings.TrimSuffix(text, "\n"))
	return codeEnd(b, label)
}

func codeHead(b []byte, label string) []byte {
	b = append(b, `<div class="code" data-copy-from>`...)
	if label != "" {
		b = append(b, `<div class="code-head"><span>`...)
		b = escape(b, label)
		b = append(b, `</span>`...)
		b = append(append(b, copyButton()...), `</div>`...)
	}
	return append(b, `<pre class="chroma" data-copy-text><code>`...)
}

func codeEnd(b []byte, label string) []byte {
	b = append(b, `</code></pre>`...)
	if label == "" {
		b = append(b, copyButton()...)
	}
	return append(b, "</div>\n"...)
}

// Code gives the HTML of a file's text, coloured by the file's name: what stands inside <pre class="chroma">.
func Code(name, text string) string {
	l := byName(name)
	return string(l.highlight(make([]byte, 0, 2*len(text)+64), clean(text)))
}
