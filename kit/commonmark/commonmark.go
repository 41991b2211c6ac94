// Package commonmark is the one grammar in which Lobstead reads what a model wrote, for pages and for chat services: CommonMark
// without raw HTML, with GFM's tables, strikethrough and task lists. What bare addresses are is each reader's own.
package commonmark

import (
	"strings"

	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/util"
)

// Parser makes the grammar, with more inline parsers by their priority.
func Parser(more ...util.PrioritizedValue) parser.Parser {
	return parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(append([]util.PrioritizedValue{
			util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
			util.Prioritized(extension.NewStrikethroughParser(), 500),
		}, more...)...),
		parser.WithParagraphTransformers(
			util.Prioritized(parser.LinkReferenceParagraphTransformer, 100),
			util.Prioritized(extension.NewTableParagraphTransformer(), 200),
		),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	)
}

// maxSource is how many bytes are read at once.
const maxSource = 256 << 10

// Costly tells a text that is to be shown as it is: longer than anybody reads, or written so that reading it takes the square of
// its length.
func Costly(s string) bool {
	return len(s) > maxSource || deep(s) || tangled(s)
}

// deep finds lines that open hundreds of blocks inside each other; nobody writes those, and each level costs every
// reader. A ruler of dashes is no such line.
func deep(s string) bool {
	run, same := 0, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\n':
			run, same = 0, 0
			continue
		case run < 0:
			continue
		case c == ' ' || c == '\t':
			continue
		case strings.IndexByte(">-*+.)0123456789", c) < 0:
			run = -1
			continue
		}
		if run++; i > 0 && s[i-1] == c && c != '>' {
			same++
		}
		if run-same > 200 {
			return true
		}
	}
	return false
}

// tangled finds a paragraph with more brackets and stars than a writer needs: goldmark's time goes with their square.
// Table cells are paragraphs of their own, so their lines may hold more.
func tangled(s string) bool {
	marks, cells := 0, 0
	for line := range strings.Lines(s) {
		text := strings.TrimLeft(line, " \t")
		n := strings.Count(text, "*") + strings.Count(text, "_") + strings.Count(text, "[") + strings.Count(text, "~")
		switch {
		case opens(text):
			marks, cells = n, 0
		case text[0] == '|':
			cells += n
		default:
			marks += n
		}
		if marks > 1000 || cells > 4000 {
			return !fenced(s)
		}
	}
	return false
}

// opens tells a line that ends the paragraph before it: an empty one, a heading, an item.
func opens(text string) bool {
	rest := strings.TrimLeft(text, "0123456789")
	mark := "-*+"
	if rest != text {
		mark = ".)"
	}
	switch {
	case strings.TrimSpace(rest) == "":
		return rest == text
	case text[0] == '#':
		return true
	case strings.IndexByte(mark, rest[0]) < 0:
		return false
	}
	return len(rest) == 1 || strings.IndexByte(" \t\r\n", rest[1]) >= 0
}

// fenced spares a text that is one block of code.
func fenced(s string) bool {
	return strings.HasPrefix(s, "```") && strings.Count(s, "```") <= 2
}
