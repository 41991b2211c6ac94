package chat

import (
	"context"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// LiveTurn is what a running turn said that is not in the log yet. An empty TurnID is no turn at all.
type LiveTurn struct {
	TurnID  string
	Attempt int
	Blocks  []LiveBlock
}

// LiveBlock is one piece: "text/<step>" and "thinking/<step>" are HTML of markdown.Stream, "output/<call id>" is plain
// text as a tool prints it.
type LiveBlock struct {
	Key    string
	Closed []string
	Tail   string
}

func (b LiveBlock) kind() string {
	kind, _, _ := strings.Cut(b.Key, "/")
	return kind
}

// shown leaves out tools' output: it belongs into the tool's card, where LivePatch puts it.
func (t LiveTurn) shown() []LiveBlock {
	out := make([]LiveBlock, 0, len(t.Blocks))
	for _, b := range t.Blocks {
		if b.kind() != "output" {
			out = append(out, b)
		}
	}
	return out
}

// LivePatch gives what is new of a block: from is how many of its closed pieces the page has. With none it is the whole
// block, and of a tool's output it is always the whole, so that a repeated patch changes nothing.
func LivePatch(turnID string, b LiveBlock, from int) string {
	if _, call, ok := strings.Cut(b.Key, "output/"); ok {
		return render(liveOutput(outputID(turnID, call), terminal(strings.Join(b.Closed, "")+b.Tail)))
	}
	if from <= 0 || from > len(b.Closed) {
		return render(liveBlock(turnID, b, "append:live"))
	}
	var out strings.Builder
	for n := from; n < len(b.Closed); n++ {
		out.WriteString(render(livePiece(pieceID(turnID, b.Key, n), b.Closed[n], "append:"+blockID("lc", turnID, b.Key))))
	}
	out.WriteString(render(liveTail(blockID("lt", turnID, b.Key), b.Tail)))
	return out.String()
}

// LiveGone takes a block away whose words came with the log. A tool's output goes with its card.
func LiveGone(turnID, key string) string {
	if strings.HasPrefix(key, "output/") {
		return ""
	}
	return `<div id="` + blockID("lk", turnID, key) + `" data-live-op="remove"></div>`
}

func pieceID(turn, key string, n int) string {
	return blockID("lb", turn, key) + "-" + strconv.Itoa(n)
}

func render(c templ.Component) string {
	var b strings.Builder
	_ = c.Render(context.Background(), &b) // a strings.Builder has no errors
	return b.String()
}
