package offline

import (
	"fmt"
	"path"
	"strings"
)

const (
	shownLines = 150 // of an output; the tool's whole result stays in the log
	shownBytes = 12000
)

var languages = map[string]string{".go": "go", ".py": "python", ".js": "js", ".ts": "ts", ".sh": "sh", ".md": "markdown", ".json": "json",
	".yaml": "yaml", ".yml": "yaml", ".html": "html", ".css": "css", ".sql": "sql", ".toml": "toml", ".rs": "rust", ".c": "c", ".rb": "ruby"}

func language(p string) string { return languages[strings.ToLower(path.Ext(p))] }

// fence puts text into a code block whose fence the text cannot close, and says what it leaves out.
func fence(lang, text string) string {
	text, note := shorten(strings.TrimRight(text, "\n"))
	if text == "" {
		return "(no output)"
	}
	ticks := "```"
	for strings.Contains(text, ticks) {
		ticks += "`"
	}
	return ticks + lang + "\n" + text + "\n" + ticks + note
}

func shorten(text string) (string, string) {
	lines := strings.Split(text, "\n")
	cut := min(len(lines), shownLines)
	short := strings.Join(lines[:cut], "\n")
	if len(short) > shownBytes {
		short = strings.ToValidUTF8(short[:shownBytes], "")
		return short, fmt.Sprintf("\n\nShown: the first %d of %d bytes.", len(short), len(text))
	}
	if cut < len(lines) {
		return short, fmt.Sprintf("\n\nShown: the first %d of %d lines.", cut, len(lines))
	}
	return text, ""
}

// code is an inline code span that its content cannot leave.
func code(s string) string {
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, "\n", " ")), " ")
	if r := []rune(s); len(r) > 120 {
		s = string(r[:119]) + "…"
	}
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}

// cell makes text safe for a table cell.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "\r", "").Replace(strings.TrimSpace(s))
}

func table(head []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("|")
		for _, c := range cells {
			b.WriteString(" " + cell(c) + " |")
		}
		b.WriteString("\n")
	}
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, r := range rows {
		line(r)
	}
	return b.String()
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "ch") {
		return fmt.Sprintf("%d %ses", n, noun)
	}
	if strings.HasSuffix(noun, "ry") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// failure reports an error in the tool's own words.
func failure(what string, r result) string {
	if r.exit != 0 && !r.failed {
		return fmt.Sprintf("%s failed with exit code %d.\n\n%s", what, r.exit, fence("", r.text))
	}
	if r.text == "" {
		return what + " failed, and the tool gave no reason."
	}
	return what + " did not work:\n\n" + fence("", r.text)
}
