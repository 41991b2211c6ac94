package markdown

import "strings"

// markup reads HTML and its like.
func (p *painter) markup() {
	for p.i < len(p.src) {
		p.mark()
		switch {
		case p.has("<!--"):
			p.paint("c", p.i, p.after(p.i, "-->"))
		case p.has("<!") || p.has("<?"):
			p.paint("cp", p.i, p.after(p.i, ">"))
		case p.has("</") || p.has("<") && p.i+1 < len(p.src) && nameStart(p.src[p.i+1]):
			p.tag()
		default:
			n := strings.IndexByte(p.src[p.i+1:], '<')
			if n < 0 {
				return
			}
			p.i += n + 1
		}
	}
}

func (p *painter) tag() {
	i := p.i + 1
	for i < len(p.src) && strings.IndexByte(" \t\n>/", p.src[i]) < 0 || i == p.i+1 && p.src[i] == '/' {
		i++
		if i >= len(p.src) {
			break
		}
	}
	p.paint("nt", p.i, i)
	for p.i < len(p.src) && p.src[p.i] != '>' {
		switch c := p.src[p.i]; {
		case c == '"' || c == '\'':
			p.paint("s", p.i, p.after(p.i+1, string(c)))
		case nameStart(c) || c == ':' || c == '@':
			end := p.i + 1
			for end < len(p.src) && (nameByte(p.src[end]) || strings.IndexByte("-:.@", p.src[end]) >= 0) {
				end++
			}
			p.paint("na", p.i, end)
		default:
			p.i++
		}
	}
	if p.i < len(p.src) {
		p.paint("nt", p.i, p.i+1)
	}
}

// lines calls paint for the class of every line, "" for none.
func (p *painter) lines(class func(line string) string) {
	for p.i < len(p.src) {
		p.mark()
		from, end := p.i, p.lineEnd()
		if c := class(p.src[from:end]); c != "" {
			p.paint(c, from, end)
		}
		p.i = end + 1
	}
	p.i = len(p.src)
}

func (p *painter) diff() {
	p.lines(func(line string) string {
		switch {
		case strings.HasPrefix(line, "+++") || strings.HasPrefix(line, "---") || strings.HasPrefix(line, "diff ") || strings.HasPrefix(line, "index "):
			return "gh"
		case strings.HasPrefix(line, "@@"):
			return "gu"
		case strings.HasPrefix(line, "+"):
			return "gi"
		case strings.HasPrefix(line, "-"):
			return "gd"
		}
		return ""
	})
}

// console tells what was typed from what came back.
func (p *painter) console() {
	p.lines(func(line string) string {
		switch {
		case strings.HasPrefix(line, "$ ") || strings.HasPrefix(line, "> ") || strings.HasPrefix(line, "% "):
			return "nf"
		case strings.HasPrefix(line, "# "):
			return "nf"
		}
		return ""
	})
}
