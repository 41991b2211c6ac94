package markdown

import "strings"

func (p *painter) number() int {
	i := p.i + 1
	for i < len(p.src) {
		c := p.src[i]
		point := c == '.' && i+1 < len(p.src) && p.src[i+1] >= '0' && p.src[i+1] <= '9'
		if !point && !nameByte(c) {
			break
		}
		i++
	}
	return i
}

func nameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func nameByte(c byte) bool { return nameStart(c) || c >= '0' && c <= '9' }

func (p *painter) nameEnd(i int) int {
	hyphen := p.l.has(markHyphen)
	for i < len(p.src) && (nameByte(p.src[i]) || hyphen && p.src[i] == '-') {
		i++
	}
	return i
}

// name paints a word by what it is: of the language, a key, called, or just said to be something by the word before.
func (p *painter) name() {
	end := p.nameEnd(p.i)
	word := p.src[p.i:end]
	if p.l.fold {
		word = strings.ToLower(word)
	}
	class := ""
	if p.l.words != nil {
		class = p.l.words()[word]
	}
	if p.i > 0 && p.src[p.i-1] == '.' {
		class = ""
	}
	next := strings.TrimLeft(p.src[end:min(len(p.src), end+8)], " ")
	switch {
	case p.l.has(markKeys) && strings.HasPrefix(next, ":") && !strings.HasPrefix(next, "::") && p.lineStart():
		class = "nt"
	case p.l.has(markAssign) && strings.HasPrefix(next, "=") && p.lineStart():
		class = "na"
	case class == "" && strings.HasPrefix(p.src[end:], "("):
		class = "nf"
	}
	if class == "" {
		p.i = end
		return
	}
	p.paint(class, p.i, end)
	if class == "kd" { // what is declared is named next
		p.declared(word)
	}
}

func (p *painter) declared(by string) {
	i := p.i
	for i < len(p.src) && p.src[i] == ' ' {
		i++
	}
	if i == p.i || i >= len(p.src) || !nameStart(p.src[i]) {
		return
	}
	end := p.nameEnd(i)
	if p.l.words != nil && p.l.words()[p.src[i:end]] != "" {
		return
	}
	switch by {
	case "func", "fn", "def", "function", "fun", "sub", "proc", "macro":
		p.paint("nf", i, end)
	case "class", "struct", "enum", "interface", "trait", "type", "impl", "union", "record", "protocol", "extension", "module",
		"namespace", "package", "message", "service", "object":
		p.paint("nc", i, end)
	}
}

func (p *painter) variable() {
	i := p.i + 1
	switch {
	case i < len(p.src) && p.src[i] == '{':
		i = p.after(i, "}")
	case i < len(p.src) && nameByte(p.src[i]):
		i = p.nameEnd(i)
	case i < len(p.src) && strings.IndexByte("@*#?!$", p.src[i]) >= 0:
		i++
	default:
		p.i = i
		return
	}
	p.paint("nv", p.i, i)
}
