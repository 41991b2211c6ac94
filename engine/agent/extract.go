package agent

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"lobstead/engine/llm"
	"lobstead/models"
)

const maxExtract = 6 << 10

// extract is a summary without a model: what was asked, what was answered in short, which files were touched
// and which commands ran. It is what the offline model compacts with.
func extract(earlier string, old []llm.Message) string {
	var asked, files, commands []string
	answer := ""
	for _, m := range old {
		for _, p := range m.Parts {
			switch {
			case p.Call != nil:
				noteCall(p.Call, &files, &commands)
			case p.Text == "" || strings.HasPrefix(p.Text, "("):
			case m.Role == llm.User:
				asked = append(asked, "- "+firstLine(p.Text, 200))
			default:
				answer = firstLine(p.Text, 400)
			}
		}
	}
	var b strings.Builder
	if earlier != "" {
		short, _ := clipMiddle(earlier, maxExtract/2)
		b.WriteString(short + "\n\n")
	}
	list(&b, "Asked:", asked)
	list(&b, "Files touched:", files)
	list(&b, "Commands run:", commands)
	if answer != "" {
		b.WriteString("Last answer: " + answer + "\n")
	}
	out, _ := clipMiddle(strings.TrimSpace(b.String()), maxExtract)
	return cmp.Or(out, "(nothing to tell)")
}

func list(b *strings.Builder, head string, lines []string) {
	if len(lines) == 0 {
		return
	}
	b.WriteString(head + "\n")
	if len(lines) > 40 {
		fmt.Fprintf(b, "(%d earlier ones)\n", len(lines)-40)
		lines = lines[len(lines)-40:]
	}
	b.WriteString(strings.Join(lines, "\n") + "\n")
}

func noteCall(c *llm.ToolCall, files, commands *[]string) {
	var in struct{ Path, Command string }
	_ = json.Unmarshal(c.Input, &in)
	if line := "- " + firstLine(in.Path, 200); in.Path != "" && !slices.Contains(*files, line) {
		*files = append(*files, line)
	}
	if in.Command != "" {
		*commands = append(*commands, "- `"+firstLine(in.Command, 200)+"`")
	}
}

// firstLine gives the first line that is not empty, at most max characters of it.
func firstLine(s string, max int) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if r := []rune(line); len(r) > max {
			return string(r[:max-1]) + "…"
		}
		return line
	}
	return ""
}

// Plain writes the log of a turn as text for a model that judges it: long outputs, and a long turn's middle, are left out.
func Plain(log []models.Event) string {
	t := transcript{}
	if err := t.block(block{events: log}); err != nil {
		return "(the log cannot be read)"
	}
	text, _ := clipMiddle(plain(t.out, 1500), 60_000)
	return text
}

// plain writes messages as text for a model that summarizes; outputs are cut to limit bytes.
func plain(ms []llm.Message, limit int) string {
	var b strings.Builder
	for _, m := range ms {
		for _, p := range m.Parts {
			switch {
			case p.Call != nil:
				input, _ := clipMiddle(string(p.Call.Input), limit)
				fmt.Fprintf(&b, "[the agent calls %s %s]\n", p.Call.Name, input)
			case p.Result != nil:
				content, _ := clipMiddle(p.Result.Content, limit)
				fmt.Fprintf(&b, "[result of %s]\n%s\n", p.Result.Name, content)
			case p.Text != "":
				text, _ := clipMiddle(p.Text, 4*limit)
				fmt.Fprintf(&b, "%s: %s\n", m.Role, text)
			}
		}
	}
	return b.String()
}
