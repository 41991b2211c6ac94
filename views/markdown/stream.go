package markdown

import (
	"strings"
	"unicode/utf8"
)

// Stream renders a text that is still being written. Blocks that can no longer change are given out once; only the open
// one at the end is rendered again, so the work grows with the text and not with its square. What only the whole text
// can tell (a link whose address stands below) is set right by Render when the text is complete. The zero value is
// ready; it is not for concurrent use.
type Stream struct {
	pending []byte // not given out as closed: the open block
	split   splitter
	fresh   bool // something came since the last Flush
	tail    string
	paint   openFence
}

// Write takes the next piece of the text; it may end within a character.
func (s *Stream) Write(delta string) {
	if delta != "" {
		s.pending = append(s.pending, delta...)
		s.fresh = true
	}
}

// Flush gives the HTML of the blocks that closed since the last Flush, and of the open rest. A fence that is still open
// is a block of code already.
func (s *Stream) Flush() (closed []string, tail string) {
	if !s.fresh {
		return nil, s.tail
	}
	s.fresh = false
	for {
		cut := s.split.next(s.pending)
		if cut == 0 {
			break
		}
		if html := Render(string(s.pending[:cut])); html != "" {
			closed = append(closed, html)
		}
		s.pending = append(s.pending[:0], s.pending[cut:]...)
		s.paint = openFence{}
	}
	s.tail = s.open()
	return closed, s.tail
}

func (s *Stream) open() string {
	text := s.pending[:whole(s.pending)]
	if at, info, ok := s.split.fence(text); ok && len(text)-at < maxPaint {
		if html, ok := s.paint.render(info, s.split.unclosed(text[at:])); ok {
			return html
		}
	}
	return Render(string(text))
}

// openFence is the block of code at the end: the lines that are painted stay painted.
type openFence struct {
	html []byte // head and what is painted for good
	safe int    // how much of the text that is
}

func (f *openFence) render(info string, text []byte) (string, bool) {
	l, label := find(info)
	if l == nil {
		l = &noLanguage
	}
	if f.html == nil {
		f.html = codeHead(make([]byte, 0, 1024), label)
		if head := string(f.html) + "</code></pre></div>"; !verify(head) {
			return "", false
		}
	}
	raw := string(text[min(f.safe, len(text)):])
	src := clean(raw)
	p := painter{l: l, src: strings.TrimSuffix(src, "\n"), b: make([]byte, 0, 2*len(src)+64)}
	p.paintAll()
	if !verify(string(p.b)) {
		return "", false
	}
	html := append(append(make([]byte, 0, len(f.html)+len(p.b)+1024), f.html...), p.b...)
	if len(src) == len(raw) { // else the places differ
		f.html = append(f.html, p.b[:p.done]...)
		f.safe += p.safe
	}
	return string(codeEnd(html, label)), true
}

var noLanguage = language{scan: func(p *painter) { p.lines(func(string) string { return "" }) }}

// whole gives the length without a character that has begun at the end.
func whole(b []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		if c := b[len(b)-back]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-back:]) {
				return len(b) - back
			}
			break
		}
	}
	return len(b)
}
