package commonmark

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

func TestCostly(t *testing.T) {
	for name, source := range map[string]string{
		"long":              strings.Repeat("word ", maxSource/5+1),
		"quotes in quotes":  strings.Repeat("> ", 300),
		"items in items":    strings.Repeat("- ", 150) + strings.Repeat("1. ", 150),
		"stars":             strings.Repeat("*a _b ", 600),
		"brackets":          strings.Repeat("[", 1001),
		"stars over lines":  strings.Repeat("**a [b\n", 400),
		"stars in a table":  strings.Repeat("|*a|_b|\n", 2100),
		"digits are no end": strings.Repeat("[[[\n12\n", 400),
	} {
		assert.True(t, Costly(source), name)
	}
	for name, source := range map[string]string{
		"nothing":             "",
		"a ruler":             strings.Repeat("-", 5000),
		"many items":          strings.Repeat("- **a** [b](c)\n", 2000),
		"many numbered items": strings.Repeat("12. **a** [b](c)\n", 2000),
		"many headings":       strings.Repeat("# **a**\n", 2000),
		"many paragraphs":     strings.Repeat("**a** [b](c)\n\n", 2000),
		"a table":             "|a|b|\n|-|-|\n" + strings.Repeat("|*a*|b|\n", 1900),
		"one block of code":   "```\n" + strings.Repeat("a[b] * c_d\n", 2000) + "```",
		"a text in five tabs": strings.Repeat("\t\t\t\t\tword\n", 1000),
	} {
		assert.False(t, Costly(source), name)
	}
}

// What a writer calls HTML is words.
func TestNoRawHTML(t *testing.T) {
	root := Parser().Parse(text.NewReader([]byte("<b>a</b>\n\n<script>\nalert(1)\n</script>\n")))
	_ = ast.Walk(root, func(n ast.Node, _ bool) (ast.WalkStatus, error) {
		assert.NotContains(t, []ast.NodeKind{ast.KindHTMLBlock, ast.KindRawHTML}, n.Kind())
		return ast.WalkContinue, nil
	})
}
