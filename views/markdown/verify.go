package markdown

import "strings"

// vocabulary is every start tag there is, as it is written; links are checked by themselves. Elements that have no end
// are in void.
var vocabulary = map[string]bool{
	"p": true, `p class="plain"`: true, "h3": true, "h4": true, "h5": true, "h6": true, "strong": true, "em": true, "del": true,
	"code": true, "ul": true, "ol": true, `ul dir="auto"`: true, `ol dir="auto"`: true, "li": true, "blockquote": true, "table": true, "thead": true, "tbody": true,
	"tr": true, "td": true, "th": true, `td class="r"`: true, `td class="c"`: true, `th class="r"`: true, `th class="c"`: true,
	"span": true, `div class="code" data-copy-from`: true, `div class="code-head"`: true, `div class="table-wrap"`: true,
	`pre class="chroma" data-copy-text`: true,
}

var void = map[string]bool{
	"br": true, "hr": true,
	`input type="checkbox" disabled aria-label="done" checked`: true,
	`input type="checkbox" disabled aria-label="to do"`:        true,
}

// verify reads a result strictly: only the vocabulary, every element closed where it belongs, no stray quote or
// bracket. It does not trust the walk that wrote it.
func verify(html string) bool {
	var open [2*maxDepth + 16]string
	depth := 0
	for {
		at := strings.IndexByte(html, '<')
		if at < 0 {
			return depth == 0 && strings.IndexByte(html, '>') < 0
		}
		if strings.IndexByte(html[:at], '>') >= 0 {
			return false
		}
		html = html[at:]
		if strings.HasPrefix(html, "<b") {
			if rest, ok := strings.CutPrefix(html, copyButton()); ok {
				html = rest
				continue
			}
		}
		end := strings.IndexByte(html, '>')
		if end < 0 {
			return false
		}
		tag := html[1:end]
		html = html[end+1:]
		switch {
		case void[tag]:
		case tag != "" && tag[0] == '/':
			if depth == 0 || open[depth-1] != tag[1:] {
				return false
			}
			depth--
		case vocabulary[tag] || span(tag) || list(tag) || anchor(tag):
			if depth == len(open) {
				return false
			}
			name, _, _ := strings.Cut(tag, " ")
			open[depth] = name
			depth++
		default:
			return false
		}
	}
}

// span is a colour: a class of at most three letters and digits.
func span(tag string) bool {
	class, ok := strings.CutPrefix(tag, `span class="`)
	if !ok || len(class) < 2 || len(class) > 4 || class[len(class)-1] != '"' {
		return false
	}
	for _, c := range class[:len(class)-1] {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func list(tag string) bool {
	n, ok := strings.CutPrefix(strings.TrimSuffix(tag, ` dir="auto"`), `ol start="`)
	if !ok || len(n) < 2 || len(n) > 11 || n[len(n)-1] != '"' {
		return false
	}
	return strings.Trim(n[:len(n)-1], "0123456789") == ""
}

func anchor(tag string) bool {
	to, ok := strings.CutPrefix(tag, `a href="`)
	if !ok || !strings.HasSuffix(to, linkEnd[:len(linkEnd)-1]) {
		return false
	}
	to = to[:len(to)-len(linkEnd)+1]
	if strings.ContainsAny(to, "\"'<> \t\n\r\\`") {
		return false
	}
	return strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "mailto:")
}
