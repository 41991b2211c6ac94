package turns

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"lobstead/models"
	"lobstead/views/chat"
	"lobstead/views/ui"
)

// money writes nano-dollars as the conversation does; nothing paid is "$0".
func money(nanos int64) string { return cmp.Or(chat.Money(nanos), "$0") }

func (p Price) String() string {
	if !p.Priced {
		return "the price is not known"
	}
	if p.MostNanos == 0 {
		return "free"
	}
	return money(p.MostNanos) + " at most"
}

func percent(f float64) string { return strconv.FormatFloat(f*100, 'f', 0, 64) + " %" }

func quality(f float64) string {
	if f == 0 {
		return "—"
	}
	return strconv.FormatFloat(f, 'f', 1, 64)
}

func took(d time.Duration) string { return ui.Took(max(d, 0)) }

// plain shows direction marks as what they are: text must read as it is.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069, r < ' ' && r != '\n' && r != '\t':
			return '\uFFFD'
		}
		return r
	}, s)
}

// pretty indents JSON; what is none stays as it is.
func pretty(raw []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return plain(string(raw))
	}
	return plain(b.String())
}

func excerpt(s string, most int) string {
	r := []rune(plain(strings.Join(strings.Fields(s), " ")))
	if len(r) <= most {
		return string(r)
	}
	return string(r[:most-1]) + "…"
}

var severities = map[string]ui.Kind{"info": ui.Info, "warning": ui.Warn, "critical": ui.Bad}

var priorities = map[string]ui.Kind{"High": ui.Bad, "Medium": ui.Warn, "Low": ui.Info}

var states = map[models.TurnState]ui.Badge{
	models.TurnQueued: {Kind: ui.Off, Text: "Queued"}, models.TurnRunning: {Kind: ui.Busy, Text: "Running"}, models.TurnWaitingApproval: {Kind: ui.Warn, Text: "Waiting"},
	models.TurnInterrupting: {Kind: ui.Busy, Text: "Stopping"}, models.TurnDone: {Kind: ui.OK, Text: "Done"}, models.TurnFailed: {Kind: ui.Bad, Text: "Failed"},
	models.TurnInterrupted: {Kind: ui.Off, Text: "Stopped"},
}

func turnPath(id string) string { return "/turns/" + id }

func stepPath(turn string, n int) string { return turnPath(turn) + "/steps/" + strconv.Itoa(n) }

func chatPath(session, turn string) string {
	if turn == "" {
		return "/chat/" + session
	}
	return "/chat/" + session + "#turn-" + turn
}

// share is one part of a split.
type share struct {
	name   string
	class  string
	tokens int
}

func split(s *models.TurnStep) []share {
	return []share{{"System prompt", "s-system", s.SystemTokens}, {"Memories", "s-memory", s.MemoryTokens}, {"Conversation", "s-history", s.HistoryTokens}, {"Tools", "s-tools", s.ToolsTokens}}
}

// splitBar draws the parts of a prompt beside each other; the legend beneath has the figures.
type splitBar []share

// Render writes an SVG, since a style attribute has no place under the content policy.
func (b splitBar) Render(_ context.Context, w io.Writer) error {
	total := 0
	for _, s := range b {
		total += s.tokens
	}
	var out strings.Builder
	out.WriteString(`<svg class="split" aria-hidden="true">`)
	at := 0.0
	for _, s := range b {
		if total == 0 || s.tokens == 0 {
			continue
		}
		width := 100 * float64(s.tokens) / float64(total)
		fmt.Fprintf(&out, `<rect class="%s" height="100%%" x="%.2f%%" width="%.2f%%"/>`, s.class, at, width)
		at += width
	}
	out.WriteString(`</svg>`)
	_, err := io.WriteString(w, out.String())
	return err
}

// span draws when something happened within a turn.
type span struct{ from, to, whole time.Duration }

// Render writes an SVG.
func (s span) Render(_ context.Context, w io.Writer) error {
	if s.whole <= 0 {
		return nil
	}
	at := func(d time.Duration) float64 { return min(100, max(0, 100*float64(d)/float64(s.whole))) }
	x := min(at(s.from), 99)
	_, err := fmt.Fprintf(w, `<svg class="bar wide span" aria-hidden="true"><rect height="100%%" rx="2.5" x="%.2f%%" width="%.2f%%"/></svg>`, x, max(1, at(s.to)-x))
	return err
}

var (
	_ templ.Component = splitBar{}
	_ templ.Component = span{}
)
